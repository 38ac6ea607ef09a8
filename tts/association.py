"""Does the voice give the label away? A corpus must not let a classifier learn the class from the speaker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zero_shot_emotion.association import by_chance, cramers_v
from zero_shot_emotion.corpus import Corpus

from .casting import speaker_key
from .engine import Voice

SHUFFLES = 500
SUSPICIOUS = 0.01
"""A share of shuffles that reach the association, below which it is no chance."""


@dataclass(frozen=True)
class Association:
    """How far the voice tells the label, beside what chance alone would make of it.

    Args:
        cramers_v: 0 where the voice says nothing, 1 where it says all.
        by_chance: the mean of Cramér's V over shuffles of the labels; large where voices are many.
        p: the share of shuffles that reach ``cramers_v``.
        balance: for each label its utterances, voices, and the shares of female and of the commonest voice.
    """

    cramers_v: float
    by_chance: float
    p: float
    balance: Mapping[str, Mapping[str, float]]

    def card(self) -> dict[str, Any]:
        """For ``corpus.json``."""
        figures = {"cramers_v": self.cramers_v, "by_chance": self.by_chance, "p": self.p}
        return {**{key: round(value, 4) for key, value in figures.items()}, "balance": self.balance}

    def summary(self) -> str:
        """For people."""
        verdict = "the voice tells the label" if self.p < SUSPICIOUS else "no more than by chance"
        text = (
            f"  voices    Cramér's V with the label {self.cramers_v:.3f}, by chance {self.by_chance:.3f}: "
            f"{verdict} (p {self.p:.3f})"
        )
        for label, row in self.balance.items():
            text += (
                f"\n            {label}: {row['utterances']} utterances, {row['voices']} voices, "
                f"{row['female']:.0%} female, at most {row['commonest']:.1%} by one"
            )
        return text


def associate(corpus: Corpus, chosen: Mapping[str, Voice], seed: int = 0) -> Association | None:
    """Measure it on a cast.

    Labels are shuffled over utterances, which tests more than the casting: a speaker who is angry
    throughout counts, since the voice then tells the label however it was cast.

    Returns:
        None where there are fewer than two labels or two voices: then nothing can be told.
    """
    pairs = Counter((chosen[speaker_key(u)], u.label) for u in corpus if u.label is not None)
    voices = list(dict.fromkeys(voice for voice, _ in pairs))
    labels = sorted({label for _, label in pairs})
    if len(voices) < 2 or len(labels) < 2:
        return None
    table = np.array([[pairs[voice, label] for label in labels] for voice in voices])
    v = cramers_v(table)
    rows, columns = (np.repeat(np.arange(len(sums)), sums) for sums in (table.sum(1), table.sum(0)))
    chance = by_chance(v, rows, columns, SHUFFLES, seed)
    women = np.array([voice.gender == "female" for voice in voices])
    balance = {
        label: {
            "utterances": int(column.sum()),
            "voices": int((column > 0).sum()),
            "female": round(float(column[women].sum() / column.sum()), 4),
            "commonest": round(float(column.max() / column.sum()), 4),
        }
        for label, column in zip(labels, table.T, strict=True)
    }
    return Association(v, chance.mean, chance.p, balance)
