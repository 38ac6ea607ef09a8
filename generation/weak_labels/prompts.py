"""Prompts: templates filled with the words of a taxonomy, and the way back from words to classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from zero_shot_emotion.taxonomy import Taxonomy

from .labeller import Array

Words = Literal["first", "all"]


def _has_a_slot(template: str) -> str:
    if template.count("{}") != 1 or template.replace("{}", "").count("{") or template.replace("{}", "").count("}"):
        raise ValueError("a prompt with {} once, where the emotion's word goes")
    return template


Template = Annotated[str, AfterValidator(_has_a_slot)]
Templates = Annotated[tuple[Template, ...], Field(min_length=1)]


@dataclass(frozen=True)
class SpreadWords:
    """The words of all classes in a row.

    Attributes:
        texts: the words.
        shares: what a class takes of each word's probability, shape (words, classes).
    """

    texts: tuple[str, ...]
    shares: Array


def spread_words(taxonomy: Taxonomy, words: Words) -> SpreadWords:
    """The words to fill prompts with."""
    chosen = [listed[:1] if words == "first" else listed for listed in taxonomy.classes.values()]
    shares = np.zeros((sum(map(len, chosen)), len(chosen)))
    row = 0
    for index, listed in enumerate(chosen):
        shares[row : row + len(listed), index] = 1 / len(listed)
        row += len(listed)
    return SpreadWords(tuple(word for listed in chosen for word in listed), shares)


def pool_words(probabilities: Array, words: SpreadWords) -> Array:
    """Probabilities of classes: the mean of those of their words, renormalised; shape (turns, classes)."""
    pooled = probabilities @ words.shares
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True))
