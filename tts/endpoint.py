"""Any server that speaks OpenAI's ``/audio/speech``: OpenAI itself, or one of your own by its base URL.

The key comes from the environment (``OPENAI_API_KEY``) and is written nowhere. Failed requests are
repeated by OpenAI's client, which waits as long as the server asks. A server need not give the same bytes
twice: what a run has stored stays as it is when it is resumed, but another run may sound different.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from io import BytesIO
from typing import Annotated, Any
from urllib.parse import urlsplit

import numpy as np
from pydantic import Field, field_validator

from zero_shot_emotion.audio import Audio

from .engine import Settings, SpeechError, Voice
from .voice_list import VoiceFacts, VoiceList, check_voice, in_languages, in_one_language, read_voices

KEY = "OPENAI_API_KEY"
MOST_BYTES = 100 << 20
"""A longer answer is no utterance."""


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
        parts = urlsplit(url or "")
        if parts.username or parts.password or parts.query:
            raise ValueError(f"a URL without user, password or query: it goes on the card; the key belongs into {KEY}")
        return url


class Endpoint:
    """The engine ``openai``."""

    Settings = EndpointSettings

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        _check_key(url := _base_url(None))
        return f"{url}, {KEY} is {'set' if os.environ.get(KEY) else 'not set'}"

    @property
    def version(self) -> str:
        from importlib.metadata import version

        parts = urlsplit(_base_url(self.settings.base_url))
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
        import openai

        try:
            answer = self._client.audio.speech.create(
                model=self.settings.model, voice=name, input=text, response_format="wav"
            )
        except openai.OpenAIError as error:
            raise SpeechError(f"openai: {_said(error)} for {text!r}, voice {name!r}") from None
        return _decode(answer.content, answer.response.headers.get("content-type", ""), text)

    @cached_property
    def _client(self) -> Any:
        import openai

        _check_key(url := _base_url(self.settings.base_url))
        key = os.environ.get(KEY) or "none"
        return openai.OpenAI(
            base_url=url, api_key=key, timeout=self.settings.timeout, max_retries=self.settings.retries
        )


def _base_url(given: str | None) -> str:
    return given or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"


def _check_key(url: str) -> None:
    """A server of one's own may do without a key."""
    if urlsplit(url).hostname == "api.openai.com" and not os.environ.get(KEY):
        raise SpeechError(f"openai: {KEY} is not set, expected the key of {url}")


def _said(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    said = str(error)[:300]
    if key := os.environ.get(KEY):
        said = said.replace(key, "***")
    return f"the server answers {status}: {said}" if status else f"{type(error).__name__}: {said}"


def _decode(content: bytes, content_type: str, text: str) -> Audio:
    """The wave in an answer, whose header may leave the length open, as that of a stream does."""
    import soundfile

    got = f"{len(content)} bytes of {content_type or 'no content type'}"
    if not content or len(content) > MOST_BYTES:
        raise SpeechError(f"openai: got {got} for {text!r}, expected WAV")
    if content[:4] != b"RIFF" and not content_type.startswith(("audio/", "application/octet-stream")):
        raise SpeechError(f"openai: got {got} for {text!r}, expected WAV: {content[:100]!r}")
    try:
        wave, rate = soundfile.read(BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SpeechError(f"openai: got {got} for {text!r}, expected WAV: {error}") from None
    if not len(wave):
        raise SpeechError(f"openai: got {got} without samples for {text!r}")
    return Audio(np.ascontiguousarray(wave.mean(axis=1)), rate)
