import csv
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.experiment import Experiment, small_config
from zero_shot_emotion import predict as module
from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.predict import PredictError, predict

CLASSES = ("neu", "hap", "ang", "sad")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, synthetic, unseen):
    """Trained on one corpus, tested on the other by s3prl's runner."""
    folder = tmp_path_factory.mktemp("predict")
    made = Experiment.make(folder / "exp", small_config([synthetic], {"unseen": unseen}, runner__total_steps=4))
    made.train()
    made.evaluate("unseen")
    return made


@pytest.fixture
def checkpoint(experiment):
    return experiment.folder / "dev-best.ckpt"


def lines(path):
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_predictions_are_those_of_the_runner(experiment, checkpoint, unseen, tmp_path):
    report = predict(checkpoint, str(unseen), tmp_path / "out.csv", device="cpu")
    found = {line["id"]: line for line in lines(tmp_path / "out.csv")}
    for line in lines(experiment.folder / "predictions-unseen.csv"):
        mine = found.pop(line["id"])
        assert mine["emotion"] == line["predicted"]
        for name in CLASSES:
            # not closer: s3prl's featurizer gives a short wave a frame or two of padding, by the longest of its batch
            assert float(mine[f"p_{name}"]) == pytest.approx(float(line[f"p_{name}"]), abs=5e-3)
    assert not found
    assert sum(report.emotions.values()) == 16
    assert report.summary().startswith("predict: 16 files (")


