"""How varied the words are: vocabulary, distinct n-grams, self-BLEU."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np

Line = Sequence[str]
"""The words of an utterance."""

POINTS = 40
"""Of a type-token curve."""
NOT_ZERO = 0.1
"""Stands for a count of no match in BLEU: smoothing method 1 of Chen & Cherry (2014)."""


def type_token_curve(lines: Sequence[Line], words: int, seed: int = 0) -> list[tuple[int, int]]:
    """How many different words there are among the first so many words, the lines in an order fixed by the seed.

    Args:
        lines: in any order.
        words: where the curve ends, at most.
        seed: of the order.
    """
    order = np.random.default_rng(seed).permutation(len(lines))
    stream = [word for index in order for word in lines[index]][:words]
    seen: set[str] = set()
    types = []
    for word in stream:
        seen.add(word)
        types.append(len(seen))
    marks = sorted({round(k * len(stream) / POINTS) for k in range(1, POINTS + 1)} - {0})
    return [(mark, types[mark - 1]) for mark in marks]


def distinct(lines: Sequence[Line], n: int) -> float | None:
    """Distinct-n (Li et al. 2016): different n-grams as a share of all; None if there are no n-grams."""
    counts = Counter(gram for line in lines for gram in _grams(line, n))
    return len(counts) / counts.total() if counts else None


def self_bleu(lines: Sequence[Line], order: int = 4) -> float | None:
    """Self-BLEU (Zhu et al. 2018): the mean BLEU of each line with all others as its references.

    It grows with the number of lines, so only sets of the same size can be compared. The value is that of NLTK's
    ``sentence_bleu`` with smoothing method 1, in time linear in the number of words: the best count of an n-gram among
    the other lines is its best or its second best among all.

    Returns:
        from 0 (no two lines share a word) to 1 (every line is there twice); None of fewer than two lines.
    """
    lines = [line for line in lines if line]
    if len(lines) < 2:
        return None
    logs = np.zeros(len(lines))
    shared = np.ones(len(lines), dtype=bool)
    for n in range(1, order + 1):
        matches, totals = _clipped_matches(lines, n)
        shared &= (matches > 0) | (n > 1)
        logs += np.log(np.where(matches == 0, NOT_ZERO, matches) / np.maximum(totals, 1)) / order
    return float(np.mean(np.where(shared, np.exp(logs) * _brevity(lines), 0)))


def _grams(line: Line, n: int) -> list[tuple[str, ...]]:
    return [tuple(line[i : i + n]) for i in range(len(line) - n + 1)]


def _clipped_matches(lines: Sequence[Line], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each line: its n-grams that another line holds, each counted as often as there; and all its n-grams."""
    counts = [Counter(_grams(line, n)) for line in lines]
    best: dict[tuple[str, ...], tuple[int, int]] = {}
    for count in counts:
        for gram, times in count.items():
            first, second = best.get(gram, (0, 0))
            best[gram] = (max(first, times), max(second, min(first, times)))
    matches = [
        sum(min(times, best[gram][1] if times == best[gram][0] else best[gram][0]) for gram, times in count.items())
        for count in counts
    ]
    return np.array(matches, dtype=float), np.array([count.total() for count in counts], dtype=float)


def _brevity(lines: Sequence[Line]) -> np.ndarray:
    """BLEU's penalty of each line for being shorter than the other line whose length is closest."""
    sizes = np.array([len(line) for line in lines])
    ordered = sorted(sizes.tolist())
    closest = np.array([_closest_other(size, ordered) for size in sizes.tolist()])
    return np.exp(np.minimum(0, 1 - closest / sizes))


def _closest_other(size: int, ordered: list[int]) -> int:
    place = bisect_left(ordered, size)
    others = ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]
    return min(others, key=lambda other: (abs(other - size), other))
