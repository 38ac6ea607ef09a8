"""Is it speech, and does it say the text? What every utterance must pass before it is kept.

An utterance that fails is spoken again by another fitting voice, see `tts.speak`. Bounds are wide: they are
for engines that break off, babble on, or give noise, not for taste. An utterance out of its own voice's
usual pace is no failure, since that pace is known only when all is spoken; `tts.pace` reports it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Annotated, Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zero_shot_emotion.audio import SILENCE_DB, Audio
from zero_shot_emotion.errors import explain

from .engine import SpeechError

LISTENERS = "zero_shot_emotion.listeners"
"""The entry-point group under which a package of one's own offers a `Listener`. Recognisers of weak labels are called
in another way, and have another group."""
FULL_SCALE = 0.999
VOWELS = re.compile(
    "[aeiouy\u0153\u00e6\u00f8\u0131"
    "\u0430\u0435\u0438\u043e\u0443\u044b\u044d\u044e\u044f\u0456\u0454"
    "\u03b1\u03b5\u03b7\u03b9\u03bf\u03c5\u03c9]+"
)
"""Groups of Latin, Cyrillic and Greek vowel letters, accents taken off."""
ALPHABETS = ("LATIN", "CYRILLIC", "GREEK")
"""Scripts whose syllables are counted by their vowels."""
SYLLABIC = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
"""Scripts of which a letter is about a syllable."""


class Listener(Protocol):
    """Speech recognition, offered by entry point: a callable made once a process."""

    def __call__(self, audio: Audio, language: str) -> str:
        """The words that are heard."""


class Quality(BaseModel):
    """What passes. Goes on the card.

    Attributes:
        pace: syllables a second, from the slowest to the fastest, silence at the edges left out. People
            speak at 3 to 7; short answers are slower.
        slack: seconds that a text may take beyond the slowest, or stay below the fastest.
        clipped: the largest share of samples at full scale.
        silence: the largest share of the time that lies 40 dB below the loudest part.
        asr: a registered `Listener`, if speech is to be listened to.
        wer: the largest word error rate that it may find, 1 is all words wrong.
        takes: how many other voices try where one fails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pace: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.2, 12.0)
    slack: Annotated[float, Field(ge=0)] = 0.8
    clipped: Annotated[float, Field(ge=0, le=1)] = 0.001
    silence: Annotated[float, Field(ge=0, le=1)] = 0.6
    asr: str | None = None
    wer: Annotated[float, Field(ge=0)] = 0.5
    takes: Annotated[int, Field(ge=0, le=20)] = 2


def read_quality(given: Mapping[str, Any]) -> Quality:
    """The bounds, checked.

    Raises:
        SpeechError: on an unknown bound or a value out of range.
    """
    try:
        return Quality.model_validate(given)
    except ValidationError as error:
        raise SpeechError(f"quality: {explain(error, Quality)}") from None


def faults(audio: Audio, text: str, language: str, quality: Quality) -> str | None:
    """What is wrong with an utterance, None if nothing is.

    Args:
        audio: what was spoken.
        text: what should have been.
        language: BCP 47 tag.
        quality: the bounds.
    """
    if not np.isfinite(audio.wave).all():
        return "holds samples that are NaN or infinite"
    wave = np.abs(audio.wave)
    if not len(wave) or wave.max() < 10 ** (SILENCE_DB / 20):
        return "is silent"
    if (share := float((wave >= FULL_SCALE).mean())) > quality.clipped:
        return f"is clipped in {share:.2%} of its samples, expected at most {quality.clipped:.2%}"
    loud = _loud(audio)
    first, last = np.flatnonzero(loud)[[0, -1]]
    if (share := float(1 - loud[first : last + 1].mean())) > quality.silence:
        return f"pauses for {share:.0%} of its time, expected at most {quality.silence:.0%}"
    return _off_pace((last + 1 - first) * FRAME, text, quality) or _misheard(audio, text, language, quality)


FRAME = 0.02
"""Seconds of a stretch whose loudness is looked at."""


def _loud(audio: Audio) -> np.ndarray:
    """Which stretches lie less than 40 dB below the loudest."""
    size = max(1, round(FRAME * audio.rate))
    padded = np.pad(audio.wave.astype(np.float64), (0, -len(audio.wave) % size))
    power = (padded.reshape(-1, size) ** 2).mean(axis=1)
    loud: np.ndarray = power >= power.max() * 1e-4
    return loud


def spoken_seconds(audio: Audio) -> float:
    """How long an utterance lasts without the silence at its edges."""
    first, last = np.flatnonzero(_loud(audio))[[0, -1]]
    return float((last + 1 - first) * FRAME)


def _off_pace(seconds: float, text: str, quality: Quality) -> str | None:
    count = syllables(text)
    least, most = count / quality.pace[1] - quality.slack, count / quality.pace[0] + quality.slack
    if least <= seconds <= most:
        return None
    return f"takes {seconds:.2f} s for about {count} syllables, expected {max(0.0, least):.2f} to {most:.2f} s"


def syllables(text: str) -> int:
    """About how many syllables a text has: groups of vowels, or letters of a syllabic script.

    >>> syllables("I really mean it."), syllables("你好吗"), syllables("Dzień dobry")
    (5, 3, 3)
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    names = [unicodedata.name(c, "") for c in unicodedata.normalize("NFC", text) if c.isalpha()]
    syllabic = sum(name.startswith(SYLLABIC) for name in names)
    other = sum(not name.startswith((*SYLLABIC, *ALPHABETS)) for name in names)
    return max(1, len(VOWELS.findall(plain)) + syllabic + (other + 1) // 2)


def _misheard(audio: Audio, text: str, language: str, quality: Quality) -> str | None:
    if quality.asr is None:
        return None
    heard = load_listener(quality.asr)(audio, language)
    rate = word_error_rate(text, heard)
    return (
        f"is heard as {heard!r}: word error rate {rate:.2f}, expected at most {quality.wer}"
        if rate > quality.wer
        else None
    )


def word_error_rate(said: str, heard: str) -> float:
    """Words wrong, missing or added, for each word said; case and punctuation do not count.

    >>> word_error_rate("Please, sit down now.", "please sit town")
    0.5
    """
    words, others = (re.findall(r"[\w']+", text.lower()) for text in (said, heard))
    costs = list(range(len(others) + 1))
    for n, word in enumerate(words, 1):
        before, costs[0] = costs[0], n
        for m, other in enumerate(others, 1):
            before, costs[m] = costs[m], min(costs[m] + 1, costs[m - 1] + 1, before + (word != other))
    return costs[-1] / max(1, len(words))


@cache
def load_listener(name: str) -> Listener:
    """A registered listener, made once a process.

    Raises:
        SpeechError: if there is none of that name.
    """
    known = {point.name: point for point in entry_points(group=LISTENERS)}
    if name not in known:
        raise SpeechError(
            f"unknown listener {name!r}: expected one that a package offers under {LISTENERS} "
            f"({', '.join(sorted(known)) or 'there is none'})"
        )
    listener: Listener = known[name].load()()
    return listener
