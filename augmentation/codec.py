"""Codecs, all of them libsndfile's: what is installed with soundfile anyway, offline, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np

from zero_shot_emotion.audio import Audio, resample

TELEPHONE = 8_000
"""Hz."""
WIDE = 16_000
"""Hz; among the few rates that MP3 and Opus know."""


@dataclass(frozen=True)
class Coder:
    """What soundfile has to be told.

    Attributes:
        format: of the file.
        subtype: of the sound in it.
        rate: at which it is coded, in Hz.
        options: whatever soundfile has to be told besides.
        compressible: whether it can be told how much to compress.
    """

    format: str
    subtype: str
    rate: int
    compressible: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


CODECS: Mapping[str, Coder] = {
    # an average bit rate: LAME then always tells its delay, which a constant one of 32 kbit/s or less leaves in
    "mp3": Coder("MP3", "MPEG_LAYER_III", WIDE, compressible=True, options={"bitrate_mode": "AVERAGE"}),
    "opus": Coder("OGG", "OPUS", WIDE, compressible=True),
    "vorbis": Coder("OGG", "VORBIS", WIDE, compressible=True),
    "gsm": Coder("WAV", "GSM610", TELEPHONE),
    "mu-law": Coder("WAV", "ULAW", TELEPHONE),
    "a-law": Coder("WAV", "ALAW", TELEPHONE),
}
"""What a voice goes through on the web and on the telephone. The telephone's also halve the rate."""


def code(audio: Audio, kind: str, compression: float = 0.5) -> Audio:
    """Speech as a codec of `CODECS` leaves it, at the rate and the length that it had.

    Args:
        audio: within full scale; what lies beyond is clipped.
        kind: of the codec.
        compression: from 0 to below 1, where it can be told.
    """
    import soundfile

    coder = CODECS[kind]
    options: dict[str, Any] = dict(coder.options)
    if coder.compressible:
        options["compression_level"] = compression
    wave = np.clip(resample(audio, coder.rate).wave, -1, 1)
    file = BytesIO()
    soundfile.write(file, wave, coder.rate, format=coder.format, subtype=coder.subtype, **options)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float64")
    back = resample(Audio(decoded, coder.rate), audio.rate).wave[: len(audio.wave)]
    return Audio(np.pad(back, (0, len(audio.wave) - len(back))), audio.rate)
