"""Read, check, resample and write audio: mono float waves, each file from its own rate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .corpus.atomic import atomic_write
from .errors import UserError

Wave = npt.NDArray[np.float32]

RATE = 16_000
"""What every s3prl upstream expects, in Hz."""
SILENCE_DB = -80.0
"""A wave whose loudest sample lies below this, in dB of full scale, says nothing."""


class AudioError(UserError, ValueError):
    """Audio that cannot be used. ``reason`` is a short word to count by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)  # both, or it could not be unpickled in another process
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True)
class Audio:
    """A mono wave, float in [-1, 1], and its rate in Hz."""

    wave: npt.NDArray[np.floating]
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.wave) / self.rate


def read_audio(path: str | Path, rate: int | None = RATE) -> Audio:
    """Read any file that libsndfile knows, mixed to mono, at a rate in Hz (None: its own).

    Raises:
        AudioError: ``missing``, ``unreadable``, ``empty`` or ``not finite``.
    """
    import soundfile

    path = Path(path)
    if not path.is_file():
        raise AudioError("missing", f"{path}: no such file")
    try:
        wave, own = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, UnicodeEncodeError) as error:  # the last: a name that is no UTF-8
        raise AudioError("unreadable", f"{path}: expected an audio file: {error}") from None
    if len(wave) == 0:
        raise AudioError("empty", f"{path}: holds no samples")
    mono = wave.mean(axis=1, dtype=np.float32)
    _check_finite(mono, path)
    return resample(Audio(mono, own), rate or own)


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate in Hz."""
    if rate == audio.rate:
        return audio
    import soxr

    return Audio(soxr.resample(audio.wave, audio.rate, rate), rate)


def check_audio(audio: Audio, name: str, min_seconds: float = 0.1) -> None:
    """Refuse what no model can learn from.

    Raises:
        AudioError: ``not finite``, ``too short`` or ``silent``, naming what was found and what was expected.
    """
    _check_finite(audio.wave, name)
    if audio.seconds < min_seconds:
        raise AudioError("too short", f"{name}: lasts {audio.seconds:.3f} s, expected at least {min_seconds} s")
    peak = float(np.abs(audio.wave).max())
    if peak < 10 ** (SILENCE_DB / 20):
        raise AudioError("silent", f"{name}: is silent, its peak lies below {SILENCE_DB:.0f} dB of full scale")


def write_audio(path: str | Path, audio: Audio) -> None:
    """Write a 16-bit WAV file, whole or not at all. Samples beyond full scale are clipped.

    Raises:
        AudioError: ``not finite``, which a 16-bit file could not tell from sound.
    """
    import soundfile

    _check_finite(audio.wave, path)
    with atomic_write(path, "wb") as file:
        soundfile.write(file, np.clip(audio.wave, -1.0, 1.0), audio.rate, format="WAV", subtype="PCM_16")


def _check_finite(wave: npt.NDArray[np.floating], name: str | Path) -> None:
    if not np.isfinite(wave).all():
        raise AudioError("not finite", f"{name}: holds samples that are NaN or infinite")
