import json
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest

from generation.weak_labels import whisper as whisper_module
from generation.weak_labels.asr import TranscribeTask, describe, load_recogniser
from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.settings import Transcripts
from generation.weak_labels.sound_item import durations, sound_batches, sound_items
from generation.weak_labels.steps import Steps
from generation.weak_labels.transcripts import read_transcripts, transcribe
from zero_shot_emotion.audio import RATE, Audio, write_audio
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.testing import tiny_corpus


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


def test_a_batch_keeps_what_can_be_heard(tmp_path, whisper):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=3)
    (tmp_path / "c/audio/d00-01.wav").write_bytes(b"no audio")
    (batch,) = sound_batches(sound_items(corpus), 8, dict.fromkeys((u.id for u in corpus), 1.0))
    task = TranscribeTask("whisper", json.dumps({"model": whisper, "device": "cpu", "max_tokens": 4}))
    lines = {made.utterance.id: made.utterance for made in task(batch)}
    assert "d00-01.wav: expected an audio file" in lines["d00-01"].extra["failure"]
    assert lines["d00-00"].text
    assert lines["d00-02"].text


def test_batches_hold_like_lengths_and_do_not_depend_on_the_order(tmp_path):
    corpus = tiny_corpus(tmp_path / "c", dialogues=2)
    items, (seconds, _) = sound_items(corpus), durations(corpus)
    batches = sound_batches(items, 3, seconds)
    assert batches == sound_batches(items[::-1], 3, seconds)
    lengths = [seconds[item.id] for batch in batches for item in batch.items]
    assert lengths == sorted(seconds.values())
    assert [len(batch.items) for batch in batches] == [3, 3, 2]


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
            "transcripts.engine: got 'parrot', expected one of given, faster-whisper, pocketsphinx, whisper",
        ),
        (
            "whisper",
            '{"size": 3}',
            r"transcripts.settings: whisper: size: unknown key, expected one of model, revision",
        ),
        (
            "whisper",
            '{"model": "/nowhere"}',
            "transcripts.settings: model: got '/nowhere', expected a model of the Hugg",
        ),
    ],
)
def test_what_is_not_there_is_named(name, settings, expected):
    with pytest.raises(WeakLabelError, match=expected):
        load_recogniser(name, settings)


def test_an_engine_that_is_not_installed_says_how_to_get_it(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("generation.weak_labels.faster_whisper.version", missing)
    with pytest.raises(WeakLabelError, match=r"faster-whisper: .*pip install 'zero-shot-emotion\[faster-whisper\]'"):
        describe("faster-whisper", {})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'id,text\na,"so, yes"\nb,no\n'),
        ("t.tsv", "id\ttext\na\tso, yes\nb\tno\n"),
        ("t.jsonl", '{"id": "a", "text": "so, yes"}\n\n{"id": "b", "text": "no", "more": 1}\n'),
    ],
)
def test_ones_own_transcripts_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_transcripts(tmp_path / name) == {"a": "so, yes", "b": "no"}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.csv", "name,text\na,b\n", r"t\.csv:2: expected the columns id and text, got name, text"),
        ("t.csv", "id,text\na,b\na,c\n", r"t\.csv:3: id: got 'a', expected unique ids"),
        ("t.jsonl", "[1]\n", r"t\.jsonl:1: expected a JSON object, got list"),
        ("t.jsonl", "{\n", r"t\.jsonl:1: expected a JSON object: "),
        ("t.xlsx", "", r"got .*t\.xlsx, expected \.csv, \.tsv or \.jsonl"),
    ],
)
def test_wrong_transcripts_are_named(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    with pytest.raises(WeakLabelError, match=expected):
        read_transcripts(tmp_path / name)


def steps(tmp_path, skip_errors=False):
    return Steps(tmp_path / "out", None, skip_errors)


def test_ones_own_go_before_the_engine_and_the_engine_before_the_corpus(tmp_path, whisper):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=2)
    (tmp_path / "t.csv").write_text("id,text\nd00-00,mine\n")
    settings = {"model": whisper, "device": "cpu", "max_tokens": 4}
    told = Transcripts(engine="whisper", file=tmp_path / "t.csv", settings=settings)
    made, _, hours = transcribe(corpus, told, steps(tmp_path))
    assert hours > 0
    first, second = made.utterances
    assert (first.text, first.extra["transcript_source"]) == ("mine", "file")
    assert second.extra["transcript_source"] == "whisper"
    assert second.text != corpus.utterances[1].text


def test_bad_audio_is_an_error_or_left_out(tmp_path, whisper):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=2)
    (tmp_path / "c/audio/d00-01.wav").unlink()
    told = Transcripts(engine="whisper", settings={"model": whisper, "device": "cpu", "max_tokens": 4})
    with pytest.raises(
        WeakLabelError, match=r"bad audio: 1 of 2 utterances: .*d00-01.wav: expected an audio file.*--skip-errors"
    ):
        transcribe(corpus, told, steps(tmp_path))
    made, drops, _ = transcribe(corpus, told, steps(tmp_path, skip_errors=True))
    assert [u.id for u in made] == ["d00-00"]
    assert drops == {"bad audio": 1}


def test_transcripts_of_another_corpus_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("id,text\nx,mine\n")
    corpus = Corpus("c", tmp_path, tiny_corpus(tmp_path / "c", dialogues=1).utterances)
    with pytest.raises(WeakLabelError, match="none of its 1 ids is in the corpus 'c', whose ids are such as 'd00-00'"):
        transcribe(corpus, Transcripts(file=tmp_path / "t.csv"), steps(tmp_path))


def test_audio_at_another_rate_is_heard_at_16_khz(tmp_path, whisper):
    write_audio(tmp_path / "c/a.wav", Audio(np.ones(4000) * 0.1, 8000))
    from generation.weak_labels.recordings import open_source

    (batch,) = sound_batches(sound_items(open_source(str(tmp_path / "c"))), 1, {"a": 0.5})
    task = TranscribeTask("whisper", json.dumps({"model": whisper, "device": "cpu", "max_tokens": 4}))
    assert task(batch)[0].utterance.text
