import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import s3prl
import yaml

from generation.weak_labels.steps import STEPS
from tests.experiment import small_config
from tests.generation.weak_labels import tiny_models
from tts.engine import load_engine
from zero_shot_emotion import metrics
from zero_shot_emotion.audio import write_audio
from zero_shot_emotion.benchmark import read_rows
from zero_shot_emotion.benchmark.grid import GridError
from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.leaderboard.page import write_page
from zero_shot_emotion.benchmark.train import run_job
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.corpus.executors import Inline, open_executor
from zero_shot_emotion.errors import UserError
from zero_shot_emotion.lanser.run import run_lanser
from zero_shot_emotion.lanser.settings import LanserError
from zero_shot_emotion.testing import tiny_corpus

HERE = Path(__file__).parent
LINES = ("I am so happy today.", "Leave me alone, I am furious!", "We lost again.", "What a day it was.")
LABELS = ("neutral", "happy", "angry", "sad")
SHARES = [0.2, 1.0]


@pytest.fixture(autouse=True)
def _few_bootstraps(monkeypatch):
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)


def downstream(**changes):
    config = small_config(**changes)
    for key in ("train", "targets"):
        config["downstream_expert"]["datarc"].pop(key)
    return config


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Tiny random checkpoints in their real layouts."""
    folder = tmp_path_factory.mktemp("models")
    whisper, nli = tiny_models.random_whisper(folder / "whisper"), tiny_models.random_nli(folder / "nli")
    return {"whisper": str(whisper), "nli": str(nli), "encoder": str(tiny_models.random_encoder(folder / "encoder"))}


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    """Speech to be labelled: what the tokenizer cannot tell apart would all get one label."""
    corpus = tiny_corpus(tmp_path_factory.mktemp("speech") / "synthetic")
    utterances = tuple(u.with_(text=LINES[number % len(LINES)]) for number, u in enumerate(corpus))
    Corpus(corpus.name, corpus.root, utterances, corpus.card).save(corpus.root)
    return corpus.root


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return tiny_corpus(tmp_path_factory.mktemp("target") / "unseen", dialogues=6, seed=1).root


def config_file(folder, target, weak, **changes):
    content = {
        "name": "tiny",
        "weak_labels": weak,
        "upstream": "fbank",
        "pretrain": downstream(),
        "finetune": downstream(),
        "targets": {"unseen": str(target)},
        "shares": SHARES,
        "seeds": 2,
        **changes,
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def by_similarity(models, **more):
    labeller = {"kind": "similarity", "model": models["encoder"], "device": "cpu"}
    return {
        "config": "offline",
        "segments": None,
        "transcripts": {"engine": "given"},
        "taxonomy": "four",
        "labellers": [labeller],
        "noise": {"prior": "mean"},  # without it a random model names one emotion alone
        **more,
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory, models, target):
    """The five steps on a folder of wavs: its config, its folder, what it reported."""
    folder = tmp_path_factory.mktemp("lanser")
    voice = load_engine("espeak-ng")
    for number in range(8):
        audio = voice.speak(LINES[number % len(LINES)], f"en-us+f{1 + number % 4}/p{40 + 3 * number}/r150")
        write_audio(folder / f"wavs/{number}.wav", audio)
    weak = {
        "segments": {},
        "transcripts": {
            "engine": "whisper",
            "settings": {"model": models["whisper"], "device": "cpu", "max_tokens": 6},
        },
        "taxonomy": "seven",
        "labellers": [{"kind": "entailment", "model": models["nli"], "device": "cpu"}],
    }
    path, out = config_file(folder, target, weak, speech=str(folder / "wavs")), folder / "out"
    before, metrics.BOOTSTRAPS = metrics.BOOTSTRAPS, 20
    try:
        report = run_lanser(path, out, contributor="me")
    finally:
        metrics.BOOTSTRAPS = before
    return path, out, report


def test_the_five_steps_run_on_a_folder_of_wavs(done):
    _, out, report = done
    assert report.failures == {}
    assert read_rows(out) == report.rows
    found = sorted((r.protocol["init"], r.protocol["share"], r.seed, r.source_kind, r.source) for r in report.rows)
    assert found == sorted(
        [("weak labels", 0.0, 0, "weak-labels", "wavs-weak-four")]
        + [("weak labels", share, seed, "weak-labels", "wavs-weak-seven") for share in SHARES for seed in (0, 1)]
        + [("random", share, seed, "in-domain", "unseen-train") for share in SHARES for seed in (0, 1)]
    )
    assert {(row.benchmark, row.modality, row.system, row.head) for row in report.rows} == {
        ("tiny", "speech", "fbank", "UtteranceLevel")
    }
    assert {row.test.grouped_by for row in report.rows} == {"speaker"}
    dev = [line for line in report.summary.splitlines() if line.startswith("pre-train on ")]
    assert [line.rsplit(", ", 1)[1] for line in dev] == ["7 classes", "4 classes"]
    assert all(", seed 0: dev UAR " in line for line in dev)


def test_speech_is_listened_to_once_for_all_taxonomies(done):
    _, out, _ = done
    seven, four = sorted((out / "weak").iterdir(), key=lambda folder: -len(Corpus.load(folder).card["labels"]))
    assert (len(Corpus.load(seven).card["labels"]), len(Corpus.load(four).card["labels"])) == (7, 4)
    assert (seven / STEPS).resolve() == (four / STEPS).resolve()
    names = [step.name.rsplit("-", 1)[0] for step in (out / "steps").glob("*/*")]
    assert sorted(names) == ["entailment", "entailment", "segment", "transcribe"]
    texts = [{u.id: (u.text, u.extra["transcript_source"]) for u in Corpus.load(one)} for one in (seven, four)]
    assert texts[0] == texts[1]
    assert {source for _, source in texts[0].values()} == {"whisper"}


def test_shares_and_test_share_no_speaker(done):
    _, out, report = done
    parts = {folder.name: Corpus.load(folder) for folder in (out / "targets/unseen").iterdir()}
    assert sorted(parts) == ["test", "train-0-0.2", "train-0-1", "train-1-0.2", "train-1-1"]
    speakers = {u.speaker for u in parts.pop("test")}
    for part in parts.values():
        assert not speakers & {u.speaker for u in part}
        assert set(part.counts()) == {"neu", "hap", "ang", "sad"}
    assert len(parts["train-0-0.2"]) == 4
    assert "kept apart by speaker and dialogue" in report.summary


def test_fine_tuning_starts_from_the_weak_labels_and_scratch_does_not(done):
    _, out, _ = done
    logs = [log.read_text() for log in (out / "systems").glob("*/output.txt")]
    carried = [log for log in logs if "weights taken; 2 start anew, for other classes or shapes" in log]
    assert (len(logs), len(carried)) == (10, 4)
    configs = [yaml.safe_load(path.read_text()) for path in (out / "systems").glob("*/config.yaml")]
    tuned = [c for c in configs if c["downstream_expert"]["datarc"].get("dev")]
    assert len(tuned) == 8
    for config in tuned:  # no label beyond the share: the last step's model is what is tested
        assert config["downstream_expert"]["datarc"]["dev"] == config["downstream_expert"]["datarc"]["train"]
        assert config["runner"]["eval_step"] == config["runner"]["total_steps"]


def test_the_curve_has_the_rows_means(done):
    _, out, report = done
    found = json.loads((out / "curve.json").read_text())
    assert [(p["init"], p["share"], p["utterances"]) for p in found["points"]] == [
        ("weak labels", 0.0, 0),
        ("weak labels", 0.2, 4),
        ("random", 0.2, 4),
        ("weak labels", 1.0, 16),
        ("random", 1.0, 16),
    ]
    means = {}
    for point in found["points"]:
        key = point["init"], point["share"]
        values = [r.test.metrics["UAR"].value for r in report.rows if (r.protocol["init"], r.protocol["share"]) == key]
        means[key] = np.mean(values)
        assert point["mean"]["value"] == pytest.approx(means[key])
        assert point["mean"]["seeds"] == len(values)
    for gain in found["gains"]:
        assert gain["value"] == pytest.approx(means["weak labels", gain["share"]] - means["random", gain["share"]])
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    svg = (out / "curve.svg").read_text()
    assert all(text in svg for text in ("pre-trained on weak labels", "from scratch", "zero-shot", "unseen"))


def test_the_leaderboard_shows_the_rows(done, tmp_path):
    _, out, report = done
    board = load_board(out)
    assert [table.name for table in board.tables] == ["unseen"]
    assert len(board.lines) == 5
    assert {line.entry.competes for line in board.lines if line.row.protocol["init"] == "random"} == {False}
    write_page(board, tmp_path / "page.html", None, None)
    assert report.rows[0].id in (tmp_path / "page.html").read_text()


def test_commands_are_those_that_were_run(done):
    _, out, _ = done
    told = [line for line in (out / "commands.sh").read_text().splitlines() if not line.startswith("#")]
    ran = [
        line.removeprefix("$ ")
        for log in (out / "systems").glob("*/output.txt")
        for line in log.read_text().splitlines()
        if line.startswith("$ python")
    ]
    assert sorted(told) == sorted(ran)


def test_of_each_experiment_one_checkpoint_stays(done):
    _, out, _ = done
    assert {path.name for path in (out / "systems").glob("*/*.ckpt")} == {"dev-best.ckpt"}
    assert len(list((out / "systems").glob("*/dev-best.ckpt"))) == 10


def test_a_second_run_does_nothing_twice(done):
    path, out, report = done
    before = {file: file.stat().st_mtime_ns for file in (out / "systems").rglob("*") if file.is_file()}
    lines = (out / "results.jsonl").read_bytes()
    again = run_lanser(path, out, contributor="me")
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert (out / "results.jsonl").read_bytes() == lines
    assert again.rows == report.rows


def test_a_target_that_has_changed_is_learnt_from_and_tested_anew(tmp_path, models, synthetic):
    """Other sound of the same words: its rows are new ones, and must not hold the figures of the old sound."""
    place, weak = tmp_path / "unseen", by_similarity(models)
    path = config_file(tmp_path, place, weak, speech=str(synthetic), shares=[1.0], seeds=1)

    def probabilities(seed):
        tiny_corpus(place, dialogues=6, seed=seed)
        rows = run_lanser(path, tmp_path / "out").rows
        return {row.id: (tmp_path / "out" / row.predictions).read_text() for row in rows}

    before, after = probabilities(seed=1), probabilities(seed=2)
    assert len(before) == len(after) == 3
    assert not set(before) & set(after)
    assert not set(before.values()) & set(after.values())
    assert (
        len(list((tmp_path / "out/systems").iterdir())) == 5
    )  # the pre-training stays; two were trained on each sound


def test_rows_follow_from_what_lies_on_disk_and_not_from_where(tmp_path, models, target, synthetic):
    """Two people's rows are the same rows; another model behind the same path is another one."""

    def run(place, out, source=models["encoder"]):
        for name, corpus in (("speech", synthetic), ("unseen", target), ("encoder", source)):
            shutil.copytree(corpus, tmp_path / place / name, dirs_exist_ok=True)
        (tmp_path / place / "fbank.yaml").write_bytes((configs / "mine.yaml").read_bytes())
        taxonomy = tmp_path / place / "mine.yaml"
        taxonomy.write_bytes((configs / "taxonomy.yaml").read_bytes())
        weak = by_similarity({"encoder": str(tmp_path / place / "encoder")}, taxonomy=str(taxonomy))
        upstream = {"upstream": "baseline_local", "config": str(tmp_path / place / "fbank.yaml"), "stored": True}
        told = {"upstream": upstream, "shares": [1.0], "seeds": 1, "speech": str(tmp_path / place / "speech")}
        path = config_file(tmp_path / place, tmp_path / place / "unseen", weak, **told)
        report = run_lanser(path, tmp_path / out)
        assert report.failures == {}
        return report.rows

    configs = tmp_path / "configs"
    configs.mkdir()
    shutil.copy(Path(s3prl.__file__).parent / "upstream/baseline/fbank.yaml", configs / "mine.yaml")
    classes = {label: [word] for label, word in zip(("neu", "hap", "ang", "sad"), LABELS, strict=True)}
    (configs / "taxonomy.yaml").write_text(yaml.safe_dump({"name": "mine", "source": "me", "classes": classes}))
    ann, bob = run("ann", "ann-out"), run("bob", "bob-out")
    assert [row.id for row in ann] == [row.id for row in bob]
    assert [row.config for row in ann] == [row.config for row in bob]
    assert str(tmp_path) not in json.dumps([row.config for row in ann])
    assert {"config of baseline_local", "model of similarity"} <= set(ann[0].fingerprints)
    systems = {file: file.stat().st_mtime_ns for file in (tmp_path / "ann-out/systems").rglob("*.ckpt")}
    shutil.rmtree(tmp_path / "ann")
    assert run("moved", "ann-out") == ann  # what was done is done, wherever the data lie now
    assert {file: file.stat().st_mtime_ns for file in systems} == systems
    other = tiny_models.random_encoder(tmp_path / "other", seed=1)
    carol = run("bob", "bob-out", other)
    assert {row.id for row in carol if row.source_kind == "weak-labels"}.isdisjoint(row.id for row in bob)
    assert {row.id for row in carol if row.source_kind == "in-domain"} == {
        row.id for row in bob if row.source_kind == "in-domain"
    }


