import numpy as np
import pytest

from zero_shot_emotion.noise import FLOOR_HZ, coloured

RATE = 16_000


def band_level(wave, low, high):
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].mean())


@pytest.mark.parametrize("slope", [0.0, -3.0, -6.0])
def test_noise_has_its_colour(slope):
    noise = coloured(200_000, RATE, slope, np.random.default_rng(0))

    assert band_level(noise, 2000, 4000) - band_level(noise, 500, 1000) == pytest.approx(2 * slope, abs=0.4)
    assert band_level(noise, 10, FLOOR_HZ) == pytest.approx(band_level(noise, FLOOR_HZ, 55), abs=2)
