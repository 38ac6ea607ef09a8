"""Name the emotions of wavs or texts with what was trained: batched by length, flat in memory, resumable."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from hashlib import file_digest
from itertools import islice, repeat
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

import numpy as np

from . import predict_text, regression
from .acoustics import AS_IT_IS, Conditioning
from .audio import RATE, AudioError, Wave, check_audio, read_audio
from .corpus import MANIFEST, atomic_write
from .corpus.readers import READERS, open_corpus
from .corpus.unfinished import refuse_unfinished
from .errors import UserError

WINDOW = 256
"""Files that are read, sorted by length and written in their own order: what memory holds, and what a kill costs."""
BATCH_SECONDS = 60.0
"""Of audio in a batch, padding included."""
READING = 4
"""Threads that read audio."""
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au")
JOURNAL = ".part.jsonl"
FORMATS = (".csv", ".jsonl")
MODELS = ("dev-best.ckpt", regression.MODEL, "classifier")
"""What the folder of an experiment or of a system has its model in."""


class PredictError(UserError, RuntimeError):
    """Predictions that cannot be made."""


class Predictor(Protocol):
    """A trained model.

    Attributes:
        classes: what it tells apart.
        conditioning: what is done to all audio first, as in its training.
    """

    classes: tuple[str, ...]
    conditioning: Conditioning

    def __call__(self, waves: Sequence[Wave]) -> list[list[float]]:
        """Probabilities of the classes, a list for each wave."""
        ...


@dataclass(frozen=True)
class Sound:
    """A file to be listened to."""

    id: str
    path: Path


@dataclass(frozen=True)
class PredictReport:
    """What came out: emotions by count, bad files or texts by reason."""

    out: Path
    emotions: dict[str, int]
    bad: dict[str, int]
    resumed: int
    first_bad: str
    what: str = "files"

    def summary(self) -> str:
        """One screen for people."""
        told = ", ".join(f"{name} {count}" for name, count in self.emotions.items())
        lines = [f"predict: {sum(self.emotions.values())} {self.what} ({told or 'none'})", f"  output    {self.out}"]
        if self.resumed:
            lines.append(f"  resumed   {self.resumed} {self.what} were done already")
        if self.bad:
            counts = ", ".join(f"{count} {reason}" for reason, count in self.bad.items())
            lines.append(f"  bad       {counts}, listed in {failures_path(self.out)}, such as {self.first_bad}")
        return "\n".join(lines)


def predict(checkpoint: str | Path, source: str, out: str | Path, device: str | None = None) -> PredictReport:
    """Predict, and write a line a file: id, file, emotion, probabilities.

    Args:
        checkpoint: of s3prl's runner with this downstream, a benchmark's logistic regression, or a classifier of text;
            or the folder that one of them lies in.
        source: a file, a folder that is searched for audio, or a corpus. For a classifier of text a corpus, or a
            ``.txt`` (a text a line), ``.csv`` or ``.jsonl`` file (with a column ``text``).
        out: a ``.csv`` or ``.jsonl`` file; it takes its name when it is complete. A run that was killed goes on.
        device: by default a GPU if there is one.

    Raises:
        PredictError: on a checkpoint, a source or an output that is not what it should be.
        CorpusError: on a corpus that is not what it should be.
    """
    out = Path(out)
    if out.suffix not in FORMATS:
        raise PredictError(f"-o {out}: expected a name that ends in {' or '.join(FORMATS)}")
    checkpoint = find_model(Path(checkpoint))
    if predict_text.holds_classifier(checkpoint):
        return _predict_text(checkpoint, source, out, device)
    sounds = find_sounds(source)
    predictor = load_predictor(checkpoint, device)
    with checkpoint.open("rb") as file:
        run = {"checkpoint": file_digest(file, "sha256").hexdigest(), "source": str(source), "window": WINDOW}
    with _Journal(out.with_name(f".{out.name}{JOURNAL}"), run) as journal:
        sounds = journal.rest(sounds, partial(find_sounds, source))
        resumed = journal.done
        _work_off(sounds, predictor, journal)
        if journal.done:
            return _write(journal, out, predictor.classes, resumed)
        journal.remove()
    raise PredictError(f"{source}: no audio in it, expected files that end in {', '.join(SUFFIXES)}")


def _predict_text(folder: Path, source: str, out: Path, device: str | None) -> PredictReport:
    """As `predict`, of text."""
    from .text.classifier import load_classifier

    classifier = load_classifier(folder, device or "cpu")
    find_texts = partial(predict_text.find_texts, source, classifier.about.context)
    texts = find_texts()
    run = {"checkpoint": predict_text.fingerprint(folder), "source": str(source), "window": WINDOW}
    with _Journal(out.with_name(f".{out.name}{JOURNAL}"), run) as journal:
        rest = journal.rest(texts, find_texts)
        resumed = journal.done
        for lines in predict_text.read_off(rest, classifier, WINDOW, resumed):
            journal.add(lines)
        if journal.done:
            return replace(_write(journal, out, classifier.about.classes, resumed), what="texts")
        journal.remove()
    raise PredictError(f"{source}: no text in it")


def failures_path(out: Path) -> Path:
    """Where the bad files are listed."""
    return out.with_name(f"{out.stem}.failures.jsonl")


def find_sounds(source: str) -> Iterator[Sound]:
    """The files of a source, in an order that is always the same.

    Raises:
        PredictError: if there is no such file, folder or corpus.
        CorpusError: if the corpus is half made.
    """
    reader, colon, _ = source.partition(":")
    path = Path(source.partition("#")[0])
    if (colon and reader in READERS) or (path / MANIFEST).is_file():
        corpus = open_corpus(source)
        return (Sound(u.id, corpus.audio_path(u)) for u in corpus)
    if path.is_file():
        return iter([Sound(_written(path.stem), path)])
    if path.is_dir():
        refuse_unfinished(path)
        return (Sound(_written(found.relative_to(path).as_posix()), found) for found in _walk(path))
    raise PredictError(f"{source}: no such file, folder or corpus")


def _written(name: str) -> str:
    """A file's name as a table can hold it: bytes that are no UTF-8 stand as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _walk(folder: Path) -> Iterator[Path]:
    """Audio below a folder, one folder's names in memory at a time."""
    with os.scandir(folder) as entries:
        found = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    for name, is_folder in found:
        if is_folder:
            yield from _walk(folder / name)
        elif name.lower().endswith(SUFFIXES):
            yield folder / name


