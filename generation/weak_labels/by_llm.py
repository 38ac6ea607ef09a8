"""A labeller that asks a language model to choose, with the turns around the utterance and how it sounds."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.taxonomy import Taxonomy

from ..completion import completion_of
from ..endpoint import Endpoint
from .answers import Answers, Question
from .errors import WeakLabelError
from .labeller import Array, LabellerSettings
from .turn import Turn

if TYPE_CHECKING:
    from jinja2 import Template

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOP = 20
"""Likeliest tokens that an endpoint tells the probabilities of, at most."""


class AskingSettings(LabellerSettings):
    """What a labeller that asks an endpoint can be told.

    Attributes:
        endpoint: see `generation.endpoint`; its key comes from the environment alone.
        prompt: a template in ``configs/weak_labels/``, or the path of one.
        votes: answers to each question.
    """

    endpoint: Endpoint
    prompt: str
    votes: int = Field(default=1, ge=1)

    @property
    def files(self) -> tuple[Path, ...]:
        return (template_path(self.prompt),)


class ByLLM:
    """Labels by an OpenAI-compatible endpoint.

    The model chooses one of the classes, which a JSON schema lists. Its distribution is how its ``votes`` fall, each
    asked with a seed of its own; one vote is a certainty. With ``logprobs`` it answers with a letter, and the
    probabilities of the letters are the distribution, from one request; classes beyond the 20 likeliest tokens get
    nothing.

    Args:
        settings: its own.
        taxonomy: the classes.
    """

    alone = True

    class Settings(AskingSettings):
        """What it can be told, too.

        Attributes:
            logprobs: take the probabilities of the letters that stand for the classes.
        """

        prompt: str = "choose"
        logprobs: bool = False

    def __init__(self, settings: ByLLM.Settings, taxonomy: Taxonomy) -> None:
        if settings.logprobs and len(taxonomy.names) > TOP:
            raise WeakLabelError(
                f"labeller llm: logprobs: the taxonomy {taxonomy.name!r} has {len(taxonomy.names)} classes, expected "
                f"at most {TOP}; take votes"
            )
        self.settings, self._names = settings, taxonomy.names
        self._words = [words[0] for words in taxonomy.classes.values()]
        self._template = template_text(settings.prompt)
        endpoint = settings.endpoint
        if settings.logprobs:
            extra = {**endpoint.extra_body, "logprobs": True, "top_logprobs": TOP}
            endpoint = endpoint.model_copy(update={"extra_body": extra, "max_tokens": 1})
        self._answers = Answers(endpoint)
        self.keep_answers_in = self._answers.keep_in

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {"openai": version("openai")}

    def label(self, turns: Sequence[Turn]) -> Array:
        votes = 1 if self.settings.logprobs else self.settings.votes
        questions = [self._question(turn, vote) for turn in turns for vote in range(votes)]
        bodies = self._answers.ask(questions)
        read = self._letter if self.settings.logprobs else self._votes
        return np.array([read(bodies[i : i + votes]) for i in range(0, len(bodies), votes)]).reshape(
            -1, len(self._names)
        )

    def _question(self, turn: Turn, vote: int) -> Question:
        options = (
            [f"{LETTERS[i]}: {word}" for i, word in enumerate(self._words)] if self.settings.logprobs else self._words
        )
        prompt = compiled(self._template).render(turn=turn, options=options, letters=self.settings.logprobs)
        schema = {
            "type": "object",
            "properties": {"emotion": {"type": "string", "enum": self._words}},
            "required": ["emotion"],
            "additionalProperties": False,
        }
        return Question(prompt, schema, vote)

    def _votes(self, bodies: Sequence[dict[str, Any] | None]) -> Array:
        given = Counter(word for body in bodies if body is not None and (word := said(body, "emotion")) is not None)
        counts = np.array([given[word.lower()] for word in self._words], dtype=float)
        return counts / counts.sum() if counts.sum() else np.full(len(self._words), np.nan)

    def _letter(self, bodies: Sequence[dict[str, Any] | None]) -> Array:
        shares = np.zeros(len(self._names))
        for token, probability in _top(bodies[0]):
            letter = token.strip().upper()
            if len(letter) == 1 and letter in LETTERS[: len(shares)]:
                shares[LETTERS.index(letter)] += probability
        return shares / shares.sum() if shares.sum() else np.full(len(shares), np.nan)


def said(body: dict[str, Any], key: str) -> str | None:
    """What an answer in JSON says, in lower case; None if it is something else."""
    text = completion_of(body).text
    try:
        answer = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except ValueError:
        return None
    value = answer.get(key) if isinstance(answer, dict) else None
    return " ".join(value.lower().split()) if isinstance(value, str) and value.strip() else None


def _top(body: dict[str, Any] | None) -> list[tuple[str, float]]:
    """The likeliest first tokens of an answer."""
    if body is None:
        return []
    told = body["choices"][0].get("logprobs")
    content = told.get("content") if isinstance(told, dict) else None
    if not content:
        raise WeakLabelError("labeller llm: logprobs: the endpoint tells none, expected some; take votes instead")
    return [(entry["token"], math.exp(entry["logprob"])) for entry in content[0].get("top_logprobs", [])]


def template_path(prompt: str | Path) -> Path:
    """Where a prompt's template lies, by name or path."""
    return find_config("weak_labels", prompt, ".j2")


def template_text(prompt: str | Path) -> str:
    """The text of a prompt's template, by name or path."""
    return template_path(prompt).read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def compiled(text: str) -> Template:
    """A prompt's template."""
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False).from_string(
        text
    )
