"""The one pass of a frozen upstream over corpora.

It does not go through `zero_shot_emotion.corpus.stage.run_stage`: that hands out single items and writes a corpus with
audio, while an upstream wants batches of like length and writes tensors. It keeps the runner's promises in its own way.
The plan (which utterances make which batch of which shard) is written down first; a shard is written whole or
not at all; a run that was killed goes on with the plan where it stopped, to the same bytes.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acoustics import AS_IT_IS, Conditioning
from ..audio import RATE, AudioError, Wave, check_audio, read_audio
from ..corpus import Corpus, CorpusError, atomic_write
from ..corpus.atomic import remove_parts
from .fingerprint import audio_hash
from .frozen import SELECTION, FrozenUpstream, UpstreamSpec, bucket, into_shards, layer_means
from .store import (
    CARD,
    StoreError,
    clear,
    conditioning_in,
    read_bad,
    read_card,
    shard_path,
    stored_hashes,
    write_bad,
    write_card,
    write_shard,
)

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PLAN = ".plan.json"
LOCK = ".lock"
KEEP = ("means", "frames")
BATCH_SECONDS = {"cpu": 16.0, "cuda": 160.0}
"""Seconds of audio in a batch, padding included. On a CPU a batch that fits its caches is the fastest."""
SHARD_SECONDS = 300.0
"""Of audio in a shard: what a kill may cost."""
MOST_SHARDS = 1000
"""Of one run: shards of a very large corpus grow instead, to keep the number of files in bounds."""
READERS = 4
"""Threads that read audio ahead; decoding and hashing release the interpreter's lock."""

Load = Callable[[UpstreamSpec, "torch.device"], FrozenUpstream]


@dataclass(frozen=True)
class ExtractReport:
    """What an extraction did.

    Attributes:
        folder: of the store.
        computed: utterances that went through the upstream.
        there: utterances that the store held already.
        bad: what cannot be used, with the reason, by the audio's path.
        audio_seconds: of the utterances that were computed.
        seconds: all of it took.
        batching: how padding was dealt with.
    """

    folder: Path
    computed: int
    there: int
    bad: dict[str, AudioError]
    audio_seconds: float
    seconds: float
    batching: str

    def summary(self) -> str:
        """One screen for people."""
        card = read_card(self.folder)
        key = card["key"]
        rate = f", {self.computed / self.seconds:.1f} utterances/s" if self.computed else ""
        lines = [
            f"extract: {self.computed} utterances computed, {self.there} were there already",
            f"  upstream  {key['upstream']}: {key['keep']} of {key['layers']} layers of width {key['width']}",
            f"  output    {self.folder}",
            f"  time      {self.seconds:.1f} s for {self.audio_seconds / 3600:.2f} h of audio{rate}",
        ]
        if self.batching:
            lines.append(f"  batching  {self.batching}")
        if self.bad:
            lines.append(f"  bad audio {_counted(self.bad)}")
        lines.append(f"  train     run_downstream.py -u stored -k {self.folder} -d zero_shot_emotion ...")
        return "\n".join(lines)


def extract(
    corpora: Sequence[Corpus],
    upstream: UpstreamSpec,
    out: str | Path,
    *,
    keep: str = "means",
    device: str | None = None,
    batch_seconds: float | None = None,
    skip_errors: bool = False,
    overwrite: bool = False,
    load: Load = FrozenUpstream,
    conditioning: Conditioning = AS_IT_IS,
) -> ExtractReport:
    """Store the features of all utterances of some corpora that have audio.

    Args:
        corpora: what to compute; audio that the store holds already is not computed again.
        upstream: what to compute it with.
        out: folder of the store, new or made by the same upstream.
        keep: ``means`` of each layer over the frames, all that the default head needs, or all ``frames``.
        device: ``cpu``, ``cuda`` or ``cuda:1``; by default a GPU if there is one.
        batch_seconds: seconds of audio in a batch; by default what suits the device.
        skip_errors: count bad audio and go on. Without it all else is stored still, then this raises.
        overwrite: throw away what the folder holds of another upstream.
        load: loads the upstream; whoever extracts several times may keep what it loaded.
        conditioning: what is done to all audio first, as ``datarc`` says it.

    Raises:
        StoreError: if audio is bad, if the folder holds features of another key, or if another process writes into it.
    """
    from filelock import FileLock, Timeout

    if keep not in KEEP:
        raise StoreError(f"keep: got {keep!r}, expected one of {', '.join(KEEP)}")
    out, start = Path(out), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / LOCK, timeout=0):
            if overwrite and (out / CARD).exists():
                clear(out)
            report = _Extraction(upstream, out, keep, device, batch_seconds, load, conditioning).run(corpora, start)
    except Timeout:
        raise StoreError(f"{out}: another process is extracting into it, expected to be alone") from None
    if report.bad and not skip_errors:
        raise StoreError(
            f"{out}: bad audio: {_counted(report.bad)}. All else is stored; mend the audio and run again, "
            "or leave it out with --skip-errors"
        )
    return report


