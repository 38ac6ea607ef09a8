import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.experiment import small_config
from tests.generation.chat_server import completion, serving
from tests.text import tiny_bert
from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark import read_rows
from zero_shot_emotion.benchmark.grid import GridError, Paths, load_grid
from zero_shot_emotion.benchmark.run import Benchmark, run_grid
from zero_shot_emotion.benchmark.statistics import holm
from zero_shot_emotion.cli.results import show
from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import FOUR, Corpus
from zero_shot_emotion.features import FeatureStore, audio_hash
from zero_shot_emotion.predict import PredictError, load_predictor
from zero_shot_emotion.regression import load
from zero_shot_emotion.results import read_predictions
from zero_shot_emotion.settings import ConfigError
from zero_shot_emotion.taxonomy import load_taxonomy
from zero_shot_emotion.text.classifier import load_classifier
from zero_shot_emotion.text.encoder import TextEncoder
from zero_shot_emotion.text.settings import EncoderSettings

SAID = {"neu": "it is fine", "hap": "i am so happy", "ang": "why are you angry", "sad": "very sad today"}
LINEAR = {"data": {"valid_ratio": 0.25}, "head": {"select": "linear", "linear": {"C": [1.0, 10.0]}}}


@pytest.fixture(autouse=True)
def _few_bootstraps(monkeypatch):
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return tiny_bert.build(tmp_path_factory.mktemp("bert"))


def told(source: Path, folder: Path, *, audio: bool = True, textless: int = 0) -> Path:
    """A corpus whose words tell the emotion."""
    corpus = Corpus.load(source)
    utterances = tuple(
        u.with_(
            text=None if number < textless else f"{SAID[u.label]} {number % 10}",
            file_name=str(corpus.audio_path(u).resolve()) if audio else None,
        )
        for number, u in enumerate(corpus)
    )
    Corpus(folder.name, folder, utterances, corpus.card).save(folder)
    return folder


@pytest.fixture(scope="module")
def corpora(tmp_path_factory, synthetic, unseen):
    folder = tmp_path_factory.mktemp("told")
    return {
        "talk": told(synthetic, folder / "talk"),
        "heard": told(unseen, folder / "heard", textless=2),
        "read": told(unseen, folder / "read", audio=False),
    }


def grid_file(folder, **changes):
    head = small_config()
    head["downstream_expert"]["datarc"]["bad_audio"] = "skip"
    grid = {
        "sources": {
            "talk": {"kind": "corpus", "corpus": "${talk}", "counts_as": "synthetic"},
            "shuffled": {"kind": "shuffled", "of": "talk"},
            "half": {"kind": "share", "of": "talk", "shares": [0.5]},
            "in-domain": {"kind": "in-domain", "folds": 2},
            "majority": {"kind": "majority"},
        },
        "targets": {"heard": "${heard}", "read": "${read}"},
        "upstreams": {"fbank": "fbank"},
        "heads": {"small": head},
        "encoders": {"bert": "${bert}"},
        "text_heads": {"linear": LINEAR},
        "fusions": {
            "late": {"how": "late", "upstream": "fbank", "encoder": "bert"},
            "joint": {"how": "features", "upstream": "fbank", "encoder": "bert"},
        },
        "seeds": 2,
        "baseline": "shuffled",
        "allow_leakage": True,
        **changes,
    }
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(grid, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory, corpora, bert):
    """A grid of all modalities that ran once."""
    folder = tmp_path_factory.mktemp("benchmark")
    path, out = grid_file(folder), folder / "out"
    paths = {**{name: str(corpus) for name, corpus in corpora.items()}, "bert": str(bert)}
    before, metrics.BOOTSTRAPS = metrics.BOOTSTRAPS, 20
    try:
        report = run_grid(path, out, paths=paths)
    finally:
        metrics.BOOTSTRAPS = before
    return path, out, report, paths


