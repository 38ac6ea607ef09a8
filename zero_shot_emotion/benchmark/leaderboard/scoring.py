"""Entries of one system put to the test: means over seeds, and how they differ from a baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..row import UNDRAWN
from ..statistics import BOOTSTRAPS as MANY
from ..statistics import METRICS, Difference, Mean, Resampled, holm
from .entry import Entry, peer_key, protocol_difference, target_key
from .predictions import Told

LEVEL = 0.05
"""Of Holm's procedure."""
AT_A_TIME = 12
"""Entries whose bootstraps are drawn together: bounds memory."""
FEW = 2000
"""For intervals of means: their ends are steady to about .002."""
METRIC = "UAR"
"""What differences are taken of."""


@dataclass(frozen=True)
class Comparison:
    """An entry against the one that was trained on the baseline.

    Attributes:
        entry: what is compared.
        baseline: with what.
        difference: the entry less the baseline.
        p: that of the difference, adjusted by Holm's method.
        family: how many comparisons it was adjusted for.
    """

    entry: Entry
    baseline: Entry
    difference: Difference
    p: float
    family: int

    def __str__(self) -> str:
        row, other = self.entry.first, self.baseline.first
        return (
            f"{row.system}, {row.head}: {row.source} {self.verdict} {other.source} on {row.target}: "
            f"{self.numbers}{self.caveat}"
        )

    @property
    def numbers(self) -> str:
        """The difference with its interval and p value."""
        d, p = self.difference, "p < .001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}], {p}".replace("-", "\N{MINUS SIGN}")

    @property
    def caveat(self) -> str:
        """In what the protocols differ, whose spread over seeds is not in the interval, and if it is another's."""
        who = self.baseline.first.contributor
        of = f" (baseline by {who})" if who != self.entry.first.contributor and who else ""
        pairs = protocol_difference(self.entry.first, self.baseline.first).items()
        said = ", ".join(f"{key} {_said(own)} against {_said(other)}" for key, (own, other) in pairs)
        single = [entry.first.source for entry in (self.entry, self.baseline) if entry.lacks_seeds]
        seeds = f" (one seed of {' and '.join(single)}: other seeds may differ)" if single else ""
        return (f" (protocols differ: {said})" if said else "") + seeds + of

    @property
    def verdict(self) -> str:
        """In words, by the corrected p value."""
        if self.p >= LEVEL:
            return "cannot be told from"
        return "beats" if self.difference.value > 0 else "loses to"


def _said(value: object) -> str:
    return "none" if value is None else str(value)


def means(found: Sequence[Entry], told: dict[str, Told]) -> list[dict[str, Mean]]:
    """The metrics of entries that were tested on the same utterances.

    Args:
        found: the entries.
        told: predictions by the id of the row.

    Returns:
        of each entry, in their order, by metric.
    """
    scores: list[dict[str, Mean]] = [{} for _ in found]
    for metric in METRICS:
        resampled = _resample(found, told, metric, FEW)
        for place, of_entry in enumerate(scores):
            of_entry[metric] = resampled.mean(str(place))
    return scores


def comparisons(tasks: Sequence[Sequence[Entry]], told: dict[str, Told], baseline: str) -> list[list[Comparison]]:
    """Every entry against the baseline of the same system and head, corrected as one family.

    A baseline that nothing is trained for, such as the majority class, stands beside every system. Of several
    baselines that of the same contributor is taken, and that whose protocol is nearest; what still differs is said.

    Args:
        tasks: the entries of each task.
        told: predictions by the id of the row.
        baseline: a source.

    Returns:
        those of each task.
    """
    floors = [e for found in tasks for e in found if e.first.source == baseline and e.first.source_kind in UNDRAWN]
    raw = [list(_compare(found, floors, told, baseline)) for found in tasks]
    adjusted = iter(holm([difference.p for pairs in raw for _, _, difference in pairs]))
    family = sum(map(len, raw))
    return [
        [Comparison(entry, base, difference, next(adjusted), family) for entry, base, difference in pairs]
        for pairs in raw
    ]


def _compare(
    found: Sequence[Entry], floors: Sequence[Entry], told: dict[str, Told], baseline: str
) -> Iterator[tuple[Entry, Entry, Difference]]:
    """The differences of a task, some systems at a time: what is drawn does not depend on the company."""
    others = [entry for entry in found if entry.first.source != baseline]
    pairs = [(entry, base) for entry in others if (base := _base(entry, found, floors, told, baseline)) is not None]
    for start in range(0, len(pairs), AT_A_TIME):
        part = pairs[start : start + AT_A_TIME]
        compared = list(dict.fromkeys(entry for pair in part for entry in pair))
        resampled = _resample(compared, told, METRIC)
        for entry, base in part:
            yield entry, base, resampled.difference(str(compared.index(entry)), str(compared.index(base)))


def _base(
    entry: Entry, found: Sequence[Entry], floors: Sequence[Entry], told: dict[str, Told], baseline: str
) -> Entry | None:
    """What an entry is compared with; one that needs no training may have been tested on more than the entry."""
    peers = [e for e in found if e.first.source == baseline and peer_key(e.first) == peer_key(entry.first)]
    own, row = told[entry.first.id], entry.first
    whole = (floor for floor in floors if target_key(floor.first) == target_key(row))
    bases = peers or [floor for floor in whole if told[floor.first.id].holds(own)]
    return min(
        bases,
        key=lambda base: (base.first.contributor != row.contributor, len(protocol_difference(row, base.first))),
        default=None,
    )


def _resample(found: Sequence[Entry], told: dict[str, Told], metric: str, bootstraps: int = MANY) -> Resampled:
    """Draw from the predictions of entries on the utterances of the first; each goes by its place."""
    example = told[found[0].first.id]
    predicted: dict[str, npt.ArrayLike] = {
        str(place): np.stack([told[row.id].on(example) for row in entry.rows]) for place, entry in enumerate(found)
    }
    return Resampled(
        example.truth,
        predicted,
        len(found[0].first.labels),
        example.groups,
        metric=metric,
        bootstraps=bootstraps,
        seeds={str(place): entry.seeds for place, entry in enumerate(found)},
    )
