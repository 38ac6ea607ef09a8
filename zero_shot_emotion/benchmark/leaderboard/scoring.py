"""Entries of one system put to the test: means over seeds, and how they differ from a baseline."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..statistics import BOOTSTRAPS as MANY
from ..statistics import METRICS, Difference, Mean, Resampled, holm
from .entry import Entry, peer_key, protocol_difference
from .predictions import Told

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
        value: mean over seeds of the one less that of the other.
        low: of its 95% interval.
        high: of its 95% interval.
        p: two-sided, adjusted by Holm's method.
        family: how many comparisons it was adjusted for.
    """

    entry: Entry
    baseline: Entry
    value: float
    low: float
    high: float
    p: float
    family: int

    def __str__(self) -> str:
        row, other = self.entry.first, self.baseline.first
        return f"{row.system}: {row.source} {self.verdict} {other.source} on {row.target}: {self.numbers}{self.caveat}"

    @property
    def numbers(self) -> str:
        """The difference with its interval and p value."""
        p = "p < .001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}], {p}".replace("-", "\N{MINUS SIGN}")

    @property
    def caveat(self) -> str:
        """In what the protocols differ, and whose spread over seeds is not in the interval; empty if neither."""
        pairs = protocol_difference(self.entry.first, self.baseline.first).items()
        said = ", ".join(f"{key} {_said(own)} against {_said(other)}" for key, (own, other) in pairs)
        single = [entry.first.source for entry in (self.entry, self.baseline) if entry.lacks_seeds]
        seeds = f" (one seed of {' and '.join(single)}: other seeds may differ)" if single else ""
        return (f" (protocols differ: {said})" if said else "") + seeds

    @property
    def verdict(self) -> str:
        """In words, by the corrected p value."""
        if self.p >= 0.05:
            return "cannot be told from"
        return "beats" if self.value > 0 else "loses to"


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
    """Competitors against the baseline of the same system, head and contributor, corrected as one family.

    Of several baselines that one is taken whose protocol is nearest; what still differs is said.

    Args:
        tasks: the entries of each task.
        told: predictions by the id of the row.
        baseline: a source.

    Returns:
        those of each task.
    """
    raw = [[pair for same in _peers(found) for pair in _compare(same, told, baseline)] for found in tasks]
    adjusted = iter(holm([difference.p for pairs in raw for _, _, difference in pairs]))
    family = sum(map(len, raw))
    return [
        [Comparison(entry, base, d.value, d.low, d.high, next(adjusted), family) for entry, base, d in pairs]
        for pairs in raw
    ]


def _peers(found: Sequence[Entry]) -> list[list[Entry]]:
    peers: dict[Hashable, list[Entry]] = {}
    for entry in found:
        peers.setdefault(peer_key(entry.first), []).append(entry)
    return list(peers.values())


def _compare(same: Sequence[Entry], told: dict[str, Told], baseline: str) -> Iterator[tuple[Entry, Entry, Difference]]:
    bases = [entry for entry in same if entry.first.source == baseline]
    rivals = [entry for entry in same if entry.competes and entry not in bases]
    if not bases or not rivals:
        return
    found = [*bases, *rivals]
    resampled = _resample(found, told, METRIC)
    for entry in rivals:
        base = min(bases, key=lambda base: len(protocol_difference(entry.first, base.first)))
        yield entry, base, resampled.difference(str(found.index(entry)), str(found.index(base)))


def _resample(found: Sequence[Entry], told: dict[str, Told], metric: str, bootstraps: int = MANY) -> Resampled:
    """Draw from the predictions of entries on the same utterances; each goes by its place."""
    example = told[found[0].first.id]
    predicted: dict[str, npt.ArrayLike] = {
        str(place): np.stack([told[row.id].predicted for row in entry.rows]) for place, entry in enumerate(found)
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
