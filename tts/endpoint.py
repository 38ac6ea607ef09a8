"""The engine ``openai``: any server that speaks OpenAI's ``/audio/speech``, see `zero_shot_emotion.speech_server`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.speech_server import KEY, SpeechServer, SpeechServerError, check_key, url_of, without_secrets

from .engine import Settings, SpeechError, Voice
from .voice_list import VoiceFacts, VoiceList, check_voice, in_languages, in_one_language, read_voices


class EndpointSettings(Settings):
    """What the engine ``openai`` can be told.

    Attributes:
        base_url: of the server, up to and including ``/v1``; by default ``OPENAI_BASE_URL``, or OpenAI.
        model: the speech model's name at the server.
        voices: the server's voices and their genders, see `tts.voice_list`.
        languages: in which a voice is cast whose language the list leaves open.
        timeout: seconds that a request may take.
        retries: how often a request is repeated on 408, 409, 429, 5xx and broken connections.
    """

    base_url: str | None = None
    model: str = "gpt-4o-mini-tts"
    voices: VoiceList = "openai"
    languages: tuple[str, ...] = ("en",)
    timeout: Annotated[float, Field(gt=0)] = 60.0
    retries: Annotated[int, Field(ge=0, le=20)] = 5

    @field_validator("base_url")
    @classmethod
    def _no_secrets(cls, url: str | None) -> str | None:
        return without_secrets(url)


class Endpoint:
    """The engine ``openai``."""

    Settings = EndpointSettings

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        try:
            check_key(url := url_of(None))
        except SpeechServerError as error:
            raise SpeechError(f"openai: {error}") from None
        return f"{url}, {KEY} is {'set' if os.environ.get(KEY) else 'not set'}"

    @property
    def version(self) -> str:
        from importlib.metadata import version

        parts = urlsplit(url_of(self.settings.base_url))
        return f"{self.settings.model} at {parts.hostname}{parts.path} (openai {version('openai')})"

    def voices(self) -> Sequence[Voice]:
        return self._voices

    @cached_property
    def _facts(self) -> Mapping[str, VoiceFacts]:
        return read_voices(self.settings.voices)

    @cached_property
    def _voices(self) -> list[Voice]:
        bound = [i for i, fact in self._facts.items() if fact.language is not None]
        free = [i for i in self._facts if i not in bound]
        return in_one_language(bound, self._facts, "") + in_languages(free, self._facts, self.settings.languages)

    def speak(self, text: str, voice_id: str) -> Audio:
        check_voice("openai", voice_id, (voice.id for voice in self._voices))
        name = voice_id if voice_id in self._facts else voice_id.rpartition("/")[0]
        settings = self.settings
        server = SpeechServer(settings.base_url, settings.model, settings.timeout, settings.retries)
        try:
            return server.speak(text, name)
        except SpeechServerError as error:
            raise SpeechError(f"openai: {error}") from None
