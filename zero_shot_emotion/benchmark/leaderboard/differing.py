"""In what rows differ that must not differ for their numbers to be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..row import UNDRAWN, Row
from .entry import OF_SOURCE

ABSENT = "(not said)"


@dataclass(frozen=True)
class Holders:
    """Who holds a value: how many rows, of whom."""

    rows: int
    contributors: tuple[str, ...]

    def __str__(self) -> str:
        of = ", ".join(name for name in self.contributors if name)
        return f"{self.rows} {'row' if self.rows == 1 else 'rows'}" + (f" of {of}" if of else "")


@dataclass(frozen=True)
class Differing:
    """Something in which rows differ.

    Attributes:
        what: such as ``protocol: normalise``.
        values: who holds each, the commonest first.
        bars_comparison: whether such rows stand in tables of their own.
    """

    what: str
    values: dict[str, Holders]
    bars_comparison: bool = False


def differing(rows: Sequence[Row], tested: Sequence[str]) -> list[Differing]:
    """All in which rows differ beside what the leaderboard is about: targets' states, protocols, versions.

    Args:
        rows: all of them.
        tested: of each row, a fingerprint of the utterances and labels that it was tested on.
    """
    return [
        *_targets(rows, tested),
        *_sources(rows),
        *_models(rows),
        *_keys("protocol", rows),
        *_keys("versions", rows),
    ]


def _targets(rows: Sequence[Row], tested: Sequence[str]) -> list[Differing]:
    found = []
    for target in sorted({row.target for row in rows}):
        here = [row for row in rows if row.target == target]
        states = [state for row, state in zip(rows, tested, strict=True) if row.target == target]
        for what, values in (
            ("label set", [", ".join(row.labels) for row in here]),
            ("fingerprint", [row.fingerprints.get(target) or ABSENT for row in here]),
            ("utterances", [f"{row.test.utterances} ({s})" for row, s in zip(here, states, strict=True)]),
            ("intervals drawn by", [row.test.grouped_by for row in here]),
        ):
            found += _where_several(f"{target}: {what}", here, values, bars_comparison=True)
    return found


def _sources(rows: Sequence[Row]) -> list[Differing]:
    """A source is drawn anew for each seed: only the same seed must have the same."""
    found = []
    for source, seed in sorted({(row.source, row.seed) for row in rows}):
        here = [row for row in rows if (row.source, row.seed) == (source, seed) and source in row.fingerprints]
        found += _where_several(f"{source}, seed {seed}: fingerprint", here, [row.fingerprints[source] for row in here])
    return found


def _models(rows: Sequence[Row]) -> list[Differing]:
    """One name, such as ``ckpt of data2vec``, must stand for one model."""
    found = []
    for name in sorted({name for row in rows for name in row.fingerprints if " of " in name}):
        here = [row for row in rows if name in row.fingerprints]
        found += _where_several(f"{name}: fingerprint", here, [row.fingerprints[name] for row in here])
    return found


def _keys(field: str, rows: Sequence[Row]) -> list[Differing]:
    """Within a modality: speech has settings that text has not, and what needs no training has none."""
    found = []
    for modality in sorted({row.modality for row in rows}):
        here = [row for row in rows if row.modality == modality and row.source_kind not in UNDRAWN]
        for key in sorted({key for row in here for key in getattr(row, field)} - set(OF_SOURCE)):
            values = [_plain(getattr(row, field).get(key, ABSENT)) for row in here]
            found += _where_several(f"{field}, {modality}: {key}", here, values)
    return found


def _where_several(
    what: str, rows: Iterable[Row], values: Iterable[str], bars_comparison: bool = False
) -> list[Differing]:
    holding: dict[str, list[Row]] = {}
    for row, value in zip(rows, values, strict=True):
        holding.setdefault(value, []).append(row)
    if len(holding) < 2:
        return []
    holders = {
        value: Holders(len(found), tuple(sorted({row.contributor for row in found})))
        for value, found in sorted(holding.items(), key=lambda item: -len(item[1]))
    }
    return [Differing(what, holders, bars_comparison)]


def _plain(value: object) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
