"""A manifest, ``metadata.jsonl``: read when it is asked for, written as it streams by, never held."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

from pydantic import ValidationError

from ..errors import UserError, explain
from .atomic import atomic_write
from .repeats import Repeats
from .utterance import Utterance

MANIFEST = "metadata.jsonl"


class CorpusError(UserError, ValueError):
    """A corpus folder that does not hold what it should."""


@dataclass(frozen=True)
class Entry:
    """An utterance as its line in a manifest, and what the card counts."""

    id: str
    label: str | None
    line: str
    language: str | None = None


class Manifest(Sequence[Utterance]):
    """The utterances of a manifest, parsed whenever they are asked for. In memory they are eight bytes each.

    A line without ``id``, as other programs write, gets its file name without the extension.

    Args:
        path: of the ``metadata.jsonl``.
        labels: that may occur.

    Raises:
        CorpusError: naming file, line, value and what was expected.
    """

    def __init__(self, path: Path, labels: Iterable[str] | None = None) -> None:
        if not path.is_file():
            raise CorpusError(f"{path}: no such file; a corpus folder holds a {MANIFEST}")
        self._path = path
        self._offsets = array("q")
        self._stamp = _stamp(path)
        self._check(None if labels is None else set(labels))

    def _check(self, labels: set[str] | None) -> None:
        ids, numbers, offset = Repeats(), array("q"), 0
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    utterance = _parse(line, f"{self._path}:{number}")
                    if labels is not None and utterance.label is not None and utterance.label not in labels:
                        raise CorpusError(
                            f"{self._path}:{number}: label: got {utterance.label!r}, "
                            f"expected one of {', '.join(sorted(labels))}"
                        )
                    ids.add(utterance.id)
                    numbers.append(number)
                    self._offsets.append(offset)
                offset += len(line)
        for repeated, places in ids.find(utterance.id for utterance in self).items():
            raise CorpusError(
                f"{self._path}:{numbers[places[1]]}: id: got {repeated!r}, expected unique ids, "
                f"but line {numbers[places[0]]} has it too"
            )

    def where(self, keep: Callable[[Utterance], bool]) -> Manifest:
        """The utterances that a predicate keeps."""
        kept = object.__new__(Manifest)
        kept._path, kept._stamp = self._path, self._stamp
        kept._offsets = array("q", (o for o, u in zip(self._offsets, self, strict=True) if keep(u)))
        return kept

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Utterance]:
        return self._read(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Utterance: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Utterance, ...]: ...

    def __getitem__(self, index: int | slice) -> Utterance | tuple[Utterance, ...]:
        if isinstance(index, slice):
            return tuple(self._read(self._offsets[index]))
        return next(self._read([self._offsets[index]]))

    def lines(self) -> Iterator[bytes]:
        """The lines of the utterances as they are, without the line breaks."""
        return (line.rstrip(b"\r\n") for _, line in self._lines(self._offsets))

    def _read(self, offsets: Iterable[int]) -> Iterator[Utterance]:
        """The utterances whose lines begin at some offsets."""
        return (_parse(line, f"{self._path}, byte {offset}") for offset, line in self._lines(offsets))

    def _lines(self, offsets: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            if _stamp(self._path) != self._stamp:
                raise CorpusError(f"{self._path}: has changed since it was opened, expected it to stay as it was")
            at = 0
            for offset in offsets:
                if offset != at:
                    file.seek(offset)
                line = file.readline()
                at = offset + len(line)
                yield offset, line

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(self) != len(other):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Manifest({str(self._path)!r}, {len(self)} utterances)"


def write_manifest(path: Path, entries: Iterable[Entry]) -> dict[str, Any]:
    """Write a manifest as it streams by.

    Returns:
        What the card tells of it: how many utterances there are, of each label, and if there are several languages,
        of each label in each language.

    Raises:
        CorpusError: if an id occurs twice; then nothing is written.
    """
    counts: Counter[tuple[str, str]] = Counter()
    ids = Repeats()
    with atomic_write(path) as file:
        for entry in entries:
            ids.add(entry.id)
            counts[entry.language or "no language", entry.label or "no label"] += 1
            file.write(entry.line + "\n")
        for repeated in ids.find(_ids_in(file)):
            raise CorpusError(f"{path.parent}: the id {repeated!r} occurs twice, expected unique ids")
    labels: Counter[str] = Counter()
    languages: dict[str, dict[str, int]] = {}
    for (language, label), count in sorted(counts.items()):
        labels[label] += count
        languages.setdefault(language, {})[label] = count
    told = {"utterances": len(ids), "counts": dict(sorted(labels.items()))}
    return {**told, "languages": languages} if len(languages) > 1 else told


def _ids_in(file: IO[str]) -> Iterator[str]:
    """The ids in a manifest that is being written."""
    file.flush()
    with Path(file.name).open(encoding="utf-8", newline="\n") as written:
        for line in written:
            yield json.loads(line)["id"]


def _stamp(path: Path) -> tuple[int, int]:
    """Tells a file from one that has taken its place."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _parse(line: bytes, where: str) -> Utterance:
    try:
        return Utterance.model_validate_json(line)
    except ValidationError:  # or a line without id: slower, and it can tell
        return _parse_foreign(line, where)


def _parse_foreign(line: bytes, where: str) -> Utterance:
    try:
        columns = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{where}: expected a JSON object: {error}") from None
    if not isinstance(columns, dict):
        raise CorpusError(f"{where}: expected a JSON object, got {type(columns).__name__}")
    if "id" not in columns and isinstance(columns.get("file_name"), str):
        columns["id"] = id_of(columns["file_name"])
    if isinstance(label := columns.get("label"), int | float):
        raise CorpusError(f"{where}: label: got the number {label!r}, expected the emotion's name, such as 'ang'")
    try:
        return Utterance.model_validate(columns)
    except ValidationError as error:
        raise CorpusError(f"{where}: {explain(error)}") from None


def id_of(file_name: str) -> str:
    """An id for a file that has no other: its path without the extension, slashes and blanks replaced.

    >>> id_of("audio/anna 01.wav")
    'audio-anna_01'
    """
    path = Path(file_name)
    return "_".join((path.parent / path.stem).as_posix().replace("/", "-").split())
