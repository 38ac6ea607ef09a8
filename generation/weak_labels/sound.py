"""How utterances sound, in words, relative to how their speaker usually sounds.

Transcripts say nothing where everybody speaks the same sentences; a listener does not need the words to hear that a
voice is louder and higher than it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt

from zero_shot_emotion.acoustics import Acoustics, measure
from zero_shot_emotion.audio import check_audio, read_audio
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.stage import Made

from .sound_item import SoundItem

Matrix = npt.NDArray[np.float64]

FEATURES = tuple(f.name for f in fields(Acoustics) if f.name not in ("lead_seconds", "trail_seconds", "clipped"))
"""The measures that say how an utterance is spoken."""
WORDS = {
    "f0_hz": ("lower pitched than usual", "higher pitched than usual"),
    "f0_range_st": ("monotonous", "lively"),
    "syllable_rate": ("slow", "fast"),
    "level_db": ("quiet", "loud"),
}
"""What is said of a measure that lies below, and of one that lies above the speaker's usual."""
NOTABLE = 0.7
"""Standard deviations of the speaker's own utterances from which on a difference is told ..."""
STRIKING = 1.5
"""... and from which on it is told with emphasis."""
FEW = 4
"""Utterances of a speaker below which the whole corpus says what is usual: pitch then tells women from men, too."""


@dataclass(frozen=True)
class MeasureTask:
    """Measures an utterance; the numbers go into its line."""

    def __call__(self, item: SoundItem) -> list[Made]:
        audio = read_audio(item.path)
        check_audio(audio, item.path)
        values = {
            name: None if value is None else round(float(value), 4) for name, value in asdict(measure(audio)).items()
        }
        return [Made(Utterance(id=item.id, **values))]


def in_words(utterances: Sequence[Utterance], measures: Mapping[str, Mapping[str, float | None]]) -> dict[str, str]:
    """How utterances sound, by id.

    Args:
        utterances: whose speakers say what is usual.
        measures: of utterances by id, as `MeasureTask` writes them.
    """
    heard = [utterance for utterance in utterances if utterance.id in measures]
    deviations = relative(heard, measures, tuple(WORDS))
    return {
        utterance.id: _told(dict(zip(WORDS, row, strict=True)))
        for utterance, row in zip(heard, deviations, strict=True)
    }


def relative(
    utterances: Sequence[Utterance], measures: Mapping[str, Mapping[str, float | None]], names: Sequence[str] = FEATURES
) -> Matrix:
    """Measures as deviations from the speaker's mean, in their standard deviations; 0 where there is no measure.

    Returns:
        shape (utterances, measures); Hz are taken on a log scale.
    """
    table = np.array([[_value(name, measures[u.id].get(name)) for name in names] for u in utterances], dtype=float)
    rows: dict[str | None, list[int]] = defaultdict(list)
    for row, utterance in enumerate(utterances):
        rows[utterance.speaker].append(row)
    standard = np.zeros((len(utterances), len(names)))
    everybody = _scale(table)
    for speaker, own in rows.items():
        mean, spread = _scale(table[own]) if speaker is not None and len(own) >= FEW else everybody
        standard[own] = (table[own] - mean) / spread
    return np.nan_to_num(standard)


def _scale(table: Matrix) -> tuple[Matrix, Matrix]:
    known = ~np.isnan(table)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, table - mean, 0) ** 2).sum(axis=0) / count)
    return mean, np.where(spread > 1e-9, spread, 1.0)


def _value(name: str, value: float | None) -> float:
    if value is None:
        return float("nan")
    return float(12 * np.log2(value)) if name == "f0_hz" else float(value)


def _told(deviations: Mapping[str, float]) -> str:
    """Deviations in words.

    >>> _told({"f0_hz": 2.0, "f0_range_st": 0.1, "syllable_rate": 0.9, "level_db": -0.8})
    'much higher pitched than usual, fast, quiet'
    """
    told = []
    for name, deviation in deviations.items():
        if abs(deviation) < NOTABLE:
            continue
        word = WORDS[name][int(deviation > 0)]
        emphasis = ("much " if "than" in word else "very ") if abs(deviation) >= STRIKING else ""
        told.append(emphasis + word)
    return ", ".join(told) or "as usual"
