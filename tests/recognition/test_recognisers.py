import json
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch

from zero_shot_emotion.audio import RATE, Audio
from zero_shot_emotion.errors import UserError
from zero_shot_emotion.recognition import RecognitionError, describe, language_code, load_recogniser
from zero_shot_emotion.recognition import whisper as whisper_module


def whisper_engine(folder, **settings):
    return load_recogniser("whisper", json.dumps({"model": folder, "device": "cpu", "max_tokens": 8, **settings}))


def noise(seconds, seed=0):
    return Audio(np.random.default_rng(seed).normal(0, 0.1, int(RATE * seconds)).astype(np.float32), RATE)


def test_whisper_writes_what_transformers_pipeline_writes(whisper):
    from transformers import pipeline

    oracle = pipeline("automatic-speech-recognition", model=whisper, device="cpu")
    audios = [noise(1.0), noise(2.0, seed=1)]
    expected = [
        oracle(audio.wave, generate_kwargs={"max_new_tokens": 8, "num_beams": 1})["text"].strip() for audio in audios
    ]
    assert whisper_engine(whisper).transcribe(audios) == expected
    assert all(expected)


def test_longer_audio_is_heard_in_windows(whisper, monkeypatch):
    monkeypatch.setattr(whisper_module, "WINDOW", RATE)
    engine = whisper_engine(whisper)
    one, two = noise(1.0), noise(0.5, seed=1)
    both = Audio(np.concatenate([one.wave, two.wave]), RATE)
    assert engine.transcribe([both, one]) == [" ".join(engine.transcribe([one, two])), *engine.transcribe([one])]


def test_whisper_on_a_device_with_little_memory_hears_the_same_in_smaller_batches(whisper, monkeypatch):
    audios = [noise(1.0, seed) for seed in range(5)]
    expected = whisper_engine(whisper).transcribe(audios)
    engine, sizes = whisper_engine(whisper, batch=4), []
    real = engine._model.generate

    def generate(input_features, **options):
        sizes.append(len(input_features))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return real(input_features=input_features, **options)

    monkeypatch.setattr(engine._model, "generate", generate)
    assert engine.transcribe(audios) == expected
    assert sizes == [4, 2, 2, 1]


def test_pocketsphinx_hears_english():
    pytest.importorskip("pocketsphinx", reason="an optional package")
    from tts.engine import load_engine
    from zero_shot_emotion.audio import resample

    spoken = resample(
        load_engine("espeak-ng").speak("I want to go to the house of my mother", "en-us+m1/p50/r140"), RATE
    )
    padded = Audio(np.concatenate([noise(0.2).wave / 100, spoken.wave, noise(0.2).wave / 100]), RATE)
    engine = load_recogniser("pocketsphinx", "{}")
    (heard,) = engine.transcribe([padded])
    assert {"want", "go", "house", "mother"} & set(heard.split())
    assert engine.transcribe([noise(1.0), padded])[1] == heard  # whatever came before


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        (
            "parrot",
            "{}",
            "recogniser: got 'parrot', expected one of faster-whisper, pocketsphinx, whisper",
        ),
        (
            "whisper",
            '{"size": 3}',
            r"recogniser whisper: size: unknown key, expected one of model, revision",
        ),
        (
            "whisper",
            '{"model": "/nowhere"}',
            "recogniser whisper: model: got '/nowhere', expected a model of the Hugg",
        ),
    ],
)
def test_what_is_not_there_is_named(name, settings, expected):
    with pytest.raises(UserError, match=expected):
        load_recogniser(name, settings)


def test_an_engine_that_is_not_installed_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("zero_shot_emotion.recognition.faster_whisper.version", missing)
    with pytest.raises(RecognitionError, match=r"faster-whisper: .*pip install 'zero-shot-emotion\[faster-whisper\]'"):
        describe("faster-whisper", {})


@pytest.mark.parametrize(("tag", "code"), [("en", "en"), ("de-AT", "de"), ("cmn", "zh"), ("zh-Hans-CN", "zh")])
def test_a_language_is_told_as_recognisers_call_it(tag, code):
    assert language_code(tag) == code


def test_an_english_model_says_so(whisper):
    assert whisper_engine(whisper).languages == {"en"}


def test_a_multilingual_model_is_told_the_language_unless_its_settings_have_one(whisper, monkeypatch):
    told = []

    def generate(input_features, language=None, task=None, **options):
        told.append((language, task))
        return torch.zeros(len(input_features), 1, dtype=torch.long)

    for settings, language in (({}, None), ({}, "de"), ({"language": "fr"}, "de")):
        engine = whisper_engine(whisper, **settings)
        monkeypatch.setattr(engine, "_multilingual", True)
        monkeypatch.setattr(engine._model, "generate", generate)
        engine.transcribe([noise(0.5)], language)
    assert told == [(None, "transcribe"), ("de", "transcribe"), ("fr", "transcribe")]
