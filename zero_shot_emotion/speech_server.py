"""Any server that speaks OpenAI's ``/audio/speech``: OpenAI itself, or one of your own by its base URL.

The key comes from the environment (``OPENAI_API_KEY``) and is written nowhere. Failed requests are
repeated by OpenAI's client, which waits as long as the server asks. A server need not give the same bytes
twice: what a run has stored stays as it is when it is resumed, but another run may sound different.
"""

from __future__ import annotations

import os
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from .audio import Audio
from .errors import UserError

KEY = "OPENAI_API_KEY"
OPENAI = "https://api.openai.com/v1"
MOST_BYTES = 100 << 20
"""A longer answer is no utterance."""


class SpeechServerError(UserError, RuntimeError):
    """Speech that a server does not give. The message does not hold the key."""


class SpeechServer(NamedTuple):
    """Where to ask, for what, and how patiently.

    Attributes:
        base_url: up to and including ``/v1``; by default ``OPENAI_BASE_URL``, or OpenAI.
        model: the speech model's name at the server.
        timeout: seconds that a request may take.
        retries: how often a request is repeated on 408, 409, 429, 5xx and broken connections.
    """

    base_url: str | None
    model: str
    timeout: float
    retries: int

    @property
    def url(self) -> str:
        """The base URL, found out."""
        return url_of(self.base_url)

    def speak(self, text: str, voice: str, **told: str) -> Audio:
        """Have a text spoken.

        Args:
            text: the words.
            voice: as the server calls it.
            told: further fields of the request, such as ``instructions``.

        Raises:
            SpeechServerError: with what the server answers.
        """
        import openai

        check_key(self.url)
        client = _client(self.url, os.environ.get(KEY) or "none", self.timeout, self.retries)
        try:
            answer = client.audio.speech.create(
                model=self.model, voice=voice, input=text, response_format="wav", **told
            )
        except openai.OpenAIError as error:
            raise SpeechServerError(f"{_said(error)} for {text!r}, voice {voice!r}") from None
        return _decode(answer.content, answer.response.headers.get("content-type", ""), text)


def url_of(base_url: str | None) -> str:
    """A server's base URL: the one that is given, else that of the environment, else OpenAI's."""
    return base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI


def without_secrets(url: str | None) -> str | None:
    """A URL that may go on a card.

    Raises:
        ValueError: if it holds a user, a password or a query.
    """
    parts = urlsplit(url or "")
    if parts.username or parts.password or parts.query:
        raise ValueError(f"a URL without user, password or query: it goes on the card; the key belongs into {KEY}")
    return url


def check_key(url: str) -> None:
    """Ask for a key where OpenAI itself is meant; a server of one's own may do without.

    Raises:
        SpeechServerError: if there is none.
    """
    if urlsplit(url).hostname == urlsplit(OPENAI).hostname and not os.environ.get(KEY):
        raise SpeechServerError(f"{KEY} is not set, expected the key of {url}")


@cache
def _client(url: str, key: str, timeout: float, retries: int) -> Any:
    import openai

    return openai.OpenAI(base_url=url, api_key=key, timeout=timeout, max_retries=retries)


def _said(error: Exception) -> str:
    status, said = getattr(error, "status_code", None), str(error)[:300]
    if key := os.environ.get(KEY):
        said = said.replace(key, "***")
    return f"the server answers {status}: {said}" if status else f"{type(error).__name__}: {said}"


def _decode(content: bytes, content_type: str, text: str) -> Audio:
    """The wave in an answer, whose header may leave the length open, as that of a stream does."""
    import soundfile

    got = f"{len(content)} bytes of {content_type or 'no content type'}"
    if not content or len(content) > MOST_BYTES:
        raise SpeechServerError(f"got {got} for {text!r}, expected WAV")
    if content[:4] != b"RIFF" and not content_type.startswith(("audio/", "application/octet-stream")):
        raise SpeechServerError(f"got {got} for {text!r}, expected WAV: {content[:100]!r}")
    try:
        wave, rate = soundfile.read(BytesIO(content), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise SpeechServerError(f"got {got} for {text!r}, expected WAV: {error}") from None
    if not len(wave):
        raise SpeechServerError(f"got {got} without samples for {text!r}")
    return Audio(np.ascontiguousarray(wave.mean(axis=1)), rate)
