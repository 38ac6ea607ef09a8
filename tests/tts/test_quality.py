import re
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from tts import Quality, SpeechError, load_engine, quality
from tts.pace import pace_report
from tts.quality import faults, read_quality, spoken_seconds, word_error_rate
from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import Utterance

TEXT = "Please sit down, we need to talk."


@pytest.fixture(scope="module")
def good():
    return load_engine("espeak-ng").speak(TEXT, "en-us+f3/p50/r175")


def changed(audio, change):
    wave = np.array(audio.wave, dtype=np.float32)
    return Audio(np.asarray(change(wave), dtype=np.float32), audio.rate)


def half_silent(wave):
    return np.concatenate([wave[: len(wave) // 2], np.zeros(4 * len(wave)), wave[len(wave) // 2 :]])


def with_nan(wave):
    wave[10] = np.nan
    return wave


def test_speech_passes(good):
    assert faults(good, TEXT, "en", Quality()) is None
    silence = np.zeros(good.rate)
    assert faults(changed(good, lambda w: np.concatenate([silence, w, silence])), TEXT, "en", Quality()) is None


@pytest.mark.parametrize("text", ["Yes.", "Oh no.", "Hmm.", "Why?", "I know what you mean, and I do not like it."])
@pytest.mark.parametrize("voice", ["en-us+f3/p50/r190", "en-gb+m1/p60/r160"])
def test_short_and_long_texts_pass(text, voice):
    assert faults(load_engine("espeak-ng").speak(text, voice), text, "en", Quality()) is None


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (with_nan, "holds samples that are NaN or infinite"),
        (np.zeros_like, "is silent"),
        (lambda w: w[:0], "is silent"),
        (lambda w: np.clip(w * 20, -1, 1), "is clipped in "),
        (half_silent, "pauses for "),
        (lambda w: np.tile(w, 6), "takes "),
        (lambda w: w[: len(w) // 20], "is clipped|takes 0.0"),
    ],
)
def test_faults(good, change, fault):
    text = TEXT * (3 if "takes 0" in fault else 1)
    assert re.match(fault, faults(changed(good, change), text, "en", Quality()))


def test_seconds_of_speech_leave_the_edges_out(good):
    padded = changed(good, lambda w: np.concatenate([np.zeros(good.rate), w, np.zeros(good.rate)]))
    assert spoken_seconds(padded) == pytest.approx(spoken_seconds(good), abs=0.05)


def test_a_listener_of_ones_own(good, monkeypatch):
    def deaf():
        return lambda audio, language: f"please sit {language}"

    monkeypatch.setattr(quality, "entry_points", lambda group: [EntryPoint("deaf", "x:y", group)])
    monkeypatch.setattr(EntryPoint, "load", lambda self: deaf)
    quality.load_listener.cache_clear()
    try:
        fault = faults(good, TEXT, "en", Quality(asr="deaf"))
        assert fault == "is heard as 'please sit en': word error rate 0.71, expected at most 0.5"
        assert faults(good, TEXT, "en", Quality(asr="deaf", wer=0.8)) is None
    finally:
        quality.load_listener.cache_clear()


def test_a_recogniser_of_weak_labels_is_no_listener(good, monkeypatch):
    """It takes waves by the batch and has settings: called as a listener, it would fail at every utterance."""
    offered = {"zero_shot_emotion.asr": [EntryPoint("mine", "x:y", "zero_shot_emotion.asr")]}
    monkeypatch.setattr(quality, "entry_points", lambda group: offered.get(group, []))
    with pytest.raises(SpeechError, match=r"unknown listener 'mine': .* zero_shot_emotion.listeners \(there is none\)"):
        faults(good, TEXT, "en", Quality(asr="mine"))


@pytest.mark.parametrize(
    ("said", "heard", "rate"),
    [("a b c", "a b c", 0), ("a b c", "", 1), ("a b c", "A, x c!", 1 / 3), ("a", "a b c", 2), ("a b", "b", 0.5)],
)
def test_word_error_rate(said, heard, rate):
    assert word_error_rate(said, heard) == pytest.approx(rate)


def test_wrong_bounds():
    with pytest.raises(SpeechError, match=re.escape("quality: takes: got 99, expected at most")):
        read_quality({"takes": 99})
    with pytest.raises(SpeechError, match=r"quality: loudness: unknown key, expected one of pace, slack, clipped"):
        read_quality({"loudness": 1})
    with pytest.raises(SpeechError, match=r"unknown listener 'ear': expected one that a package offers under zero_"):
        faults(Audio(np.full(16000, 0.1), 16000), "a b c", "en", Quality(asr="ear"))


def test_pace_is_judged_within_a_voice():
    def line(number, voice, seconds):
        return Utterance(id=f"{voice}{number}", text="one two three four", voice=voice, seconds=seconds)

    slow = [line(n, "slow", 3.0 + 0.05 * n) for n in range(10)]
    fast = [line(n, "fast", 1.0 + 0.02 * n) for n in range(10)]
    assert pace_report([*slow, *fast]) == {"out_of_pace": 0}
    assert pace_report([*slow, *fast, line(99, "fast", 3.0)]) == {"out_of_pace": 1, "such_as": ["fast99"]}
    assert pace_report([line(n, "rare", 1.0 + n) for n in range(5)]) == {"out_of_pace": 0}
