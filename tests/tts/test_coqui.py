import json
import multiprocessing
import os
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.tts.tiny_vits import SPEAKERS, write_tiny_vits
from tts import Quality, SpeechError, Voice, load_engine, speak
from tts.coqui import Coqui, CoquiSettings
from tts.engine import settings_of
from tts.voice_list import read_voices
from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.corpus import stage

ANYTHING = Quality(pace=(0.01, 1000.0), silence=1.0)
"""For a model of random weights."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_tiny_vits(tmp_path_factory.mktemp("vits"))


@pytest.fixture(scope="module")
def settings(checkpoint):
    return {"model_path": str(checkpoint), "voices": "vctk", "device": "cpu"}


@pytest.fixture(scope="module")
def coqui(settings):
    return load_engine("coqui", json.dumps(settings))


def digest(audio):
    return sha256(audio.wave.tobytes()).hexdigest()


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_voices_are_the_models_with_the_facts_of_the_list(coqui):
    assert [voice.id for voice in coqui.voices()] == list(SPEAKERS)
    assert coqui.voices()[:2] == [Voice("p225", "en-gb", "female"), Voice("p226", "en-gb", "male")]


def test_without_a_list_genders_are_unknown(checkpoint):
    engine = Coqui(CoquiSettings(model_path=checkpoint, language="de"))
    assert engine.voices()[0] == Voice("p225", "de", None)


def test_only_voices_of_the_list_are_cast(checkpoint):
    engine = Coqui(CoquiSettings(model_path=checkpoint, voices={"p227": {"gender": "male"}, "p999": {}}))
    assert engine.voices() == [Voice("p227", "en", "male")]


def test_the_sound_depends_on_seed_text_and_voice_alone(coqui, checkpoint):
    import torch

    coqui.speak("Loaded.", "p225")  # making the model draws its weights; speaking must leave the generator alone
    before = torch.get_rng_state()
    first = coqui.speak("Please sit down.", "p225")
    assert torch.equal(before, torch.get_rng_state())
    assert first.rate == 22050
    coqui.speak("Something else.", "p226")
    assert digest(coqui.speak("Please sit down.", "p225")) == digest(first)
    assert digest(coqui.speak("Please sit down.", "p226")) != digest(first)
    other = Coqui(CoquiSettings(model_path=checkpoint, seed=1, device="cpu"))
    assert digest(other.speak("Please sit down.", "p225")) != digest(first)


def test_corpus_of_one_and_of_two_workers_and_of_a_run_that_was_cut(tiny, settings, tmp_path, monkeypatch):
    arguments = {"engine": "coqui", "settings": settings, "quality": ANYTHING}
    report = speak(tiny, tmp_path / "one", **arguments)
    speak(tiny, tmp_path / "two", workers=2, **arguments)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert {u.extra["voice"] for u in report.corpus} <= set(SPEAKERS)
    card = report.card
    assert card["settings"] == {**settings, "model": "tts_models/en/vctk/vits", "seed": 0}
    assert re.fullmatch(r"[\d.]+ \(torch [^,]+, cpu, files [0-9a-f]{12}\)", card["versions"]["coqui"])
    with monkeypatch.context() as patch:
        patch.setattr(stage, "write_entries", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            speak(tiny, tmp_path / "cut", **arguments)
    journal = tmp_path / "cut" / stage.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-50])
    assert speak(tiny, tmp_path / "cut", **arguments).resumed == len(tiny) - 1
    assert files(tmp_path / "cut") == files(tmp_path / "one")


class FakeXtts:
    """What the engine uses of a multilingual model that clones."""

    is_multi_speaker = True
    is_multi_lingual = True
    speakers = ("Ana",)
    languages = ("en", "de", "zh-cn")
    synthesizer = type("Synthesizer", (), {"output_sample_rate": 24000})

    def __init__(self):
        self.asked = []

    def to(self, device):
        return self

    def tts(self, text, **arguments):
        self.asked.append(arguments)
        return [0.1] * 2400 + [0.0] * 100


@pytest.fixture
def recordings(tmp_path):
    for name in ("anna.wav", "ben.wav"):
        write_audio(tmp_path / "wavs" / name, Audio(np.zeros(1600, dtype=np.float32) + 0.1, 16000))
    (tmp_path / "wavs" / "voices.yaml").write_text(
        yaml.safe_dump({"voices": {"anna": {"gender": "female"}, "ben": {}}})
    )
    return tmp_path / "wavs"


def test_recordings_are_voices_in_every_language(recordings):
    engine = Coqui(CoquiSettings(model="tts_models/multilingual/multi-dataset/xtts_v2", speaker_wavs=recordings))
    engine._model = FakeXtts()
    assert len(engine.voices()) == 6
    assert engine.voices()[:3] == [Voice(f"anna/{m}", lang, "female")
                                   for m, lang in (("en", "en"), ("de", "de"), ("zh-cn", "cmn"))]  # fmt: skip
    assert engine.speak("Hallo.", "anna/de").seconds == 0.1
    assert engine._model.asked == [
        {"speaker_wav": str(recordings / "anna.wav"), "language": "de", "split_sentences": False}
    ]


def test_languages_can_be_chosen(recordings):
    engine = Coqui(CoquiSettings(speaker_wavs=recordings, languages=("de",)))
    engine._model = FakeXtts()
    assert [voice.id for voice in engine.voices()] == ["anna/de", "ben/de"]
    other = Coqui(CoquiSettings(speaker_wavs=recordings, languages=("tlh",)))
    other._model = FakeXtts()
    with pytest.raises(SpeechError, match="coqui: languages: got 'tlh', expected some of en, de, zh-cn"):
        other.voices()


def test_workers_take_a_gpu_each(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    engine = Coqui(CoquiSettings())
    assert engine.most_workers() == 2
    devices = []
    for name in ("MainProcess", "SpawnProcess-1", "SpawnProcess-2", "SpawnProcess-3"):
        monkeypatch.setattr(multiprocessing.current_process(), "name", name)
        devices.append(engine._device)
    assert devices == ["cuda:0", "cuda:0", "cuda:1", "cuda:0"]
    assert Coqui(CoquiSettings(device="cpu")).most_workers() is None


def test_speakers_of_vctk():
    facts = read_voices("vctk")
    assert len(facts) == 109
    assert sum(fact.gender == "female" for fact in facts.values()) == 62
    assert facts["p245"].model_dump() == {"gender": "male", "language": "en-ie", "accent": "Irish"}


def test_settings_have_defaults_on_the_card(checkpoint):
    assert settings_of(Coqui(CoquiSettings())) == {"model": "tts_models/en/vctk/vits", "device": "auto", "seed": 0}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"modell": "x"}, "engine coqui: modell: unknown key; did you mean 'model'? known keys: model, "),
        (
            {"model_path": "/no.pth"},
            "engine coqui: model_path: got '/no.pth', expected a file or folder that exists",
        ),
        ({"speaker_wavs": "/no"}, "engine coqui: speaker_wavs: got '/no', expected a folder that exists (settings: "),
        ({"device": "tpu"}, "engine coqui: device: got 'tpu', expected text that matches"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(SpeechError, match=re.escape(message)):
        load_engine("coqui", json.dumps(wrong))


def test_a_licence_that_nobody_can_agree_to_is_named(tmp_path, monkeypatch):
    """Coqui asks before it downloads XTTS; a job of a cluster has nobody to answer."""
    monkeypatch.setenv("TTS_HOME", str(tmp_path))
    monkeypatch.delenv("COQUI_TOS_AGREED", raising=False)
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(SpeechError, match=r"xtts_v2 cannot be loaded: EOFError.*COQUI_TOS_AGREED=1"):
            Coqui(CoquiSettings(model="tts_models/multilingual/multi-dataset/xtts_v2")).voices()


def test_what_cannot_be_loaded_or_is_unknown(coqui, tmp_path):
    with pytest.raises(SpeechError, match=r"coqui: unknown voice 'p1', expected one of .*p225"):
        coqui.speak("hi", "p1")
    broken = tmp_path / "model.pth"
    broken.write_bytes(b"no model")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SpeechError, match=rf"coqui: the model {re.escape(str(broken))} cannot be loaded: "):
        Coqui(CoquiSettings(model_path=broken)).voices()
    with pytest.raises(SpeechError, match=f"{re.escape(str(tmp_path))}: no recordings, expected files with .wav"):
        Coqui(CoquiSettings(speaker_wavs=Path(tmp_path))).voices()
