"""A logistic regression in a grid: its rows, its model, what predict makes of it."""

import csv
import json

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard
from sklearn.linear_model import LogisticRegression

from tests.experiment import small_config
from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark.grid import GridError
from zero_shot_emotion.benchmark.run import run_grid
from zero_shot_emotion.corpus import FOUR, Corpus
from zero_shot_emotion.corpus.executors import open_executor
from zero_shot_emotion.features import FeatureStore, audio_hash
from zero_shot_emotion.predict import predict
from zero_shot_emotion.regression import MODEL, RegressionError, load

CLASSES = tuple(FOUR.classes)
DATA = {"datarc": {"balance": "loss", "bad_audio": "skip", "train": ["ignored"]}}
GRID = {
    "sources": {
        "talk": {"kind": "corpus", "corpus": "${talk}", "counts_as": "synthetic"},
        "in-domain": {"kind": "in-domain", "folds": 2},
    },
    "targets": {"unseen": "${unseen}"},
    "upstreams": {"fbank": "fbank_no_cmvn"},
    "heads": {
        "regression": {"logistic_regression": {"penalty": 8, "clip": None}, "downstream_expert": DATA},
        "chosen": {"logistic_regression": {"penalty": [0.07, 8], "centre": True}, "downstream_expert": DATA},
    },
    "seeds": 1,
}


def grid_file(folder, **changes):
    path = folder / "linear.yaml"
    path.write_text(yaml.safe_dump({**GRID, **changes}, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory, synthetic, unseen):
    """A grid that ran once: its folder, its rows."""
    folder = tmp_path_factory.mktemp("regress")
    before, metrics.BOOTSTRAPS = metrics.BOOTSTRAPS, 20
    try:
        report = run_grid(grid_file(folder), folder / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})
    finally:
        metrics.BOOTSTRAPS = before
    assert report.failures == {}
    assert f"page  {folder / 'out/leaderboard.html'}: 4 entries" in report.summary
    return folder / "out", {(row.source, row.head): row for row in report.rows}


def system(out, row):
    (card,) = [card for card in (out / "systems").glob("*/README.md") if row.id in card.read_text(encoding="utf-8")]
    return card


def predictions(out, row):
    with (out / row.predictions).open(newline="") as file:
        return {line["id"]: line for line in csv.DictReader(file)}


def test_the_protocol_holds_the_options(done):
    _, rows = done
    assert set(rows) == {(source, head) for source in ("talk", "in-domain") for head in ("regression", "chosen")}
    assert rows["talk", "regression"].protocol == {"penalty": 8.0, "clip": None, "centre": False}
    chosen = {"penalty": "0.07 or 8.0", "clip": 2.0, "centre": True, "dev metric": "UAR"}
    assert rows["talk", "chosen"].protocol == chosen
    assert rows["in-domain", "chosen"].protocol == {**chosen, "folds": 2}
    row = rows["talk", "regression"]
    assert row.cost.parameters == 4 * 240 + 4
    assert "train" not in row.config["head"]["downstream_expert"]["datarc"]


def test_predictions_are_those_of_scikit_learn_on_the_stored_means(done, synthetic, unseen):
    out, rows = done
    row = rows["talk", "regression"]
    model, about = load(system(out, row).with_name(MODEL))
    store = FeatureStore(about["store"])

    def features(corpus, names=None):
        utterances = [u for u in corpus if names is None or u.id in names]
        found = [
            store.features(store.get(audio_hash(corpus.audio_path(u))).row)[0].double().numpy() for u in utterances
        ]
        return np.stack(found), [CLASSES.index(u.label) for u in utterances], [u.id for u in utterances]

    # train and dev are a split of the source; the model says which utterances it was standardised by
    talk, labels, names = features(Corpus.load(synthetic))
    dev = json.loads((system(out, row).parent / "splits.json").read_text())["dev"]
    kept = [i for i, name in enumerate(names) if name not in dev]
    assert 0 < len(dev) < len(names)
    mean, scale = talk[kept].mean(axis=0), talk[kept].std(axis=0)
    np.testing.assert_allclose(model.mean, mean, rtol=1e-9)
    oracle = LogisticRegression(C=8 / len(kept), class_weight="balanced", max_iter=5000)
    oracle.fit((talk[kept] - mean) / scale, np.array(labels)[kept])
    test, _, ids = features(Corpus.load(unseen))
    for name, shares in zip(ids, oracle.predict_proba((test - mean) / scale), strict=True):
        line = predictions(out, row)[name]
        assert [float(line[f"p_{c}"]) for c in CLASSES] == pytest.approx(shares.tolist(), abs=1e-5)


