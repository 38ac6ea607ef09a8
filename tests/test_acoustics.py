"""Measures against sounds whose measures are known."""

import numpy as np
import pytest

from zero_shot_emotion.acoustics import CEPSTRUM, Acoustics, active_level, cepstrum, measure
from zero_shot_emotion.audio import Audio, resample

RATE = 16_000


def hum(f0: float, seconds: float, rate: int = RATE, slope: float = -12.0, amplitude: float = 0.2) -> np.ndarray:
    """Harmonics whose levels fall by so many dB an octave."""
    time = np.arange(int(rate * seconds)) / rate
    count = int(7000 / f0)
    wave = sum(10 ** (slope * np.log2(k) / 20) * np.sin(2 * np.pi * k * f0 * time + k) for k in range(1, count))
    return amplitude * wave / np.abs(wave).max()


@pytest.mark.parametrize("f0", [80.0, 120.0, 210.0, 350.0])
def test_pitch_of_a_steady_voice(f0):
    found = measure(Audio(hum(f0, 1.0), RATE))

    assert found.f0_hz == pytest.approx(f0, rel=0.01)
    assert found.f0_range_st == pytest.approx(0, abs=0.2)
    assert found.voiced > 0.9
    assert found.jitter < 0.2
    assert found.hnr_db > 25


def test_range_of_a_glide():
    f0 = 150 * 2 ** np.linspace(-0.5, 0.5, RATE * 2)  # 12 semitones, of which the middle four fifths count
    wave = 0.2 * sum(np.sin(k * 2 * np.pi * np.cumsum(f0) / RATE) / k for k in range(1, 20)) / 2

    assert measure(Audio(wave, RATE)).f0_range_st == pytest.approx(9.6, abs=0.5)


def test_jitter_and_harmonicity_tell_a_rough_voice():
    rng = np.random.default_rng(0)
    periods = 100 * (1 + 0.02 * rng.standard_normal(300))  # samples, each with its own length
    wave = np.zeros(int(periods.sum()) + 200)
    wave[np.cumsum(periods).astype(int)] = 1.0
    smooth = np.convolve(wave, np.exp(-np.arange(60) / 10) * np.sin(np.arange(60) / 3))
    rough = measure(Audio(0.3 * smooth / np.abs(smooth).max(), RATE))

    assert rough.jitter == pytest.approx(100 * 0.02 * 2 / np.sqrt(np.pi), rel=0.5)  # mean difference of two normals
    assert rough.hnr_db < measure(Audio(hum(160, 1.0), RATE)).hnr_db - 5


def test_level_edges_and_pauses():
    speech, gap = hum(120, 0.6), np.zeros(int(0.3 * RATE))
    wave = np.concatenate([np.zeros(int(0.2 * RATE)), speech, gap, speech, np.zeros(int(0.1 * RATE))])
    found = measure(Audio(wave, RATE))

    assert (found.lead_seconds, found.trail_seconds) == pytest.approx((0.2, 0.1), abs=0.021)
    assert found.seconds == pytest.approx(1.5, abs=0.041)
    assert found.pause_share == pytest.approx(0.3 / 1.5, abs=0.02)
    assert found.level_db == pytest.approx(10 * np.log10((speech**2).mean()), abs=0.2)
    assert found.level_db == active_level(wave, RATE)
    assert found.floor_db < -50


def test_a_short_closure_is_no_pause():
    wave = np.concatenate([hum(120, 0.5), np.zeros(int(0.1 * RATE)), hum(120, 0.5)])

    assert measure(Audio(wave, RATE)).pause_share == 0


@pytest.mark.parametrize("rate", [2.0, 4.0, 6.0])
def test_syllables_are_counted(rate):
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * rate * np.arange(3 * RATE) / RATE)
    found = measure(Audio(hum(150, 3.0) * (0.05 + swell), RATE))

    assert found.syllable_rate == pytest.approx(rate, rel=0.15)


@pytest.mark.parametrize("slope", [-6.0, -12.0])
def test_tilt_is_that_of_the_harmonics(slope):
    found = measure(Audio(hum(100, 1.0, slope=slope), RATE))

    assert found.tilt_db == pytest.approx(slope, abs=1.5)


def test_bands_and_alpha_ratio():
    time = np.arange(RATE) / RATE
    wave = 0.1 * np.sin(2 * np.pi * 250 * time) + 0.05 * np.sin(2 * np.pi * 3000 * time)
    found = measure(Audio(wave, RATE))

    assert found.alpha_ratio_db == pytest.approx(20 * np.log10(0.5), abs=0.3)
    assert found.low_db == pytest.approx(10 * np.log10(0.8), abs=0.2)
    assert found.high_db == pytest.approx(10 * np.log10(0.2), abs=0.2)
    assert found.top_db < -40


def test_clipping_is_counted():
    wave = np.clip(1.5 * np.sin(2 * np.pi * 150 * np.arange(RATE) / RATE), -1, 1)

    assert measure(Audio(wave, RATE)).clipped == pytest.approx(2 / np.pi * np.arccos(1 / 1.5), abs=0.02)


def test_noise_has_no_pitch_and_says_so():
    found = measure(Audio(0.1 * np.random.default_rng(0).standard_normal(RATE), RATE))

    assert (found.f0_hz, found.f0_range_st, found.jitter, found.hnr_db) == (None, None, None, None)
    assert found.voiced == 0


def test_loudness_changes_the_level_alone():
    wave = hum(150, 1.0)
    loud, soft = (measure(Audio(gain * wave, RATE)) for gain in (1.0, 0.1))
    expected = {**vars(loud), "level_db": loud.level_db - 20}

    for name, value in vars(soft).items():
        assert value == pytest.approx(expected[name], rel=0.02, abs=0.02), name


def test_the_rate_of_the_file_does_not_matter():
    wide = Audio(hum(150, 1.0, rate=44_100), 44_100)
    a, b = measure(wide), measure(resample(wide, RATE))

    assert isinstance(a, Acoustics)
    assert vars(a) == pytest.approx(vars(b), abs=1e-6)


def test_cepstrum_has_its_shape_and_tells_spectra_apart():
    dark, bright = (cepstrum(Audio(hum(150, 1.0, slope=s), RATE)) for s in (-12.0, -6.0))

    assert dark.shape == (2 * (CEPSTRUM + 1),)
    assert np.abs(dark - bright).max() > 10
