"""A labeller by likeness of meaning: which prompt's sentence embedding lies nearest to the transcript's.

It is no inference: a sentence about anger is near to "angry" whoever is. It is light, and a second view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from zero_shot_emotion.taxonomy import Taxonomy

from .embedding import Embedder
from .labeller import Array, LabellerSettings, softmax
from .prompts import Templates, Words, pool_words, spread_words
from .turn import Turn


class Similarity:
    """Labels by cosine similarity, sharpened by a temperature.

    Several prompts are pooled by the mean of their unit vectors, as image classifiers of CLIP's kind do; several words
    of a class by the mean of their probabilities.

    Args:
        settings: its own.
        taxonomy: the classes.
    """

    hub_models = ("model",)

    class Settings(LabellerSettings):
        """What it can be told.

        Attributes:
            model: any encoder of sentences whose tokens are averaged, by name or folder.
            revision: of the hub.
            templates: prompts, each with one pair of braces for the emotion's word.
            words: the first word of each class, or all of them.
            temperature: similarities are divided by it before the softmax.
            device: of torch; by default a GPU if there is one.
            batch_tokens: of a batch, padding included.
        """

        model: str = "sentence-transformers/all-MiniLM-L6-v2"
        revision: str | None = None
        templates: Templates = ("I feel {}.",)
        words: Words = "first"
        temperature: float = Field(default=0.05, gt=0)
        device: str | None = None
        batch_tokens: int | None = Field(default=None, ge=1)

    def __init__(self, settings: Similarity.Settings, taxonomy: Taxonomy) -> None:
        self.settings = settings
        cut: Literal["left", "right"] = "left" if settings.context else "right"  # the utterance itself comes last
        self._embedder = Embedder(settings.model, settings.revision, settings.device, settings.batch_tokens, cut)
        self._words = spread_words(taxonomy, settings.words)
        prompts = [template.format(word) for template in settings.templates for word in self._words.texts]
        vectors = self._embedder.embed(prompts).reshape(len(settings.templates), len(self._words.texts), -1)
        mean = vectors.mean(axis=0)
        self._prompts = mean / np.linalg.norm(mean, axis=1, keepdims=True)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return Embedder.versions()

    def label(self, turns: Sequence[Turn]) -> Array:
        similarities = self._embedder.embed([turn.told for turn in turns]) @ self._prompts.T
        return pool_words(softmax(similarities / self.settings.temperature), self._words)
