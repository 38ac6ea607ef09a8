import csv
import hashlib
import json
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import FileLock, Timeout
from huggingface_hub import ModelCard

from generation.shipped import FOLDER
from tests.experiment import small_config
from tests.tiny_checkpoints import build, data2vec
from zero_shot_emotion import metrics
from zero_shot_emotion.audio import Audio, read_audio, write_audio
from zero_shot_emotion.benchmark import read_rows, write_rows
from zero_shot_emotion.benchmark.grid import GridError
from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.leaderboard.merging import merge
from zero_shot_emotion.benchmark.run import run_grid
from zero_shot_emotion.benchmark.train import LOCK, guarded
from zero_shot_emotion.config_files import configs_folder, find_config
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.predict import load_predictor
from zero_shot_emotion.s3prl_plugin.launcher import run_downstream
from zero_shot_emotion.testing import tiny_corpus

SOURCES = {
    "talk": {"kind": "corpus", "corpus": "${talk}", "counts_as": "synthetic"},
    "shuffled": {"kind": "shuffled", "of": "talk"},
    "half": {"kind": "share", "of": "talk", "shares": [0.5]},
    "both": {"kind": "mixed", "of": ["talk", "half"]},
    "unseen": {"kind": "corpus", "corpus": "${unseen}"},
    "in-domain": {"kind": "in-domain", "folds": 2},
    "majority": {"kind": "majority"},
}


@pytest.fixture(autouse=True)
def _few_bootstraps(monkeypatch):
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)


def head(**changes):
    config = small_config(**changes)
    config["downstream_expert"]["datarc"] |= {"train": ["ignored"], "bad_audio": "skip"}
    return config


