import json

import numpy as np
import pandas as pd
import pytest
import yaml

from zero_shot_emotion.corpus import Corpus, CorpusError
from zero_shot_emotion.errors import DivergedError
from zero_shot_emotion.settings import ConfigError
from zero_shot_emotion.text.classifier import ClassifierError, load_classifier
from zero_shot_emotion.text.encoder import EncoderError, TextEncoder
from zero_shot_emotion.text.experiment import TextExperimentError, run_text_experiment
from zero_shot_emotion.text.settings import read_text_settings

HEADS = {
    "linear": {"select": "linear"},
    "CNN": {"select": "CNN", "CNN": {"channels": [16, 16, 8]}},
    "finetune": {"select": "finetune"},
}


@pytest.fixture
def config(tmp_path, bert, text_corpus):
    def write(head="linear", data=None, **sections):
        content = {
            "data": {"train": str(text_corpus), "targets": {"other": str(text_corpus)}, **(data or {})},
            "encoder": {"name": str(bert)},
            "head": HEADS[head],
            "training": {"lr": 0.01 if head == "CNN" else 0.003, "batch_size": 16, "epochs": 12},
            **sections,
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return read_text_settings(path)

    return write


@pytest.mark.parametrize("head", HEADS)
def test_an_experiment_learns_and_leaves_what_a_speech_experiment_leaves(config, tmp_path, head):
    done = run_text_experiment(config(head), tmp_path / "exp")
    assert done.reports["other"]["UAR"]["value"] > 0.8
    assert done.reports["other"]["intervals"].endswith("by speaker")
    predictions = pd.read_csv(tmp_path / "exp/predictions-other.csv")
    assert list(predictions.columns[:6]) == ["id", "corpus", "speaker", "dialogue", "truth", "predicted"]
    assert (predictions.truth == predictions.predicted).mean() == done.reports["other"]["WA"]["value"]
    splits = json.loads((tmp_path / "exp/splits.json").read_text())
    assert {i.split("-")[0] for i in splits["train"]}.isdisjoint(i.split("-")[0] for i in splits["dev"])
    assert "classifier" in done.summary()


@pytest.mark.parametrize("head", HEADS)
def test_a_saved_classifier_predicts_the_same_in_any_batch(config, tmp_path, head):
    run_text_experiment(config(head), tmp_path / "exp")
    loaded = load_classifier(tmp_path / "exp/classifier")
    texts = [("i am so happy 1 2", ()), ("why", ()), ("very sad today and a lot of other words", ())]
    together = loaded.predict(texts)
    np.testing.assert_allclose(together.sum(axis=1), 1)
    for i, words in enumerate(texts):
        np.testing.assert_allclose(loaded.predict([words])[0], together[i], atol=1e-5)


def test_a_second_run_does_nothing_again(config, tmp_path, monkeypatch):
    first = run_text_experiment(config(), tmp_path / "exp")
    monkeypatch.setattr(TextEncoder, "encode", None)
    assert run_text_experiment(config(), tmp_path / "exp").reports == first.reports


def test_seeds_share_what_was_encoded(config, tmp_path, monkeypatch):
    run_text_experiment(config(), tmp_path / "one", store=tmp_path / "store")
    monkeypatch.setattr(TextEncoder, "encode", None)
    run_text_experiment(config(), tmp_path / "two", seed=1, store=tmp_path / "store")


def test_the_same_seed_gives_the_same_bytes(config, tmp_path):
    for name in ("one", "two"):
        run_text_experiment(config("CNN"), tmp_path / name, seed=3)
    for file in ("classifier/head.safetensors", "predictions-other.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_another_experiment_is_not_overwritten(config, tmp_path):
    run_text_experiment(config(), tmp_path / "exp")
    with pytest.raises(TextExperimentError, match=r"exp holds another experiment .* --overwrite"):
        run_text_experiment(config(), tmp_path / "exp", seed=1)
    run_text_experiment(config(), tmp_path / "exp", seed=1, overwrite=True)


def reworded(text_corpus, folder, say):
    corpus = Corpus.load(text_corpus)
    Corpus("texts", folder, tuple(u.with_(text=say(u.text)) for u in corpus), corpus.card).save(folder)
    return str(folder)


@pytest.mark.parametrize("which", ["train", "target", "encoder"])
def test_what_changed_under_the_same_names_is_another_experiment(config, tmp_path, text_corpus, which):
    from tests.text import tiny_bert

    names = {name: reworded(text_corpus, tmp_path / name, str) for name in ("train", "target")}
    mine = tiny_bert.build(tmp_path / "encoder")
    data = {"train": names["train"], "targets": {"other": names["target"]}}
    told = config(data=data, encoder={"name": str(mine)})
    first = run_text_experiment(told, tmp_path / "exp")
    assert run_text_experiment(told, tmp_path / "exp").reports == first.reports
    if which == "encoder":
        tiny_bert.build(mine, seed=5)
    else:
        reworded(text_corpus, tmp_path / which, lambda text: f"well {text}")
    with pytest.raises(TextExperimentError, match=r"exp holds another experiment .*its corpora or its encoder differ"):
        run_text_experiment(told, tmp_path / "exp")
    before = (tmp_path / "exp/predictions-other.csv").read_bytes()
    run_text_experiment(told, tmp_path / "exp", overwrite=True)
    assert (tmp_path / "exp/predictions-other.csv").read_bytes() != before


def test_context_changes_what_is_seen(config, tmp_path):
    with_context = run_text_experiment(config(data={"context": 2}), tmp_path / "with")
    assert load_classifier(with_context.folder / "classifier").about.context == 2
    without = run_text_experiment(config(), tmp_path / "without")
    read = [pd.read_csv(done.folder / "predictions-other.csv").p_neu for done in (with_context, without)]
    assert not np.allclose(*read)


def textless(text_corpus, folder):
    corpus = Corpus.load(text_corpus)
    utterances = [u.with_(text=None) if u.id == "d0-1" else u for u in corpus]
    Corpus("texts", folder, tuple(utterances), corpus.card).save(folder)
    return str(folder)


def test_an_utterance_without_text_is_named_or_left_out_and_counted(config, tmp_path, text_corpus):
    train = textless(text_corpus, tmp_path / "textless")
    with pytest.raises(ValueError, match=r"'texts': 1 of 64 utterances have no text, such as 'd0-1'. Set data.bad_"):
        run_text_experiment(config(data={"train": train}), tmp_path / "a")
    data = {"train": str(text_corpus), "targets": {"other": train}, "bad_text": "skip"}
    done = run_text_experiment(config(data=data), tmp_path / "b")
    assert done.reports["other"]["dropped"] == {"without text": 1}
    assert done.reports["other"]["utterances"] == 79


def test_a_target_of_a_few_sentences_is_told(config, tmp_path, text_corpus):
    said = reworded(text_corpus, tmp_path / "sentences", lambda text: "it is fine" if "fine" in text else "why")
    done = run_text_experiment(config(data={"targets": {"read": said, "other": str(text_corpus)}}), tmp_path / "exp")
    assert (done.reports["read"]["texts"], done.reports["other"]["texts"]) == (2, 80)
    assert "warning: read: 80 utterances have 2 texts: words can hardly tell" in done.summary()
    assert "warning: other" not in done.summary()


def test_a_classifier_whose_encoder_changed_is_refused(config, tmp_path, bert):
    from tests.text import tiny_bert

    mine = tiny_bert.build(tmp_path / "bert")
    run_text_experiment(config(encoder={"name": str(mine)}), tmp_path / "exp")
    tiny_bert.build(mine, seed=5)
    with pytest.raises(ClassifierError, match=r"was trained on another '.*bert' than the one there is now"):
        load_classifier(tmp_path / "exp/classifier")


def test_a_folder_without_a_classifier_is_named(tmp_path):
    with pytest.raises(ClassifierError, match=r"holds no classifier.json, expected a folder that train-text wrote"):
        load_classifier(tmp_path)


@pytest.mark.parametrize("name", ["seed-work", "linear", "finetune"])
def test_shipped_configs_are_valid_and_take_corpora(name):
    settings = read_text_settings(name, {"data": {"train": ["corpus"], "targets": {"a": "b"}}})
    assert settings.data.train == ("corpus",)
    assert settings.encoder.name == "bert-base-uncased"


def test_the_seed_works_schedule_is_shipped():
    training = read_text_settings("seed-work").training
    assert (training.lr, training.batch_size, training.epochs, training.select) == (7e-4, 128, 50, "loss")
    assert (training.clip, training.weight_decay, training.warmup_ratio, training.schedule) == (None, 0, 0, "constant")
    assert read_text_settings("finetune").training.clip == 1.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("data: {labels: nine}", "config.yaml: data.labels: unknown label set 'nine'"),
        ("data: {}\nhead: {select: RNN}", "config.yaml: head.select: got 'RNN', expected"),
        ("data: {}\nhaed: {}", "config.yaml: haed"),
        ("- data", "config.yaml: expected a mapping, got list"),
        ("data: [", "config.yaml: expected YAML"),
    ],
)
def test_a_wrong_config_is_told(tmp_path, content, message):
    (tmp_path / "config.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        read_text_settings(tmp_path / "config.yaml")


def test_an_encoder_of_no_name_is_told(config, tmp_path):
    with pytest.raises(EncoderError, match=r"encoder.name: got"):
        run_text_experiment(config(encoder={"name": str(tmp_path / "none")}), tmp_path / "exp")


@pytest.mark.parametrize(
    ("columns", "spec", "message"),
    [
        (None, "nowhere", r"target 'other': corpus '.*nowhere': .*nowhere: no such file or folder"),
        ({}, "far#test", r"target 'other': corpus '.*': split: got 'test', expected no split: this corpus has none"),
        (
            {"text": None},
            "far",
            r"corpus 'far': 80 of 80 utterances have no text, such as 'd0-0'\. Set data\.bad_text .*",
        ),
        ({"label": "fru"}, "far", r"other: no utterance is left in the label set 'four'; dropped: fru 80"),
    ],
    ids=["path", "split", "text", "labels"],
)
def test_a_target_that_cannot_be_tested_on_is_refused_before_anything_is_encoded(
    config, tmp_path, text_corpus, monkeypatch, columns, spec, message
):
    monkeypatch.setattr(TextEncoder, "encode", None)
    if columns is not None:
        corpus = Corpus.load(text_corpus)
        Corpus("far", tmp_path, tuple(u.with_(**columns) for u in corpus)).save(tmp_path / "far")
    with pytest.raises(CorpusError, match=f"^{message}$"):
        run_text_experiment(config(data={"targets": {"other": str(tmp_path / spec)}}), tmp_path / "exp")


def test_a_target_without_text_may_not_be_skipped_whole(config, tmp_path, text_corpus):
    silent = tuple(u.with_(text=None) for u in Corpus.load(text_corpus))
    Corpus("far", tmp_path, silent).save(tmp_path / "far")
    data = {"targets": {"other": str(tmp_path / "far")}, "bad_text": "skip"}
    with pytest.raises(CorpusError, match=r"^other: no utterance is left .* dropped: without text 80$"):
        run_text_experiment(config(data=data), tmp_path / "exp")


def test_one_class_is_nothing_to_learn(config, tmp_path, text_corpus):
    angry = tuple(u.with_(label="ang") for u in Corpus.load(text_corpus))
    Corpus("angry", tmp_path, angry).save(tmp_path / "angry")
    with pytest.raises(CorpusError, match=r"^train: all \d+ utterances are 'ang', expected at least two classes$"):
        run_text_experiment(config(data={"train": str(tmp_path / "angry")}), tmp_path / "exp")


def test_a_model_that_diverged_is_no_classifier(config, tmp_path):
    training = {"lr": 1e30, "clip": 1e30, "batch_size": 16, "epochs": 3}
    with pytest.raises(DivergedError, match=r"^dev: the model says no numbers: it has diverged\. Try a lower learning"):
        run_text_experiment(config("CNN", training=training), tmp_path / "exp")
    assert not (tmp_path / "exp/classifier").exists()
