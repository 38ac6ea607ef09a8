"""What the readers share: finding, decoding and looking up what a corpus's own files say."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from ..corpus import Corpus, CorpusError
from ..utterance import Utterance

ValueT = TypeVar("ValueT")

GENDERS: Mapping[str, str | None] = {
    "female": "female",
    "f": "female",
    "male": "male",
    "m": "male",
    "unknown": None,
}
"""What corpora call a speaker's gender, in lower case."""


class AbsentError(CorpusError):
    """A file or folder that the corpus should have: what was given may be another folder."""


def existing(*candidates: Path) -> Path:
    """The first of some paths that exists.

    Raises:
        AbsentError: naming all of them if none does.
    """
    for path in candidates:
        if path.exists():
            return path
    raise AbsentError(f"{' or '.join(str(path) for path in candidates)}: no such file or folder")


def files(folder: Path, pattern: str = "*.wav") -> list[Path]:
    """The files of a folder that match a pattern, sorted, without the "._" files that macOS leaves behind.

    Raises:
        AbsentError: if there are none.
    """
    found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("._"))
    if not found:
        raise AbsentError(f"{folder / pattern}: no such files")
    return found


def decode(path: Path, legacy: str = "cp1252") -> str:
    """The text of a file: UTF-16 where its first bytes say so, else UTF-8, else a legacy encoding, else Latin-1."""
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    for encoding in ("utf-8-sig", legacy):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def words(path: Path) -> str | None:
    """The words of a transcript that has a file of its own; None if there is no such file or it is empty."""
    return one_line(decode(path)) if path.is_file() else None


def one_line(text: str) -> str | None:
    """Text with every run of white space as one blank; None if there is none."""
    return " ".join(text.split()) or None


def lines(path: Path, legacy: str = "cp1252") -> Iterator[tuple[str, str]]:
    """The lines of a text file that are not blank, each with its ``file:line``."""
    for place, line in enumerate(decode(existing(path), legacy).splitlines(), 1):
        if line.strip():
            yield f"{path}:{place}", line.strip()


def rows(path: Path, columns: Iterable[str], delimiter: str = ",") -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a table with a header, each with its ``file:line``; cells are stripped of white space.

    Args:
        path: of a CSV or TSV file.
        columns: those that must be there.
        delimiter: between cells.

    Raises:
        CorpusError: if the file or a column is missing, or a row is longer or shorter than the header.
    """
    table = csv.reader(io.StringIO(decode(existing(path)), newline=""), delimiter=delimiter)
    header = [name.strip() for name in next(table, [])]
    missing = [name for name in columns if name not in header]
    if missing:
        raise CorpusError(f"{path}:1: header: got {', '.join(header)}, expected also {', '.join(missing)}")
    for cells in table:
        where = f"{path}:{table.line_num}"
        if not cells:
            continue
        if len(cells) != len(header):
            raise CorpusError(f"{where}: got {len(cells)} cells, expected {len(header)} as in the header")
        yield where, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}


def native(
    table: Mapping[str, ValueT], value: str, where: str | Path, column: str = "emotion", key: Callable[[str], str] = str
) -> ValueT:
    """What a corpus's own value stands for.

    Args:
        table: all the values that there are.
        value: as the corpus has it.
        where: it was found.
        column: what it says something about.
        key: turns the value into a key of the table, such as ``str.lower``.

    Raises:
        CorpusError: naming the place, the value and those that were expected.
    """
    try:
        return table[key(value)]
    except KeyError:
        raise CorpusError(f"{where}: {column}: got {value!r}, expected one of {', '.join(table)}") from None


def number(value: str, where: str | Path, column: str) -> float | None:
    """A number; None where the corpus says that it has none.

    Raises:
        CorpusError: naming the place and the value.
    """
    try:
        result = float(value or "nan")
    except ValueError:
        raise CorpusError(f"{where}: {column}: got {value!r}, expected a number") from None
    return None if math.isnan(result) else result


def integer(value: str, where: str | Path, column: str) -> int:
    """A whole number.

    Raises:
        CorpusError: naming the place and the value.
    """
    try:
        return int(value)
    except ValueError:
        raise CorpusError(f"{where}: {column}: got {value!r}, expected a whole number") from None


def fields(pattern: re.Pattern[str], name: str, where: str | Path, example: str) -> dict[str, str]:
    """The named groups of a pattern that a whole name must match.

    Raises:
        CorpusError: naming the place, the name and an example of what was expected.
    """
    match = pattern.fullmatch(name)
    if match is None:
        raise CorpusError(f"{where}: name: got {name!r}, expected the like of {example!r}")
    return match.groupdict()


def named(paths: Iterable[Path], pattern: re.Pattern[str], example: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Each of some files whose names tell what is in them, with the named groups of its name.

    Raises:
        CorpusError: as `fields` does.
    """
    for path in paths:
        yield path, fields(pattern, path.stem, path, example)


def identifier(name: str) -> str:
    """A name that can be an identifier: slashes and blanks replaced.

    >>> identifier("Phoebe Sr./Waitress")
    'Phoebe_Sr.-Waitress'
    """
    return "_".join(name.replace("/", "-").replace("\\", "-").split())


def build(
    reader: str,
    root: Path,
    utterances: Iterable[Utterance],
    drops: Mapping[str, int] | None = None,
    *,
    name: str | None = None,
    **card: object,
) -> Corpus:
    """The corpus that a reader found, with its card.

    Args:
        reader: its name in `zero_shot_emotion.corpus.readers.READERS`.
        root: the folder that file names are relative to.
        utterances: in the corpus's own order.
        drops: how many utterances were left out, by reason.
        name: of the corpus, by default the reader's.
        card: what else to note.

    Raises:
        CorpusError: if nothing is left.
    """
    utterances = tuple(utterances)
    dropped = {reason: count for reason, count in (drops or {}).items() if count}
    if not utterances:
        why = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise CorpusError(f"{root}: no utterance found" + (f", all dropped ({why})" if why else ""))
    languages = sorted({u.language for u in utterances if u.language is not None})
    facts = {
        "reader": reader,
        "language": languages[0] if len(languages) == 1 else languages or None,
        "drops": dropped,
    }
    return Corpus(name or reader, root, utterances, {**facts, **card})
