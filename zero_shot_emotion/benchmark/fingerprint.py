"""What tells one corpus from another: a hash over ids, labels and sound; the sounds' hashes are kept between runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from ..corpus import Corpus, atomic_write
from ..features.fingerprint import path_hash

THREADS = 4
"""Decoding releases the interpreter's lock."""
DIGITS = 16
UNREADABLE = "unreadable"


class AudioHashes:
    """Hashes of decoded sound: a copy is found whatever its file name or container.

    Args:
        cache: file that holds those of files that have not changed since.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        known = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
        self._known: dict[str, list[str]] = known

    def of(self, corpus: Corpus) -> dict[str, str]:
        """The hash of each utterance's sound, by id; utterances without audio, or with audio that is bad, have none."""
        from tqdm import tqdm

        spoken = [u for u in corpus if u.file_name is not None]
        paths = {u.id: corpus.audio_path(u).absolute() for u in spoken}
        stale = [path for path in paths.values() if self._fresh(path) is None]
        if stale:
            with ThreadPoolExecutor(THREADS) as pool:
                hashes = tqdm(pool.map(_hash, stale), total=len(stale), desc=f"hash {corpus.name}", unit="file")
                for path, found in zip(stale, hashes, strict=True):
                    self._known[str(path)] = [_state(path), found]
            with atomic_write(self._cache) as file:
                json.dump(self._known, file)
        all_hashes = {name: self._known[str(path)][1] for name, path in paths.items()}
        return {name: found for name, found in all_hashes.items() if found != UNREADABLE}

    def _fresh(self, path: Path) -> str | None:
        state, found = self._known.get(str(path), ["", ""])
        return found if state == _state(path) else None


class PathHashes:
    """Hashes of files and folders, each read once: many rows share one large checkpoint. Nothing is kept on disk."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: str | Path) -> str:
        """Of what lies there; ``name:...`` where nothing does, as for a name on a hub."""
        key = str(path)
        if key not in self._known:
            self._known[key] = str(path_hash(path))
        return self._known[key]


def fingerprint(corpus: Corpus, hashes: dict[str, str] | None = None) -> str:
    """A hash over ids, labels and sound; over ids, labels and text where no hashes are given, or where all is text."""
    digest = sha256()
    for utterance in corpus:
        silent = hashes is None or utterance.file_name is None
        content = utterance.text if silent else (hashes or {}).get(utterance.id)
        digest.update(json.dumps([utterance.id, utterance.label, content]).encode())
    return digest.hexdigest()[:DIGITS]


def content_hash(corpus: Corpus, hashes: dict[str, str] | None = None, but: Sequence[str] = ()) -> str:
    """A hash over all that the lines of a corpus say, speakers and languages too, but where the sound lies.

    Args:
        corpus: any.
        hashes: of its sound by id, where that counts.
        but: columns that do not count.
    """
    digest = sha256()
    for utterance in corpus:
        digest.update(utterance.model_dump_json(exclude={"file_name", *but}, exclude_none=True).encode())
        digest.update((hashes or {}).get(utterance.id, "").encode())
    return digest.hexdigest()[:DIGITS]


def _state(path: Path) -> str:
    """Changes when the file does."""
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ctime_ns}"  # an unpacked archive brings its own mtimes


def _hash(path: Path) -> str:
    import soundfile

    try:
        wave, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, OSError):
        return UNREADABLE
    digest = sha256(f"{rate} {wave.shape[1]}".encode())
    digest.update(wave.tobytes())
    return digest.hexdigest()
