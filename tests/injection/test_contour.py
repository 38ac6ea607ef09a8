import numpy as np
import parselmouth
import pytest
from parselmouth.praat import call

from injection.contour import bend
from injection.rules import Prosody, Tilt
from injection.world import analyse, change, synthesise, track

RATE = 16_000
FRAME_MS = 5.0


def semitones(f0, prosody, power=None, seed=0):
    """What a prosody adds to the voiced frames."""
    power = np.ones(len(f0)) if power is None else power
    bent = bend(f0, power, FRAME_MS, prosody, np.random.default_rng(seed))
    assert np.array_equal(bent > 0, f0 > 0)
    return 12 * np.log2(bent[f0 > 0] / f0[f0 > 0])


@pytest.fixture
def level():
    """Two seconds at 150 Hz with a gap, loudest in the middle of the second half."""
    f0 = np.full(400, 150.0)
    f0[:20] = f0[190:210] = f0[380:] = 0
    return f0


def test_nothing_is_added_by_default(level):
    assert np.array_equal(bend(level, level, FRAME_MS, Prosody(), np.random.default_rng(0)), level)


@pytest.mark.parametrize(
    "values",
    [{"phrase_st": 4}, {"focus_st": 3}, {"focus_st_s": 30}, {"final_st_s": 20}, {"onset_st": 2}, {"vibrato_st": 1}],
)
def test_the_mean_stays(level, values):
    assert semitones(level, Prosody(**values)).mean() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("rise", [-3, 5])
def test_phrase_rises_from_end_to_end(level, rise):
    added = semitones(level, Prosody(phrase_st=rise))
    assert added[-1] - added[0] == pytest.approx(rise)
    assert np.polyfit(np.flatnonzero(level), added, 1)[0] == pytest.approx(rise / 359)


@pytest.mark.parametrize("slope", [-20, 30])
def test_last_syllable_rises_or_falls(level, slope):
    added = semitones(level, Prosody(final_st_s=slope))
    assert added[-1] - added[-41] == pytest.approx(slope * 0.2)
    assert np.ptp(added[:-41]) == pytest.approx(0, abs=1e-9)


def test_focus_lies_on_the_loudest_syllable(level):
    power = np.exp(-(((np.arange(400) - 300) / 15) ** 2))
    added = np.zeros(400)
    added[level > 0] = semitones(level, Prosody(focus_st=4), power)
    base = added[30]
    assert added[300] - base == pytest.approx(4)
    assert added[282] - base == pytest.approx(4)
    assert added[332] - base == pytest.approx(0, abs=1e-9)
    added[level > 0] = semitones(level, Prosody(focus_st_s=40), power)
    assert added[315] - added[285] == pytest.approx(40 * 0.15, rel=0.01)


def test_onset_has_the_shape_of_davids_inflection(level):
    added = semitones(level, Prosody(onset_st=1.4))
    cents = 100 * (added - added[-1])
    assert cents[0] == pytest.approx(-200, abs=1)
    assert cents[12] == pytest.approx(140, abs=5)
    assert cents[51] == pytest.approx(83, abs=3)
    assert np.abs(cents[81:]).max() == pytest.approx(0, abs=1e-9)


def test_vibrato_has_its_depth_and_a_rate_of_its_own(level):
    waves = [semitones(level, Prosody(vibrato_st=0.4), seed=seed) for seed in range(20)]
    assert all(np.ptp(w) / 2 == pytest.approx(0.4, abs=0.02) for w in waves)
    crossings = [np.count_nonzero(np.diff(np.sign(w[:170] - w.mean()))) / 2 / 0.85 for w in waves]
    assert 5 < min(crossings) < 7.5 < 9.5 < max(crossings) < 12.5


def steady(f0, seconds=1.0):
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.05 * sum(np.sin(k * 2 * np.pi * f0 * time) / k for k in range(1, int(4000 / f0)))


def praat(wave, what, *more):
    """Praat's jitter (local, in percent) or shimmer (local_dB, in dB)."""
    sound = parselmouth.Sound(wave, RATE)
    points = call(sound, "To PointProcess (periodic, cc)", 75, 500)
    if what == "jitter":
        return 100 * call(points, "Get jitter (local)", 0.1, 0.9, 0.0001, 0.02, 1.3)
    return call([sound, points], "Get shimmer (local_dB)", 0.1, 0.9, 0.0001, 0.02, 1.3, 1.6)


def render(wave, seed=0, **values):
    return synthesise(change(analyse(wave, RATE), Prosody(**values), Tilt(), np.random.default_rng(seed)))


@pytest.mark.parametrize("f0", [100, 210])
@pytest.mark.parametrize("asked", [1.0, 3.0])
def test_jitter_is_praats(f0, asked):
    found = np.mean([praat(render(steady(f0), seed, jitter_percent=asked), "jitter") for seed in range(4)])
    assert praat(render(steady(f0)), "jitter") < 0.3
    assert found == pytest.approx(asked, rel=0.3)


@pytest.mark.parametrize("f0", [100, 210])
def test_shimmer_is_praats(f0):
    found = np.mean([praat(render(steady(f0), seed, shimmer_db=1.0), "shimmer") for seed in range(4)])
    assert praat(render(steady(f0)), "shimmer") < 0.3
    assert found == pytest.approx(1.0, rel=0.35)


def test_jitter_moves_neither_mean_nor_length():
    plain, rough = (render(steady(150), jitter_percent=j) for j in (0, 3))
    assert len(rough) == pytest.approx(len(plain), abs=0.01 * RATE)
    means = [np.log(f0[f0 > 0]).mean() for f0 in (track(w, RATE)[0] for w in (plain, rough))]
    assert means[1] == pytest.approx(means[0], abs=0.01)


def test_a_wave_without_voice_goes_through():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    made = render(noise, phrase_st=3, focus_st=3, final_st_s=20, jitter_percent=3, shimmer_db=1)
    assert np.isfinite(made).all()
    assert len(made) == pytest.approx(RATE, rel=0.02)


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_vowels_are_what_is_voiced(factor):
    hiss = 0.02 * np.random.default_rng(0).standard_normal(RATE // 2)
    wave = np.concatenate([hiss, steady(150), hiss])
    voiced = np.count_nonzero(track(wave, RATE)[0]) * FRAME_MS / 1000
    made = render(wave, vowels=factor)
    assert len(made) / RATE == pytest.approx(2 + (factor - 1) * voiced, abs=0.05)
    assert np.count_nonzero(track(made, RATE)[0]) * FRAME_MS / 1000 == pytest.approx(factor * voiced, abs=0.06)
