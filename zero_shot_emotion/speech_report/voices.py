"""Whether the voice tells the class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..association import by_chance, cramers_v, cross_table
from .measuring import Measured

SHUFFLES = 199


@dataclass(frozen=True)
class VoiceLabel:
    """How far the voice tells the class.

    Attributes:
        by: the column that tells voices apart.
        voices: how many there are.
        v: Cramér's V, from 0 (nothing) to 1 (all).
        v_by_chance: expected of as many voices that say nothing.
        p: by shuffling the labels.
        by_class: utterances, voices, share of women where all genders are known, and of the commonest voice.
    """

    by: str
    voices: int
    v: float
    v_by_chance: float
    p: float
    by_class: dict[str, dict[str, float | None]]


def voice_label(measured: Measured, seed: int = 0) -> VoiceLabel | None:
    """Measure it; None where there are fewer than two voices or classes, or each utterance stands alone."""
    groups, by = measured.groups
    labels = measured.labels
    names, rows = np.unique(groups, return_inverse=True)
    classes, columns = np.unique(labels, return_inverse=True)
    if by == "utterance" or min(len(names), len(classes)) < 2:
        return None
    v = cramers_v(cross_table(rows, columns))
    chance = by_chance(v, rows, columns, SHUFFLES, seed)
    by_class = {str(c): _of_class(measured, rows, columns == k) for k, c in enumerate(classes)}
    return VoiceLabel(by, len(names), v, chance.mean, chance.p, by_class)


def _of_class(measured: Measured, rows: np.ndarray, own: np.ndarray) -> dict[str, float | None]:
    genders = [u.gender for u, mine in zip(measured.utterances, own, strict=True) if mine]
    counts = np.bincount(rows[own])
    return {
        "utterances": int(own.sum()),
        "voices": int((counts > 0).sum()),
        "female": genders.count("female") / len(genders) if all(genders) else None,
        "commonest": float(counts.max() / own.sum()),
    }
