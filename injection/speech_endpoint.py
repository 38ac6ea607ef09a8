"""Speech from a server that has OpenAI's ``/audio/speech`` and heeds ``instructions``.

The key comes from the environment (``OPENAI_API_KEY``) and is written nowhere. OpenAI's client repeats failed requests
and waits as long as the server asks. A server need not give the same bytes twice.
"""

from __future__ import annotations

import os
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from zero_shot_emotion.audio import Audio

from .method import InjectionError

KEY = "OPENAI_API_KEY"
OPENAI = "https://api.openai.com/v1"


class Server(NamedTuple):
    """Where to ask, and how patiently."""

    base_url: str | None
    model: str
    timeout: float
    retries: int

    @property
    def url(self) -> str:
        return self.base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI


def without_secrets(url: str | None) -> str | None:
    """A URL that may go on a card.

    Raises:
        ValueError: if it holds a user, a password or a query.
    """
    parts = urlsplit(url or "")
    if parts.username or parts.password or parts.query:
        raise ValueError(f"a URL without user, password or query: it goes on the card; the key belongs into {KEY}")
    return url


def versions() -> dict[str, str]:
    """Of the client."""
    from importlib.metadata import version

    return {"openai": version("openai")}


def speak(server: Server, text: str, voice: str, instructions: str) -> Audio:
    """Have a text spoken.

    Raises:
        InjectionError: with what the server answers, without the key.
    """
    import openai

    try:
        answer = _client(server).audio.speech.create(
            model=server.model, voice=voice, input=text, instructions=instructions, response_format="wav"
        )
    except openai.OpenAIError as error:
        raise InjectionError(f"expressive: {_said(error)} for {text!r}, voice {voice!r}") from None
    return _decode(answer.content, text)


@cache
def _client(server: Server) -> Any:
    import openai

    key = os.environ.get(KEY)
    if urlsplit(server.url).hostname == urlsplit(OPENAI).hostname and not key:
        raise InjectionError(f"expressive: {KEY} is not set, expected the key of {server.url}")
    return openai.OpenAI(base_url=server.url, api_key=key or "none", timeout=server.timeout, max_retries=server.retries)


def _said(error: Exception) -> str:
    status, said = getattr(error, "status_code", None), str(error)[:300]
    if key := os.environ.get(KEY):
        said = said.replace(key, "***")
    return f"the server answers {status}: {said}" if status else f"{type(error).__name__}: {said}"


def _decode(content: bytes, text: str) -> Audio:
    import soundfile

    try:
        wave, rate = soundfile.read(BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError):
        raise InjectionError(f"expressive: got {content[:80]!r} for {text!r}, expected WAV") from None
    if not len(wave):
        raise InjectionError(f"expressive: got WAV without samples for {text!r}")
    return Audio(np.ascontiguousarray(wave.mean(axis=1)), rate)