def test_text_and_fusion_stand_beside_speech_on_the_same_sources_and_seeds(done):
    _, out, report, _ = done
    assert report.failures == {}
    rows = read_rows(out)
    assert all(
        ("encoder of bert" in row.fingerprints) == (row.modality != "speech") for row in rows if row.head != "none"
    )
    found = {(row.modality, row.system, row.head, row.target) for row in rows if row.source == "talk"}
    assert found == {
        ("speech", "fbank", "small", "heard"),
        ("text", "bert", "linear", "heard"),
        ("text", "bert", "linear", "read"),
        ("fusion", "late", "late", "heard"),
        ("fusion", "joint", "features", "heard"),
    }
    for source in ("talk", "shuffled", "half", "in-domain"):
        for row in {(r.modality, r.system, r.target) for r in rows if r.source == source}:
            seeds = [r.seed for r in rows if r.source == source and (r.modality, r.system, r.target) == row]
            assert sorted(seeds) == [0, 1]
    assert {(r.modality, r.target) for r in rows if r.source == "majority"} == {("speech", "heard"), ("text", "read")}
    assert len({row.fingerprints["heard"] for row in rows if row.target == "heard"}) == 1


def test_what_cannot_be_heard_is_left_out_and_said(done):
    _, _, report, _ = done
    assert "left out: speech systems on read: it holds no audio" in report.summary


def test_words_that_tell_the_emotion_are_learnt_and_those_without_are_counted(done):
    _, _, report, _ = done
    text = {(r.source, r.target): r for r in report.rows if r.modality == "text" and r.seed == 0}
    assert text["talk", "read"].test.metrics["UAR"].value > 0.7
    assert text["talk", "read"].test.utterances == 16
    assert text["talk", "heard"].test.utterances == 14
    assert text["talk", "heard"].test.dropped == {"without text": 2}
    fused = next(r for r in report.rows if r.system == "joint" and r.source == "talk")
    assert (fused.test.utterances, fused.test.dropped) == (14, {"without text": 2})
    spoken = next(r for r in report.rows if r.modality == "speech" and r.source == "talk")
    assert spoken.test.utterances == 16


def shares_of(out, row):
    """A row's probabilities by utterance."""
    with (out / row.predictions).open(newline="") as file:
        return {line["id"]: np.array([float(line[f"p_{c}"]) for c in FOUR.classes]) for line in csv.DictReader(file)}


def weights_of(out, row):
    """What a late fusion gave speech, one weight a part."""
    results = json.loads((card_of(out, row).parent / "results.json").read_text(encoding="utf-8"))
    return results[row.target]["weights of speech"]


def test_late_fusion_is_the_weighted_sum_of_the_rows_beside_it(done):
    _, out, report, _ = done
    rows = [r for r in report.rows if (r.source, r.seed, r.target) == ("talk", 1, "heard")]
    shares = {row.system: shares_of(out, row) for row in rows}
    (weight,) = weights_of(out, next(row for row in rows if row.system == "late"))
    for utterance, mixed in shares["late"].items():
        expected = weight * shares["fbank"][utterance] + (1 - weight) * shares["bert"][utterance]
        np.testing.assert_allclose(mixed, expected, atol=2e-6)


def card_of(out, row):
    return next(p for p in out.glob("systems/*/README.md") if row.id in p.read_text(encoding="utf-8"))


def test_the_card_of_a_fusion_says_how_both_came_together(done):
    _, out, report, _ = done
    said = "What both systems said of each utterance was put together"
    for system, source, checkpoint in (
        ("late", "talk", None),
        ("joint", "talk", "features/fused-regression.safetensors"),
        ("joint", "in-domain", "fold0/features/fused-regression.safetensors"),
    ):
        path = card_of(out, next(r for r in report.rows if (r.system, r.source) == (system, source)))
        text = path.read_text(encoding="utf-8")
        assert (said in text) == (checkpoint is None)
        if checkpoint is not None:
            assert f"a logistic regression was fitted to them: `{checkpoint}`" in text
            with pytest.raises(PredictError, match="was fitted to speech and text together, expected a model of one"):
                load_predictor(path.parent / checkpoint, "cpu")


