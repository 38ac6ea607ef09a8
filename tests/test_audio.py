import pickle

import numpy as np
import pytest
import soundfile

from zero_shot_emotion.audio import RATE, Audio, AudioError, check_audio, read_audio, resample, write_audio


def sine(rate=RATE, seconds=1.0, frequency=440.0, peak=0.5):
    time = np.arange(round(rate * seconds)) / rate
    return Audio((peak * np.sin(2 * np.pi * frequency * time)).astype(np.float32), rate)


def loudest_frequency(audio):
    spectrum = np.abs(np.fft.rfft(audio.wave * np.hanning(len(audio.wave))))
    return spectrum.argmax() * audio.rate / len(audio.wave)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_any_rate_and_channel_count_is_read(tmp_path, rate, channels, kind):
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, np.stack([sine(rate).wave] * channels, axis=1), rate)

    audio = read_audio(path)

    assert audio.rate == RATE
    assert audio.wave.ndim == 1
    assert audio.wave.dtype == np.float32
    assert audio.seconds == pytest.approx(1, abs=2 / RATE)
    assert loudest_frequency(audio) == pytest.approx(440, abs=1)
    assert np.abs(audio.wave[1000:-1000]).max() == pytest.approx(0.5, abs=0.1 if kind == "ogg" else 0.01)


def test_channels_are_averaged(tmp_path):
    left, right = sine(frequency=440).wave, sine(frequency=1000).wave
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT")

    np.testing.assert_allclose(read_audio(tmp_path / "a.wav").wave, (left + right) / 2, atol=1e-6)


def test_the_own_rate_is_kept_on_demand(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(22050).wave, 22050)

    assert read_audio(tmp_path / "a.wav", rate=None).rate == 22050


@pytest.mark.parametrize("target", [8000, 16000, 44100])
@pytest.mark.parametrize("source", [8000, 16000, 44100])
def test_resampling_keeps_frequency_loudness_and_duration(source, target):
    audio = sine(source, frequency=1234)

    out = resample(audio, target)

    assert out.rate == target
    assert out.seconds == pytest.approx(audio.seconds, abs=2 / target)
    assert loudest_frequency(out) == pytest.approx(1234, abs=1)
    assert np.sqrt(np.mean(out.wave**2)) == pytest.approx(np.sqrt(np.mean(audio.wave**2)), rel=0.01)


def test_resampling_lets_no_alias_through():
    assert np.abs(resample(sine(48000, frequency=11000), 16000).wave[500:-500]).max() < 0.001


def _write_text(path):
    path.write_text("this is no audio")


def _write_samples(samples):
    return lambda path: soundfile.write(path, np.array(samples, dtype=np.float32), RATE, subtype="FLOAT")


@pytest.mark.parametrize(
    ("make", "reason", "message"),
    [
        (lambda path: None, "missing", "no such file"),
        (lambda path: path.mkdir(), "missing", "no such file"),
        (_write_text, "unreadable", "expected an audio file: "),
        (lambda path: path.touch(), "unreadable", "expected an audio file: "),
        (_write_samples([]), "empty", "holds no samples"),
        (_write_samples([0.1, np.nan, 0.1]), "not finite", "holds samples that are NaN or infinite"),
        (_write_samples([0.1, -np.inf, 0.1]), "not finite", "holds samples that are NaN or infinite"),
    ],
    ids=["missing", "folder", "text", "zero bytes", "no samples", "NaN", "infinite"],
)
def test_audio_that_cannot_be_read_says_why(tmp_path, make, reason, message):
    path = tmp_path / "bad.wav"
    make(path)

    with pytest.raises(AudioError) as error:
        read_audio(path)

    assert error.value.reason == reason
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("audio", "reason", "message"),
    [
        (sine(seconds=0.05), "too short", "a: lasts 0.050 s, expected at least 0.1 s"),
        (Audio(np.zeros(0), RATE), "too short", "a: lasts 0.000 s, expected at least 0.1 s"),
        (Audio(np.zeros(RATE), RATE), "silent", "a: is silent, its peak lies below -80 dB of full scale"),
        (sine(peak=0.9e-4), "silent", "a: is silent, its peak lies below -80 dB of full scale"),
        (Audio(np.full(RATE, np.nan), RATE), "not finite", "a: holds samples that are NaN or infinite"),
    ],
    ids=["short", "empty", "zeros", "almost silent", "NaN"],
)
def test_audio_that_nothing_can_be_learnt_from_is_refused(audio, reason, message):
    with pytest.raises(AudioError) as error:
        check_audio(audio, "a")

    assert (error.value.reason, str(error.value)) == (reason, message)


@pytest.mark.parametrize("audio", [sine(seconds=0.1), sine(peak=1.1e-4)], ids=["just long", "just loud"])
def test_audio_that_will_do_passes(audio):
    check_audio(audio, "a")


def test_the_least_duration_can_be_chosen():
    with pytest.raises(AudioError, match=r"a: lasts 1\.000 s, expected at least 1\.5 s"):
        check_audio(sine(), "a", min_seconds=1.5)


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(AudioError("silent", "a: is silent")))

    assert (error.reason, str(error)) == ("silent", "a: is silent")


@pytest.mark.parametrize("rate", [8000, 16000, 24000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_round_trip(tmp_path, rate, dtype):
    audio = sine(rate)

    write_audio(tmp_path / "new" / "a.wav", Audio(audio.wave.astype(dtype), rate))
    again = read_audio(tmp_path / "new" / "a.wav", rate=None)

    assert again.rate == rate
    np.testing.assert_allclose(again.wave, audio.wave, atol=1.5 / 2**15)
    assert soundfile.info(tmp_path / "new" / "a.wav").subtype == "PCM_16"


def test_samples_beyond_full_scale_are_clipped_and_do_not_wrap(tmp_path):
    write_audio(tmp_path / "a.wav", sine(peak=2))

    np.testing.assert_allclose(read_audio(tmp_path / "a.wav").wave, np.clip(sine(peak=2).wave, -1, 1), atol=1e-4)


def test_the_same_audio_is_the_same_bytes(tmp_path):
    for name in "ab":
        write_audio(tmp_path / f"{name}.wav", sine())

    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    write_audio(path, sine())
    before = path.read_bytes()

    def fail(file, *args, **kwargs):
        file.write(b"RIFF")
        raise OSError("No space left on device")

    monkeypatch.setattr(soundfile, "write", fail)
    with pytest.raises(OSError, match="No space left"):
        write_audio(path, sine(frequency=220))

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_samples_that_are_not_finite_are_never_written(tmp_path):
    with pytest.raises(AudioError, match=r"a\.wav: holds samples that are NaN or infinite"):
        write_audio(tmp_path / "a.wav", Audio(np.array([0.1, np.nan]), RATE))

    assert list(tmp_path.iterdir()) == []
