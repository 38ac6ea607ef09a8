"""The method ``expressive``: speech models that are told in words how to speak. They speak and inject at once.

Two ways to reach one: any server with OpenAI's ``/audio/speech`` that heeds ``instructions``, and Qwen3-TTS as a
library (``pip install qwen-tts``). Whoever speaks keeps one voice of their gender in all emotions, so that the voice
does not tell the label.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, field_validator

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.config_files import find_config, read_mapping, validated
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.speech_server import SpeechServer, SpeechServerError, check_key, url_of, without_secrets

from . import qwen_speech
from .instructions import load_instructions
from .loudness import REFERENCE_DB, finish
from .method import NEUTRAL, InjectionError, Settings
from .torch_models import Device, most_workers

MODELS = {"openai": "gpt-4o-mini-tts", "qwen3-tts": "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice"}
"""The model of each engine where none is named. Qwen's smaller one, of 0.6B, takes no instructions."""


class Voice(BaseModel):
    """What is known of a voice; what else a list says is for other readers."""

    gender: Literal["female", "male"] | None = None
    language: str | None = None


class _VoiceList(BaseModel):
    """A list of voices in a file."""

    voices: dict[str, Voice]


class ExpressiveSettings(Settings):
    """What the method ``expressive`` can be told.

    Attributes:
        engine: ``openai`` for any server that speaks its API, ``qwen3-tts`` for the library.
        model: at the server, or at the hub or on disk; by default see `MODELS`.
        base_url: of the server, up to and including ``/v1``; by default ``OPENAI_BASE_URL``, or OpenAI.
        instructions: a shipped file's name, or the path of one, see `injection.instructions`.
        voices: a list of ``configs/voices`` or the path of one; by default that of the engine.
        voice: one voice for all, instead of a list.
        language: of utterances that name none, a BCP 47 tag.
        level_db: active level of what is written, in dB of full scale; None keeps the model's, whose loudness
            then tells of the emotion what the model makes it tell.
        timeout: seconds that a request may take.
        retries: how often a request is repeated on 408, 409, 429, 5xx and broken connections.
        concurrency: requests at a time, each from a process of its own.
        device: of the library; ``auto`` takes a GPU where there is one.
    """

    engine: Literal["openai", "qwen3-tts"] = "openai"
    model: str | None = None
    base_url: str | None = None
    instructions: str = "acted"
    voices: str | None = None
    voice: str | None = None
    language: str = "en"
    level_db: float | None = REFERENCE_DB
    timeout: Annotated[float, Field(gt=0)] = 60.0
    retries: Annotated[int, Field(ge=0, le=20)] = 5
    concurrency: Annotated[int, Field(ge=1)] = 8
    device: Device = "auto"

    @field_validator("base_url")
    @classmethod
    def _no_secrets(cls, url: str | None) -> str | None:
        return without_secrets(url)

    @property
    def model_name(self) -> str:
        return self.model or MODELS[self.engine]


class Expressive:
    """Has each utterance's text spoken in its emotion."""

    Settings = ExpressiveSettings
    speaks = True

    def __init__(self, settings: ExpressiveSettings) -> None:
        self.settings = settings
        self.instructions = load_instructions(settings.instructions)
        self._voices = {settings.voice: Voice()} if settings.voice else _read_voices(settings.voices or settings.engine)

    @staticmethod
    def finding() -> str:
        """What the doctor says of it: which of its engines can be used."""
        usable, missing = [], []
        try:
            check_key(url := url_of(None))
            usable.append(f"openai at {url}")
        except SpeechServerError as error:
            missing.append(f"engine openai: {error}")
        try:
            usable.append(f"qwen3-tts {qwen_speech.versions()['qwen-tts']}")
        except InjectionError as error:
            missing.append(str(error).removeprefix("expressive: "))
        if not usable:
            raise InjectionError(f"expressive: {'; '.join(missing)}")
        return ", ".join(usable)

    @property
    def emotions(self) -> Collection[str]:
        return sorted({NEUTRAL, *self.instructions.emotions})

    @cached_property
    def config(self) -> Mapping[str, Any]:
        settings = self.settings
        versions = {"openai": version("openai")} if settings.engine == "openai" else qwen_speech.versions()
        return {
            **settings.model_dump(mode="json", exclude_none=True),
            "model": settings.model_name,
            "instructions": self.instructions.model_dump(mode="json"),
            "versions": versions,
        }

    def most_workers(self) -> int | None:
        """For a server as many as it shall get requests at a time, else one a GPU."""
        settings = self.settings
        return settings.concurrency if settings.engine == "openai" else most_workers(settings.device)

    def inject(
        self, audio: Audio | None, emotion: str, intensity: float, rng: np.random.Generator, utterance: Utterance
    ) -> tuple[Audio, dict[str, str]]:
        settings, text = self.settings, (utterance.extra.get("spoken") or utterance.text or "").strip()
        instruction = self.instructions.say(emotion, intensity)
        language = utterance.language or settings.language
        voice = self.voice_of(utterance, language)
        if settings.engine == "openai":
            server = SpeechServer(settings.base_url, settings.model_name, settings.timeout, settings.retries)
            try:
                made = server.speak(text, voice, instructions=instruction)
            except SpeechServerError as error:
                raise InjectionError(f"expressive: {error}") from None
        else:
            made = qwen_speech.speak(settings.model_name, settings.device, text, voice, language, instruction, rng)
        wave = finish(made.wave, made.rate, settings.level_db)
        return Audio(wave, made.rate), {"instructions": instruction, "voice": voice, "model": settings.model_name}

    def voice_of(self, utterance: Utterance, language: str) -> str:
        """The voice of an utterance's speaker, the same in all that they say, whatever else the corpus holds.

        The voice in which the corpus was spoken already, if it is one of the engine's own.
        """
        before = str(utterance.extra.get("voice", "")).rpartition("/")
        for name in (before[2], before[0]):
            if name in self._voices:
                return name
        fitting = {
            name: voice for name, voice in self._voices.items() if voice.language in (None, language.partition("-")[0])
        }
        of_gender = [name for name, voice in fitting.items() if utterance.gender in (None, voice.gender)]
        names = sorted(of_gender or fitting or self._voices)
        key = sha256((utterance.speaker or utterance.id).encode()).digest()
        return names[int.from_bytes(key[:8], "big") % len(names)]


def _read_voices(name: str) -> dict[str, Voice]:
    path = find_config("voices", name)
    return validated(_VoiceList, read_mapping(path, InjectionError), path, InjectionError).voices