def grid_file(folder, name="small", **changes):
    grid = {
        "sources": SOURCES,
        "targets": {"unseen": "${unseen}"},
        "upstreams": {"fbank": "fbank"},
        "heads": {"small": head()},
        "seeds": 2,
        "baseline": "shuffled",
        **changes,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(grid, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory, synthetic, unseen):
    """A grid that ran once: its file, its folder, what it reported."""
    folder = tmp_path_factory.mktemp("benchmark")
    path, out = grid_file(folder), folder / "out"
    before, metrics.BOOTSTRAPS = metrics.BOOTSTRAPS, 20
    try:
        report = run_grid(path, out, paths={"talk": str(synthetic), "unseen": str(unseen)}, contributor="me")
    finally:
        metrics.BOOTSTRAPS = before
    return path, out, report, {"talk": str(synthetic), "unseen": str(unseen)}


def test_every_source_is_tested_over_every_seed(done):
    _, out, report, _ = done
    assert report.failures == {}
    rows = read_rows(out)
    assert rows == report.rows
    assert sorted((row.source, row.seed) for row in rows) == sorted(
        [(source, seed) for source in ("talk", "shuffled", "half", "both", "in-domain") for seed in (0, 1)]
        + [("majority", 0)]
    )
    kinds = {row.source: row.source_kind for row in rows}
    assert kinds == {
        "talk": "synthetic",
        "half": "synthetic",
        "shuffled": "shuffled",
        "both": "mixed",
        "in-domain": "in-domain",
        "majority": "majority",
    }
    assert "left out: unseen on unseen: the source is, or holds, the target itself" in report.summary
    assert f"11 of 11 rows are in {out / 'results.jsonl'}" in report.summary


def test_a_row_says_what_is_needed_to_repeat_it(done):
    path, out, report, paths = done
    row = next(row for row in report.rows if (row.source, row.seed) == ("half", 1))
    assert row.test.utterances == 16
    assert row.test.grouped_by == "speaker"
    assert math.isclose(row.test.metrics["WA"].value, sum(row.test.confusion[i][i] for i in range(4)) / 16)
    assert row.protocol == {"dev metric": "UAR", "share": 0.5}
    assert set(row.fingerprints) == {"talk", "unseen"}
    assert row.command == (
        f"zero-shot-emotion benchmark {path} -o {out} --path talk={paths['talk']} --path unseen={paths['unseen']} "
        f"--row {row.id}"
    )
    assert {"torch", "s3prl", "python"} <= set(row.versions)
    assert row.config["head"]["downstream_expert"]["datarc"]["labels"] == "four"
    assert "train" not in row.config["head"]["downstream_expert"]["datarc"]
    assert (row.contributor, row.cost.device in ("cpu", "cuda")) == ("me", True)
    assert min(row.cost.training, row.cost.testing, row.cost.features) > 0
    assert row.cost.parameters == sum(p["numel"] for p in _parameters(out, row))


def _parameters(out, row):
    import s3prl  # noqa: F401 - lets torch read the command line in it
    import torch

    (card,) = [card for card in (out / "systems").glob("*/README.md") if row.id in card.read_text(encoding="utf-8")]
    states = torch.load(card.with_name("dev-best.ckpt"), map_location="cpu")
    return [{"numel": v.numel()} for k, v in states["Downstream"].items() if k.startswith("classifier.")]


def test_predictions_belong_to_their_row(done):
    _, out, report, _ = done
    for row in report.rows:
        with (out / row.predictions).open(newline="") as file:
            lines = list(csv.DictReader(file))
        assert len({line["id"] for line in lines}) == row.test.utterances == 16
        right = sum(line["truth"] == line["predicted"] for line in lines)
        assert math.isclose(right / 16, row.test.metrics["WA"].value)


def test_a_cross_validation_trains_on_other_speakers(done):
    _, out, _, _ = done
    parts = sorted((out / "corpora").glob("unseen-0-fold*"))
    assert [part.name.rsplit("-", 2)[1:] for part in parts] == [
        ["fold0of2", "test"],
        ["fold0of2", "train"],
        ["fold1of2", "test"],
        ["fold1of2", "train"],
    ]
    speakers = {
        part.name: {json.loads(line)["speaker"] for line in (part / "metadata.jsonl").read_text().splitlines()}
        for part in parts
    }
    assert not speakers["unseen-0-fold0of2-test"] & speakers["unseen-0-fold0of2-train"]
    assert not speakers["unseen-0-fold0of2-test"] & speakers["unseen-0-fold1of2-test"]


def test_a_second_run_does_nothing(done, monkeypatch):
    path, out, report, paths = done
    monkeypatch.setattr("zero_shot_emotion.benchmark.run.run_job", None)  # would fail if anything were trained
    before = {file: file.stat().st_mtime_ns for file in (out / "rows").iterdir()}
    again = run_grid(path, out, paths=paths)
    assert again.rows == report.rows
    assert {file: file.stat().st_mtime_ns for file in (out / "rows").iterdir()} == before


def test_a_dry_run_lists_what_is_done_and_what_is_not(done, tmp_path):
    path, out, report, paths = done
    lines = run_grid(path, out, paths=paths, dry_run=True).summary.splitlines()
    assert lines[0].split() == f"done {report.rows[0].id} talk / fbank / small / seed 0 -> unseen".split()
    assert "11 of 11 rows are done; 0 systems are to be trained" in lines
    more = run_grid(path, out, paths=paths, dry_run=True, seeds=3).summary
    assert "11 of 16 rows are done; 5 systems are to be trained" in more
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("changed", ["text/metadata.jsonl", "rules.yaml"])
def test_rows_are_to_do_again_where_what_they_are_made_of_has_changed(tmp_path, unseen, changed):
    """What lies in a file of the user's own is part of a source; its name is not enough."""
    tiny_corpus(tmp_path / "text", dialogues=2)
    shutil.copy(find_config("injection", "acted"), tmp_path / "rules.yaml")
    source = {"kind": "synthetic", "text": str(tmp_path / "text"), "rules": str(tmp_path / "rules.yaml")}
    path = grid_file(tmp_path, sources={"mine": source}, baseline=None, seeds=1)

    def listed():
        lines = run_grid(path, tmp_path / "out", paths={"unseen": str(unseen)}, dry_run=True).summary.splitlines()
        return next(line.split()[2] for line in lines if line.startswith("to do"))

    before = listed()
    assert listed() == before
    file = tmp_path / changed
    file.write_text(file.read_text(encoding="utf-8").replace("turn 0", "turn nought") + "\n", encoding="utf-8")
    assert listed() != before


@pytest.mark.parametrize(
    ("changed", "alone"),
    [
        ("dialogues/iemocap.jsonl", "made"),
        ("configs/datasheets/iemocap.yaml", "made"),
        ("configs/injection/acted.yaml", "made, named"),
        ("configs/upstreams/egemaps-espeak.json", "made, named"),
        ("configs/injection/emofilt.yaml", ""),
    ],
)
def test_rows_are_to_do_again_where_what_ships_has_changed(tmp_path, unseen, monkeypatch, changed, alone):
    """A newer version of the project may speak other dialogues, by other rules: its rows are others."""
    shutil.copytree(configs_folder(), tmp_path / "configs")
    shutil.copytree(FOLDER, tmp_path / "dialogues")
    monkeypatch.setattr("zero_shot_emotion.config_files.configs_folder", lambda: tmp_path / "configs")
    monkeypatch.setattr("generation.shipped.FOLDER", tmp_path / "dialogues")
    sources = {"made": {"kind": "synthetic"}, "named": {"kind": "label-only"}}
    upstreams = {"egemaps": {"upstream": "egemaps", "config": "egemaps-espeak"}}
    path = grid_file(tmp_path, sources=sources, upstreams=upstreams, baseline=None, seeds=1)

    def planned():
        lines = run_grid(path, tmp_path / "out", paths={"unseen": str(unseen)}, dry_run=True).summary.splitlines()
        return {line.split()[3]: line.split()[2] for line in lines if line.startswith("to do")}

    before = planned()
    assert list(before) == ["made", "named"]
    file = tmp_path / changed
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = planned()
    assert ", ".join(name for name in before if before[name] != after[name]) == alone


def test_another_checkpoint_behind_the_same_placeholder_is_another_system(tmp_path, synthetic, unseen):
    """Its rows are to do, it has features and a system of its own, and two people's rows stand side by side."""
    one = build("hubert_local", tmp_path)
    two, same = one.with_name("two.pt"), one.with_name("same.pt")
    shutil.copy(one, same)
    _change_weights(one, two)
    upstream = {"upstream": "hubert_local", "ckpt": "${checkpoint}"}
    path = grid_file(
        tmp_path, sources={"talk": SOURCES["talk"]}, upstreams={"hubert": upstream}, seeds=1, baseline=None
    )

    def run(name, checkpoint, **options):
        paths = {"talk": str(synthetic), "unseen": str(unseen), "checkpoint": str(checkpoint)}
        report = run_grid(path, tmp_path / name, paths=paths, **options)
        assert report.failures == {}
        return report

    (ann,) = run("ann", one).rows
    assert ann.fingerprints["ckpt of hubert"] == hashlib.sha256(one.read_bytes()).hexdigest()
    assert "1 of 1 rows are done" in run("ann", same, dry_run=True).summary
    assert "0 of 1 rows are done" in run("ann", two, dry_run=True).summary
    shutil.copytree(tmp_path / "ann", tmp_path / "bob")
    (bob,) = run("bob", two).rows
    assert (bob.id != ann.id, bob.fingerprints["ckpt of hubert"] != ann.fingerprints["ckpt of hubert"]) == (True, True)
    assert len(list((tmp_path / "bob/features").iterdir())) == len(list((tmp_path / "bob/systems").iterdir())) == 2
    found = merge([tmp_path / "ann", tmp_path / "bob"], tmp_path / "both", [])
    assert (found.conflicts, found.rows) == ([], {"ann": 1, "bob": 1})
    held = {one.what for one in load_board(tmp_path / "both").differing}
    assert "ckpt of hubert: fingerprint" in held
    for folder in ("ann", "bob"):  # of one person, too
        rows = [row.model_copy(update={"contributor": "me"}) for row in read_rows(tmp_path / folder)]
        write_rows(tmp_path / folder, rows)
    merge([tmp_path / "ann", tmp_path / "bob"], tmp_path / "mine", [])
    assert len(load_board(tmp_path / "mine").lines) == 2


def _change_weights(source, copy):
    """The same checkpoint with other weights."""
    import torch

    state = torch.load(source, map_location="cpu", weights_only=False)
    state["model_weight"] = {k: v + 0.01 if v.is_floating_point() else v for k, v in state["model_weight"].items()}
    torch.save(state, copy)


def test_a_target_that_has_changed_is_tested_anew(tmp_path, synthetic):
    """Its rows are new ones: the figures of what it was before must not stand in them."""
    paths = {"talk": str(synthetic), "unseen": str(tiny_corpus(tmp_path / "unseen", dialogues=4, seed=1).root)}
    sources = {name: SOURCES[name] for name in ("talk", "in-domain")}
    path = grid_file(tmp_path, sources=sources, baseline=None, seeds=1)
    before = run_grid(path, tmp_path / "out", paths=paths)
    assert [row.test.utterances for row in before.rows] == [16, 16]
    trained = {file: file.stat().st_mtime_ns for file in (tmp_path / "out/systems").rglob("splits.json")}
    shutil.rmtree(tmp_path / "unseen")
    tiny_corpus(tmp_path / "unseen", dialogues=6, seed=2)
    after = run_grid(path, tmp_path / "out", paths=paths)
    assert [row.test.utterances for row in after.rows] == [24, 24]
    assert not {row.id for row in before.rows} & {row.id for row in after.rows}
    ids = {u.id for u in Corpus.load(tmp_path / "unseen")}
    for row in after.rows:
        with (tmp_path / "out" / row.predictions).open(newline="") as file:
            assert {line["id"] for line in csv.DictReader(file)} == ids
    # What learnt from the target learns from it as it is now: an old fold's train set may hold a new fold's test set.
    new = set((tmp_path / "out/systems").rglob("splits.json")) - set(trained)
    assert len(new) == 2
    assert {file: file.stat().st_mtime_ns for file in trained} == trained


@pytest.mark.parametrize("lost", [["rows/{}.json", "predictions/{}.csv"], ["predictions/{}.csv"]])
def test_a_lost_row_alone_is_made_again_to_the_same_predictions(done, lost):
    path, out, report, paths = done
    row = report.rows[0]
    predictions = (out / row.predictions).read_bytes()
    for name in lost:
        (out / name.format(row.id)).unlink()
    again = run_grid(path, out, paths=paths, only=[row.id])
    assert (out / row.predictions).read_bytes() == predictions
    assert [r.id for r in again.rows] == [r.id for r in report.rows]
    assert {r.contributor for r in again.rows} == {"me"}  # as before: who goes on need not say it again
    with pytest.raises(GridError, match="--row 0000: the grid 'small' has no such row; --dry-run lists them"):
        run_grid(path, out, paths=paths, only=["0000"])


def test_a_grown_grid_in_a_moved_folder_keeps_what_was_trained(done, tmp_path):
    """A new target is tested with the checkpoints that are there."""
    _, before, _, paths = done
    out = tmp_path / "moved"
    shutil.copytree(before, out)
    trained = {file: file.stat().st_mtime_ns for file in (out / "systems").glob("*/splits.json")}
    grown = grid_file(
        tmp_path,
        targets={"unseen": "${unseen}", "again": "${talk}"},
        sources={"shuffled-unseen": {"kind": "shuffled", "of": "unseen"}, **SOURCES},
    )
    result = run_grid(grown, out, paths=paths, allow_leakage=True, seeds=1)
    assert result.failures == {}
    assert {file: file.stat().st_mtime_ns for file in trained} == trained
    assert {row.source for row in result.rows if row.target == "again"} == {
        "unseen",
        "shuffled-unseen",
        "in-domain",
        "majority",
    }


def test_the_means_and_comparisons_are_written_and_said(done):
    _, out, report, _ = done
    found = json.loads((out / "statistics.json").read_text())
    talk = next(mean for mean in found["means"] if mean["source"] == "talk")
    values = [row.test.metrics["UAR"].value for row in report.rows if row.source == "talk"]
    assert talk["value"] == pytest.approx(sum(values) / 2)
    assert talk["seeds"] == 2
    compared = {comparison["source"]: comparison for comparison in found["comparisons"]}
    assert set(compared) == {"talk", "half", "both", "in-domain"}
    for comparison in compared.values():
        assert comparison["baseline"] == "shuffled"
        assert comparison["p"] <= comparison["p_holm"] <= 1
        assert comparison["sentence"] in report.summary


def test_each_trained_system_has_a_model_card(done):
    _, out, report, _ = done
    cards = {path.parent.name: ModelCard.load(path) for path in (out / "systems").glob("*/README.md")}
    assert len(cards) >= 10
    row = next(row for row in report.rows if row.source == "talk")
    (card,) = [card for card in cards.values() if row.id in card.content]
    data = card.data
    assert (data.library_name, data.pipeline_tag) == ("s3prl", "audio-classification")
    assert {(r.dataset_name, r.metric_name, r.metric_value) for r in data.eval_results} >= {
        ("unseen", name, round(row.test.metrics[name].value, 4)) for name in ("UAR", "WA", "macro-F1")
    }
    assert "The classes are neu, hap, ang, sad." in card.text
    assert "zero-shot-emotion predict dev-best.ckpt" in card.text


@pytest.mark.parametrize(("source", "own"), [("talk", "talk"), ("half", "talk"), ("in-domain", "unseen")])
def test_a_card_names_what_was_trained_on_alone(done, source, own):
    _, out, report, _ = done
    row = next(row for row in report.rows if row.source == source)
    card = next(p for p in (out / "systems").glob("*/README.md") if row.id in p.read_text(encoding="utf-8"))
    trained_on = card.read_text(encoding="utf-8").partition("## Trained on")[2].partition("## Results")[0]
    lines = [line for line in trained_on.splitlines() if line.startswith("|")][2:]
    assert lines == [f"| {own} | `{row.fingerprints[own]}` |"]


def test_the_cards_own_commands_hear_a_new_file(done, tmp_path):
    _, out, report, _ = done
    row = next(row for row in report.rows if row.source == "talk")
    card = next(p for p in (out / "systems").glob("*/README.md") if row.id in p.read_text(encoding="utf-8"))
    (command,) = [x for x in card.read_text(encoding="utf-8").splitlines() if "-m inference" in x]
    wave = tmp_path / "a.wav"
    write_audio(wave, Audio(0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000))
    checkpoint = card.with_name("dev-best.ckpt")
    options = [{"a.wav": str(wave), "dev-best.ckpt": str(checkpoint)}.get(x, x) for x in shlex.split(command)[3:]]
    run_downstream(options)
    heard = json.loads((card.parent / "inference-a.json").read_text(encoding="utf-8"))
    (predicted,) = load_predictor(checkpoint, "cpu")([read_audio(wave).wave])
    assert list(heard["probabilities"].values()) == pytest.approx(predicted, abs=1e-4)


def test_a_system_under_two_names_is_refused(tmp_path, synthetic, unseen):
    """It would be one row, which each run writes anew under the other name."""
    path = grid_file(tmp_path, heads={"small": head(), "again": head()}, baseline=None)
    expected = "talk / fbank / small / seed 0 and talk / fbank / again / seed 0: are the same under two names"
    with pytest.raises(GridError, match=expected):
        run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)}, dry_run=True)


