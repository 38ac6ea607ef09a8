"""Lines of a corpus that repeat an earlier one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..near_duplicates import NearDuplicates, jaccard, normalise, shingles

THRESHOLD = 0.7


@dataclass(frozen=True)
class Pair:
    """A line, the earlier one that it nearly repeats, and how similar they are (1: but for order of repetition)."""

    text: str
    earlier: str
    similarity: float


@dataclass(frozen=True)
class Repeats:
    """How many lines repeat an earlier one.

    Attributes:
        lines: all.
        exact: that are an earlier line but for case, punctuation and white space.
        near: that nearly are.
        threshold: the similarity from which on a line counts as near.
        worst: the most similar of ``near``.
    """

    lines: int
    exact: int
    near: int
    threshold: float
    worst: list[Pair]

    @property
    def share(self) -> float:
        """Of the lines, exact and near together."""
        return (self.exact + self.near) / max(1, self.lines)


def repeats(texts: Iterable[str], most: int = 10) -> Repeats:
    """Count repetitions, and show the worst that are not exact."""
    seen = NearDuplicates(THRESHOLD)
    lines = exact = 0
    near: list[Pair] = []
    for text in texts:
        lines += 1
        earlier = seen.add(text)
        if earlier is None:
            continue
        if normalise(text) == normalise(earlier):
            exact += 1
        else:
            near.append(Pair(text, earlier, jaccard(shingles(normalise(text)), shingles(normalise(earlier)))))
    worst = sorted(near, key=lambda pair: -pair.similarity)[:most]
    return Repeats(lines, exact, len(near), THRESHOLD, worst)
