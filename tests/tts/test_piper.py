import importlib.util
import json
import re
import sys
import types

import numpy as np
import pytest

from tts import SpeechError, Voice, load_engine
from tts import piper as ours

CONFIGS = {
    "en_GB-duo-low": {"language": {"code": "en_GB"}, "speaker_id_map": {"ann": 0, "bob": 1}},
    "de-solo": {"espeak": {"voice": "de"}, "speaker_id_map": {}},
}


@pytest.fixture
def models(tmp_path):
    for name, config in CONFIGS.items():
        (tmp_path / f"{name}.onnx").write_bytes(b"onnx")
        (tmp_path / f"{name}.onnx.json").write_text(json.dumps(config))
    return [str(tmp_path / f"{name}.onnx") for name in CONFIGS]


@pytest.fixture
def package(monkeypatch):
    """A stand-in for piper-tts; returns what it was asked."""
    asked = []
    module = types.ModuleType("piper")

    class PiperVoice:
        @staticmethod
        def load(path):
            voice = PiperVoice()
            voice.path = path
            return voice

        def synthesize(self, text, syn_config):
            asked.append((self.path.name, text, syn_config))
            for part in text.split("|"):
                yield types.SimpleNamespace(audio_float_array=np.full(len(part), 0.1, np.float32), sample_rate=16000)

    module.PiperVoice, module.SynthesisConfig = PiperVoice, dict
    monkeypatch.setitem(sys.modules, "piper", module)
    monkeypatch.setattr(ours, "version", lambda name: "stand-in-1")
    ours._load.cache_clear()
    yield asked
    ours._load.cache_clear()


def test_voices_of_local_models(models, package):
    engine = load_engine("piper", json.dumps({"models": models, "voices": None}))
    assert engine.voices() == [
        Voice("en_GB-duo-low#ann", "en-gb"),
        Voice("en_GB-duo-low#bob", "en-gb"),
        Voice("de-solo", "de"),
    ]
    assert re.fullmatch(r"stand-in-1 \(files [0-9a-f]{12}\)", engine.version)
    listed = load_engine("piper", json.dumps({"models": models, "voices": {"de-solo": {"gender": "male"}}}))
    assert listed.voices() == [Voice("de-solo", "de", "male")]


def test_speech_has_no_noise_and_all_sentences(models, package):
    engine = load_engine("piper", json.dumps({"models": models}))
    audio = engine.speak("one|three", "en_GB-duo-low#bob")
    assert (len(audio.wave), audio.rate) == (8, 16000)
    settings = {"speaker_id": 1, "noise_scale": 0.0, "noise_w_scale": 0.0, "normalize_audio": False}
    assert package == [("en_GB-duo-low.onnx", "one|three", settings)]


def test_errors(models, tmp_path):
    with pytest.raises(SpeechError, match=re.escape("piper: /no.onnx: expected an .onnx file with its .onnx.json")):
        load_engine("piper", json.dumps({"models": ["/no.onnx"]})).voices()
    with pytest.raises(SpeechError, match="engine piper: models: missing"):
        load_engine("piper")
    with pytest.raises(SpeechError, match="piper: unknown voice 'x', expected one of en_GB-duo-low#ann"):
        load_engine("piper", json.dumps({"models": models})).speak("hi", "x")


@pytest.mark.skipif(importlib.util.find_spec("piper") is not None, reason="piper-tts is installed")
def test_no_package(models):
    with pytest.raises(SpeechError, match=re.escape("piper: the package is not installed (pip install piper-tts)")):
        load_engine("piper", json.dumps({"models": models})).speak("hi", "de-solo")


@pytest.mark.skipif(importlib.util.find_spec("piper") is None, reason="piper-tts is not installed")
def test_the_package_has_what_is_used_of_it():
    import piper

    assert callable(piper.PiperVoice.load)
    piper.SynthesisConfig(speaker_id=None, noise_scale=0.0, noise_w_scale=0.0, normalize_audio=False)
