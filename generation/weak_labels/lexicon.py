"""A labeller by counting words of an emotion lexicon: the baseline that any model has to beat.

``generation/sentences/lexicon.tsv`` holds 24 to 53 English words of each of six emotions. A language model wrote them
down for this project, and looked at no corpus. The usual lexicon, the NRC Word-Emotion Association Lexicon (Mohammad
and Turney 2013), is far larger; it may be had for research from its authors, but not passed on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from zero_shot_emotion.taxonomy import Taxonomy

from .errors import WeakLabelError
from .labeller import Array, LabellerSettings
from .turn import Turn

SHIPPED = Path(__file__).parents[1] / "sentences" / "lexicon.tsv"
CODES = {
    "anger": "ang",
    "disgust": "dis",
    "fear": "fea",
    "joy": "hap",
    "sadness": "sad",
    "surprise": "sur",
    "trust": None,
    "anticipation": None,
    "positive": None,
    "negative": None,
}
"""The NRC lexicon's categories, and the canonical emotions that they stand for."""
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


class Lexicon:
    """Labels by the share of a turn's lexicon words that belong to each class.

    A turn without any is neutral where the taxonomy has a neutral class, else all classes are alike.

    Args:
        settings: its own.
        taxonomy: the classes; categories of the lexicon count for the class of the same name or canonical emotion.
    """

    class Settings(LabellerSettings):
        """What it can be told.

        Attributes:
            file: ``shipped``, or the path of one in the format of the NRC lexicon: lines of word, category and 0 or 1,
                separated by tabs.
        """

        file: Literal["shipped"] | Path = "shipped"

        @property
        def files(self) -> tuple[Path, ...]:
            return (SHIPPED if self.file == "shipped" else Path(self.file),)

    def __init__(self, settings: Lexicon.Settings, taxonomy: Taxonomy) -> None:
        self.settings = settings
        places = {taxonomy.code(name): i for i, name in reversed(list(enumerate(taxonomy.names)))}
        self._classes = {name: i for i, name in enumerate(taxonomy.names)}
        for category, code in CODES.items():
            if code is not None and code in places:
                self._classes.setdefault(category, places[code])
        self._neutral = places.get("neu")
        self._width = len(taxonomy.names)
        self._words = self._read(*settings.files)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {}

    def label(self, turns: Sequence[Turn]) -> Array:
        return np.array([self._row(turn.told) for turn in turns]).reshape(-1, self._width)

    def _row(self, text: str) -> Array:
        counts = np.zeros(self._width)
        for word in WORD.findall(text.lower()):
            for index in self._words.get(word, ()):
                counts[index] += 1
        if counts.sum():
            return counts / counts.sum()
        if self._neutral is None:
            return np.full(self._width, 1 / self._width)
        return np.eye(self._width)[self._neutral]

    def _read(self, path: Path) -> dict[str, list[int]]:
        if not path.is_file():
            raise WeakLabelError(f"labeller lexicon: file: {path}: no such file")
        words: dict[str, list[int]] = {}
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                cells = line.rstrip("\n").split("\t")
                if len(cells) != 3 or cells[2].strip() not in ("0", "1"):
                    raise WeakLabelError(f"{path}:{number}: got {line.strip()!r}, expected word, category and 0 or 1")
                word, category, belongs = (cell.strip().lower() for cell in cells)
                if belongs == "1" and category in self._classes:
                    words.setdefault(word, []).append(self._classes[category])
        if not words:
            raise WeakLabelError(
                f"{path}: none of its categories is a class of the taxonomy, expected some of "
                f"{', '.join(self._classes)}"
            )
        return words