def find_model(path: Path) -> Path:
    """What a path means: itself, or the one model in the folder of an experiment or of a benchmark's system.

    Raises:
        PredictError: if there is no model or more than one, naming what there is.
    """
    if path.is_file() or predict_text.holds_classifier(path):
        return path
    if not path.exists():
        found = _models_in(path.parent)
        told = f"; in its folder there is {' and '.join(one.name for one in found)}" if found else ""
        raise PredictError(f"{path}: no such checkpoint{told}")
    found = _models_in(path)
    if len(found) == 1:
        return found[0]
    if found:
        raise PredictError(f"{path}: holds {' and '.join(one.name for one in found)}, expected one of them")
    told = f"{path}: holds no model, expected {', '.join(MODELS[:-1])} or {MODELS[-1]} in it"
    below = sorted(child.name for child in path.iterdir() if child.is_dir() and _models_in(child))
    raise PredictError(f"{told}; there are models in its folders {', '.join(below[:5])}" if below else told)


def _models_in(folder: Path) -> list[Path]:
    return [folder / name for name in MODELS if (folder / name).exists()]


def load_predictor(checkpoint: Path, device: str | None = None) -> Predictor:
    """The model of a checkpoint, by what the checkpoint is.

    Raises:
        PredictError: if it is none that is known here.
    """
    if not checkpoint.exists():
        raise PredictError(f"{checkpoint}: no such checkpoint")
    for knows, load in PREDICTORS:
        if knows(checkpoint):
            return load(checkpoint, device)
    raise PredictError(
        f"{checkpoint}: expected a checkpoint of s3prl's runner with -d zero_shot_emotion, {regression.MODEL} or a "
        "classifier's folder"
    )


