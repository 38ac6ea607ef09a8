"""Is it speech, and does it say the text? What every utterance must pass before it is kept.

An utterance that fails is spoken again by another fitting voice, see `tts.speak`. Bounds are wide: they are
for engines that break off, babble on, or give noise, not for taste. An utterance out of its own voice's
usual pace is no failure, since that pace is known only when all is spoken; `tts.pace` reports it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zero_shot_emotion.audio import RATE, SILENCE_DB, Audio, resample
from zero_shot_emotion.errors import explain
from zero_shot_emotion.recognition import Recogniser, describe, language_code, load_recogniser

from .engine import SpeechError

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
UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""Scripts that put no space between words, so that errors are counted in characters."""


class Quality(BaseModel):
    """What passes. Goes on the card.

    Attributes:
        pace: syllables a second, from the slowest to the fastest, silence at the edges left out. People
            speak at 3 to 7; short answers are slower.
        slack: seconds that a text may take beyond the slowest, or stay below the fastest.
        clipped: the largest share of samples at full scale.
        silence: the largest share of the time that lies 40 dB below the loudest part.
        asr: a recogniser by name, see `zero_shot_emotion.recognition`, if speech is to be listened to.
        asr_settings: its own, such as ``model``.
        wer: the largest word error rate that it may find, 1 is all words wrong; of characters where the script puts
            no space between words.
        takes: how many other voices try where one fails.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pace: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (1.2, 12.0)
    slack: Annotated[float, Field(ge=0)] = 0.8
    clipped: Annotated[float, Field(ge=0, le=1)] = 0.001
    silence: Annotated[float, Field(ge=0, le=1)] = 0.6
    asr: str | None = None
    asr_settings: dict[str, Any] = {}
    wer: Annotated[float, Field(ge=0)] = 0.5
    takes: Annotated[int, Field(ge=0, le=20)] = 2

    def card(self) -> dict[str, Any]:
        """What of it goes on the card: the bounds, and what the listener and its libraries are."""
        bounds = self.model_dump(mode="json", exclude_none=True, exclude={"asr", "asr_settings"})
        return bounds if self.asr is None else bounds | {"asr": describe(self.asr, self.asr_settings)}


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
    (heard,) = listener(quality).transcribe([resample(audio, RATE)], language_code(language))
    kind, rate = error_rate(text, heard)
    if rate <= quality.wer:
        return None
    return f"is heard as {heard!r}: {kind} error rate {rate:.2f}, expected at most {quality.wer:g}"


def error_rate(said: str, heard: str) -> tuple[Literal["word", "character"], float]:
    """Words, or characters of a script without spaces, that are wrong, missing or added, for each that was said.

    Case and punctuation do not count.

    >>> error_rate("Please, sit down now.", "please sit town")
    ('word', 0.5)
    >>> error_rate("你好吗？", "你好")
    ('character', 0.3333333333333333)
    """
    import jiwer

    words, others = (" ".join(re.findall(r"[\w']+", text.lower())) for text in (said, heard))
    if not words:
        return "word", float(bool(others))
    if unspaced(words):
        return "character", float(jiwer.cer(words.replace(" ", ""), others.replace(" ", "")))
    return "word", float(jiwer.wer(words, others))


def unspaced(text: str) -> bool:
    """Whether most letters are of a script that puts no space between words."""
    letters = [unicodedata.name(c, "").startswith(UNSPACED) for c in text if c.isalpha()]
    return sum(letters) * 2 > len(letters)


def listener(quality: Quality) -> Recogniser:
    """What the gate listens with, made once a process.

    Raises:
        RecognitionError: if there is none of the name, a setting is not one of its own, or it is not installed.
        PretrainedError: if its model is not there.
    """
    assert quality.asr is not None, "asked only where there is one"
    return load_recogniser(quality.asr, json.dumps(quality.asr_settings, sort_keys=True))


def check_listener(quality: Quality, languages: Iterable[str]) -> None:
    """Refuse, before anything is spoken, a listener that is not there or does not know a language.

    Raises:
        RecognitionError, PretrainedError: as `listener` does.
        SpeechError: if it cannot hear one of the languages.
    """
    if quality.asr is None or (known := listener(quality).languages) is None:
        return
    for language in sorted(set(languages)):
        if language_code(language) not in known:
            raise SpeechError(
                f"quality: asr: {quality.asr} hears {', '.join(sorted(known))}, got a text in {language!r}"
            )
