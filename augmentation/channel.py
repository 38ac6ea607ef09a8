"""Channels: what lies between a mouth and a recording, in ranges that each utterance draws from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from zero_shot_emotion.config_files import find_config, read_mapping, validated
from zero_shot_emotion.config_values import Span
from zero_shot_emotion.corpus import UserError

from .codec import CODECS

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}


class ChannelError(UserError, ValueError):
    """A channel that is not what it should be."""


def _positive(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] <= 0:
        raise ValueError("numbers above 0")
    return span


def _share(span: tuple[float, float]) -> tuple[float, float]:
    if span[1] >= 1:
        raise ValueError("a share below 1")
    return span


PositiveSpan = Annotated[Span, AfterValidator(_positive)]
ShareSpan = Annotated[PositiveSpan, AfterValidator(_share)]


def _found(folder: Any, info: ValidationInfo) -> Any:
    """The audio files in a folder, which is relative to the channel's own file."""
    if not isinstance(folder, str):
        return folder
    root = Path((info.context or {}).get("folder", "."), folder)
    files = sorted(str(path) for path in root.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not files:
        raise ValueError(f"a folder with audio files, relative to the channel's file; {root} holds none")
    return files


Files = Annotated[tuple[str, ...], BeforeValidator(_found)]


class _Step(BaseModel):
    """A step that each utterance takes with a chance of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chance: Annotated[float, Field(ge=0, le=1)] = 1.0
    source: str = ""


class Room(_Step):
    """A box of a room with one kind of wall, by the image source method, or impulse responses from a folder.

    Attributes:
        length: of the longer walls, in m; ``width`` and ``height`` alike.
        absorption: share of the energy that a wall takes at each reflection.
        distance: from mouth to microphone, in m, kept within the room.
        responses: a folder of impulse responses, one drawn for each utterance instead of a simulated room.
    """

    length: PositiveSpan = (3.0, 7.0)
    width: PositiveSpan = (2.5, 5.0)
    height: PositiveSpan = (2.3, 3.2)
    absorption: ShareSpan = (0.25, 0.7)
    distance: PositiveSpan = (0.2, 2.0)
    responses: Files = ()


class Noise(_Step):
    """Noise under the speech, coloured or from recordings.

    Attributes:
        snr_db: the speech's active level over the noise's, in dB.
        slope_db: of the noise's spectrum above 50 Hz, in dB per octave: 0 is white, -3 pink, -6 brown.
        files: a folder of recordings, of which each utterance gets a piece instead.
    """

    snr_db: Span
    slope_db: Span = (-6.0, 0.0)
    files: Files = ()


class Gain(_Step):
    """A level. What it drives beyond full scale is clipped."""

    db: Span


class Band(_Step):
    """What a microphone or a line lets pass: Butterworth filters of the second order at either end, in Hz."""

    low_hz: PositiveSpan
    high_hz: PositiveSpan


class Codec(_Step):
    """Speech coded and decoded again.

    Attributes:
        kinds: among `CODECS`, all alike likely.
        compression: of those that can be told, from 0 for the best sound to 1 for the fewest bits.
    """

    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    compression: Span = (0.5, 0.9)

    @model_validator(mode="after")
    def _known(self) -> Self:
        if unknown := [kind for kind in self.kinds if kind not in CODECS]:
            raise ValueError(f"kinds among {', '.join(CODECS)}, not {', '.join(unknown)}")
        if not 0 <= self.compression[0] <= self.compression[1] < 1:
            raise ValueError("a compression from 0 to below 1")
        return self


class Channel(BaseModel):
    """The steps in the order in which sound takes them; None is left out.

    Attributes:
        name: of its file.
        description: what it is to be like.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    room: Room | None = None
    noise: Noise | None = None
    gain: Gain | None = None
    band: Band | None = None
    codec: Codec | None = None


def load_channel(name_or_path: str | Path) -> Channel:
    """Read a channel, one of ``configs/augmentation`` by its name or any file by its path.

    Raises:
        MissingConfigError: if there is none.
        ChannelError: naming file, key, value and what was expected.
    """
    path = find_config("augmentation", name_or_path)
    content = {"name": path.stem, **read_mapping(path, ChannelError)}
    return validated(Channel, content, path, ChannelError, context={"folder": path.parent})
