import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from tts import Quality, SpeechError, load_engine, speak
from tts.pace import pace_report
from tts.quality import error_rate, faults, read_quality, spoken_seconds
from zero_shot_emotion import registry
from zero_shot_emotion.audio import RATE, Audio
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.stage import StageError
from zero_shot_emotion.errors import UserError
from zero_shot_emotion.recognition import load_recogniser

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


class Ear:
    """Hears the same from everybody, and says in which language."""

    languages = frozenset({"en", "de"})

    @staticmethod
    def versions():
        return {"ear": "1"}

    def transcribe(self, audios, language=None):
        assert [audio.rate for audio in audios] == [RATE]
        return [f"please sit {language}"]


@pytest.fixture
def ear(monkeypatch):
    """A recogniser that another package offers."""
    offered = [EntryPoint("ear", f"{__name__}:Ear", "zero_shot_emotion.asr")]
    monkeypatch.setattr(registry, "entry_points", lambda group: [e for e in offered if e.group == group])
    load_recogniser.cache_clear()
    yield
    load_recogniser.cache_clear()


@pytest.mark.usefixtures("ear")
def test_a_listener_of_ones_own(good, tmp_path):
    fault = faults(good, TEXT, "en-GB", Quality(asr="ear"))
    assert fault == "is heard as 'please sit en': word error rate 0.71, expected at most 0.5"
    assert faults(good, TEXT, "en", Quality(asr="ear", wer=0.8)) is None
    card = speak(text_corpus("en"), tmp_path / "out", quality=Quality(asr="ear", wer=9.0)).card
    assert card["quality"]["asr"] == {"engine": "ear", "settings": {}, "versions": {"ear": "1"}}


@pytest.mark.usefixtures("ear")
def test_a_language_that_nobody_hears_is_refused_before_anything_is_spoken(tmp_path):
    with pytest.raises(SpeechError, match=r"quality: asr: ear hears de, en, got a text in 'pl'"):
        speak(text_corpus("pl"), tmp_path / "out", quality=Quality(asr="ear"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"asr": "parrot"}, "recogniser: got 'parrot', expected one of faster-whisper, pocketsphinx, whisper"),
        ({"asr": "whisper", "asr_settings": {"model": "/nowhere"}}, "model: got '/nowhere', expected a model of the "),
        ({"asr": "whisper", "asr_settings": {"size": 3}}, "recogniser whisper: size: unknown key, expected"),
    ],
)
def test_a_listener_that_is_not_there_is_named_before_anything_is_spoken(tmp_path, told, message):
    with pytest.raises(UserError, match=message):
        speak(text_corpus("en"), tmp_path / "out", quality=Quality(**told))
    assert not (tmp_path / "out").exists()


def test_whisper_listens(tmp_path, whisper):
    """A random one hears nonsense: each utterance is tried by other voices, and reported."""
    told = Quality(asr="whisper", asr_settings={"model": whisper, "device": "cpu", "max_tokens": 8}, takes=1)
    with pytest.raises(StageError, match=r"is heard as '.*': word error rate \d\.\d\d, expected at most 0.5"):
        speak(text_corpus("en"), tmp_path / "out", quality=told)
    made = speak(text_corpus("en"), tmp_path / "out", quality=told, skip_errors=True)
    assert made.card["gate"]["failed"] == 2


def text_corpus(language):
    lines = ("Please sit down now.", "I want to go home today.")
    return Corpus("lines", Path(), tuple(Utterance(id=f"u{i}", text=t, language=language) for i, t in enumerate(lines)))


@pytest.mark.parametrize(
    ("said", "heard", "kind", "rate"),
    [
        ("a b c", "a b c", "word", 0),
        ("a b c", "", "word", 1),
        ("a b c", "A, x c!", "word", 1 / 3),
        ("a", "a b c", "word", 2),
        ("a b", "b", "word", 0.5),
        ("I don't.", "i don't", "word", 0),
        ("...", "", "word", 0),
        ("你好吗？", "你好", "character", 1 / 3),
        ("我 很 高兴。", "我很高兴", "character", 0),
        ("สวัสดี", "สวัสดี", "character", 0),
        ("안녕 하세요", "안녕", "word", 0.5),
    ],
)
def test_error_rate(said, heard, kind, rate):
    assert error_rate(said, heard) == (kind, pytest.approx(rate))


def test_wrong_bounds():
    with pytest.raises(SpeechError, match=re.escape("quality: takes: got 99, expected at most")):
        read_quality({"takes": 99})
    with pytest.raises(SpeechError, match=r"quality: loudness: unknown key, expected one of pace, slack, clipped"):
        read_quality({"loudness": 1})


def test_pace_is_judged_within_a_voice():
    def line(number, voice, seconds):
        return Utterance(id=f"{voice}{number}", text="one two three four", voice=voice, seconds=seconds)

    slow = [line(n, "slow", 3.0 + 0.05 * n) for n in range(10)]
    fast = [line(n, "fast", 1.0 + 0.02 * n) for n in range(10)]
    assert pace_report([*slow, *fast]) == {"out_of_pace": 0}
    assert pace_report([*slow, *fast, line(99, "fast", 3.0)]) == {"out_of_pace": 1, "such_as": ["fast99"]}
    assert pace_report([line(n, "rare", 1.0 + n) for n in range(5)]) == {"out_of_pace": 0}