def test_labels_that_were_hidden_are_compared_and_decide_nothing(tmp_path, models, target, synthetic):
    path = config_file(tmp_path, target, by_similarity(models), speech=str(synthetic), shares=[1.0], seeds=1)
    report = run_lanser(path, tmp_path / "out")
    assert "24 utterances; against labels that were hidden UAR 0." in report.summary
    (found,) = json.loads((tmp_path / "out/agreement.json").read_text()).values()
    assert [line["which"] for line in found] == ["all", "kept", *(f"decile {i}" for i in range(1, 11))]
    assert sum(line["utterances"] for line in found[2:]) == found[0]["utterances"] == 24
    (weak,) = (tmp_path / "out/weak").iterdir()  # its classes are the target's: tested as it is, and fine-tuned
    truth = {u.id: u.label for u in Corpus.load(synthetic)}
    assert {u.id: u.extra["human_label"] for u in Corpus.load(weak)} == truth
    assert len(list((tmp_path / "out/systems").iterdir())) == 3


def test_frozen_features_are_computed_once(tmp_path, models, target, synthetic):
    told = {"upstream": {"upstream": "fbank", "stored": True}, "shares": [1.0], "seeds": 1}
    report = run_lanser(
        config_file(tmp_path, target, by_similarity(models), speech=str(synthetic), **told), tmp_path / "out"
    )
    assert (report.failures, {row.system for row in report.rows}) == ({}, {"fbank"})
    commands = (tmp_path / "out/commands.sh").read_text()
    assert (commands.count("-u stored -k"), commands.count("-m train")) == (3, 3)
    named = [json.loads(path.read_text()) for path in (tmp_path / "out/systems").glob("*/upstream.json")]
    assert named == [{"upstream": "fbank", "ckpt": None, "config": None}] * 3  # for predict


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_dask_cluster_gives_the_same_predictions(tmp_path, models, target, synthetic):
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    path = config_file(tmp_path, target, by_similarity(models), speech=str(synthetic), shares=[1.0], seeds=1)
    local = run_lanser(path, tmp_path / "local")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, scheduler_port=0, processes=True
        ) as cluster,
        open_executor(scheduler=cluster.scheduler_address) as executor,
    ):
        there = run_lanser(path, tmp_path / "there", executor=executor)
    assert there.failures == {}
    assert [row.id for row in there.rows] == [row.id for row in local.rows]
    for row in there.rows:
        given, expected = (tmp_path / place / row.predictions for place in ("there", "local"))
        assert given.read_bytes() == expected.read_bytes()


