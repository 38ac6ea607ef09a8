"""One folder of results out of those of several people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ...corpus import atomic_write, explain
from ..row import RESULTS, Row, RowError, read_rows, write_rows
from .audit import AUDIT, merge_audits, read_audit
from .board import LeaderboardError
from .entry import entry_key, target_key

MERGE = "merge.json"
"""What was merged; beside the rows, so that the page can say it."""
TOLERANCE = 1e-9
"""Below this two numbers are the same: they went through JSON."""


class Conflict(BaseModel):
    """A config that two people ran and that came out differently.

    Attributes:
        id: of both rows.
        system: of both rows.
        source: of both rows.
        target: of both rows.
        seed: of both rows.
        kept_by: whose numbers are shown.
        other_by: whose are not.
        differs: what, with both values.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    system: str
    source: str
    target: str
    seed: int
    kept_by: str
    other_by: str
    differs: list[str]


class Merge(BaseModel):
    """What came of a merge.

    Attributes:
        rows: of each contributor, those that are shown.
        duplicates: rows that came out the same in a second folder and are not shown again, by who made the second.
        conflicts: rows that did not.
    """

    model_config = ConfigDict(frozen=True)

    rows: dict[str, int]
    duplicates: dict[str, int]
    conflicts: list[Conflict]

    @property
    def facts(self) -> dict[str, str]:
        """For people: by contributor."""
        names = dict.fromkeys((*self.rows, *self.duplicates))
        return {name: f"{self.rows.get(name, 0)} rows{self._again(name)}" for name in names}

    def _again(self, name: str) -> str:
        count = self.duplicates.get(name, 0)
        return f", and {count} that another folder has with the same numbers" if count else ""

    def summary(self, out: Path) -> str:
        """One screen for people."""
        lines = [f"merged into {out}: {sum(self.rows.values())} rows"]
        lines += [f"  {name}: {fact}" for name, fact in self.facts.items()]
        if self.conflicts:
            lines.append(f"{len(self.conflicts)} conflicts: the same config came out differently; the first is kept")
        for one in self.conflicts:
            what = f"{one.system}, {one.source}, {one.target}, seed {one.seed}"
            lines.append(f"  {one.id} ({what}): {one.kept_by} against {one.other_by}: {'; '.join(one.differs)}")
        return "\n".join(lines)


def merge(folders: Sequence[str | Path], out: str | Path, contributors: Sequence[str] = ()) -> Merge:
    """Put the rows and predictions of folders into a new one.

    A row that says who made it keeps that; others are said to be of the folder's contributor, or go by the folder's
    name. The first folder that has a row is the one whose numbers are kept. The same row with the same numbers is shown
    again only where its contributor has other seeds of the same: their mean must be over all that they ran.

    Args:
        folders: at least two.
        out: the new folder; must not hold results.
        contributors: ``NAME=FOLDER`` each.

    Raises:
        LeaderboardError: naming what is wrong with the folders or contributors.
        RowError: as `read_rows` does, or if predictions are missing.
    """
    named = _named([Path(folder) for folder in folders], contributors)
    out = Path(out)
    if (out / RESULTS).exists():
        raise LeaderboardError(f"-o {out}: holds results, expected a new folder")
    kept: list[Row] = []
    first: dict[str, Row] = {}
    duplicates: dict[str, int] = {}
    conflicts: list[Conflict] = []
    for folder, name in named.items():
        rows = read_rows(folder)
        if not rows:
            raise LeaderboardError(f"{folder}: holds no results, expected {RESULTS} with a row a line")
        named_rows = [row if row.contributor else row.model_copy(update={"contributor": name}) for row in rows]
        more = {(entry_key(row), target_key(row)) for row in named_rows if row.id not in first}
        for own in named_rows:
            if own.id not in first:
                _copy_predictions(own, folder, out)
                first[own.id] = own
                kept.append(own)
            elif differs := _differs(first[own.id], own):
                conflicts.append(_conflict(first[own.id], own, differs))
            elif (entry_key(own), target_key(own)) in more:
                kept.append(own)
            else:
                duplicates[own.contributor] = duplicates.get(own.contributor, 0) + 1
    counts: dict[str, int] = {}
    for row in kept:
        counts[row.contributor] = counts.get(row.contributor, 0) + 1
    merged = Merge(rows=counts, duplicates=duplicates, conflicts=conflicts)
    _write(out, merged, kept, list(named))
    return merged