def _counted(bad: Mapping[str, AudioError]) -> str:
    counts = Counter(problem.reason for problem in bad.values())
    listed = "; ".join(str(problem) for problem in list(bad.values())[:3])
    return f"{len(bad)} utterances ({', '.join(f'{n} {reason}' for reason, n in counts.items())}): {listed}"


class _Extraction:
    """One run of `extract`."""

    def __init__(
        self,
        spec: UpstreamSpec,
        out: Path,
        keep: str,
        device: str | None,
        batch_seconds: float | None,
        load: Load,
        conditioning: Conditioning = AS_IT_IS,
    ) -> None:
        self._conditioning = conditioning
        self._spec, self._out, self._keep, self._load = spec, out, keep, load
        self._device, self._batch_seconds = device, batch_seconds
        self._paths: dict[bytes, Path] = {}
        self._problems: dict[str, AudioError] = {}
        self._bad: dict[bytes, tuple[str, str]] = {}

    def run(self, corpora: Sequence[Corpus], start: float) -> ExtractReport:
        wanted = self._hash_all(corpora)
        known_key = {**self._spec.key, "keep": self._keep, **self._conditioning.key}
        if (self._out / CARD).exists():
            wanted_key = {**known_key, **asdict(self._conditioning)}
            there = read_card(self._out)["key"]
            there |= asdict(conditioning_in(there))
            self._refuse_other({name: there.get(name) for name in wanted_key}, wanted_key)
        self._bad = read_bad(self._out)
        there = stored_hashes(self._out)
        missing = [digest for digest in self._paths if digest not in there and digest not in self._bad]
        seconds, batching = 0.0, ""
        if missing or not (self._out / CARD).exists():
            seconds, batching = self._compute(missing, known_key)
        for path, digest in wanted.items():
            if digest in self._bad:
                self._problems[path] = AudioError(*self._bad[digest])
        computed = sum(digest not in self._bad for digest in missing)
        held = sum(digest in there for digest in self._paths)
        return ExtractReport(self._out, computed, held, self._problems, seconds, time.monotonic() - start, batching)

    def _hash_all(self, corpora: Sequence[Corpus]) -> dict[str, bytes]:
        """The hash of each utterance's audio by its path; what has no audio is a problem."""
        from tqdm import tqdm

        paths: list[Path] = []
        for corpus in corpora:
            for utterance in corpus:
                try:
                    paths.append(corpus.audio_path(utterance))
                except CorpusError as error:
                    self._problems[f"{corpus.name}/{utterance.id}"] = AudioError("no audio", str(error))

        def digest(path: Path) -> bytes | AudioError:
            try:
                return audio_hash(path)
            except OSError as error:
                return AudioError("missing", f"{path}: {error.strerror}")

        wanted: dict[str, bytes] = {}
        with ThreadPoolExecutor(READERS) as pool:
            found = tqdm(pool.map(digest, paths), total=len(paths), desc="hash audio", unit="file", mininterval=1)
            for path, result in zip(paths, found, strict=True):
                if isinstance(result, AudioError):
                    self._problems[str(path)] = result
                else:
                    wanted[str(path)] = result
                    self._paths.setdefault(result, path)
        return wanted

    def _refuse_other(self, there: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        differing = [
            f"{name} (there {there.get(name)!r}, now {ours[name]!r})" for name in ours if there.get(name) != ours[name]
        ]
        if differing:
            raise StoreError(
                f"{self._out}: holds other features: {', '.join(differing)}. Choose another folder with -o, "
                "or throw these away with --overwrite"
            )

    def _compute(self, missing: list[bytes], known_key: dict[str, Any]) -> tuple[float, str]:
        import torch

        device = torch.device(self._device or ("cuda" if torch.cuda.is_available() else "cpu"))
        upstream = self._load(self._spec, device)
        if upstream.centred and self._keep == "means":
            raise StoreError(
                f"-u {self._spec.name}: subtracts each utterance's mean, so that its means are zero whatever is said; "
                "store all frames with --keep frames, or take an upstream without it, such as fbank_no_cmvn"
            )
        key = {
            **known_key,
            "selection": SELECTION,
            "layers": upstream.layers,
            "width": upstream.width,
            "rate": upstream.rate,
            "weights": upstream.weights,
        }
        if (self._out / CARD).exists():
            self._refuse_other(read_card(self._out)["key"], key)
        else:
            write_card(self._out, {"key": key, "aliases": upstream.aliases, "made_from": self._made_from()})
        plan = _Plan.resume(self._out, missing) or self._plan(missing, self._batch_seconds or _batch_seconds(device))
        seconds = self._work_off(plan, upstream)
        # What the plan of a killed run lacked, such as utterances that came to the corpus since.
        rest = [digest for digest in missing if digest not in plan.hashes and digest not in self._bad]
        if rest:
            plan = self._plan(rest, self._batch_seconds or _batch_seconds(device))
            seconds += self._work_off(plan, upstream)
        batching = (
            "by like length: padding does not change this upstream's features"
            if upstream.frame_count
            else "equal lengths only: padding would change this upstream's features"
        )
        return seconds, batching

    def _made_from(self) -> dict[str, Any]:
        """For people, and to find the checkpoint again; nothing here is compared."""
        from importlib.metadata import version

        versions = {package: version(package) for package in ("s3prl", "torch", "transformers")}
        return {"ckpt": self._spec.ckpt, "config": self._spec.config, "versions": versions}

    def _plan(self, missing: list[bytes], batch_seconds: float) -> _Plan:
        def length(digest: bytes) -> int | AudioError:
            try:
                return _samples(self._paths[digest])
            except AudioError as error:
                return error

        lengths: list[tuple[int, bytes]] = []
        with ThreadPoolExecutor(READERS) as pool:
            for digest, samples in zip(missing, pool.map(length, missing), strict=True):
                if isinstance(samples, AudioError):
                    self._bad[digest] = (samples.reason, str(samples))
                else:
                    lengths.append((samples, digest))
        by_digest = {digest: samples / RATE for samples, digest in lengths}
        batches = bucket(lengths, batch_seconds, RATE)
        seconds = [sum(by_digest[digest] for digest in batch) for batch in batches]
        shards = into_shards(batches, seconds, max(SHARD_SECONDS, sum(seconds) / MOST_SHARDS))
        return _Plan.begin(self._out, shards)

    def _work_off(self, plan: _Plan, upstream: FrozenUpstream) -> float:
        """Compute the shards that are not there; returns the seconds of audio."""
        from tqdm import tqdm

        todo = [(number, batches) for number, batches in plan.shards if not shard_path(self._out, number).exists()]
        work = [(number, batch) for number, batches in todo for batch in batches]
        done, seconds = sum(map(len, plan.hashes_of_done(self._out))), 0.0
        with tqdm(total=len(plan.hashes), initial=done, desc="extract", unit="utt", mininterval=1) as bar:
            waves = self._ahead([batch for _, batch in work])
            for number, batches in todo:
                rows: list[_Row] = []
                for batch in batches:
                    usable = self._usable(batch, next(waves))
                    rows += self._encode(usable, upstream)
                    seconds += sum(len(wave) for wave in usable.values()) / RATE
                    bar.update(len(batch))
                    bar.set_postfix_str(f"{seconds / (bar.format_dict['elapsed'] or 1):.1f} x real time", refresh=False)
                if rows:
                    write_shard(shard_path(self._out, number), _tensors(rows, self._keep))
                write_bad(self._out, self._bad)
        write_bad(self._out, self._bad)
        plan.end(self._out)
        remove_parts(self._out)
        return seconds

    def _ahead(self, batches: Sequence[list[bytes]]) -> Iterator[list[Wave | AudioError]]:
        """The waves of each batch, read while the batch before is computed."""
        with ThreadPoolExecutor(READERS) as pool:
            pending = [pool.submit(self._read, digest) for batch in batches[:1] for digest in batch]
            for following in [*batches[1:], []]:
                upcoming = [pool.submit(self._read, digest) for digest in following]
                yield [future.result() for future in pending]
                pending = upcoming

    def _read(self, digest: bytes) -> Wave | AudioError:
        path = self._paths[digest]
        try:
            audio = self._conditioning(read_audio(path))
            check_audio(audio, str(path), min_seconds=0.0)
        except AudioError as error:
            return error
        return audio.wave.astype(np.float32, copy=False)

    def _usable(self, batch: list[bytes], waves: list[Wave | AudioError]) -> dict[bytes, Wave]:
        usable = {}
        for digest, wave in zip(batch, waves, strict=True):
            if isinstance(wave, AudioError):
                self._bad[digest] = (wave.reason, str(wave))
            else:
                usable[digest] = wave
        return usable

    def _encode(self, waves: Mapping[bytes, Wave], upstream: FrozenUpstream) -> list[_Row]:
        """Features of a batch; what the upstream cannot take is bad and costs nothing but itself.

        Raises:
            StoreError: if an utterance alone is too much for the memory: that is no fault of its own, to be remembered.
        """
        import torch

        if not waves:
            return []
        try:
            features = upstream(list(waves.values()))
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            if len(waves) > 1:
                return [row for item in waves.items() for row in self._encode(dict([item]), upstream)]
            (digest,) = waves
            if isinstance(error, torch.OutOfMemoryError):  # the machine's fault: another try may do, elsewhere at least
                raise StoreError(
                    f"{self._paths[digest]}: does not fit into the device's memory by itself. What "
                    "is stored is kept: run again with --device cpu, or when nothing else is on the device"
                ) from None
            message = f"{self._paths[digest]}: the upstream fails: {error}"
            self._bad[digest] = ("upstream fails", message)
            return []
        rows = []
        for (digest, wave), frames in zip(waves.items(), features, strict=True):
            row = _Row(digest, len(wave), frames.shape[1], _kept(frames, self._keep))
            if row.frames == 0 or not row.features.isfinite().all():
                found = "no frames" if row.frames == 0 else "features that are not finite"
                self._bad[digest] = ("no features", f"{self._paths[digest]}: the upstream gives {found}")
            else:
                rows.append(row)
        return rows


@dataclass(frozen=True)
class _Row:
    """One utterance's features, as they are stored."""

    audio: bytes
    samples: int
    frames: int
    features: Tensor


def _kept(frames: Tensor, keep: str) -> Tensor:
    """What is stored of (layers, frames, width): (1, layers, width) float32 or (frames, layers, width) float16."""
    if keep == "means":
        return layer_means(frames).unsqueeze(0)
    return frames.transpose(0, 1).half().cpu()


def _tensors(rows: Sequence[_Row], keep: str) -> dict[str, Tensor]:
    import torch

    return {
        "audio": torch.from_numpy(np.stack([np.frombuffer(row.audio, dtype=np.uint8) for row in rows])),
        "samples": torch.tensor([row.samples for row in rows]),
        "frames": torch.tensor([row.frames for row in rows]),
        "features": torch.cat([row.features for row in rows]).contiguous(),
    }


@dataclass(frozen=True)
class _Plan:
    """Which utterances make which batch of which shard, written down before anything is computed."""

    shards: list[tuple[int, list[list[bytes]]]]

    @property
    def hashes(self) -> set[bytes]:
        return {digest for _, batches in self.shards for batch in batches for digest in batch}

    def hashes_of_done(self, out: Path) -> Iterator[set[bytes]]:
        for number, batches in self.shards:
            if shard_path(out, number).exists():
                yield {digest for batch in batches for digest in batch}

    @classmethod
    def begin(cls, out: Path, shards: list[list[list[bytes]]]) -> _Plan:
        last = max((int(path.stem.split("-")[1]) for path in out.glob("features-*.safetensors")), default=-1)
        plan = cls(list(enumerate(shards, last + 1)))
        with atomic_write(out / PLAN) as file:
            json.dump(
                [[number, [[d.hex() for d in batch] for batch in batches]] for number, batches in plan.shards], file
            )
        return plan

    @classmethod
    def resume(cls, out: Path, missing: Sequence[bytes]) -> _Plan | None:
        """The plan of a killed run, if all it has still to do is asked for now."""
        if not (out / PLAN).exists():
            return None
        stored = json.loads((out / PLAN).read_text(encoding="utf-8"))
        plan = cls([(number, [[bytes.fromhex(d) for d in batch] for batch in batches]) for number, batches in stored])
        done = set().union(*plan.hashes_of_done(out))
        bad = set(read_bad(out))
        return plan if plan.hashes - done - bad <= set(missing) else None

    def end(self, out: Path) -> None:
        (out / PLAN).unlink(missing_ok=True)


def _samples(path: Path) -> int:
    """About how many samples a file will have at 16 kHz, from its header."""
    import soundfile

    if not path.is_file():
        raise AudioError("missing", f"{path}: no such file")
    try:
        header = soundfile.info(str(path))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError("unreadable", f"{path}: expected an audio file: {error}") from None
    return int(header.frames * RATE / header.samplerate)


def _batch_seconds(device: Any) -> float:
    return BATCH_SECONDS.get(device.type, BATCH_SECONDS["cpu"])