class Dying(Inline):
    """Workers of a Dask cluster that die of trainings."""

    def submit(self, fn, /, *args, **kwargs):
        from distributed import KilledWorker

        if fn is not run_job:
            return super().submit(fn, *args, **kwargs)
        future = Future()
        future.set_exception(KilledWorker("run_job", SimpleNamespace(address="tcp://here:1"), 3))
        return future


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_death_on_a_dask_cluster_is_told_of(tmp_path, models, target, synthetic):
    pytest.importorskip("distributed", reason="Dask is an optional extra")
    path = config_file(tmp_path, target, by_similarity(models), speech=str(synthetic), shares=[1.0], seeds=1)
    with pytest.raises(UserError, match=r"a worker process died \(.*run the same command again to go on"):
        run_lanser(path, tmp_path / "out", executor=Dying())


def test_a_pre_training_that_fails_costs_what_starts_from_it_alone(tmp_path, models, target, synthetic):
    broken = downstream(optimizer__torch_optim_name="NoSuch")
    path = config_file(
        tmp_path, target, by_similarity(models), speech=str(synthetic), pretrain=broken, shares=[1.0], seeds=1
    )
    report = run_lanser(path, tmp_path / "out")
    assert [row.protocol["init"] for row in report.rows] == ["random"]
    ((name, problem),) = report.failures.items()
    assert name.startswith("pre-train on four-")
    assert "NoSuch" in problem
    assert f"failed: {name}: " in report.summary