def read_merge(folder: Path) -> Merge | None:
    """What a folder was merged from; None if it was not.

    Raises:
        RowError: naming file, key, value and what was expected.
    """
    path = folder / MERGE
    if not path.is_file():
        return None
    try:
        return Merge.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise RowError(f"{path}: {explain(error)}") from None


def _named(folders: Sequence[Path], contributors: Sequence[str]) -> dict[Path, str]:
    """The contributor of each folder."""
    if len(folders) < 2:
        raise LeaderboardError(f"merge: got {len(folders)} folder, expected at least two")
    given: dict[Path, str] = {}
    known = {folder.resolve(): folder for folder in folders}
    if len(known) < len(folders):
        raise LeaderboardError(f"merge: got {', '.join(map(str, folders))}, expected each folder once")
    for text in contributors:
        name, equals, folder = text.partition("=")
        if not equals or not name.strip() or Path(folder).resolve() not in known:
            listed = ", ".join(map(str, folders))
            raise LeaderboardError(f"--contributor {text}: expected NAME=FOLDER with one of the folders {listed}")
        given[known[Path(folder).resolve()]] = name.strip()
    return {folder: given.get(folder, folder.resolve().name) for folder in folders}


def _differs(kept: Row, other: Row) -> list[str]:
    """The numbers in which two runs of one config differ, and what may have caused it."""
    found = [
        f"{name} {metric.value:.4f} against {other.test.metrics[name].value:.4f}"
        for name, metric in kept.test.metrics.items()
        if name not in other.test.metrics or abs(metric.value - other.test.metrics[name].value) > TOLERANCE
    ]
    if kept.test.utterances != other.test.utterances:
        found.append(f"{kept.test.utterances} utterances against {other.test.utterances}")
    elif not found and kept.test.confusion != other.test.confusion:
        found.append("other utterances were right")
    if not found:
        return []
    return [
        *found,
        *_unlike("fingerprint of", kept.fingerprints, other.fingerprints),
        *_unlike("", kept.versions, other.versions),
    ]


def _unlike(what: str, kept: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    return [
        f"{what} {key}: {kept.get(key, 'none')} against {other.get(key, 'none')}".strip()
        for key in dict.fromkeys((*kept, *other))
        if kept.get(key) != other.get(key)
    ]


def _conflict(kept: Row, other: Row, differs: list[str]) -> Conflict:
    return Conflict(
        id=kept.id,
        system=kept.system,
        source=kept.source,
        target=kept.target,
        seed=kept.seed,
        kept_by=kept.contributor,
        other_by=other.contributor,
        differs=differs,
    )


def _copy_predictions(row: Row, folder: Path, out: Path) -> None:
    source = folder / row.predictions
    if not source.is_file():
        raise RowError(f"{source}: no such file, expected the predictions of the row {row.id}")
    with source.open("rb") as given, atomic_write(out / row.predictions, "wb") as file:
        shutil.copyfileobj(given, file)


def _write(out: Path, merged: Merge, kept: Sequence[Row], folders: Sequence[Path]) -> None:
    """The rows last: a folder with rows is complete."""
    audits = [audit for folder in folders if (audit := read_audit(folder)) is not None]
    if audits:
        with atomic_write(out / AUDIT) as file:
            json.dump(merge_audits(audits), file, indent=2, ensure_ascii=False)
            file.write("\n")
    with atomic_write(out / MERGE) as file:
        file.write(merged.model_dump_json(indent=2) + "\n")
    write_rows(out, kept)