def test_the_regression_of_a_fusion_is_scikit_learns_on_the_joined_vectors(done, corpora):
    _, out, report, _ = done
    row = next(r for r in report.rows if (r.system, r.source, r.seed) == ("joint", "talk", 0))
    folder = card_of(out, row).parent
    model, about = load(folder / "features/fused-regression.safetensors")
    speech, text = FeatureStore(about["speech"]), TextEncoder(EncoderSettings(name=about["text"]))
    beside = next(r for r in report.rows if (r.system, r.source, r.seed) == ("fbank", "talk", 0))
    splits = json.loads((card_of(out, beside).parent / "splits.json").read_text())

    def joined(corpus, names):
        found = [u for u in corpus if u.id in names]
        heard = [speech.features(speech.get(audio_hash(corpus.audio_path(u))).row).float() for u in found]
        means = [states.reshape(-1, states.shape[-1]).mean(dim=0).numpy() for states in heard]
        read = [next(iter(text.encode([(u.text, ())])))[1].mean(axis=0) for u in found]
        return found, np.hstack([np.stack(means), np.stack(read)])

    talk, heard = Corpus.load(corpora["talk"]), Corpus.load(corpora["heard"])
    train, vectors = joined(talk, set(splits["train"]))
    (strength,) = json.loads((folder / "results.json").read_text())["heard"]["C"]
    oracle = make_pipeline(
        StandardScaler(), LogisticRegression(C=strength, class_weight="balanced", max_iter=5000)
    ).fit(vectors, [u.label for u in train])
    with (out / row.predictions).open(newline="") as file:
        told = {line["id"]: [float(line[f"p_{c}"]) for c in FOUR.classes] for line in csv.DictReader(file)}
    tested, unseen = joined(heard, set(told))
    expected = oracle.predict_proba(unseen)[:, [list(oracle.classes_).index(c) for c in FOUR.classes]]
    np.testing.assert_allclose(model.probabilities(unseen), expected, atol=1e-3)
    np.testing.assert_allclose([told[u.id] for u in tested], expected, atol=1e-3)
    assert model.penalty == pytest.approx(strength * len(train))


@pytest.mark.parametrize("baseline", ["shuffled", "majority"])
def test_a_baseline_is_the_same_in_the_run_the_table_and_the_page(done, tmp_path, capsys, monkeypatch, baseline):
    """Every other row of every modality, with the same numbers, corrected as one family."""
    _, before, _, paths = done
    out = tmp_path / "out"
    shutil.copytree(before, out)
    monkeypatch.setattr("zero_shot_emotion.benchmark.run.run_text_job", None)  # nothing is trained again
    said = run_grid(grid_file(tmp_path, baseline=baseline), out, paths=paths).summary
    found = json.loads((out / "statistics.json").read_text())["comparisons"]
    expected = {
        (row.modality, row.system, row.source, row.target)
        for row in read_rows(out)
        if row.source != baseline and (baseline == "majority" or row.source_kind != "majority")
    }
    assert {(c["modality"], c["system"], c["source"], c["target"]) for c in found} == expected
    assert {c["family"] for c in found} == {len(found)} == {len(expected)}
    assert f"against {baseline} (Holm over {len(found)}; " in said
    page, adjusted = (out / "leaderboard.html").read_text(encoding="utf-8"), holm([c["p"] for c in found])
    monkeypatch.delenv("COLUMNS", raising=False)
    show(out, baseline)
    table = capsys.readouterr().out
    for one, p in zip(found, adjusted, strict=True):
        assert one["p_holm"] == pytest.approx(p)
        assert one["sentence"] in table
        assert one["sentence"].partition(f" on {one['target']}: ")[2].partition(" (")[0] in page
    assert any(one["sentence"] in said for one in found)


def test_a_second_run_does_nothing_and_a_lost_fusion_is_made_again_to_the_same_predictions(done, monkeypatch):
    path, out, report, paths = done
    lost = [next(r for r in report.rows if r.system == name) for name in ("late", "joint", "bert")]
    before = {row.id: (out / row.predictions).read_bytes() for row in lost}
    for row in lost:
        (out / "rows" / f"{row.id}.json").unlink()
        (out / row.predictions).unlink()
    monkeypatch.setattr(TextEncoder, "encode", None)  # all is stored
    again = run_grid(path, out, paths=paths)
    assert again.failures == {}
    assert {row.id: (out / row.predictions).read_bytes() for row in lost} == before
    monkeypatch.setattr("zero_shot_emotion.benchmark.run.run_text_job", None)
    assert run_grid(path, out, paths=paths).rows == again.rows