def test_speech_that_holds_the_test_is_refused(tmp_path, models, target):
    path = config_file(tmp_path, target, by_similarity(models), speech=str(target))
    with pytest.raises(GridError, match=r"leakage: four-\w+ and unseen share the sound of 8 utterances"):
        run_lanser(path, tmp_path / "out")
    assert not (tmp_path / "out/systems").exists()


def test_a_target_without_a_class_is_refused(tmp_path, models, target, synthetic):
    whole = Corpus.load(target)
    whole = whole.where(lambda u: u.label != "sad" or u.dialogue == "d00")
    utterances = tuple(u.with_(file_name=str(whole.audio_path(u).resolve())) for u in whole)
    Corpus("few", tmp_path, utterances).save(tmp_path / "few")
    path = config_file(tmp_path, tmp_path / "few", by_similarity(models), speech=str(synthetic))
    with pytest.raises(LanserError, match=r"target 'unseen': its (train|test) part holds no sad, expected every class"):
        run_lanser(path, tmp_path / "out")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"file_name": None}, "corpus 'mute': the utterance 'd00-00' has no audio, only text"),
        ({"file_name": "gone.wav"}, r"target 'unseen': none of its 24 audio files is there, such as .*gone\.wav"),
    ],
    ids=["text alone", "no file"],
)
def test_a_target_that_cannot_be_heard_is_refused_before_anything_is_labelled(
    tmp_path, models, target, synthetic, columns, message
):
    utterances = tuple(u.with_(**columns) for u in Corpus.load(target))
    Corpus("mute", tmp_path, utterances).save(tmp_path / "mute")
    path = config_file(tmp_path, tmp_path / "mute", by_similarity(models), speech=str(synthetic))
    with pytest.raises(UserError, match=f"^{message}$"):
        run_lanser(path, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("metadata.jsonl"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_goes_on_to_the_same_predictions(tmp_path, models, target, synthetic):
    path = config_file(tmp_path, target, by_similarity(models), speech=str(synthetic), seeds=1)
    out, whole = tmp_path / "out", tmp_path / "whole"
    command = [sys.executable, "-m", "zero_shot_emotion.cli", "lanser", str(path), "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and len(read_rows(out)) < 2:  # zero-shot, and one fine-tuning
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    early = {row.id: row for row in read_rows(out)}
    assert 2 <= len(early) < 5
    report, reference = run_lanser(path, out), run_lanser(path, whole)
    assert report.failures == {}
    assert {row.id: row for row in report.rows if row.id in early} == early
    assert [row.id for row in report.rows] == [row.id for row in reference.rows]
    for row in reference.rows:
        assert (out / row.predictions).read_bytes() == (whole / row.predictions).read_bytes()
