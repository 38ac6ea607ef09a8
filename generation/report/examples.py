"""Some utterances of each label, drawn with a seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zero_shot_emotion.corpus import Utterance


@dataclass(frozen=True)
class Example:
    """What the page shows of an utterance."""

    id: str
    text: str
    gender: str | None
    scenario: str | None
    file_name: str | None


def examples(utterances: Iterable[Utterance], each: int = 10, seed: int = 0) -> dict[str, list[Example]]:
    """Draw utterances of each label, kept in the order of the corpus. Those without text are not drawn."""
    by_label: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        if utterance.text and utterance.label is not None:
            by_label.setdefault(utterance.label, []).append(utterance)
    rng = np.random.default_rng(seed)
    drawn = {}
    for label in sorted(by_label):
        found = by_label[label]
        chosen = np.sort(rng.choice(len(found), min(each, len(found)), replace=False))
        drawn[label] = [_example(found[k]) for k in chosen]
    return drawn


def _example(utterance: Utterance) -> Example:
    scenario = utterance.extra.get("scenario")
    return Example(
        utterance.id,
        utterance.text or "",
        utterance.gender,
        None if scenario is None else str(scenario),
        utterance.file_name,
    )
