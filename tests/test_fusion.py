import json

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from tests.experiment import Experiment, small_config
from tests.text import tiny_bert
from zero_shot_emotion import metrics
from zero_shot_emotion.cli import app
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.fusion import FusionError, fuse
from zero_shot_emotion.results import Predictions, ResultsError, read_predictions, read_results, write_predictions
from zero_shot_emotion.sources import Entry, Source

CLASSES = ("neu", "hap", "ang", "sad")


@pytest.fixture(autouse=True)
def few_bootstraps(monkeypatch):
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)


def write(folder, split, knows, utterances=80, classes=CLASSES, drop=(), order=1):
    """Predictions of a model that is sure of the classes that it knows, and guesses among the others."""
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=utterances)
    probabilities = np.full((utterances, 4), 0.25) + 0.01 * rng.random((utterances, 4))
    for k in knows:
        probabilities[truth == k, k] += 1
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    kept = [i for i in range(utterances) if i not in drop][::order]
    entries = tuple(Entry(f"u{i}", None, int(truth[i]), "corpus", f"s{i % 8}", None) for i in kept)
    predictions = Predictions([e.id for e in entries], truth[kept], probabilities[kept], classes)
    folder.mkdir(exist_ok=True)
    write_predictions(folder, split, Source(entries, {}), predictions)
    return predictions


@pytest.fixture
def experiments(tmp_path):
    speech, text = tmp_path / "speech", tmp_path / "text"
    for split in ("dev", "target"):
        write(speech, split, knows=(0, 1))
        write(text, split, knows=(2, 3), order=-1)
    return speech, text


def test_predictions_come_back_as_they_were_written(tmp_path):
    written = write(tmp_path / "a", "target", knows=(1,))
    test = read_predictions(tmp_path / "a", "target")
    assert test.predictions.ids == list(written.ids)
    assert test.predictions.classes == CLASSES
    np.testing.assert_array_equal(test.predictions.truth, written.truth)
    np.testing.assert_allclose(test.predictions.probabilities, written.probabilities, atol=1e-6)
    assert test.entries[3].speaker == "s3"


def test_models_that_know_different_classes_are_better_together(experiments, tmp_path):
    fused = fuse(*experiments, ["target"], tmp_path / "out")
    scores = {system: report["UAR"]["value"] for system, report in fused.reports["target"].items()}
    assert scores["fusion"] > 0.99 > max(scores["speech"], scores["text"])
    assert 0 < fused.weight < 1
    assert "weight of speech, from dev: 0.50" in fused.summary()
    assert read_predictions(tmp_path / "out/fusion", "target").predictions.ids[0] == "u0"


def test_the_weight_comes_from_dev_alone(tmp_path):
    speech, text = tmp_path / "speech", tmp_path / "text"
    write(speech, "dev", knows=(0, 1, 2, 3))
    write(text, "dev", knows=())
    write(speech, "target", knows=())
    write(text, "target", knows=(0, 1, 2, 3))
    assert fuse(speech, text, ["target"], tmp_path / "out").weight >= 0.5


def test_utterances_of_one_alone_are_left_out_and_counted(experiments, tmp_path, capsys):
    write(experiments[1], "target", knows=(2, 3), drop=(0, 1, 2))
    fused = fuse(*experiments, ["target"], tmp_path / "out")
    assert {report["utterances"] for report in fused.reports["target"].values()} == {77}
    assert "target: 3 utterances that only one of the two experiments has are left out" in capsys.readouterr().out


def test_other_dev_sets_are_refused(experiments, tmp_path):
    write(experiments[1], "dev", knows=(2, 3), drop=(5,))
    with pytest.raises(FusionError, match=r"dev: .*share 79 utterances and differ in 1; expected the same, from the"):
        fuse(*experiments, ["target"], tmp_path / "out")


def split(folder, drop=(), trained_on=()):
    dev = [f"u{i}" for i in range(80) if i not in drop]
    splits = {"train": ["t0", "t1", *trained_on], "dev": dev}
    (folder / "splits.json").write_text(json.dumps(splits), encoding="utf-8")


