"""What is known of an engine's voices, where the engine itself does not tell: a YAML file or a mapping.

```yaml
voices:
  p225: {gender: female, language: en-gb}
```

The shipped lists lie in ``configs/voices/``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from zero_shot_emotion.config_files import find_config, read_mapping, validated

from .engine import SpeechError, Voice


class VoiceFacts(BaseModel):
    """What is known of a voice; an unknown gender fits only speakers whose own is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gender: Literal["female", "male"] | None = None
    language: Annotated[str, StringConstraints(to_lower=True, min_length=2)] | None = None
    accent: str | None = None


class _File(BaseModel):
    """A list in a file; what else the file says is for people."""

    voices: dict[str, VoiceFacts]


VoiceList = str | dict[str, VoiceFacts]
"""As it stands in an engine's settings: a shipped list's name, the path of a YAML file, or the list itself."""


def read_voices(voices: VoiceList) -> Mapping[str, VoiceFacts]:
    """The facts of each voice.

    Raises:
        MissingConfigError: if there is no list of that name.
        SpeechError: naming the file, the value and what was expected.
    """
    if not isinstance(voices, str):
        return voices
    path = find_config("voices", voices)
    return validated(_File, read_mapping(path, SpeechError), path, SpeechError).voices


def in_languages(ids: Iterable[str], facts: Mapping[str, VoiceFacts], languages: Iterable[str]) -> list[Voice]:
    """Voices that speak several languages: one for each language, ``ID/LANGUAGE``."""
    every = list(languages)
    return [Voice(f"{i}/{lang}", _tag(lang), facts.get(i, VoiceFacts()).gender) for i in ids for lang in every]


def in_one_language(ids: Iterable[str], facts: Mapping[str, VoiceFacts], language: str) -> list[Voice]:
    """Voices that speak one language each: the one that is known of the voice, or else that of the engine."""
    known = [(i, facts.get(i, VoiceFacts())) for i in ids]
    return [Voice(i, _tag(fact.language or language), fact.gender) for i, fact in known]


def _tag(language: str) -> str:
    """Mandarin is ``cmn`` in our tags, ``zh`` or ``zh-cn`` in those of many models."""
    tag = language.lower().replace("_", "-")
    return "cmn" if tag in ("zh", "zh-cn") else tag


def check_voice(engine: str, voice_id: str, known: Iterable[Any]) -> None:
    """Refuse an unknown voice, naming some of those there are."""
    ids = list(known)
    if voice_id not in ids:
        some = ", ".join(map(str, ids[:10])) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
        raise SpeechError(f"{engine}: unknown voice {voice_id!r}, expected one of {some}")
