"""Which utterances lie out of their own voice's usual pace: a report on a finished corpus."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

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


def pace_report(utterances: Sequence[Utterance]) -> dict[str, Any]:
    """Compare each utterance with the median pace of its voice.

    Args:
        utterances: with ``voice``, ``seconds`` and what was spoken.

    Returns:
        for the card: how many are unusual, and the first of them.
    """
    paces: dict[str, tuple[array[int], array[float]]] = defaultdict(lambda: (array("q"), array("d")))
    for place, utterance in enumerate(utterances):
        extra = utterance.extra
        count = syllables(extra.get("spoken", utterance.text or ""))
        places, logs = paces[extra["voice"]]
        places.append(place)
        logs.append(float(np.log((count + 1) / extra["seconds"])))
    unusual = [place for places, logs in paces.values() for place in _unusual(np.array(places), np.array(logs))]
    named = [utterances[place].id for place in unusual[:NAMED]]
    return {"out_of_pace": len(unusual), **({"such_as": named} if unusual else {})}


def _unusual(places: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> list[int]:
    if len(values) < FEWEST:
        return []
    away = np.abs(values - np.median(values))
    unusual: list[int] = places[away > DEVIATIONS * max(SPREAD, 1.4826 * float(np.median(away)))].tolist()
    return unusual
