from pathlib import Path

import numpy as np
import pytest

from tts import speak
from zero_shot_emotion.corpus import Corpus

RATE = 16_000


@pytest.fixture(scope="session")
def speech(tmp_path_factory) -> Corpus:
    """The tiny corpus, spoken neutrally by espeak-ng."""
    text = Corpus.load(Path(__file__).parents[1] / "tts" / "tiny")
    return speak(text, tmp_path_factory.mktemp("speech") / "neutral").corpus


@pytest.fixture(scope="session")
def hum():
    """A second of harmonics, 6 dB down an octave, whose F0 swings half an octave about 150 Hz."""
    time = np.arange(RATE) / RATE
    f0 = 150 * 2 ** (0.25 * np.sin(2 * np.pi * 2 * time))
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    wave = sum(np.sin(k * phase) / k for k in range(1, 36))
    return 0.1 * wave / np.abs(wave).max()
