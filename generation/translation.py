"""What is asked of a language model to translate one utterance, and what its answers are worth.

Two requests: one translates the line; the other sees the translation alone, brings it back and judges its emotion. A
model that lost or changed something on the way gives itself away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion.corpus import EMOTIONS, Utterance

from .completion import Completion
from .response import CODES
from .spoken import spoken

LANGUAGES = {
    "cmn": "Mandarin Chinese",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
}
"""What a prompt calls a language; others by their tags."""

_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)


class UnusableError(ValueError):
    """An answer that brings nothing. The message says why in a few words, to count by."""


@dataclass(frozen=True)
class Job:
    """One utterance to be brought into one language.

    Attributes:
        index: its place in the run, from 0.
        key: names it among all runs.
        utterance: of the source.
        language: the tag of the target.
        before: what was said just before, None if nothing was.
    """

    index: int
    key: str
    utterance: Utterance
    language: str
    before: str | None

    @property
    def id(self) -> str:
        """Of the utterance that comes of it."""
        return f"{self.utterance.id}-{self.language}"


@dataclass(frozen=True)
class Checked:
    """A translation, what it says when brought back, and the emotion that it was judged to carry."""

    text: str
    back: str
    emotion: str | None


def language_name(tag: str) -> str:
    """What a prompt calls a language.

    >>> language_name("fr"), language_name("fr-CA"), language_name("tlh")
    ('French', 'French (fr-CA)', "the language with the tag 'tlh'")
    """
    if tag in LANGUAGES:
        return LANGUAGES[tag]
    primary = LANGUAGES.get(tag.split("-")[0])
    return f"{primary} ({tag})" if primary else f"the language with the tag {tag!r}"


def translation_variables(job: Job, source_language: str) -> dict[str, Any]:
    """What the template of a translation may use."""
    return {
        **_common(job, source_language),
        "text": job.utterance.text,
        "gender": {"female": "woman", "male": "man"}.get(job.utterance.gender or ""),
        "emotion": EMOTIONS.get(job.utterance.label or "", job.utterance.label),
    }


def check_variables(job: Job, source_language: str, text: str, labels: Sequence[str]) -> dict[str, Any]:
    """What the template of a check may use."""
    return {**_common(job, source_language), "text": text, "emotions": _words(labels)}


def _common(job: Job, source_language: str) -> dict[str, Any]:
    return {
        "language": language_name(job.language),
        "source_language": language_name(source_language),
        "before": job.before,
    }


def _words(labels: Sequence[str]) -> list[str]:
    return [EMOTIONS.get(label, label) for label in labels]


def translation_schema() -> dict[str, Any]:
    """The JSON schema of a translation."""
    return _schema({"translation": {"type": "string"}})


def check_schema(labels: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of a check; no emotion but the given ones can be named."""
    return _schema({"translation": {"type": "string"}, "emotion": {"type": "string", "enum": _words(labels)}})


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def read_translation(answer: Completion | None, source: str) -> str:
    """The translation in an answer.

    Raises:
        UnusableError: if there is none.
    """
    text = _text(_fields(answer))
    if text.casefold() == spoken(source).casefold():
        raise UnusableError("not translated")
    return text


def read_check(answer: Completion | None, text: str) -> Checked:
    """The check in an answer; an emotion that is none of those that are known is None.

    Raises:
        UnusableError: if there is no translation back.
    """
    fields = _fields(answer)
    return Checked(text, _text(fields), CODES.get(str(fields.get("emotion", "")).casefold().strip(" .*")))


def _fields(answer: Completion | None) -> dict[str, Any]:
    if answer is None:
        raise UnusableError("no answer")
    if answer.refused:
        raise UnusableError("refusal")
    found = _OBJECT.search(_THOUGHTS.sub("", answer.text))
    try:
        fields = json.loads(found[0]) if found else None
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise UnusableError("cut off" if answer.cut_off else "no JSON")
    return fields


def _text(fields: dict[str, Any]) -> str:
    text = fields.get("translation")
    text = spoken(text) if isinstance(text, str) else ""
    if not any(char.isalnum() for char in text):
        raise UnusableError("no text")
    return text