def test_what_cannot_be_heard_of_a_target_is_counted_in_each_row_and_costs_no_comparison(tmp_path, corpora, bert):
    """The majority class has no features: it was tested on what neither speech nor fusion could be."""
    shutil.copytree(corpora["heard"], tmp_path / "heard")
    heard = Corpus.load(tmp_path / "heard")
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    utterances = list(heard)
    utterances[-1] = utterances[-1].with_(file_name=str(tmp_path / "bad.wav"))
    Corpus("heard", heard.root, tuple(utterances), heard.card).save(heard.root)
    sources = {"talk": {"kind": "corpus", "corpus": "${talk}"}, "majority": {"kind": "majority"}}
    fusions = {"joint": {"how": "features", "upstream": "fbank", "encoder": "bert"}}
    small = {"sources": sources, "targets": {"heard": "${heard}"}, "seeds": 1, "baseline": "majority"}
    path, out = grid_file(tmp_path, **small, fusions=fusions), tmp_path / "out"
    paths = {"talk": str(corpora["talk"]), "heard": str(heard.root), "bert": str(bert)}
    listed = run_grid(path, out, paths=paths, dry_run=True).summary.splitlines()
    joint = next(line.split()[2] for line in listed if " / joint / " in line)
    (alone,) = run_grid(path, out, paths=paths, only=[joint]).rows  # before anything else has looked for bad files
    rows = {row.system: row for row in run_grid(path, out, paths=paths).rows}
    assert rows["joint"] == alone
    tested = {name: (row.test.utterances, sum(row.test.bad_audio.values())) for name, row in rows.items()}
    assert tested == {"fbank": (15, 1), "bert": (14, 0), "joint": (13, 1), "majority class": (16, 0)}
    assert rows["joint"].test.bad_audio == rows["fbank"].test.bad_audio
    found = json.loads((out / "statistics.json").read_text())["comparisons"]
    assert {c["system"] for c in found} == {"fbank", "bert", "joint"}
    card = card_of(out, rows["joint"]).read_text(encoding="utf-8")
    assert f"without text 2, {next(iter(alone.test.bad_audio))} 1 |" in card


def test_late_fusions_that_share_an_untrained_half_train_it_once(tmp_path, corpora, bert):
    """Asked for alone, at the same time: what trains the halves is the fusions themselves."""
    late = {"how": "late", "upstream": "fbank", "encoder": "bert"}
    small = {"sources": {"talk": {"kind": "corpus", "corpus": "${talk}"}}, "targets": {"heard": "${heard}"}, "seeds": 1}
    heads = {"linear": LINEAR, "other": {**LINEAR, "data": {"valid_ratio": 0.25, "dev_metric": "WA"}}}
    fusions = {f"late-{name}": {**late, "text_head": name} for name in heads}
    path = grid_file(tmp_path, **small, text_heads=heads, fusions=fusions, baseline=None)
    paths = {"talk": str(corpora["talk"]), "heard": str(corpora["heard"]), "bert": str(bert)}
    listed = run_grid(path, tmp_path / "out", paths=paths, dry_run=True).summary.splitlines()
    asked = [line.split()[2] for line in listed if " / late / " in line]
    report = run_grid(path, tmp_path / "out", paths=paths, only=asked, workers=2)
    assert (report.failures, [row.id for row in report.rows]) == ({}, asked)
    logs = [log.read_text(encoding="utf-8") for log in (tmp_path / "out").glob("systems/*/output.txt")]
    assert sum(log.count("$ python -m s3prl.run_downstream -m train") for log in logs) == 1


def test_no_encoder_is_loaded_where_nothing_is_to_be_read(done, monkeypatch):
    """Least of all the default one, which the grid does not name, and which would be downloaded."""
    path, out, report, paths = done
    loaded = []
    monkeypatch.setattr("zero_shot_emotion.text.encoder.load_model", lambda *told, **_: loaded.append(told))
    assert [row.id for row in run_grid(path, out, paths=paths).rows] == [row.id for row in report.rows]
    assert loaded == []


def test_each_text_system_has_a_card_and_a_classifier_that_does_not_care_about_its_batch(done):
    _, out, report, _ = done
    row = next(r for r in report.rows if r.modality == "text" and r.source == "talk")
    path = next(p for p in out.glob("systems/*/README.md") if row.id in p.read_text(encoding="utf-8"))
    card = ModelCard.load(path)
    assert (card.data.pipeline_tag, card.data.library_name) == ("text-classification", "transformers")
    assert "# Text emotion recognition: talk → heard, read" in card.text
    assert "zero-shot-emotion predict classifier LINES.txt -o emotions.csv" in card.text
    classifier = load_classifier(path.parent / "classifier")
    texts = [("it is fine", ()), ("i am so very very happy today and you are not", ()), ("why", ())]
    together = classifier.predict(texts)
    for words, expected in zip(texts, together, strict=True):
        np.testing.assert_allclose(classifier.predict([words])[0], expected, atol=1e-5)
    assert row.cost.parameters == classifier.parameters == 4 * 32 + 4
    assert row.cost.features > 0