def test_a_folder_is_searched_for_audio_and_bad_files_are_counted(checkpoint, unseen, tmp_path):
    wavs = tmp_path / "wavs"
    (wavs / "deep").mkdir(parents=True)
    first, second = Corpus.load(unseen).utterances[:2]
    shutil.copy(unseen / first.file_name, wavs / "b.WAV")
    shutil.copy(unseen / second.file_name, wavs / "deep/a.wav")
    (wavs / "broken.wav").write_bytes(b"no sound")
    (wavs / "notes.txt").write_text("no sound either")
    write_audio(wavs / "silent.wav", Audio(np.zeros(16000, dtype=np.float32), 16000))

    report = predict(checkpoint, str(wavs), tmp_path / "out.jsonl", device="cpu")

    found = lines(tmp_path / "out.jsonl")
    assert [line["id"] for line in found] == ["b.WAV", "deep/a.wav"]
    assert all(sum(line["probabilities"].values()) == pytest.approx(1, abs=1e-5) for line in found)
    assert all(max(line["probabilities"], key=line["probabilities"].get) == line["emotion"] for line in found)
    assert report.bad == {"unreadable": 1, "silent": 1}
    assert [line["id"] for line in lines(tmp_path / "out.failures.jsonl")] == ["broken.wav", "silent.wav"]
    assert "bad       1 unreadable, 1 silent, listed in" in report.summary()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_no_utf8_costs_its_own_file_alone(checkpoint, unseen, tmp_path):
    """libsndfile's wrapper does not open it, and no table can hold it."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    utterance = next(iter(Corpus.load(unseen)))
    for name in ("a.wav", os.fsdecode(b"caf\xe9.wav")):
        shutil.copy(unseen / utterance.file_name, sounds / name)

    report = predict(checkpoint, str(sounds), tmp_path / "out.csv", device="cpu")

    assert report.bad == {"unreadable": 1}
    assert r"caf\udce9.wav" in report.summary()
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [line["id"] for line in csv.DictReader(file)] == ["a.wav"]


def test_a_single_file_is_enough(checkpoint, unseen, tmp_path):
    path = unseen / Corpus.load(unseen).utterances[0].file_name
    predict(checkpoint, str(path), tmp_path / "out.csv", device="cpu")
    assert [line["id"] for line in lines(tmp_path / "out.csv")] == [path.stem]
    assert not list(tmp_path.glob("*failures*"))


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(checkpoint, unseen, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 5)
    predict(checkpoint, str(unseen), tmp_path / "whole.csv", device="cpu")
    heard = []

    def stop_at(number):
        def listen(sound, conditioning):
            heard.append(sound.id)
            if len(heard) == number:
                raise KeyboardInterrupt
            return real(sound, conditioning)

        return listen

    real = module._listen
    monkeypatch.setattr(module, "_listen", stop_at(12))
    with pytest.raises(KeyboardInterrupt):
        predict(checkpoint, str(unseen), tmp_path / "out.csv", device="cpu")
    assert not (tmp_path / "out.csv").exists()
    heard.clear()
    monkeypatch.setattr(module, "_listen", stop_at(0))

    report = predict(checkpoint, str(unseen), tmp_path / "out.csv", device="cpu")

    assert (report.resumed, len(heard)) == (10, 6)
    assert "resumed   10 files were done already" in report.summary()
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "whole.csv"]


def test_a_run_that_was_stopped_begins_anew_where_the_folder_has_changed(checkpoint, unseen, tmp_path, monkeypatch):
    """A file that came to lie before those that were done: it must not be left out, nor another be done twice."""
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for number, utterance in enumerate(Corpus.load(unseen)):
        shutil.copy(unseen / utterance.file_name, sounds / f"{number:02d}.wav")
    real = module._listen
    monkeypatch.setattr(module, "WINDOW", 5)

    def stop(sound, conditioning):
        if sound.id == "12.wav":
            raise KeyboardInterrupt
        return real(sound, conditioning)

    monkeypatch.setattr(module, "_listen", stop)
    with pytest.raises(KeyboardInterrupt):
        predict(checkpoint, str(sounds), tmp_path / "out.csv", device="cpu")
    monkeypatch.setattr(module, "_listen", real)
    shutil.copy(sounds / "15.wav", sounds / "00-new.wav")

    report = predict(checkpoint, str(sounds), tmp_path / "out.csv", device="cpu")

    assert report.resumed == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [line["id"] for line in csv.DictReader(file)] == sorted(path.name for path in sounds.iterdir())


def test_memory_holds_a_window_whatever_the_folder_holds(checkpoint, unseen, tmp_path, monkeypatch):
    """Files are asked for window by window: none is listed before the one before is predicted."""
    asked, predicted = [], []
    sounds = [module.Sound(f"{i:02d}", unseen / u.file_name) for i, u in enumerate(Corpus.load(unseen))]

    def one_by_one(source):
        for sound in sounds:
            asked.append(sound.id)
            assert len(asked) - len(predicted) <= 4
            yield sound

    real = module._line
    monkeypatch.setattr(module, "WINDOW", 4)
    monkeypatch.setattr(module, "find_sounds", one_by_one)
    monkeypatch.setattr(module, "_line", lambda heard, *rest: predicted.append(heard) or real(heard, *rest))
    predict(checkpoint, "anything", tmp_path / "out.csv", device="cpu")
    assert len(asked) == len(predicted) == 16


def test_a_batch_holds_waves_of_like_length_and_answers_keep_their_order(monkeypatch):
    batches = []

    def predictor(waves):
        batches.append([len(wave) for wave in waves])
        return [[float(len(wave))] for wave in waves]

    monkeypatch.setattr(module, "BATCH_SECONDS", 3000 / module.RATE)
    waves = [np.zeros(n, dtype=np.float32) for n in (900, 5000, 1000, 800, 1000)]
    assert [share[0] for share in module._predict(predictor, waves)] == [900, 5000, 1000, 800, 1000]
    assert batches == [[800, 900, 1000], [1000], [5000]]


def test_the_folder_of_an_experiment_names_its_best_checkpoint(experiment, checkpoint, unseen, tmp_path):
    predict(checkpoint, str(unseen), tmp_path / "file.csv", device="cpu")
    predict(experiment.folder, str(unseen), tmp_path / "folder.csv", device="cpu")
    assert (tmp_path / "folder.csv").read_bytes() == (tmp_path / "file.csv").read_bytes()


@pytest.mark.parametrize(
    ("there", "asked", "message"),
    [
        (["s/logistic-regression.safetensors"], "s/dev-best.ckpt", "no such checkpoint; in its folder there is "),
        (["s/fold0/dev-best.ckpt", "s/fold1/dev-best.ckpt"], "s", "there are models in its folders fold0, fold1"),
        (["s/notes.txt"], "s", "s: holds no model, expected dev-best.ckpt, logistic-regression.safetensors or "),
        (["s/dev-best.ckpt", "s/logistic-regression.safetensors"], "s", "dev-best.ckpt and logistic-.*, expected one"),
    ],
    ids=["another in its place", "folds", "none", "two"],
)
def test_a_path_that_is_no_model_is_told_what_is_there(tmp_path, monkeypatch, there, asked, message):
    monkeypatch.chdir(tmp_path)
    for path in map(Path, there):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(PredictError, match=message):
        predict(asked, ".", "out.csv")


@pytest.mark.parametrize(
    ("checkpoint", "source", "out", "message"),
    [
        ("gone.ckpt", ".", "out.csv", "gone.ckpt: no such checkpoint"),
        ("text.ckpt", ".", "out.csv", r"text.ckpt: expected a checkpoint of s3prl's runner with -d zero_shot_emotion"),
        ("text.ckpt", "gone", "out.csv", "gone: no such file, folder or corpus"),
        ("text.ckpt", ".", "out.txt", "-o out.txt: expected a name that ends in .csv or .jsonl"),
    ],
)
def test_what_cannot_be_predicted_is_refused(tmp_path, monkeypatch, checkpoint, source, out, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(PredictError, match=message):
        predict(checkpoint, source, out)


def test_a_folder_without_audio_is_refused(checkpoint, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PredictError, match=r"no audio in it, expected files that end in \.wav"):
        predict(checkpoint, str(tmp_path / "empty"), tmp_path / "out.csv", device="cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]  # no table without a line, nor what was done of it
