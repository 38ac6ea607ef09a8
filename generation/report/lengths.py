"""How long utterances are: in words, and in seconds where there is audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from zero_shot_emotion.corpus import Corpus, Utterance

BINS = 36
"""At most so many bars in a histogram."""
TAIL = 99.5
"""Percentile at which a histogram ends; its last bar holds what is longer."""
THREADS = 4


@dataclass(frozen=True)
class Distribution:
    """Of one group's lengths: some quantiles, and the share of each bin."""

    count: int
    mean: float
    min: float
    q25: float
    median: float
    q75: float
    max: float
    histogram: list[float]


@dataclass(frozen=True)
class Lengths:
    """Of several groups, over the same bins. The last bin holds everything above its left edge.

    Attributes:
        edges: the bins' left edges, and the right edge of the last.
        groups: distribution of each group.
    """

    edges: list[float]
    groups: dict[str, Distribution]


def lengths(groups: Mapping[str, Sequence[float]], width: float) -> Lengths | None:
    """The distribution of each group's lengths over common bins; None if there are none.

    Args:
        groups: the lengths by group; empty groups are left out.
        width: of a bin; multiplied where more than `BINS` would be needed.
    """
    arrays = {name: np.asarray(values, dtype=float) for name, values in groups.items() if len(values)}
    if not arrays:
        return None
    end = max(float(np.percentile(values, TAIL)) for values in arrays.values())
    width *= max(1, int(np.ceil(end / width / BINS)))
    edges = np.arange(0, end + 2 * width, width)
    return Lengths(edges.tolist(), {name: _distribution(values, edges) for name, values in arrays.items()})


def _distribution(values: np.ndarray, edges: np.ndarray) -> Distribution:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    histogram = np.bincount(bins, minlength=len(edges) - 1) / len(values)
    least, q25, median, q75, most = (float(q) for q in np.percentile(values, [0, 25, 50, 75, 100]))
    return Distribution(len(values), float(values.mean()), least, q25, median, q75, most, histogram.tolist())


def seconds(corpus: Corpus) -> dict[str, float]:
    """How long the audio of each utterance lasts, by id, from the files' headers; unreadable files are left out."""

    def duration(utterance: Utterance) -> float | None:
        import soundfile

        try:
            return float(soundfile.info(corpus.audio_path(utterance)).duration)
        except (soundfile.LibsndfileError, OSError):
            return None

    spoken = [u for u in corpus if u.file_name is not None]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(duration, spoken)
        return {u.id: length for u, length in zip(spoken, found, strict=True) if length is not None}