def test_text_alone_needs_no_speech_of_a_synthetic_source(tmp_path, corpora, bert):
    sources = {
        "made": {"kind": "synthetic", "utterances": 40, "engine": "no such engine"},
        "named": {"kind": "label-only", "utterances": 80},
        "prior": {"kind": "prior", "of": "made", "target": "read"},
        "shuffled": {"kind": "shuffled", "of": "named"},
        "nearest": {"kind": "untrained", "labeller": {"kind": "similarity", "model": "${bert}"}},
        "lines": {"kind": "untrained", "labeller": {"kind": "examples", "model": "${bert}", "C": 2.0}},
        "majority": {"kind": "majority"},
    }
    prior = {"neu": 0.4, "hap": 0.3, "ang": 0.2, "sad": 0.1}
    path = grid_file(
        tmp_path,
        sources=sources,
        targets={"read": {"corpus": "${read}", "prior": prior}},
        upstreams={},
        heads={},
        fusions={},
        seeds=1,
    )
    out = tmp_path / "out"
    report = run_grid(path, out, paths={"read": str(corpora["read"]), "bert": str(bert)})
    assert report.failures == {}
    assert {r.source: (r.modality, r.source_kind) for r in report.rows} == {
        "made": ("text", "synthetic"),
        "named": ("text", "label-only"),
        "prior": ("text", "synthetic"),
        "shuffled": ("text", "shuffled"),
        "nearest": ("text", "untrained"),
        "lines": ("text", "untrained"),
        "majority": ("text", "majority"),
    }
    for source, labeller in (("nearest", "similarity"), ("lines", "examples")):
        untrained = next(r for r in report.rows if r.source == source)
        assert (untrained.system, untrained.head, untrained.test.utterances) == (labeller, "none", 16)
        assert (untrained.cost.training, untrained.cost.testing > 0) == (None, True)
        assert {f"model of {source}", f"taxonomy of {source}"} <= set(untrained.fingerprints)
    named = next(Corpus.load(p.parent) for p in out.glob("corpora/*/corpus.json") if "label-only" in p.read_text())
    assert any(u.text and "angry" in u.text for u in named)
    assert not list(out.glob("corpora/**/*.wav"))


def test_a_pass_is_charged_to_the_encoder_that_made_it(tmp_path, corpora, bert):
    """Not to its name, nor to the folder where another one lay before."""
    place = tmp_path / "encoder"
    small = {"upstreams": {}, "heads": {}, "fusions": {}, "baseline": None, "targets": {"read": "${read}"}, "seeds": 1}
    path = grid_file(tmp_path, sources={"talk": {"kind": "corpus", "corpus": "${talk}"}}, **small)
    paths = {"talk": str(corpora["talk"]), "read": str(corpora["read"]), "bert": str(place)}
    for name, seed in (("old", 0), ("new", 1)):
        shutil.rmtree(place, ignore_errors=True)
        tiny_bert.build(place, seed=seed)
        (row,) = run_grid(path, tmp_path / "out", paths=paths).rows
        key = TextEncoder(EncoderSettings(name=str(place))).fingerprint
        took = json.loads((tmp_path / f"out/texts/{key}-costs.json").read_text())
        assert set(took) == {paths["talk"], paths["read"]}, name
        assert row.cost.features == pytest.approx(sum(took.values()))
        assert row.cost.features > 0
    assert len(list((tmp_path / "out/texts").glob("*-costs.json"))) == 2