class SpeechPredictor:
    """Upstream, featurizer and head of an s3prl checkpoint, as its runner puts them together."""

    def __init__(self, checkpoint: Path, device: str | None) -> None:
        import torch

        from .s3prl_plugin import startup

        startup.install()
        from s3prl.downstream.runner import Runner

        states = _states(checkpoint)
        arguments = states["Args"]
        self._torch = torch
        self._device = arguments.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        arguments.init_ckpt, arguments.mode, arguments.local_rank = str(checkpoint), "inference", None
        if arguments.upstream == "stored":
            name, ckpt, config = stored_upstream(checkpoint, Path(arguments.upstream_ckpt))
            arguments.upstream, arguments.upstream_ckpt, arguments.upstream_model_config = name, ckpt, config
        with redirect_stdout(None):
            runner = Runner(arguments, states["Config"])
        self._models = [entry.model.eval() for entry in runner.all_entries]
        self.classes: tuple[str, ...] = runner.downstream.model.classes
        self.conditioning: Conditioning = runner.downstream.model.datarc.conditioning

    def __call__(self, waves: Sequence[Wave]) -> list[list[float]]:
        torch = self._torch
        upstream, featurizer, downstream = self._models
        with torch.no_grad():
            inputs = [torch.from_numpy(wave).to(self._device) for wave in waves]
            features = featurizer(inputs, upstream(inputs))
            shares: list[list[float]] = downstream.classifier(features).softmax(dim=-1).cpu().tolist()
        return shares


class RegressionPredictor:
    """A logistic regression on the means of an upstream's layers."""

    def __init__(self, checkpoint: Path, device: str | None) -> None:
        import torch

        from .features import UpstreamSpec
        from .features.frozen import FrozenUpstream

        self._regression, about = regression.load(checkpoint)
        if "store" not in about:
            raise PredictError(f"{checkpoint}: was fitted to speech and text together, expected a model of one of them")
        spec = UpstreamSpec(*stored_upstream(checkpoint, Path(about["store"])))
        with redirect_stdout(None):
            place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self._upstream = FrozenUpstream(spec, place)
        self._layer = self._upstream.aliases.get(about["selection"])
        self.classes: tuple[str, ...] = self._regression.classes
        told = {name: json.loads(about[name]) for name in ("level_db", "trim") if name in about}
        self.conditioning = Conditioning(**told)

    def __call__(self, waves: Sequence[Wave]) -> list[list[float]]:
        from .features.frozen import layer_means

        features = [regression.vector(layer_means(frames).numpy(), self._layer) for frames in self._upstream(waves)]
        shares: list[list[float]] = self._regression.probabilities(np.stack(features)).tolist()
        return shares


def stored_upstream(checkpoint: Path, store: Path) -> tuple[str, str | None, str | None]:
    """Name, checkpoint and config of the upstream whose stored features a head was trained on.

    Raises:
        PredictError: if neither the store nor ``upstream.json`` beside the checkpoint says it.
    """
    beside = checkpoint.with_name("upstream.json")
    if beside.exists():
        told = json.loads(beside.read_text(encoding="utf-8"))
        return told["upstream"], told["ckpt"], told["config"]
    from .features.store import StoreError, read_card

    try:
        card = read_card(store)
    except StoreError as error:
        raise PredictError(f"{checkpoint}: was trained on stored features of an unknown upstream: {error}") from None
    return card["key"]["upstream"], card["made_from"]["ckpt"], card["made_from"]["config"]


def _is_speech(checkpoint: Path) -> bool:
    if not checkpoint.is_file():
        return False
    try:
        states = _states(checkpoint)
    except Exception:  # whatever torch says of a file that is none of its own
        return False
    ours = isinstance(states, dict) and {"Args", "Config", "Downstream", "Featurizer"} <= states.keys()
    return ours and getattr(states["Args"], "downstream", "") == "zero_shot_emotion"


def _states(checkpoint: Path) -> Any:
    import torch

    from .s3prl_plugin.repairs import allow_argparse_namespace

    allow_argparse_namespace()
    return torch.load(checkpoint, map_location="cpu")


def _is_regression(checkpoint: Path) -> bool:
    try:
        regression.load(checkpoint)
    except regression.RegressionError:
        return False
    return True


PREDICTORS = ((_is_regression, RegressionPredictor), (_is_speech, SpeechPredictor))
"""What tells a kind of checkpoint, and what loads it."""


@dataclass(frozen=True)
class _Heard:
    sound: Sound
    wave: Wave | None
    problem: AudioError | None


def _work_off(sounds: Iterable[Sound], predictor: Predictor, journal: _Journal) -> None:
    from tqdm import tqdm

    sounds = iter(sounds)
    with ThreadPoolExecutor(READING) as pool, tqdm(desc="predict", unit="file", initial=journal.done) as bar:
        while window := list(islice(sounds, WINDOW)):
            heard = list(pool.map(_listen, window, repeat(predictor.conditioning)))
            shares = _predict(predictor, [h.wave for h in heard if h.wave is not None])
            lines = [_line(h, predictor.classes, None if h.wave is None else next(shares)) for h in heard]
            journal.add(lines)
            bar.update(len(window))


