"""A language model's answer: one dialogue as JSON, checked turn by turn."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion.corpus import EMOTIONS

CODES = {adjective: code for code, adjective in EMOTIONS.items()}


class ResponseError(ValueError):
    """An answer that holds no dialogue."""


@dataclass(frozen=True)
class Turn:
    """One labelled line of a dialogue. ``index`` is its place among all turns of the answer, from 0."""

    index: int
    speaker: str
    label: str
    text: str


@dataclass(frozen=True)
class Dialogue:
    """What is usable of an answer, and why the rest is not."""

    turns: tuple[Turn, ...]
    drops: dict[str, int]


def parse(answer: str | dict[str, Any], speakers: Collection[str], labels: Collection[str]) -> Dialogue:
    """Take an answer apart.

    A turn with an unknown speaker, a label outside the set or no text is dropped and counted by reason; a label
    is never guessed.

    Args:
        answer: ``{"turns": [{"speaker", "emotion", "text"}]}``, as text or parsed.
        speakers: the names that the prompt gave.
        labels: the canonical codes that the prompt allowed.

    Raises:
        ResponseError: if the answer is not of that form at all.
    """
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError as error:
            raise ResponseError(f"expected JSON: {error}") from None
    turns = answer.get("turns") if isinstance(answer, dict) else None
    if not isinstance(turns, list):
        raise ResponseError(f"expected an object with a list 'turns', got {str(answer)[:80]!r}")
    kept: list[Turn] = []
    drops: Counter[str] = Counter()
    for index, turn in enumerate(turns):
        checked = _check(index, turn, speakers, labels)
        if isinstance(checked, Turn):
            kept.append(checked)
        else:
            drops[checked] += 1
    return Dialogue(tuple(kept), dict(drops))


def _check(index: int, turn: Any, speakers: Collection[str], labels: Collection[str]) -> Turn | str:
    """The turn, or the reason why it is none."""
    if not isinstance(turn, dict):
        return "not an object"
    speaker, emotion, text = (turn.get(key) for key in ("speaker", "emotion", "text"))
    if speaker not in speakers:
        return "unknown speaker"
    label = CODES.get(str(emotion).strip().lower())
    if label not in labels:
        return "label outside the set"
    if not isinstance(text, str) or not text.strip():
        return "no text"
    return Turn(index, str(speaker), str(label), " ".join(text.split()))