def test_what_encoders_and_untrained_labellers_hold_is_part_of_their_rows(tmp_path, corpora, bert):
    """Not where it lies, nor what a download keeps beside it; of a fusion, too."""
    other, lines = tmp_path / "other", tmp_path / "lines.jsonl"
    shutil.copytree(bert, other)
    lines.write_text('{"emotion": "angry", "text": "Go away!"}\n', encoding="utf-8")
    labeller = {"kind": "examples", "model": "${bert}", "lines": str(lines)}
    sources = {"talk": {"kind": "corpus", "corpus": "${talk}"}, "lines": {"kind": "untrained", "labeller": labeller}}
    path = grid_file(tmp_path, sources=sources, targets={"heard": "${heard}"}, seeds=1, baseline=None)

    def ids(model):
        paths = {"talk": str(corpora["talk"]), "heard": str(corpora["heard"]), "bert": str(model)}
        listed = run_grid(path, tmp_path / "out", paths=paths, dry_run=True).summary.splitlines()
        rows = [line.split(maxsplit=3)[2:] for line in listed if line.startswith("to do")]
        return {name: row_id for row_id, name in rows}

    def changed(before, after):
        assert list(before) == list(after)
        return {name.split(" / ")[1] for name in before if before[name] != after[name]}

    before = ids(bert)
    assert len(before) == 5
    (other / ".cache").mkdir()
    (other / ".cache/lock").write_text("1")
    assert changed(before, ids(other)) == set()
    (other / "config.json").write_text((other / "config.json").read_text() + "\n")
    assert changed(before, ids(other)) == {"bert", "late", "joint", "examples"}
    lines.write_text('{"emotion": "angry", "text": "Leave me alone!"}\n', encoding="utf-8")
    assert changed(before, ids(bert)) == {"examples"}


def test_models_behind_placeholders_and_labellers_are_held_against_what_is_known_of_them(tmp_path, corpora, unseen):
    """What they are named in the grid says nothing: the audit must see what was filled in."""
    target, checkpoint = told(unseen, tmp_path / "iemocap"), tmp_path / "emotion2vec_base.pt"
    checkpoint.write_bytes(b"never loaded here")
    sources = {
        "talk": {"kind": "corpus", "corpus": "${talk}"},
        "nearest": {"kind": "untrained", "labeller": {"kind": "similarity", "model": "${labeller}"}},
        "default": {"kind": "untrained", "labeller": {"kind": "similarity"}},
    }
    path = grid_file(
        tmp_path,
        sources=sources,
        targets={"heard": "${heard}"},
        upstreams={"mine": {"upstream": "data2vec_local", "ckpt": "${checkpoint}"}, "fbank": "fbank"},
        encoders={"words": "${encoder}"},
        fusions={},
        baseline=None,
    )
    names = {
        "labeller": "superb/hubert-base-superb-er",
        "encoder": "me/SER-Odyssey-Baseline-x",
        "talk": corpora["talk"],
    }
    names |= {"heard": str(target), "talk": str(corpora["talk"]), "checkpoint": str(checkpoint)}
    paths = Paths(grid := load_grid(path), names)
    (tmp_path / "out").mkdir()
    warnings = [line for line in Benchmark(grid, paths, tmp_path / "out").audit() if "was trained on" in line]
    assert [line.split(":")[0] for line in warnings] == [
        "mine was trained on heard, unlabelled",
        "nearest was trained on heard, labelled",
    ]  # the encoder's corpus is another one


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"upstreams": {}, "encoders": {}, "fusions": {}}, "upstreams: missing, expected some, or some encoders"),
        ({"text_heads": {}}, "text_heads: missing, expected at least one for the encoders"),
        ({"encoders": {"bert": {"encoder": "x", "heads": ["big"]}}}, "encoders.bert.heads: got 'big', expected one of"),
        ({"encoders": {"fbank": "x"}, "fusions": {}}, "encoders: 'fbank' names two systems, expected different names"),
        (
            {"fusions": {"both": {"how": "late", "upstream": "fbank", "encoder": "gpt"}}},
            "fusions.both.encoder: got 'gpt', expected one of bert",
        ),
        (
            {"sources": {"nli": {"kind": "untrained", "labeller": {"model": "x"}}}, "baseline": None},
            "sources.nli.untrained.labeller: got {'model': 'x'}, expected a kind, that of a labeller",
        ),
        (
            {"fusions": {"both": {"how": "early", "upstream": "fbank", "encoder": "bert"}}},
            "fusions.both.how: got 'early', expected",
        ),
    ],
)
def test_a_grid_of_text_that_does_not_fit_is_told(tmp_path, changes, message):
    with pytest.raises(GridError, match=r"mine.yaml: " + message.replace(".", r"\.")):
        load_grid(grid_file(tmp_path, **changes))


def test_a_text_head_that_is_wrong_is_told(tmp_path, corpora, bert):
    path = grid_file(tmp_path, text_heads={"linear": {"head": {"select": "RNN"}}})
    paths = {**{name: str(corpus) for name, corpus in corpora.items()}, "bert": str(bert)}
    with pytest.raises(ConfigError, match=r"text_heads\.linear: head\.select: got 'RNN', expected"):
        run_grid(path, tmp_path / "out", paths=paths)