def test_a_card_tells_where_the_upstreams_checkpoint_lies(tmp_path, synthetic, unseen, monkeypatch):
    """From any working directory, though it was named from one."""
    told = {"upstream": "data2vec_local", "ckpt": "${weights}"}
    path = grid_file(tmp_path, upstreams={"mine": told}, sources={"talk": SOURCES["talk"]}, seeds=1, baseline=None)
    weights = data2vec(tmp_path / "weights.pt")
    monkeypatch.chdir(tmp_path)
    paths = {"talk": str(synthetic), "unseen": str(unseen), "weights": "weights.pt"}
    report = run_grid(path, tmp_path / "out", paths=paths)
    assert report.failures == {}
    (card,) = (tmp_path / "out/systems").glob("*/README.md")
    text = card.read_text(encoding="utf-8").partition("## How it was made")[0]
    assert f"is not in this folder: data2vec_local {weights}." in text
    assert f'args.upstream_ckpt="{weights}"' in text
    assert json.loads(card.with_name("upstream.json").read_text())["ckpt"] == str(weights)
    assert "${" not in text


def test_a_failure_costs_its_own_system_alone(tmp_path, synthetic, unseen):
    heads = {"small": head(), "broken": head(optimizer__torch_optim_name="NoSuch")}
    path = grid_file(tmp_path, heads=heads, sources={"talk": SOURCES["talk"]}, seeds=1, baseline=None)
    report = run_grid(path, tmp_path / "out", paths={"talk": str(synthetic), "unseen": str(unseen)})
    assert [row.head for row in report.rows] == ["small"]
    assert list(report.failures) == ["talk / fbank / broken / seed 0"]
    assert "NoSuch" in report.failures["talk / fbank / broken / seed 0"]
    assert "1 systems failed:" in report.summary


