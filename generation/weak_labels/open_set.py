"""A labeller without a list: a language model names the emotion in a word of its own, which then finds its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
from pydantic import Field

from zero_shot_emotion.taxonomy import Taxonomy

from .answers import Answers, Question
from .by_llm import AskingSettings, compiled, said, template_text
from .embedding import Embedder
from .labeller import Array, softmax
from .prompts import pool_words, spread_words
from .turn import Turn

SCHEMA = {
    "type": "object",
    "properties": {"emotion": {"type": "string"}},
    "required": ["emotion"],
    "additionalProperties": False,
}


class OpenSet:
    """Labels by free naming; names are clustered into the taxonomy by the likeness of their embeddings.

    A name that is one of the taxonomy's words belongs to its class; any other is spread over the classes by a softmax
    of cosine similarities. The distribution is the mean over ``votes``.

    Args:
        settings: its own.
        taxonomy: the classes.
    """

    alone = True
    hub_models = ("encoder",)

    class Settings(AskingSettings):
        """What it can be told, too.

        Attributes:
            encoder: of sentences, by name or folder.
            temperature: similarities are divided by it before the softmax.
            device: of torch, for the encoder; by default a GPU if there is one.
        """

        prompt: str = "name"
        encoder: str = "sentence-transformers/all-MiniLM-L6-v2"
        temperature: float = Field(default=0.05, gt=0)
        device: str | None = None

    def __init__(self, settings: OpenSet.Settings, taxonomy: Taxonomy) -> None:
        self.settings = settings
        self._template = template_text(settings.prompt)
        self._answers = Answers(settings.endpoint)
        self.keep_answers_in = self._answers.keep_in
        self._embedder = Embedder(settings.encoder, device=settings.device)
        self._words = spread_words(taxonomy, "all")
        self._vectors = self._embedder.embed(self._words.texts)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {"openai": version("openai"), **Embedder.versions()}

    def label(self, turns: Sequence[Turn]) -> Array:
        votes = self.settings.votes
        template = compiled(self._template)
        prompts = [template.render(turn=turn) for turn in turns]
        bodies = self._answers.ask([Question(prompt, SCHEMA, vote) for prompt in prompts for vote in range(votes)])
        names = [None if body is None else said(body, "emotion") for body in bodies]
        rows = self._classes(sorted({name for name in names if name is not None}))
        nothing = np.full(self._words.shares.shape[1], np.nan)
        labelled = []
        for i in range(0, len(names), votes):
            given = [rows[name] for name in names[i : i + votes] if name is not None]
            labelled.append(np.mean(given, axis=0) if given else nothing)
        return np.array(labelled).reshape(-1, len(nothing))

    def _classes(self, names: Sequence[str]) -> dict[str, Array]:
        """The distribution over the classes for each name."""
        if not names:
            return {}
        similar = softmax(self._embedder.embed(names) @ self._vectors.T / self.settings.temperature)
        known = np.array([[name == word.lower() for word in self._words.texts] for name in names], dtype=float)
        exact = known.any(axis=1, keepdims=True)
        rows = pool_words(np.where(exact, known, similar), self._words)
        return dict(zip(names, rows, strict=True))
