"""Lines that name an emotion outright: a corpus of those teaches words, not situations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import Utterance

from ..near_duplicates import SIGN

ALIASES = {"zh": "cmn"}
"""Language tags of the same list of words."""


@dataclass(frozen=True)
class Naming:
    """How many lines of a label there are in a language whose emotion words are known, and how many use one.

    Attributes:
        lines: of the label.
        own: those with a word of their own emotion.
        any: those with a word of any emotion.
    """

    lines: int
    own: int
    any: int


def naming(utterances: Iterable[Utterance]) -> dict[str, Naming]:
    """Lines that name their emotion, by label. Lines in a language without a list of words are left out."""
    found: dict[str, tuple[int, int, int]] = {}
    for utterance in utterances:
        patterns = _patterns().get(_language(utterance))
        if utterance.label is None or not utterance.text or patterns is None:
            continue
        named = {emotion for emotion, pattern in patterns.items() if pattern.search(utterance.text)}
        lines, own, any_ = found.get(utterance.label, (0, 0, 0))
        found[utterance.label] = (lines + 1, own + (utterance.label in named), any_ + bool(named))
    return {label: Naming(*found[label]) for label in sorted(found)}


def _language(utterance: Utterance) -> str:
    tag = (utterance.language or "").partition("-")[0].lower()
    return ALIASES.get(tag, tag)


@cache
def _patterns() -> Mapping[str, Mapping[str, re.Pattern[str]]]:
    """By language and emotion; a ``*`` at a word's end stands for any ending."""
    path = find_config("pages", "emotion-words")
    table: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: {emotion: _pattern(line.split()) for emotion, line in emotions.items()}
        for language, emotions in table.items()
    }


def _pattern(entries: Iterable[str]) -> re.Pattern[str]:
    def one(entry: str) -> str:
        if re.match(f"[{SIGN}]", entry):
            return re.escape(entry)
        return r"\b" + re.escape(entry.rstrip("*")) + ("" if entry.endswith("*") else r"\b")

    return re.compile("|".join(one(entry) for entry in entries), re.IGNORECASE)