def test_what_a_recogniser_heard_nothing_in_is_left_out_of_dev(experiments, tmp_path, capsys):
    write(experiments[1], "dev", knows=(2, 3), drop=(5, 6))
    split(experiments[0])
    split(experiments[1], drop=(5, 6))
    fuse(*experiments, ["target"], tmp_path / "out")
    assert "dev: 2 utterances that only one of the two experiments has are left out" in capsys.readouterr().out


def test_a_dev_set_that_the_other_one_was_trained_on_is_refused(experiments, tmp_path):
    write(experiments[1], "dev", knows=(2, 3), drop=(5, 6))
    split(experiments[0])
    split(experiments[1], drop=(5, 6), trained_on=("u5", "u6"))
    with pytest.raises(FusionError, match=r"dev: .*share 78 utterances and differ in 2; expected the same, from the"):
        fuse(*experiments, ["target"], tmp_path / "out")


def test_other_classes_are_refused(experiments, tmp_path):
    write(experiments[1], "dev", knows=(2, 3), classes=("hap", "neu", "ang", "sad"))
    with pytest.raises(FusionError, match=r"dev: .* has the classes neu, hap, ang, sad and .* has hap, neu, ang, sad"):
        fuse(*experiments, ["target"], tmp_path / "out")


def test_a_set_that_was_not_tested_is_named(experiments, tmp_path):
    with pytest.raises(ResultsError, match=r"predictions-iemocap.csv: missing, .* there are those on dev, target"):
        fuse(*experiments, ["iemocap"], tmp_path / "out")


def test_a_file_of_something_else_is_named(experiments, tmp_path):
    (experiments[0] / "predictions-dev.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ResultsError, match=r"predictions-dev.csv: expected the columns and values that a test writes"):
        fuse(*experiments, ["target"], tmp_path / "out")


def heard(source, folder, words):
    """A corpus with a recogniser's words, made by the command; of each dialogue one line heard nothing."""
    corpus = Corpus.load(source)
    listed = folder.with_suffix(".csv")
    lines = [f"{u.id},{'' if u.turn == 0 else words[u.label]}" for u in corpus]
    listed.write_text("\n".join(["id,text", *lines]) + "\n", encoding="utf-8")
    config = {"transcripts": {"file": str(listed)}, "labellers": [{"kind": "given"}]}
    path = folder.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    run_command("weak-label", source, "-o", folder, "-c", path)
    return folder


def run_command(*arguments):
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_words_of_a_recogniser_are_fused_with_the_sound(tmp_path, synthetic, unseen):
    """From labelled speech to a fusion by the commands that docs/text.md tells of, at every step."""
    words = {"neu": "it is fine", "hap": "i am so happy", "ang": "why are you angry", "sad": "very sad today"}
    train, target = heard(synthetic, tmp_path / "train", words), heard(unseen, tmp_path / "target", words)
    Experiment.make(tmp_path / "speech", small_config(train, {"other": target})).train("--seed", 0).evaluate("other")
    told = {"data": {"valid_ratio": 0.25, "bad_text": "skip"}, "head": {"select": "linear"}}
    (tmp_path / "words.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    encoder = tiny_bert.build(tmp_path / "bert")
    corpora = ("--train", train, "--target", f"other={target}", "--encoder", encoder)
    run_command("train-text", tmp_path / "words.yaml", *corpora, "-o", tmp_path / "text")
    both = ("--speech", tmp_path / "speech", "--text", tmp_path / "text", "--target", "other")
    output = run_command("fuse", *both, "-o", tmp_path / "fused")
    assert "dev: " in output
    assert "other: 4 utterances that only one of the two experiments has are left out" in output
    reports = {system: read_results(tmp_path / "fused" / system)["other"] for system in ("speech", "text", "fusion")}
    assert {report["utterances"] for report in reports.values()} == {12}
    assert reports["text"]["UAR"]["value"] == 1
    weight, shares = reports["fusion"]["weight of speech"], {}
    for system in reports:
        shares[system] = read_predictions(tmp_path / "fused" / system, "other").predictions.probabilities
    np.testing.assert_allclose(shares["fusion"], weight * shares["speech"] + (1 - weight) * shares["text"], atol=2e-6)
