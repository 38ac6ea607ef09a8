"""The labels that a corpus has itself, as a labeller: so that others can be held against them.

The lines of a generated corpus were written for their labels; whether they say what they were written for, another
labeller can tell. The labels of a real corpus that is to be recognised are nobody's to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zero_shot_emotion.taxonomy import Taxonomy

from .labeller import Array, LabellerSettings
from .turn import Turn


class Given:
    """Labels by what is given: a one and zeros; nothing where there is no label, or one of no class of the taxonomy.

    Args:
        settings: its own; there are none.
        taxonomy: the classes.
    """

    reads_labels = True

    class Settings(LabellerSettings):
        """What it can be told: nothing of its own."""

    def __init__(self, settings: Given.Settings, taxonomy: Taxonomy) -> None:
        self.settings = settings
        self._taxonomy = taxonomy
        self._rows = dict(zip(taxonomy.names, np.eye(len(taxonomy.names)), strict=True))
        self._nothing = np.full(len(taxonomy.names), np.nan)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {}

    def label(self, turns: Sequence[Turn]) -> Array:
        names = [None if turn.label is None else self._taxonomy.class_of(turn.label) for turn in turns]
        rows = [self._nothing if name is None else self._rows[name] for name in names]
        return np.array(rows).reshape(-1, len(self._nothing))
