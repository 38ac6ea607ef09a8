"""What a microphone or a line lets pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ORDER = 2
HIGHEST = 0.99
"""Share of half the rate from which on nothing is left to cut."""


def limit_band(wave: Array, rate: int, low_hz: float, high_hz: float) -> Array:
    """A wave between two frequencies, -3 dB at each; nothing is cut that lies beyond half the rate."""
    from scipy.signal import butter, sosfilt

    passed: Array = sosfilt(butter(ORDER, low_hz, "highpass", fs=rate, output="sos"), wave)
    if high_hz < HIGHEST * rate / 2:
        passed = sosfilt(butter(ORDER, high_hz, "lowpass", fs=rate, output="sos"), passed)
    return passed
