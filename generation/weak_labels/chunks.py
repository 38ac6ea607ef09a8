"""Turns in chunks: what a labeller gets at once, and what a kill may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.stage import Made
from zero_shot_emotion.taxonomy import Taxonomy

from .labeller import DIGITS, Array, LabellerSpec, keep_answers
from .turn import Turn


class Chunk(BaseModel):
    """Some distinct turns of like length."""

    model_config = ConfigDict(frozen=True)

    id: str
    turns: tuple[Turn, ...]


def into_chunks(turns: Sequence[Turn], size: int) -> list[Chunk]:
    """Chunks that depend on the turns alone."""
    return [
        Chunk(id=f"{number:06d}", turns=tuple(turns[start : start + size]))
        for number, start in enumerate(range(0, len(turns), size))
    ]


@dataclass(frozen=True)
class LabelTask:
    """Labels a chunk: a line for each turn, with ``scores`` in the taxonomy's order, or without where there are none.

    Attributes:
        labeller: which.
        taxonomy: the classes.
        answers: folder for labellers whose answers cost money.
    """

    labeller: LabellerSpec
    taxonomy: Taxonomy
    answers: str

    def __call__(self, chunk: Chunk) -> list[Made]:
        labeller = self.labeller.load(self.taxonomy)
        keep_answers(labeller, Path(self.answers))
        rows = labeller.label(chunk.turns)
        return [Made(_line(turn, row)) for turn, row in zip(chunk.turns, rows, strict=True)]


def _line(turn: Turn, row: Array) -> Utterance:
    if np.isnan(row).any():
        return Utterance(id=turn.key)
    return Utterance(id=turn.key, scores=[round(float(p), DIGITS) for p in row])


def read_scores(labelled: Corpus, classes: int) -> dict[str, Array]:
    """The distribution of each turn by its key."""
    nothing = np.full(classes, np.nan)
    return {line.id: np.array(line.extra.get("scores", nothing), dtype=float) for line in labelled}