def test_late_fusion_weighs_a_regression_on_speech_by_what_it_says_of_dev(tmp_path, corpora, bert):
    sources = {"talk": {"kind": "corpus", "corpus": "${talk}"}, "in-domain": {"kind": "in-domain", "folds": 2}}
    fusions = {"late": {"how": "late", "upstream": "lld", "encoder": "bert"}}
    heads = {"regression": {"logistic_regression": {}, "downstream_expert": {"datarc": {"valid_ratio": 0.25}}}}
    small = {"upstreams": {"lld": "fbank_no_cmvn"}, "seeds": 1, "baseline": None, "targets": {"heard": "${heard}"}}
    path = grid_file(tmp_path, heads=heads, sources=sources, fusions=fusions, **small)
    paths = {"talk": str(corpora["talk"]), "heard": str(corpora["heard"]), "bert": str(bert)}
    report = run_grid(path, tmp_path / "out", paths=paths)
    assert report.failures == {}
    for source in sources:
        rows = {row.system: row for row in report.rows if row.source == source}
        shares = {system: shares_of(tmp_path / "out", row) for system, row in rows.items()}
        weights = weights_of(tmp_path / "out", rows["late"])
        assert len(weights) == (2 if source == "in-domain" else 1)
        for utterance, mixed in shares["late"].items():
            speech, text = shares["lld"][utterance], shares["bert"][utterance]
            assert any(np.allclose(mixed, w * speech + (1 - w) * text, atol=2e-6) for w in weights)
        folder = card_of(tmp_path / "out", rows["lld"]).parent
        folder = folder / "fold0" if source == "in-domain" else folder
        splits = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
        assert list(read_predictions(folder, "dev").predictions.ids) == splits["dev"]

    late, half = (next(r for r in report.rows if (r.system, r.source) == (name, "talk")) for name in ("late", "lld"))
    told = shares_of(tmp_path / "out", late)
    for name in ("facts.json", "results.json"):  # as after a kill between the regression's predictions and its facts
        (card_of(tmp_path / "out", half).parent / name).unlink()
    (tmp_path / "out" / "rows" / f"{late.id}.json").unlink()
    again = run_grid(path, tmp_path / "out", paths=paths, only=[late.id])
    assert again.failures == {}
    assert shares_of(tmp_path / "out", late).keys() == told.keys()


def test_an_encoder_that_does_not_load_costs_its_own_systems_alone(tmp_path, corpora, bert):
    encoders = {"bert": "${bert}", "none": str(tmp_path / "none")}
    sources = {"talk": {"kind": "corpus", "corpus": "${talk}"}}
    small = {"upstreams": {}, "heads": {}, "fusions": {}, "baseline": None, "seeds": 1, "sources": sources}
    path = grid_file(tmp_path, encoders=encoders, targets={"read": "${read}"}, **small)
    paths = {"talk": str(corpora["talk"]), "read": str(corpora["read"]), "bert": str(bert)}
    report = run_grid(path, tmp_path / "out", paths=paths)
    assert [row.system for row in report.rows] == ["bert"]
    assert "encoder.name: got" in report.failures["talk / none / linear / seed 0"]


