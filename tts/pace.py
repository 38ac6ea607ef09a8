"""Which utterances lie out of their own voice's usual pace: a report on a finished corpus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from zero_shot_emotion.corpus import Utterance

from .quality import syllables

FEWEST = 8
"""Utterances of a voice, below which its usual pace is not known."""
DEVIATIONS = 5.0
"""Robust standard deviations of the logarithm of the pace that are unusual."""
SPREAD = 0.1
"""The least standard deviation assumed: a voice of even pace is not held to less than half as fast or slow again."""
NAMED = 20
"""Utterances that the card names."""


def pace_report(utterances: Iterable[Utterance]) -> dict[str, Any]:
    """Compare each utterance with the median pace of its voice.

    Args:
        utterances: with ``voice``, ``seconds`` and what was spoken.

    Returns:
        for the card: how many are unusual, and the first of them.
    """
    paces: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for utterance in utterances:
        extra = utterance.extra
        count = syllables(extra.get("spoken", utterance.text or ""))
        paces[extra["voice"]].append((utterance.id, float(np.log((count + 1) / extra["seconds"]))))
    unusual = [name for voice in paces.values() for name in _unusual(voice)]
    return {"out_of_pace": len(unusual), **({"such_as": unusual[:NAMED]} if unusual else {})}


def _unusual(voice: list[tuple[str, float]]) -> list[str]:
    if len(voice) < FEWEST:
        return []
    values = np.array([value for _, value in voice])
    away = np.abs(values - np.median(values))
    bound = DEVIATIONS * max(SPREAD, 1.4826 * float(np.median(away)))
    return [name for (name, _), distance in zip(voice, away, strict=True) if distance > bound]
