"""Does this corpus contain lines of a real one? Shared runs of words, and a verdict.

Two people who have never met both say "I don't know what you're talking about". A shared run of words is evidence
only if it is long and not everyday speech, so each run is judged by its rare words too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from .transcript import Transcript
from .words import is_sign, words

LEAST_WORDS = 6
"""Shorter runs are shared by any two corpora."""
LEAST_SIGNS = 10
"""The same where most words are single signs, as in Chinese."""
RARE_WORDS = 2
"""A run of at least the least length is telling if it holds so many different rare words ..."""
LONG = 5 / 3
"""... or if it is so many times longer than it must be, and half of its words differ."""
EVERYDAY_SHARE = 1 / 2000
"""A word is an everyday word, not a rare one, if it makes up at least this share of all words ..."""
EVERYDAY_COUNT = 5
"""... and occurs at least so often: in a short text every word makes up a large share."""
COPIED = 0.75
"""A line is a copy if a telling run makes up at least this share of its words."""
SHOWN = 12


@dataclass(frozen=True)
class SharedRun:
    """The longest run of words that a line shares with any line of a real transcript.

    Attributes:
        text: the line.
        real: the first line of the transcript that holds the run.
        run: the words.
        size: how many they are.
        telling: whether it is at least of the least size and more than everyday speech.
        copied: whether it is telling and most of the line.
    """

    text: str
    real: str
    run: str
    size: int
    telling: bool
    copied: bool


@dataclass(frozen=True)
class Contamination:
    """What a corpus shares with a real transcript.

    Attributes:
        name: of the transcript.
        lines: of the transcript.
        least: from how many words on a run counts.
        by_size: how many lines of the corpus have a longest shared run of so many words.
        shared: lines with a shared run of at least the least size.
        telling: those of them whose run is more than everyday speech.
        copied: those of the telling that are copies, whole or nearly.
        share: of ``telling`` in the lines of the corpus.
        worst: the telling first, then the longest.
        verdict: ``no``, ``perhaps`` or ``yes``.
        sentence: the verdict in words.
    """

    name: str
    lines: int
    least: int
    by_size: dict[int, int]
    shared: int
    telling: int
    copied: int
    share: float
    worst: list[SharedRun]
    verdict: str
    sentence: str


@dataclass(frozen=True)
class Run:
    """A run of words: where it starts in its line, how many words it has, and the first other line that holds it."""

    start: int = 0
    size: int = 0
    other: int = -1


def contamination(texts: Sequence[str], transcript: Transcript) -> Contamination:
    """Compare all lines of a corpus with all lines of a real transcript."""
    lines, real = [words(text) for text in texts], [words(text) for text in transcript.lines]
    everyday, least = _everyday([*lines, *real]), _least(lines)
    runs = longest_runs(lines, real)
    found = []
    for text, line, run in zip(texts, lines, runs, strict=True):
        held = line[run.start : run.start + run.size]
        telling = run.size >= least and _is_telling(held, everyday, least)
        copied = telling and run.size >= COPIED * len(line)
        other = transcript.lines[run.other] if run.size else ""
        found.append(SharedRun(text, other, " ".join(held), run.size, telling, copied))
    telling_runs, copies = sum(run.telling for run in found), sum(run.copied for run in found)
    worst = sorted((run for run in found if run.size), key=lambda run: (not run.telling, -run.size, run.text))[:SHOWN]
    return Contamination(
        name=transcript.name,
        lines=len(transcript.lines),
        least=least,
        by_size=dict(sorted(Counter(run.size for run in runs).items())),
        shared=sum(run.size >= least for run in runs),
        telling=telling_runs,
        copied=copies,
        share=telling_runs / max(1, len(texts)),
        worst=worst,
        verdict="yes" if copies else "perhaps" if telling_runs else "no",
        sentence=_sentence(len(texts), telling_runs, copies, least, worst, transcript.name),
    )


def longest_runs(lines: Sequence[Sequence[str]], others: Sequence[Sequence[str]]) -> list[Run]:
    """For each line the longest run of words that another set of lines holds too, the first of several.

    Runs grow by a word at a time, on both sides at once, and only where they are still shared: after the first few
    words hardly any are, so that this takes little more than the sorting of all words.
    """
    numbers: dict[str, int] = {}
    here, there = _Runs(lines, numbers), _Runs(others, numbers)
    found = [Run()] * len(lines)
    for size in count(1):
        common = np.intersect1d(here.keys, there.keys)
        if len(common) == 0:
            break
        here.keep(common)
        there.keep(common)
        _, holder = np.unique(there.keys, return_index=True)
        for first in np.unique(here.line[here.starts], return_index=True)[1]:
            line = int(here.line[here.starts[first]])
            other = int(there.line[there.starts[holder[here.keys[first]]]])
            found[line] = Run(int(here.starts[first] - here.line_starts[line]), size, other)
        here.grow(size, len(numbers))
        there.grow(size, len(numbers))
    return found


class _Runs:
    """All runs of so many words in a set of lines: where they start, and a key that equal runs share."""

    def __init__(self, lines: Sequence[Sequence[str]], numbers: dict[str, int]) -> None:
        sizes = [len(line) for line in lines]
        self.words = np.array([numbers.setdefault(w, len(numbers)) for line in lines for w in line], dtype=np.int64)
        self.line = np.repeat(np.arange(len(lines)), sizes)
        self.line_starts = np.cumsum([0, *sizes])
        self.starts = np.arange(len(self.words))
        self.keys = self.words

    def keep(self, keys: np.ndarray) -> None:
        """Keep the runs with one of these sorted keys, and number them anew by it."""
        kept = np.isin(self.keys, keys)
        self.starts, self.keys = self.starts[kept], np.searchsorted(keys, self.keys[kept])

    def grow(self, size: int, vocabulary: int) -> None:
        """Make the runs a word longer than ``size``; those that end with their line are dropped."""
        inside = self.starts + size < self.line_starts[self.line[self.starts] + 1]
        self.starts = self.starts[inside]
        self.keys = self.keys[inside] * vocabulary + self.words[self.starts + size]


def _least(lines: Iterable[Sequence[str]]) -> int:
    signs = [is_sign(word) for line in lines for word in line]
    return LEAST_SIGNS if 2 * sum(signs) > len(signs) else LEAST_WORDS


def _everyday(lines: Iterable[Sequence[str]]) -> set[str]:
    counts = Counter(word for line in lines for word in line)
    least = max(EVERYDAY_COUNT, EVERYDAY_SHARE * counts.total())
    return {word for word, times in counts.items() if times >= least}


def _is_telling(run: Sequence[str], everyday: set[str], least: int) -> bool:
    different = set(run)
    return len(different - everyday) >= RARE_WORDS or (len(run) >= LONG * least and len(different) >= len(run) / 2)


def _sentence(lines: int, telling: int, copied: int, least: int, worst: Sequence[SharedRun], name: str) -> str:
    """The verdict for people."""
    if copied:
        return f"Yes. Lines that stand in {name}, word for word or nearly: {copied} of {lines}."
    run = f"a telling run of {least} or more words"
    if telling:
        return f"Perhaps. Lines that share {run} with {name}: {telling} of {lines}. None is a copy; read them."
    if not worst:
        return f"No. None of {lines} lines shares {run} with {name}."
    longest = f'the longest shared run, "{worst[0].run}", is {"everyday speech" if worst[0].size >= least else "short"}'
    return f"No. None of {lines} lines shares {run} with {name}; {longest}."