def test_a_missing_encoder_is_left_out_with_its_fusions(tmp_path, corpora):
    path = grid_file(tmp_path)
    paths = {name: str(corpus) for name, corpus in corpora.items()}
    with pytest.raises(GridError, match=r"encoder bert: \$\{bert\} stands for nothing: give --path bert=FOLDER"):
        run_grid(path, tmp_path / "out", paths=paths, dry_run=True)
    listed = run_grid(path, tmp_path / "out", paths={**paths}, skip_missing=True, dry_run=True).summary
    assert "encoder bert: ${bert} stands for nothing" in listed
    assert "late" not in listed


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_of_text_and_fusion_goes_on(tmp_path, corpora, bert):
    sources = {"talk": {"kind": "corpus", "corpus": "${talk}"}}
    path = grid_file(tmp_path, sources=sources, baseline=None, targets={"heard": "${heard}"})
    out = tmp_path / "out"
    paths = {"talk": str(corpora["talk"]), "heard": str(corpora["heard"]), "bert": str(bert)}
    options = [word for name, value in paths.items() for word in ("--path", f"{name}={value}")]
    command = [sys.executable, "-m", "zero_shot_emotion.cli", "benchmark", str(path), "-o", str(out), "-j", "1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, *options], env=environment, **quiet) as process:
        while process.poll() is None and not list(out.glob("rows/*.json")):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    early = {file: file.read_bytes() for file in out.glob("rows/*.json")}
    assert early
    report = run_grid(path, out, paths=paths)
    assert (len(report.rows), report.failures) == (8, {})
    assert {file: file.read_bytes() for file in early} == early


def test_untrained_probabilities_are_the_labellers_own(tmp_path, corpora, bert):
    from generation.weak_labels.labeller import LabellerSpec, label

    told = {"kind": "similarity", "model": str(bert), "words": "all"}
    small = {"upstreams": {}, "heads": {}, "fusions": {}, "baseline": None, "targets": {"read": "${read}"}}
    sources = {"near": {"kind": "untrained", "taxonomy": "seven", "labeller": told}}
    path = grid_file(tmp_path, sources=sources, **small)
    report = run_grid(path, tmp_path / "out", paths={"read": str(corpora["read"]), "bert": str(bert)})
    (row,) = report.rows
    with (tmp_path / "out" / row.predictions).open(newline="") as file:
        found = {line["id"]: [float(line[f"p_{c}"]) for c in FOUR.classes] for line in csv.DictReader(file)}
    seven, corpus = load_taxonomy("seven"), Corpus.load(corpora["read"])
    expected = label(list(corpus), LabellerSpec.model_validate(told), seven)
    four = expected[:, [next(i for i, n in enumerate(seven.names) if seven.code(n) == c) for c in FOUR.classes]]
    four /= four.sum(axis=1, keepdims=True)
    np.testing.assert_allclose([found[u.id] for u in corpus], four, atol=1e-6)


def test_the_rows_behind_number_signs_of_the_grid_text_are_valid(tmp_path):
    from generation.weak_labels.labeller import LabellerSpec

    shipped = find_config("benchmarks", "text").read_text(encoding="utf-8")
    rows = re.sub(r"^  # (?=(  |entailment:|llm:|nrc-lexicon:))", "  ", shipped, flags=re.MULTILINE)
    path = tmp_path / "text.yaml"
    path.write_text(rows, encoding="utf-8")
    added = {name: load_grid(path).sources[name] for name in ("entailment", "llm", "nrc-lexicon")}
    assert len(load_grid(path).sources) == len(load_grid("text").sources) + len(added)
    for name, source in added.items():
        assert LabellerSpec.model_validate(source.labeller).settings  # its keys are the labeller's
        assert source.labeller["kind"] == name.removeprefix("nrc-")


def test_answers_of_a_language_model_are_paid_for_once(tmp_path, corpora, bert):
    def choose(body, attempt):
        (line,) = (line for line in body["messages"][0]["content"].splitlines() if line.startswith("> "))
        named = next(name for name, text in SAID.items() if line.startswith(f"> {text}"))
        return completion(json.dumps({"emotion": load_taxonomy("four").classes[named][0]}))

    def run(url, **budget):
        endpoint = {"base_url": url, "model": "m", "json_mode": "none", **({"budget": budget} if budget else {})}
        sources = {"asked": {"kind": "untrained", "labeller": {"kind": "llm", "endpoint": endpoint}}}
        small = {"upstreams": {}, "heads": {}, "fusions": {}, "baseline": None, "targets": {"read": "${read}"}}
        path = grid_file(tmp_path, sources=sources, **small)
        return run_grid(path, tmp_path / "out", paths={"read": str(corpora["read"]), "bert": str(bert)})

    with serving(choose) as server:
        cut = run(server.url, requests=3)
        assert (cut.rows, len(server.bodies)) == ([], 3)
        assert "the budget of requests (3) does not allow another request" in str(cut.failures)
        (row,) = run(server.url).rows
        asked = [body["messages"][0]["content"] for body in server.bodies]
        assert len(asked) == len(set(asked)) == len({u.text for u in Corpus.load(corpora["read"])}) > 3
        shutil.rmtree(tmp_path / "out" / "rows")  # as after a kill between the answers and the row
        (again,) = run(server.url).rows
        assert len(server.bodies) == len(asked)
    assert row.test.metrics["WA"].value == again.test.metrics["WA"].value == 1