@pytest.mark.parametrize("head", ["regression", "chosen"])
def test_predict_says_the_same(done, unseen, tmp_path, head):
    out, rows = done
    row = rows["talk", head]
    predict(system(out, row).with_name(MODEL), str(unseen), tmp_path / "out.csv", device="cpu")
    predict(system(out, row).parent, str(unseen), tmp_path / "of-folder.csv", device="cpu")
    assert (tmp_path / "of-folder.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    with (tmp_path / "out.csv").open(newline="") as file:
        found = {line["id"]: line for line in csv.DictReader(file)}
    for name, line in predictions(out, row).items():
        assert found[name]["emotion"] == line["predicted"]
        for c in CLASSES:
            assert float(found[name][f"p_{c}"]) == pytest.approx(float(line[f"p_{c}"]), abs=2e-6)


def test_a_cross_validation_tests_each_utterance_once(done):
    out, rows = done
    row = rows["in-domain", "regression"]
    assert len(predictions(out, row)) == row.test.utterances == 16
    assert len(list(system(out, row).parent.glob(f"fold*/{MODEL}"))) == 2


def test_the_card_says_how_to_use_it(done):
    out, rows = done
    card = ModelCard.load(system(out, rows["talk", "regression"]))
    assert card.data.library_name == "scikit-learn"
    assert f"zero-shot-emotion predict {MODEL} FOLDER_OF_WAVS" in card.text
    assert "s3prl.run_downstream" not in card.text


def test_options_that_are_wrong_are_refused_before_anything_runs(tmp_path, synthetic, unseen):
    path = grid_file(tmp_path, heads={"bad": {"logistic_regression": {"penalty": 0}}})
    with pytest.raises(RegressionError, match=r"heads\.bad\.logistic_regression\.penalty"):
        run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})
    path = grid_file(tmp_path, heads={"bad": {"nothing": {}}})
    with pytest.raises(GridError, match=r"heads\.bad: runner: missing"):
        run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})


def test_an_upstream_that_centres_each_utterance_is_refused(tmp_path, synthetic, unseen):
    """The means of s3prl's fbank are zero: a regression on them would learn nothing."""
    path = grid_file(tmp_path, upstreams={"fbank": "fbank"}, heads={"regression": {"logistic_regression": {}}})
    report = run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})
    assert report.rows == []
    assert all("subtracts each utterance's mean" in problem for problem in report.failures.values())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_dask_cluster_gives_the_same_predictions(done, tmp_path, synthetic, unseen):
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    out, rows = done
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, scheduler_port=0, processes=True
        ) as cluster,
        open_executor(scheduler=cluster.scheduler_address) as executor,
    ):
        report = run_grid(
            grid_file(tmp_path),
            tmp_path / "out",
            paths={"talk": str(synthetic), "unseen": str(unseen)},
            executor=executor,
        )
    assert report.failures == {}
    assert [row.id for row in report.rows] == [row.id for row in rows.values()]
    for row in report.rows:
        assert (tmp_path / "out" / row.predictions).read_bytes() == (out / row.predictions).read_bytes()


def test_a_page_is_written_and_named(done):
    out, rows = done
    page = (out / "leaderboard.html").read_text(encoding="utf-8")
    assert all(row.id in page for row in rows.values())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": "fru"}, "no utterance is left in the label set 'four'"),
        ({"file_name": "gone.wav"}, "none of its 16 audio files is there, such as "),
    ],
    ids=["labels", "files"],
)
def test_a_target_that_cannot_be_tested_on_is_missing(tmp_path, synthetic, unseen, columns, message):
    corpus = Corpus.load(unseen)
    utterances = tuple(u.with_(**{"file_name": str(corpus.audio_path(u).resolve()), **columns}) for u in corpus)
    Corpus("far", tmp_path / "far", utterances).save(tmp_path / "far")
    with pytest.raises(GridError, match=f"target unseen: {tmp_path / 'far'}: {message}"):
        run_grid(grid_file(tmp_path), tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(tmp_path / "far")})
    assert not (tmp_path / "out" / "features").exists()


def test_a_head_that_is_never_looked_at_is_told_before_it_is_trained(tmp_path, synthetic, unseen):
    never = small_config(runner__eval_step=5)
    path = grid_file(tmp_path, heads={"never": never}, sources={"talk": GRID["sources"]["talk"]})
    report = run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})
    ((_, problem),) = report.failures.items()
    assert "runner.eval_step: must be at most total_steps, or no checkpoint is chosen on dev" in problem
    assert not list((tmp_path / "out" / "systems").glob("*/*.ckpt"))