def test_a_source_that_shares_sound_with_the_target_is_refused(tmp_path, synthetic, unseen):
    copy = tmp_path / "copy"
    copy.mkdir()
    line = (unseen / "metadata.jsonl").read_text().splitlines()[0]
    utterance = {**json.loads(line), "id": "other", "text": "other", "speaker": "x", "dialogue": "y"}
    utterance["file_name"] = str((unseen / utterance["file_name"]).resolve())
    (copy / "metadata.jsonl").write_text(json.dumps(utterance) + "\n")
    path = grid_file(tmp_path, sources={"copy": {"kind": "corpus", "corpus": str(copy)}}, baseline=None)
    with pytest.raises(GridError, match="leakage: copy and unseen share the sound of 1 utterances"):
        run_grid(path, tmp_path / "out", paths={"unseen": str(unseen)})
    assert json.loads((tmp_path / "out/audit.json").read_text())["shared"][0]["audio"] == 1


def test_one_process_alone_works_in_the_folder_of_a_system(tmp_path):
    """A worker outlives a run that was killed until it has done its work; the next run must not do it beside it."""
    tried = []

    def work():
        with pytest.raises(Timeout):
            FileLock(tmp_path / "system" / LOCK).acquire(timeout=0)
        tried.append(True)

    assert [guarded(tmp_path / "system", work) for _ in range(2)] == [None, None]
    assert tried == [True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_goes_on(tmp_path, synthetic, unseen):
    """Killed after the first row; what was there stays as it was, and the rest is made."""
    path = grid_file(tmp_path, sources={"talk": SOURCES["talk"]}, seeds=3, baseline=None)
    out, paths = tmp_path / "out", {"talk": str(synthetic), "unseen": str(unseen)}
    options = [word for name, value in paths.items() for word in ("--path", f"{name}={value}")]
    command = [
        sys.executable,
        "-m",
        "zero_shot_emotion.cli",
        "benchmark",
        str(path),
        "-o",
        str(out),
        "-j",
        "1",
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(out.glob("rows/*.json")):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    early = {file: file.read_bytes() for file in out.glob("rows/*.json")}
    assert early
    report = run_grid(path, out, paths=paths)
    assert (len(report.rows), report.failures) == (3, {})
    assert {file: file.read_bytes() for file in early} == early
