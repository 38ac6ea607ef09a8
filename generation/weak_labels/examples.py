"""A labeller that has seen examples: a linear classifier of sentence embeddings, trained on lines of each emotion.

``generation/sentences/examples.jsonl`` holds 60 English lines of each of seven emotions. A language model wrote them
for this project, as people talk in comedy series, each to be understood alone. No corpus was copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from zero_shot_emotion.taxonomy import CODES, Taxonomy

from .embedding import Embedder
from .errors import WeakLabelError
from .labeller import Array, LabellerSettings
from .tables import read_table
from .turn import Turn

SHIPPED = Path(__file__).parents[1] / "sentences" / "examples.jsonl"
MOST_STEPS = 1000
"""Of the optimiser, which needs some dozens."""


class Example(BaseModel):
    """A line whose emotion is plain.

    Attributes:
        text: what is said.
        emotion: a class or word of a taxonomy, or a canonical emotion by code or adjective.
        where: file and line it stands in.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    emotion: str
    where: str


def read_examples(path: Path = SHIPPED) -> list[Example]:
    """Lines and their emotions: those that ship, or a table of one's own.

    Args:
        path: of a CSV, TSV or JSON lines file with the columns ``text`` and ``emotion``.

    Raises:
        WeakLabelError: naming file, line and what was expected.
    """
    examples = []
    for number, row in read_table("labeller examples: lines", path, ("text", "emotion")):
        text, emotion = " ".join(row["text"].split()), row["emotion"].strip()
        if not text or not emotion:
            raise WeakLabelError(f"{path}:{number}: expected a text and its emotion, got {text!r} and {emotion!r}")
        examples.append(Example(text=text, emotion=emotion, where=f"{path}:{number}"))
    return examples


class Examples:
    """Labels by logistic regression, classes weighed alike, on sentence embeddings of unit length.

    Args:
        settings: its own.
        taxonomy: the classes; lines of canonical emotions that are none of them are left out.
    """

    hub_models = ("model",)

    class Settings(LabellerSettings):
        """What it can be told.

        Attributes:
            model: any encoder of sentences whose tokens are averaged, by name or folder.
            revision: of the hub.
            lines: ``shipped``, or the path of one's own, see `read_examples`.
            C: the inverse of the penalty.
            device: of torch; by default a GPU if there is one.
            batch_tokens: of a batch, padding included.
        """

        model: str = "sentence-transformers/all-MiniLM-L6-v2"
        revision: str | None = None
        lines: Literal["shipped"] | Path = "shipped"
        C: float = Field(default=1.0, gt=0)
        device: str | None = None
        batch_tokens: int | None = Field(default=None, ge=1)

        @property
        def files(self) -> tuple[Path, ...]:
            return (SHIPPED if self.lines == "shipped" else Path(self.lines),)

    def __init__(self, settings: Examples.Settings, taxonomy: Taxonomy) -> None:
        from sklearn.linear_model import LogisticRegression

        self.settings = settings
        texts, classes = _of_classes(settings, taxonomy)
        cut: Literal["left", "right"] = "left" if settings.context else "right"  # the utterance itself comes last
        self._embedder = Embedder(settings.model, settings.revision, settings.device, settings.batch_tokens, cut)
        regression = LogisticRegression(C=settings.C, class_weight="balanced", max_iter=MOST_STEPS)
        # by the names of the classes, which it sorts: the order of the taxonomy's does not matter
        self._regression = regression.fit(self._embedder.embed(texts), classes)
        self._columns = np.searchsorted(self._regression.classes_, taxonomy.names)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {**Embedder.versions(), "scikit-learn": version("scikit-learn")}

    def label(self, turns: Sequence[Turn]) -> Array:
        if not turns:
            return np.empty((0, len(self._columns)))
        found = self._regression.predict_proba(self._embedder.embed([turn.told for turn in turns]))
        return np.asarray(found[:, self._columns])


def _of_classes(settings: Examples.Settings, taxonomy: Taxonomy) -> tuple[list[str], list[str]]:
    """The lines that are of a class, and the class of each.

    Raises:
        WeakLabelError: on an emotion that nobody knows, or a class without lines.
    """
    texts, classes = [], []
    (path,) = settings.files
    for example in read_examples(path):
        name = taxonomy.class_of(example.emotion)
        if name is None and example.emotion not in CODES:
            raise WeakLabelError(
                f"{example.where}: emotion: got {example.emotion!r}, expected a class of the taxonomy "
                f"{taxonomy.name!r}, one of its words, or one of {', '.join(CODES)}"
            )
        if name is not None:
            texts.append(example.text)
            classes.append(name)
    if lacking := [name for name in taxonomy.names if name not in classes]:
        more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        raise WeakLabelError(
            f"labeller examples: taxonomy {taxonomy.name!r}: class {lacking[0]!r}{more}: expected lines of every "
            f"class, {path.name} has none of it; give lines of your own with lines: PATH"
        )
    return texts, classes
