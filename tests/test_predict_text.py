import csv
import json

import numpy as np
import pytest

from tests.text import tiny_bert
from zero_shot_emotion import metrics
from zero_shot_emotion import predict as module
from zero_shot_emotion.corpus import FOUR, Corpus, Utterance
from zero_shot_emotion.predict import PredictError, predict
from zero_shot_emotion.predict_text import TextFileError
from zero_shot_emotion.text.classifier import HeadClassifier, load_classifier
from zero_shot_emotion.text.experiment import run_text_experiment
from zero_shot_emotion.text.settings import parse_text_settings

SAID = {"neu": "it is fine", "hap": "i am so happy", "ang": "why are you angry", "sad": "very sad today"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora") / "texts"
    utterances = tuple(
        Utterance(
            id=f"d{dialogue}-{turn}",
            text=f"{SAID[FOUR.classes[(dialogue + turn) % 4]]} {dialogue} {turn}",
            label=FOUR.classes[(dialogue + turn) % 4],
            dialogue=f"d{dialogue}",
            turn=turn,
        )
        for dialogue in range(10)
        for turn in range(8)
    )
    Corpus("texts", folder, utterances, {"labels": list(FOUR.classes)}).save(folder)
    return folder


@pytest.fixture(scope="module", params=["linear", "context"])
def experiment(request, tmp_path_factory, corpus):
    folder = tmp_path_factory.mktemp("predict-text")
    config = {
        "data": {"train": str(corpus), "targets": {"all": str(corpus)}, "context": 2 * (request.param == "context")},
        "encoder": {"name": str(tiny_bert.build(folder / "bert"))},
        "head": {"select": "linear"},
    }
    before, metrics.BOOTSTRAPS = metrics.BOOTSTRAPS, 20
    try:
        return run_text_experiment(parse_text_settings(config, "config"), folder / "exp").folder
    finally:
        metrics.BOOTSTRAPS = before


def lines(path):
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_folder_of_an_experiment_names_its_classifier(experiment, corpus, tmp_path):
    predict(experiment / "classifier", str(corpus), tmp_path / "classifier.csv")
    predict(experiment, str(corpus), tmp_path / "experiment.csv")
    assert (tmp_path / "experiment.csv").read_bytes() == (tmp_path / "classifier.csv").read_bytes()


def test_predictions_on_a_corpus_are_those_of_the_experiment(experiment, corpus, tmp_path):
    report = predict(experiment / "classifier", str(corpus), tmp_path / "out.csv")
    found = {line["id"]: line for line in lines(tmp_path / "out.csv")}
    for line in lines(experiment / "predictions-all.csv"):
        mine = found.pop(line["id"])
        assert list(mine) == ["id", "file", "emotion", "p_neu", "p_hap", "p_ang", "p_sad"]
        assert mine["emotion"] == line["predicted"]
        assert float(mine["p_neu"]) == pytest.approx(float(line["p_neu"]), abs=1e-5)
    assert not found
    assert report.summary().startswith("predict: 80 texts (")


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl"])
def test_files_are_read_and_what_has_no_text_is_counted(experiment, tmp_path, suffix):
    said = ["i am so happy", "", 'why, are you "angry"']
    path = tmp_path / f"said{suffix}"
    if suffix == ".txt":
        path.write_text("\n".join(said) + "\n", encoding="utf-8")
    elif suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["id", "text"], *([f"n{i}", text] for i, text in enumerate(said))])
    else:
        objects = [json.dumps({"id": f"n{i}", "text": text}) for i, text in enumerate(said)]
        path.write_text("\n".join([*objects, "no json"]) + "\n", encoding="utf-8")
    report = predict(experiment / "classifier", str(path), tmp_path / "out.jsonl")
    found = lines(tmp_path / "out.jsonl")
    assert [line["id"] for line in found] == (["1", "3"] if suffix == ".txt" else ["n0", "n2"])
    assert [line["file"] for line in found] == [str(path)] * 2
    expected = load_classifier(experiment / "classifier").predict([(said[0], ()), (said[2], ())])
    np.testing.assert_allclose([list(line["probabilities"].values()) for line in found], expected, atol=1e-5)
    assert report.bad == {"no text": 1, **({"no JSON object": 1} if suffix == ".jsonl" else {})}


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(experiment, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 32)
    predict(experiment / "classifier", str(corpus), tmp_path / "whole.csv")
    whole, calls = HeadClassifier.predict, []

    def breaks(self, utterances):
        calls.append(len(utterances))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(self, utterances)

    monkeypatch.setattr(HeadClassifier, "predict", breaks)
    with pytest.raises(KeyboardInterrupt):
        predict(experiment / "classifier", str(corpus), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    report = predict(experiment / "classifier", str(corpus), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert (report.resumed, calls) == (32, [32, 32, 32, 16])
    assert "32 texts were done already" in report.summary()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"words\nhello\n", r"a\.csv: got the columns words, expected 'text'"),
        ("a.txt", b"\xff\xfe\n", r"a\.txt: expected UTF-8"),
        ("a.doc", b"hello", r"a\.doc: expected a corpus, or a file that ends in \.txt, \.csv, \.jsonl"),
        ("a.txt", b"", r"a\.txt: no text in it"),
    ],
)
def test_what_holds_no_text_is_told(experiment, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((TextFileError, PredictError), match=message):
        predict(experiment / "classifier", str(tmp_path / name), tmp_path / "out.csv")
