import numpy as np
import pytest

from injection.rules import Prosody, Tilt
from injection.world import LTASS, analyse, change, match_spectrum, synthesise, track

RATE = 16_000


def render(wave, tilt=Tilt(), **values):  # noqa: B008 - frozen
    return synthesise(change(analyse(wave, RATE), Prosody(**values), tilt, np.random.default_rng(0)))


def log_f0(wave):
    f0, _ = track(wave, RATE)
    return np.log(f0[f0 > 0])


def band_db(wave, low, high):
    """Level of a band in dB."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].sum() / len(wave) ** 2)


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.45, 2.0])
def test_f0_mean(hum, factor):
    moved = np.exp(log_f0(render(hum, f0_mean=factor)).mean() - log_f0(hum).mean())
    assert moved == pytest.approx(factor, rel=0.01)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.6])
def test_f0_range(hum, factor):
    made = render(hum, f0_range=factor)
    before, after = (np.ptp(np.percentile(log_f0(wave), (5, 95))) for wave in (hum, made))
    assert after / before == pytest.approx(factor, rel=0.05)
    assert log_f0(made).mean() == pytest.approx(log_f0(hum).mean(), abs=0.01)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.25])
def test_duration(hum, factor):
    made = render(hum, duration=factor)
    assert len(made) / len(hum) == pytest.approx(factor, abs=0.01)
    assert log_f0(made).mean() == pytest.approx(log_f0(hum).mean(), abs=0.01)


@pytest.mark.parametrize("gain", [-9, 6, 12])
@pytest.mark.parametrize(("tilt", "middle"), [(Tilt(), 0.70), (Tilt(to_hz=8000), 0.44)])
def test_tilt(hum, gain, tilt, middle):
    plain, tilted = render(hum), render(hum, tilt, tilt_db=gain)

    def gain_at(low, high):
        return band_db(tilted, low, high) - band_db(plain, low, high)

    assert gain_at(50, 190) == pytest.approx(0, abs=0.5)
    assert gain_at(950, 1050) == pytest.approx(middle * gain, abs=0.8)
    at_3_khz = gain * np.log(min(3000, tilt.to_hz) / 200) / np.log(tilt.to_hz / 200)
    assert gain_at(2900, 3100) == pytest.approx(at_3_khz, abs=0.8)


def test_breathiness_fills_the_valleys_between_harmonics(hum):
    level = 150 * np.ones(RATE)
    steady = sum(np.sin(k * 2 * np.pi * np.cumsum(level) / RATE) / k for k in range(1, 36)) / 20
    valleys = [band_db(render(steady, breathiness=b), 1540, 1610) for b in (0.0, 0.2, 0.4)]
    assert valleys[1] > valleys[0] + 6
    assert valleys[2] > valleys[1] + 3
    assert band_db(render(steady, breathiness=0.2), 140, 160) == pytest.approx(band_db(steady, 140, 160), abs=1.5)


def test_formants_move_and_f0_stays(hum):
    time = np.arange(RATE) / RATE
    pulses = sum(np.sin(k * 2 * np.pi * 120 * time) * np.exp(-(((k * 120 - 1200) / 300) ** 2)) for k in range(1, 60))
    made = render(0.05 * pulses, formants=1.15)

    def centroid(wave):
        power = np.abs(np.fft.rfft(wave)) ** 2
        return (power * np.fft.rfftfreq(len(wave), 1 / RATE)).sum() / power.sum()

    assert centroid(made) / centroid(render(0.05 * pulses)) == pytest.approx(1.15, abs=0.02)
    assert log_f0(render(hum, formants=1.15)).mean() == pytest.approx(log_f0(hum).mean(), abs=0.01)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_pauses(hum, factor):
    gap, closure = np.zeros(int(0.4 * RATE)), np.zeros(int(0.06 * RATE))
    made = render(np.concatenate([hum, gap, hum, closure, hum]), pauses=factor)
    added = len(made) - (3 * len(hum) + len(gap) + len(closure))
    assert added / RATE == pytest.approx((factor - 1) * 0.4, abs=0.06)


def third_octaves_db(speech):
    """Level of the thirds of an octave, about their mean."""
    frequencies = np.linspace(0, speech.rate / 2, speech.envelope.shape[1])
    power = speech.envelope.mean(axis=0)
    bands = [power[(frequencies > c * 2 ** (-1 / 6)) & (frequencies < c * 2 ** (1 / 6))].sum() for c in LTASS]
    levels = 10 * np.log10(bands)
    return levels - levels.mean()


def test_spectrum_of_real_speech(hum):
    bright = render(hum, tilt_db=20)
    target = np.array(list(LTASS.values())) - np.mean(list(LTASS.values()))

    def distance(share):
        return np.abs(third_octaves_db(match_spectrum(analyse(bright, RATE), share)) - target).mean()

    assert distance(1) < 2 < distance(0.5) < distance(0)
    assert distance(0.5) == pytest.approx(distance(0) / 2, rel=0.25)


def test_an_empty_band_is_not_raised_without_end(hum):
    muffled = analyse(hum, RATE)
    muffled.envelope[:, 260:] = 1e-16  # from 4 kHz on, as from a telephone
    gain = 10 * np.log10(match_spectrum(muffled, 1).envelope / muffled.envelope)
    assert np.abs(gain).max() == pytest.approx(20)


def test_neutral_is_close_but_went_through_the_vocoder(hum):
    made = render(hum)
    assert not np.array_equal(made[: len(hum)], hum[: len(made)])
    assert log_f0(made).mean() == pytest.approx(log_f0(hum).mean(), abs=0.005)
    for low, high in ((50, 500), (500, 1000), (1000, 2000), (2000, 4000)):
        assert band_db(made, low, high) == pytest.approx(band_db(hum, low, high), abs=2)


def test_the_same_input_gives_the_same_samples(hum):
    assert np.array_equal(render(hum, f0_mean=1.3, breathiness=0.2), render(hum, f0_mean=1.3, breathiness=0.2))


def test_a_wave_without_voice_goes_through():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    made = render(noise, f0_mean=1.5, f0_range=1.6, duration=1.2)
    assert np.isfinite(made).all()
    assert len(made) == pytest.approx(1.2 * RATE, rel=0.01)


def test_f0_stays_within_what_the_vocoder_can_do(hum):
    f0 = change(analyse(hum, RATE), Prosody(f0_mean=4, f0_range=4), Tilt(), np.random.default_rng(0)).f0
    assert f0[f0 > 0].max() == 600
