"""How varied several corpora are, beside one another: all measured on as many lines of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .diversity import distinct, self_bleu, type_token_curve
from .repeats import repeats
from .surface import MARKS, has_mark
from .transcript import Transcript
from .words import words

MOST = 1000
"""Lines of each corpus that are measured, at most: most of these numbers depend on how many there are."""


@dataclass(frozen=True)
class Variety:
    """Of one corpus; everything but the first three and the curve is measured on the sample.

    Attributes:
        name: of the corpus.
        lines: that it has.
        words: in all of them.
        vocabulary: different words among them.
        curve: how many different words there are among the first so many.
        words_per_line: mean.
        distinct: distinct-1, -2 and -3: different n-grams as a share of all.
        self_bleu: mean BLEU-4 of a line with all others as references.
        repeated: share of lines that repeat or nearly repeat another.
        marks: share of lines with each punctuation mark.
    """

    name: str
    lines: int
    words: int
    vocabulary: int
    curve: list[tuple[int, int]]
    words_per_line: float
    distinct: list[float | None]
    self_bleu: float | None
    repeated: float
    marks: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """Corpora side by side, the one that is reported on first; ``sample`` is the lines measured of each."""

    sample: int
    corpora: list[Variety]


def compare(transcripts: Sequence[Transcript], seed: int = 0) -> Comparison:
    """Measure corpora on samples of one size, drawn with a seed."""
    sample = min(MOST, *(len(transcript.lines) for transcript in transcripts))
    split = [[words(line) for line in transcript.lines] for transcript in transcripts]
    longest = sum(map(len, split[0]))
    return Comparison(
        sample, [_variety(t, lines, sample, longest, seed) for t, lines in zip(transcripts, split, strict=True)]
    )


def _variety(transcript: Transcript, lines: Sequence[Sequence[str]], sample: int, longest: int, seed: int) -> Variety:
    chosen = np.sort(np.random.default_rng(seed).choice(len(lines), sample, replace=False))
    texts, drawn = [transcript.lines[k] for k in chosen], [lines[k] for k in chosen]
    return Variety(
        name=transcript.name,
        lines=len(lines),
        words=sum(map(len, lines)),
        vocabulary=len({word for line in lines for word in line}),
        curve=type_token_curve(lines, longest, seed),
        words_per_line=sum(map(len, drawn)) / sample,
        distinct=[distinct(drawn, n) for n in (1, 2, 3)],
        self_bleu=self_bleu(drawn),
        repeated=repeats(texts).share,
        marks={mark: sum(has_mark(text, mark) for text in texts) / sample for mark in MARKS},
    )
