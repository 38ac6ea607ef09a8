"""Any corpus that is listed in a CSV file: ``csv:path/to/list.csv``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any

from pydantic import ValidationError

from ...errors import explain
from ..corpus import Corpus, CorpusError, id_of
from ..utterance import Utterance
from .source import GENDERS, AbsentError, build, identifier, native, rows

WORDS: dict[str, tuple[str, ...]] = {
    "neu": ("neutral", "neutrality"),
    "hap": ("happy", "happiness", "joyful", "joy"),
    "ang": ("angry", "anger"),
    "sad": ("sad", "sadness"),
    "fea": ("fearful", "fear", "afraid"),
    "dis": ("disgusted", "disgust"),
    "sur": ("surprised", "surprise"),
    "exc": ("excited", "excitement"),
    "fru": ("frustrated", "frustration"),
    "cal": ("calm", "calmness"),
    "bor": ("bored", "boredom"),
    "con": ("contemptuous", "contempt"),
    "oth": ("other",),
    "xxx": ("without agreement", "no agreement"),
}
"""English adjectives and nouns of the canonical emotions."""

LABELS = {word: code for code, words in WORDS.items() for word in (code, *words)}
"""A canonical code or one of its words; compared without regard to case."""

ROOT = "a CSV file with a header"

COLUMNS = {"path": "file_name", "transcription": "text"}
"""Other names of standard columns."""


def read(root: Path) -> Corpus:
    """Read a CSV file with a header.

    Columns: ``file_name`` (or ``path``; relative to the CSV file's folder, or absolute), ``label`` and,
    as far as they are known, ``id``, ``text``, ``speaker``, ``gender``, ``language``, ``dialogue``,
    ``turn`` and ``split``. Others are kept as they are. An empty cell is an unknown value; a text without
    audio needs an ``id``.

    Args:
        root: the CSV file; the corpus's root is its folder.

    Raises:
        CorpusError: naming file, line, value and what was expected.
    """
    if not root.is_file():
        raise AbsentError(f"{root}: no such file")
    return build("csv", root.parent, list(utterances(root, ("label",))), name=root.stem)


def utterances(path: Path, columns: tuple[str, ...], folder: str = ".") -> Iterator[Utterance]:
    """The utterances that a CSV file lists.

    Args:
        path: of the file.
        columns: those that must be there.
        folder: its own, relative to the corpus's root.
    """
    for where, row in rows(path, columns):
        known = {COLUMNS.get(column, column): cell for column, cell in row.items() if cell}
        yield _utterance(known, where, path.parent, folder)


def _utterance(row: dict[str, Any], where: str, base: Path, folder: str) -> Utterance:
    if "file_name" in row:
        row["file_name"] = (PurePath(folder) / _relative(row["file_name"], base)).as_posix()
    elif "id" not in row:
        raise CorpusError(f"{where}: file_name: missing, and so is an id")
    row["id"] = row.get("id") or id_of(row["file_name"])
    row |= {column: identifier(row[column]) for column in ("id", "speaker", "dialogue") if column in row}
    if "label" in row:
        row["label"] = native(LABELS, row["label"], where, "label", str.lower)
    if "gender" in row:
        row["gender"] = native(GENDERS, row["gender"], where, "gender", str.lower)
    try:
        return Utterance.model_validate(row)
    except ValidationError as error:
        raise CorpusError(f"{where}: {explain(error)}") from None


def _relative(name: str, base: Path) -> PurePath:
    """A path as the table has it, from whatever system, made relative to the table's folder where it lies there."""
    path = PurePath(PureWindowsPath(name).as_posix())
    return path.relative_to(base.absolute()) if path.is_relative_to(base.absolute()) else path