def _listen(sound: Sound, conditioning: Conditioning = AS_IT_IS) -> _Heard:
    try:
        audio = conditioning(read_audio(sound.path))
        check_audio(audio, sound.id)
    except AudioError as error:
        return _Heard(sound, None, error)
    return _Heard(sound, audio.wave.astype("float32", copy=False), None)


def _predict(predictor: Predictor, waves: Sequence[Wave]) -> Iterator[list[float]]:
    """Probabilities in the order of the waves; those of like length go together."""
    order = sorted(range(len(waves)), key=lambda i: len(waves[i]))
    found: dict[int, list[float]] = {}
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * len(waves[index]) > BATCH_SECONDS * RATE:
            found |= zip(batch, predictor([waves[i] for i in batch]), strict=True)
            batch = []
        batch.append(index)
    if batch:
        found |= zip(batch, predictor([waves[i] for i in batch]), strict=True)
    return (found[i] for i in range(len(waves)))


def _line(heard: _Heard, classes: tuple[str, ...], shares: list[float] | None) -> dict[str, Any]:
    line: dict[str, Any] = {"id": heard.sound.id, "file": _written(str(heard.sound.path))}
    if shares is None:
        assert heard.problem is not None
        return {**line, "reason": heard.problem.reason, "error": _written(str(heard.problem))}
    emotion = classes[shares.index(max(shares))]
    return {**line, "emotion": emotion, "probabilities": {c: round(s, 6) for c, s in zip(classes, shares, strict=True)}}


class _Named(Protocol):
    """What is predicted, one after the other."""

    @property
    def id(self) -> str: ...


NamedT = TypeVar("NamedT", bound=_Named)


class _Journal:
    """Finished windows of a run, one line each; a half-written last line is what a kill leaves, and ignored."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("a+b")
        self._file.seek(0)
        self.done = 0
        header = self._file.readline()
        self._run = run
        if not header.endswith(b"\n") or json.loads(header) != run:
            self._start_anew()
            return
        end = self._file.tell()
        while (line := self._file.readline()).endswith(b"\n"):
            self.done += len(json.loads(line))
            end = self._file.tell()
        self._file.truncate(end)

    def _start_anew(self) -> None:
        self._file.truncate(0)
        self._append(self._run)
        self.done = 0

    def _append(self, what: object) -> None:
        self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(what, ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def add(self, lines: list[dict[str, Any]]) -> None:
        self._append(lines)
        self.done += len(lines)

    def rest(self, found: Iterator[NamedT], again: Callable[[], Iterator[NamedT]]) -> Iterator[NamedT]:
        """What is not done yet of a source; all of it where what was done is not what the source begins with now."""
        for line in self.lines():
            named = next(found, None)
            if named is None or named.id != line["id"]:
                self._start_anew()
                return again()
        return found

    def lines(self) -> Iterator[dict[str, Any]]:
        """All lines of all windows, one window in memory at a time."""
        self._file.seek(0)
        self._file.readline()
        for window in self._file:
            yield from json.loads(window)

    def remove(self) -> None:
        self._path.unlink()

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def _write(journal: _Journal, out: Path, classes: tuple[str, ...], resumed: int) -> PredictReport:
    emotions: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    first_bad = ""
    with atomic_write(out) as file, atomic_write(failures_path(out)) as failures:
        table = csv.writer(file, lineterminator="\n")
        if out.suffix == ".csv":
            table.writerow(["id", "file", "emotion", *(f"p_{name}" for name in classes)])
        for line in journal.lines():
            if "error" in line:
                bad[line["reason"]] += 1
                first_bad = first_bad or line["error"]
                failures.write(json.dumps(line, ensure_ascii=False) + "\n")
                continue
            emotions[line["emotion"]] += 1
            if out.suffix == ".csv":
                shares = (f"{share:.6f}" for share in line["probabilities"].values())
                table.writerow([line["id"], line["file"], line["emotion"], *shares])
            else:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
    if not bad:
        failures_path(out).unlink()
    journal.remove()
    return PredictReport(out, dict(sorted(emotions.items())), dict(bad), resumed, first_bad)
