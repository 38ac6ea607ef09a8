import numpy as np
import pytest

from injection.loudness import KNEE, background, fade, limit
from zero_shot_emotion.acoustics import active_level, set_level, trim

RATE = 16_000


def tone(seconds, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * 200 * np.arange(int(seconds * RATE)) / RATE)


def silence(seconds):
    return np.zeros(int(seconds * RATE))


def test_trim_takes_the_edges_and_leaves_pauses():
    wave = np.concatenate([silence(0.5), tone(1), silence(0.4), tone(1), silence(0.7)])
    assert len(trim(wave, RATE)) / RATE == pytest.approx(2.4, abs=0.06)


@pytest.mark.parametrize("gain", [0.001, 1, 5])
def test_trim_does_not_depend_on_the_level(gain):
    wave = np.concatenate([0.001 * tone(0.5), tone(1), silence(0.5)])
    assert len(trim(gain * wave, RATE)) == len(trim(wave, RATE))


def test_trim_of_silence_and_of_speech_alone():
    assert len(trim(silence(1), RATE)) == RATE
    assert np.array_equal(trim(tone(1), RATE), tone(1))


def test_active_level_is_of_the_parts_that_speak():
    speaking = active_level(tone(1), RATE)
    assert speaking == pytest.approx(20 * np.log10(0.1 / 2**0.5), abs=0.01)
    assert active_level(np.concatenate([tone(1), silence(3)]), RATE) == pytest.approx(speaking, abs=0.01)


def test_set_level():
    wave = np.concatenate([tone(1, 0.3), silence(1), tone(1, 0.1)])
    assert active_level(set_level(wave, RATE, -30), RATE) == pytest.approx(-30, abs=1e-9)
    assert not set_level(silence(1), RATE, -30).any()


def test_limit_bends_only_peaks_and_nothing_reaches_full_scale():
    wave = np.linspace(-5, 5, 1001)
    limited = limit(wave)
    assert np.abs(limited).max() <= 1
    assert np.abs(limit(np.array([1.5]))) < 1
    assert (np.diff(limited) >= 0).all()
    assert np.array_equal(limited[np.abs(wave) <= KNEE], wave[np.abs(wave) <= KNEE])


def test_fade_ends_at_zero():
    faded = fade(np.ones(RATE), RATE)
    assert faded[0] == faded[-1] == 0
    assert (faded[80:-80] == 1).all()
    assert fade(np.ones(1), RATE) == 1


@pytest.mark.parametrize("slope", [0, -3, -6])
def test_background_has_the_level_and_the_slope_that_are_asked_for(slope):
    noise = background(4 * RATE + 1, RATE, slope, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequencies = np.fft.rfftfreq(len(noise), 1 / RATE)
    low, high = (power[(frequencies > f / 1.1) & (frequencies < f * 1.1)].mean() for f in (200, 3200))
    assert 10 * np.log10(high / low) == pytest.approx(4 * slope, abs=1.5)
    assert (noise**2).mean() == pytest.approx(1)
