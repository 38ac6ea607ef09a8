"""What a speech engine is, and where engines are found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, Protocol

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import UserError

GROUP = "zero_shot_emotion.tts"
"""The entry-point group under which a package of one's own offers engines."""
ENGINES: Mapping[str, str] = {"espeak-ng": "tts.espeak:EspeakNg"}
"""The engines of this package: what is called without arguments to make each."""


class SpeechError(UserError, ValueError):
    """Speech that cannot be made: an unknown engine or voice, or a text without words."""


@dataclass(frozen=True)
class Voice:
    """A voice of an engine.

    Args:
        id: names the voice, pitch and pace included, so that it always sounds the same.
        language: BCP 47 tag in lower case, such as ``en-us`` or ``cmn``.
        gender: None where the engine does not know.
    """

    id: str
    language: str
    gender: Literal["female", "male"] | None = None


class Engine(Protocol):
    """What speaks. A text and a voice give the same sound in every process, whatever was spoken before."""

    @property
    def version(self) -> str:
        """Of the program behind the engine; goes on the card."""

    def voices(self) -> Sequence[Voice]:
        """The voices to cast from, in a fixed order."""

    def speak(self, text: str, voice_id: str) -> Audio:
        """Say a text, neutrally.

        Raises:
            SpeechError: if the voice is unknown or the text gives no sound.
        """


@cache
def load_engine(name: str) -> Engine:
    """The engine of a name, made once a process.

    Raises:
        SpeechError: if there is none, naming those there are.
    """
    own = (EntryPoint(name, target, GROUP) for name, target in ENGINES.items())
    known = {point.name: point for point in (*entry_points(group=GROUP), *own)}
    if name not in known:
        raise SpeechError(f"unknown engine {name!r}: expected one of {', '.join(sorted(known))}")
    engine: Engine = known[name].load()()
    return engine
