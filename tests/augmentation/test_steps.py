"""The steps against what is known of them."""

import numpy as np
import pytest

from augmentation.band import limit_band
from augmentation.codec import CODECS, code
from augmentation.noise import add, piece
from augmentation.room import WALL, place, reverberate, simulate
from zero_shot_emotion.audio import Audio

RATE = 16_000


def band_level(wave, low, high):
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    return 10 * np.log10(power[(frequencies >= low) & (frequencies < high)].mean())


@pytest.fixture(scope="module")
def chirp():
    """A second from 200 to 3,000 Hz, swelling and fading."""
    from scipy.signal import chirp

    times = np.arange(RATE) / RATE
    return 0.3 * chirp(times, 200, 1, 3000) * np.sin(np.pi * times) ** 2


def test_noise_is_added_at_its_level():
    silence = np.zeros(1000)
    noise = np.random.default_rng(0).standard_normal(1000)

    assert 10 * np.log10((add(silence, noise, -30.0) ** 2).mean()) == pytest.approx(-30)
    assert add(silence, silence, -30.0) is silence


def test_a_piece_comes_from_within_and_a_short_recording_starts_again():
    recording = np.arange(100.0)
    rng = np.random.default_rng(0)
    starts = {piece(recording, 90, rng)[0] for _ in range(200)}

    assert starts == set(range(11))
    assert piece(np.arange(3.0), 7, rng).tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_band_limits_are_where_they_are_said_to_be():
    noise = np.random.default_rng(0).standard_normal(400_000)
    passed = limit_band(noise, RATE, 300, 3400)
    gain = {at: band_level(passed, at - 10, at + 10) - band_level(noise, at - 10, at + 10) for at in (75, 300, 3400)}

    assert gain[300] == pytest.approx(-3, abs=0.5)
    assert gain[3400] == pytest.approx(-3, abs=0.5)
    assert gain[75] == pytest.approx(-24, abs=1)
    assert np.array_equal(limit_band(noise, RATE, 300, 8000), limit_band(noise, RATE, 300, 9000))


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("samples", [RATE, 15_001, 3_333])
def test_a_codec_keeps_rate_length_and_time(chirp, kind, samples):
    wave = chirp[:samples]
    coded = code(Audio(wave, RATE), kind, 0.9)
    shifts = range(-40, 41)
    best = max(shifts, key=lambda shift: float(np.dot(np.roll(coded.wave, -shift), wave)))

    assert (coded.rate, len(coded.wave)) == (RATE, samples)
    assert abs(best) <= 1
    assert 0.85 < np.corrcoef(coded.wave, wave)[0, 1] < 1


@pytest.mark.parametrize("kind", [kind for kind, coder in CODECS.items() if coder.compressible])
def test_more_compression_is_worse(kind):
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    errors = [((code(Audio(noise, RATE), kind, c).wave - noise) ** 2).mean() for c in (0.1, 0.95)]

    assert errors[1] > 1.5 * errors[0]


@pytest.mark.parametrize("kind", ["gsm", "mu-law", "a-law"])
def test_a_telephone_has_nothing_above_four_kilohertz(kind):
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    coded = code(Audio(noise, RATE), kind).wave

    assert band_level(coded, 4300, 8000) < band_level(coded, 500, 3000) - 40


def test_an_echo_comes_after_what_it_is_of_and_the_direct_sound_is_not_late():
    click = np.zeros(100)
    click[10] = 1.0
    response = np.zeros(400)
    response[[50, 250]] = [0.5, 0.1]
    made = reverberate(click, response)

    assert np.flatnonzero(np.abs(made) > 1e-9).tolist() == [10, 210]
    assert made[[10, 210]] == pytest.approx([1.0, 0.2])


def test_a_room_rings_as_long_as_sabine_says():
    import pyroomacoustics

    size = np.array([5.0, 4.0, 2.7])
    mouth, microphone = np.array([1.0, 1.2, 1.5]), np.array([3.0, 2.5, 1.3])
    lasts = {a: simulate(size, a, mouth, microphone, RATE) for a in (0.3, 0.6)}
    measured = {a: pyroomacoustics.experimental.measure_rt60(h, RATE, decay_db=20) for a, h in lasts.items()}
    surface = 2 * (5 * 4 + 5 * 2.7 + 4 * 2.7)

    for absorption, seconds in measured.items():
        assert seconds == pytest.approx(0.161 * size.prod() / (surface * absorption), rel=0.45)
    assert measured[0.3] > 1.5 * measured[0.6]


def test_mouth_and_microphone_stay_in_the_room():
    rng = np.random.default_rng(0)
    size = np.array([3.0, 2.5, 2.3])
    for _ in range(300):
        mouth, microphone = place(size, 0.7, rng)
        for place_ in (mouth, microphone):
            assert (place_ >= WALL - 1e-9).all()
            assert (place_ <= size - WALL + 1e-9).all()
        assert 0.2 < np.linalg.norm(mouth - microphone) <= 0.7 + 1e-9
