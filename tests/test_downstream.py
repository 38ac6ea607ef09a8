"""The downstream as its users meet it: s3prl's own command, its modes and options, and what it leaves behind."""

import csv
import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from tests.experiment import BOOTSTRAPS, Experiment, run_downstream, small_config
from zero_shot_emotion.audio import AudioError
from zero_shot_emotion.corpus import FOUR, Corpus, CorpusError
from zero_shot_emotion.results import read_results
from zero_shot_emotion.settings import ConfigError
from zero_shot_emotion.testing import tiny_corpus

CLASSES = list(FOUR.classes)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory, synthetic: Path, unseen: Path) -> Experiment:
    """Trained for twelve steps, tested on two targets."""
    folder = tmp_path_factory.mktemp("downstream")
    far = tiny_corpus(folder / "far", dialogues=5, seed=2).root
    steps = {"total_steps": 12, "log_step": 4, "eval_step": 4, "save_step": 6}
    config = small_config(
        synthetic, {"near": unseen, "far": far}, **{f"runner__{name}": value for name, value in steps.items()}
    )
    trained = Experiment.make(folder / "experiment", config).train()
    for target in ("near", "far", "dev", "train"):
        trained.evaluate(target)
    return trained


def predictions(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / f"predictions-{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestTraining:
    def test_saves_as_s3prl_does(self, experiment: Experiment) -> None:
        names = {path.name for path in experiment.folder.glob("*.ckpt")}
        assert names == {"states-6.ckpt", "states-12.ckpt", "dev-best.ckpt"}
        assert experiment.state(12)["Step"] == 12

    def test_train_and_dev_share_no_dialogue_and_are_written_down(
        self, experiment: Experiment, synthetic: Path
    ) -> None:
        dialogues = {u.id: u.dialogue for u in Corpus.load(synthetic)}
        splits = json.loads((experiment.folder / "splits.json").read_text(encoding="utf-8"))
        train, dev = ({dialogues[id_] for id_ in splits[name]} for name in ("train", "dev"))
        assert train
        assert dev
        assert not train & dev
        assert sorted(splits["train"] + splits["dev"]) == sorted(dialogues)

    def test_dev_best_is_the_best_of_the_log(self, experiment: Experiment) -> None:
        log = (experiment.folder / "log.log").read_text(encoding="utf-8")
        scores = {int(step): score for step, score in re.findall(r"^dev at step (4|8|12): UAR (\S+),", log, re.M)}
        assert list(scores) == [4, 8, 12]
        best = max(scores, key=lambda step: (float(scores[step]), -step))
        assert experiment.state("dev-best.ckpt")["Step"] == best
        assert re.findall(r"^New best on dev at step (\d+): UAR (\S+)$", log, re.M)[-1] == (str(best), scores[best])

    def test_tensorboard_holds_the_curves_and_the_confusion(self, experiment: Experiment) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(experiment.folder), size_guidance={"images": 0, "scalars": 0}).Reload()
        curves = {f"zero_shot_emotion/{s}-{m}" for s in ("train", "dev") for m in ("UAR", "WA", "macro-F1", "loss")}
        assert curves <= set(events.Tags()["scalars"])
        assert [event.step for event in events.Scalars("zero_shot_emotion/dev-UAR")] == [4, 8, 12]
        images = {f"zero_shot_emotion/{split}-confusion" for split in ("dev", "near", "far", "train")}
        assert images == set(events.Tags()["images"])
        assert events.Images("zero_shot_emotion/near-confusion")[0].encoded_image_string.startswith(b"\x89PNG")

    def test_learns_the_tiny_corpus(self, tmp_path: Path, synthetic: Path) -> None:
        unseen = tiny_corpus(tmp_path / "unseen", seed=1).root
        config = small_config(synthetic, {"unseen": unseen}, runner__total_steps=40, runner__eval_step=20)
        experiment = Experiment.make(tmp_path / "experiment", config, ("fbank_no_cmvn",)).train()
        experiment.evaluate("unseen")
        assert read_results(experiment.folder)["unseen"]["UAR"] == {"value": 1.0, "low": 1.0, "high": 1.0}

    def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
        self, tmp_path: Path, synthetic: Path
    ) -> None:
        def weights(name: str, seed: int) -> torch.Tensor:
            made = Experiment.make(tmp_path / name, small_config(synthetic)).train("--seed", seed)
            return made.state(2)["Downstream"]["classifier.projector.weight"]

        once, again, other = weights("once", 5), weights("again", 5), weights("other", 6)
        assert torch.equal(once, again)
        assert not torch.equal(once, other)


class TestReport:
    @pytest.mark.parametrize("split", ["near", "far", "dev", "train"])
    def test_agrees_with_scikit_learn(self, experiment: Experiment, split: str) -> None:
        rows = predictions(experiment.folder, split)
        truth, predicted = ([row[column] for row in rows] for column in ("truth", "predicted"))
        report = read_results(experiment.folder)[split]

        assert report["utterances"] == len(rows)
        assert report["UAR"]["value"] == pytest.approx(balanced_accuracy_score(truth, predicted))
        assert report["WA"]["value"] == pytest.approx(accuracy_score(truth, predicted))
        macro = f1_score(truth, predicted, average="macro", labels=CLASSES, zero_division=0)
        assert report["macro-F1"]["value"] == pytest.approx(macro)
        recalls = recall_score(truth, predicted, average=None, labels=CLASSES)
        assert report["recall"] == pytest.approx(dict(zip(CLASSES, recalls, strict=True)))
        assert report["confusion"]["classes"] == CLASSES
        assert report["confusion"]["rows are truth"] == confusion_matrix(truth, predicted, labels=CLASSES).tolist()
        for name in ("UAR", "WA", "macro-F1"):
            assert report[name]["low"] <= report[name]["value"] <= report[name]["high"]

    def test_predictions_name_every_utterance_once(self, experiment: Experiment, unseen: Path) -> None:
        rows = {row["id"]: row for row in predictions(experiment.folder, "near")}
        corpus = Corpus.load(unseen)
        assert list(rows) == [utterance.id for utterance in corpus]
        for utterance in corpus:
            row = rows[utterance.id]
            assert (row["truth"], row["speaker"], row["dialogue"]) == (
                utterance.label,
                utterance.speaker,
                utterance.dialogue,
            )
            assert row["corpus"] == "unseen"
            shares = {name: float(row[f"p_{name}"]) for name in CLASSES}
            assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
            assert max(shares, key=shares.__getitem__) == row["predicted"]

    @pytest.mark.parametrize(("kind", "column"), [("predict", "predicted"), ("truth", "truth")])
    def test_the_text_files_of_s3prl_agree_with_the_csv(self, experiment: Experiment, kind: str, column: str) -> None:
        lines = (experiment.folder / f"near_{kind}.txt").read_text(encoding="utf-8").splitlines()
        assert lines == [f"{row['id']} {row[column]}" for row in predictions(experiment.folder, "near")]

    def test_the_log_agrees_with_the_results(self, experiment: Experiment) -> None:
        report = read_results(experiment.folder)["near"]
        values = ", ".join(f"{name} {report[name]['value']:.4f}" for name in ("UAR", "WA", "macro-F1"))
        assert f"near at step 0: {values}\n" in (experiment.folder / "log.log").read_text(encoding="utf-8")

    def test_says_what_it_was_made_of(self, experiment: Experiment) -> None:
        report = read_results(experiment.folder)["near"]
        assert report["intervals"] == f"95%, {BOOTSTRAPS} bootstraps by speaker"
        assert report["corpora"] == ["unseen"]
        assert (report["upstream"], report["seed"], report["dropped"]) == ("fbank", 1337, {})
        assert report["checkpoint"] == str(experiment.folder / "dev-best.ckpt")

    def test_results_of_several_targets_stand_side_by_side(self, experiment: Experiment) -> None:
        results = read_results(experiment.folder)
        assert [(name, report["utterances"]) for name, report in results.items()] == [
            ("near", 16),
            ("far", 20),
            ("dev", 8),
            ("train", 16),
        ]

    def test_an_evaluation_of_the_training_set_covers_it_in_order(self, experiment: Experiment) -> None:
        splits = json.loads((experiment.folder / "splits.json").read_text(encoding="utf-8"))
        assert [row["id"] for row in predictions(experiment.folder, "train")] == splits["train"]


class TestTargets:
    def test_the_only_target_is_called_test_too(self, tmp_path: Path, synthetic: Path, unseen: Path) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, {"unseen": unseen})).train()
        run_downstream("-m", "evaluate", "-e", experiment.folder / "dev-best.ckpt", "--device", "cpu")
        experiment.evaluate("unseen")
        test, unseen_ = (read_results(experiment.folder)[name] for name in ("test", "unseen"))
        assert test == unseen_

    @pytest.mark.parametrize("split", ["nowhere", "test"])
    def test_an_unknown_one_is_refused_by_name(self, experiment: Experiment, split: str) -> None:
        message = f"-t {split}: the config names no such set, expected one of train, dev, near, far"
        with pytest.raises(CorpusError, match=f"^{re.escape(message)}$"):
            experiment.evaluate(split)

    def test_an_evaluated_one_is_warned_of_and_never_selects(
        self, tmp_path: Path, synthetic: Path, unseen: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        runner = {"total_steps": 6, "eval_step": 2, "save_step": 6}
        changes: dict[str, Any] = {f"runner__{name}": value for name, value in runner.items()}
        plain = Experiment.make(tmp_path / "plain", small_config(synthetic, {"unseen": unseen}, **changes)).train()
        assert "WARNING" not in capsys.readouterr().out

        for evaluated in (["unseen"], ["unseen", "train", "dev"]):
            name = "-".join(evaluated)
            config = small_config(synthetic, {"unseen": unseen}, **changes, runner__eval_dataloaders=evaluated)
            experiment = Experiment.make(tmp_path / name, config).train()
            warning = (
                "[Expert] - WARNING: runner.eval_dataloaders names the target unseen. It selects no checkpoint, but "
                "whoever looks at its curve selects on it: such results are not zero-shot.\n"
            )
            assert warning in capsys.readouterr().out
            assert (experiment.folder / "predictions-unseen.csv").exists()
            assert not (experiment.folder / "results.json").exists()
            assert [path.name for path in experiment.folder.glob("*-best.ckpt")] == (
                ["dev-best.ckpt"] if "dev" in evaluated else []
            )
            # what is looked at changes nothing of what is learnt
            ours, theirs = (e.state(6)["Downstream"] for e in (experiment, plain))
            assert all(torch.equal(ours[key], theirs[key]) for key in ours if key != "best_score")

    def test_an_unknown_evaluated_one_is_refused_before_training(
        self, tmp_path: Path, synthetic: Path, unseen: Path
    ) -> None:
        config = small_config(synthetic, {"unseen": unseen}, runner__eval_dataloaders=["dev", "unsen"])
        message = "config: runner.eval_dataloaders: got 'unsen', expected one of train, dev, unseen, test"
        with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
            Experiment.make(tmp_path / "experiment", config).train()


class TestOptions:
    def test_o_overrides_the_config(self, tmp_path: Path, synthetic: Path) -> None:
        override = "config.runner.total_steps=4,,config.optimizer.lr=0.5,,config.downstream_expert.datarc.balance=loss"
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic)).train("-o", override)
        state = experiment.state(4)
        assert state["Optimizer"]["param_groups"][0]["lr"] == 0.5
        assert state["Config"]["downstream_expert"]["datarc"]["balance"] == "loss"

    def test_o_names_a_target_of_a_finished_experiment(
        self, experiment: Experiment, tmp_path: Path, unseen: Path
    ) -> None:
        override = f"config.downstream_expert.datarc.targets.later={unseen},,args.expdir='{tmp_path}'"
        experiment.evaluate("later", "-o", override)
        assert read_results(tmp_path)["later"]["utterances"] == 16

    def test_a_starts_when_there_is_nothing_to_resume(self, tmp_path: Path, synthetic: Path) -> None:
        assert Experiment.make(tmp_path / "experiment", small_config(synthetic)).train("-a").state(2)["Step"] == 2

    def test_a_scheduler_sets_the_learning_rate(self, tmp_path: Path, synthetic: Path) -> None:
        config = small_config(
            synthetic,
            runner__total_steps=4,
            runner__save_step=1,
            scheduler={"name": "linear_schedule_with_warmup", "num_warmup_steps": 2},
        )
        experiment = Experiment.make(tmp_path / "experiment", config).train()
        rates = [experiment.state(step)["Optimizer"]["param_groups"][0]["lr"] for step in (1, 2, 3, 4)]
        assert rates == pytest.approx([0.005, 0.01, 0.005, 0])

    def test_specaug_changes_what_is_learnt(self, tmp_path: Path, synthetic: Path) -> None:
        specaug = {"apply_time_warp": True, "freq_mask_width_range": [10, 40], "time_mask_width_range": [0, 10]}
        plain = Experiment.make(tmp_path / "plain", small_config(synthetic)).train()
        masked = Experiment.make(tmp_path / "masked", small_config(synthetic, specaug=specaug)).train()
        ours, theirs = (e.state(2)["Downstream"]["classifier.projector.weight"] for e in (plain, masked))
        assert not torch.equal(ours, theirs)

    def test_accumulated_batches_make_the_gradient_of_one_large_batch(self, tmp_path: Path, synthetic: Path) -> None:
        """With plain gradient descent, 2 x 4 utterances are 1 x 8; mean pooling lets no utterance touch another."""
        sgd = {"optimizer": {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": 0.1}}
        sizes = {"large": (8, 1), "accumulated": (4, 2)}
        weights = []
        for name, (batch, accumulate) in sizes.items():
            config = small_config(
                synthetic,
                **sgd,
                downstream_expert__datarc__train_batch_size=batch,
                runner__gradient_accumulate_steps=accumulate,
                runner__eval_dataloaders=[],
            )
            experiment = Experiment.make(tmp_path / name, config).train()
            weights.append(experiment.state(2)["Downstream"]["classifier.projector.weight"])
        torch.testing.assert_close(*weights)

    @pytest.mark.parametrize("balance", ["loss", "sampling"])
    def test_balanced_training_is_tested_and_resumed(
        self, tmp_path: Path, synthetic: Path, unseen: Path, balance: str
    ) -> None:
        config = small_config(synthetic, {"unseen": unseen}, downstream_expert__datarc__balance=balance)
        experiment = Experiment.make(tmp_path / "experiment", config).train()
        experiment.evaluate("unseen")
        run_downstream(
            *("-m", "train", "-e", experiment.folder, "--device", "cpu", "-o", "config.runner.total_steps=4")
        )
        assert experiment.state(4)["Step"] == 4

    @pytest.mark.parametrize(
        ("select", "options"),
        [
            ("UtteranceLevel", {"pooling": "MeanPooling"}),
            ("UtteranceLevel", {"pooling": "AttentivePooling"}),
            ("DeepModel", {"model_type": "CNNSelfAttention"}),
            ("DeepModel", {"model_type": "FCN"}),
            ("DeepModel", {"model_type": "DeepNet"}),
        ],
        ids=["mean", "attentive", "CNNSelfAttention", "FCN", "DeepNet"],
    )
    def test_every_head_trains_and_is_tested(
        self, tmp_path: Path, unseen: Path, select: str, options: dict[str, str]
    ) -> None:
        longer = tiny_corpus(tmp_path / "longer", seconds=0.8).root  # FCN needs 67 frames
        config = small_config(
            longer, {"longer": longer}, downstream_expert__modelrc={"select": select, select: options}
        )
        experiment = Experiment.make(tmp_path / "experiment", config, ("fbank_no_cmvn",)).train()
        experiment.evaluate("longer", checkpoint="states-2.ckpt")
        assert read_results(experiment.folder)["longer"]["utterances"] == 24

    def test_two_training_corpora_of_one_name_are_told_apart(
        self, tmp_path: Path, unseen: Path, synthetic: Path
    ) -> None:
        again = tiny_corpus(tmp_path / "synthetic", seed=3).root
        experiment = Experiment.make(tmp_path / "experiment", small_config([synthetic, again])).train()
        splits = json.loads((experiment.folder / "splits.json").read_text(encoding="utf-8"))
        ids = splits["train"] + splits["dev"]
        assert len(set(ids)) == len(ids) == 48
        assert {id_.split("/")[0] for id_ in splits["train"]} == {"synthetic", "synthetic-2"}
        assert {id_.split("/")[0] for id_ in splits["dev"]} == {"synthetic", "synthetic-2"}
        assert {row["corpus"] for row in predictions(experiment.folder, "dev")} == {"synthetic", "synthetic-2"}

    def test_a_dev_corpus_of_its_own(self, tmp_path: Path, synthetic: Path, unseen: Path) -> None:
        config = small_config(synthetic, downstream_expert__datarc__dev=str(unseen))
        experiment = Experiment.make(tmp_path / "experiment", config).train()
        splits = json.loads((experiment.folder / "splits.json").read_text(encoding="utf-8"))
        assert (len(splits["train"]), len(splits["dev"])) == (24, 16)


class TestInference:
    @pytest.mark.parametrize(("rate", "channels"), [(8000, 2), (44100, 1), (16000, 1)])
    def test_of_a_file_of_any_rate_and_channel_count(
        self, experiment: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str], rate: int, channels: int
    ) -> None:
        time = np.arange(rate) / rate
        wave = 0.3 * np.sin(2 * np.pi * 330 * time)
        path = tmp_path / f"tone-{rate}.wav"
        soundfile.write(path, np.stack([wave] * channels, axis=1), rate)

        capsys.readouterr()
        run_downstream(*("-m", "inference", "-e", experiment.folder / "dev-best.ckpt", "-t", path, "--device", "cpu"))
        printed = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert printed == json.loads((experiment.folder / f"inference-{path.stem}.json").read_text(encoding="utf-8"))
        assert printed["id"] == path.stem
        assert list(printed["probabilities"]) == CLASSES
        assert sum(printed["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert printed["emotion"] == max(CLASSES, key=lambda name: printed["probabilities"][name])

    def test_says_what_the_test_said(
        self, experiment: Experiment, unseen: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        row = predictions(experiment.folder, "near")[0]
        run_downstream(
            *("-m", "inference", "-e", experiment.folder / "dev-best.ckpt", "--device", "cpu"),
            *("-t", unseen / "audio" / f"{row['id']}.wav"),
        )
        printed = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert printed["probabilities"] == pytest.approx({name: float(row[f"p_{name}"]) for name in CLASSES}, abs=2e-5)

    def test_an_unreadable_file_is_named(self, experiment: Experiment, tmp_path: Path) -> None:
        path = tmp_path / "noise.wav"
        path.write_bytes(b"no audio")
        with pytest.raises(AudioError, match=rf"{re.escape(str(path))}: expected an audio file"):
            run_downstream(
                *("-m", "inference", "-e", experiment.folder / "dev-best.ckpt", "-t", path, "--device", "cpu")
            )


class TestBadAudio:
    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Path:
        root = tiny_corpus(tmp_path / "damaged").root
        (root / "audio" / "d00-00.wav").unlink()
        (root / "audio" / "d00-01.wav").write_bytes(b"no audio")
        soundfile.write(root / "audio" / "d00-02.wav", np.zeros(8000), 16000)
        soundfile.write(root / "audio" / "d00-03.wav", 0.1 * np.ones(100), 16000)
        return root

    def test_is_an_error_that_counts_and_names(self, tmp_path: Path, damaged: Path, synthetic: Path) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, {"damaged": damaged})).train()
        with pytest.raises(AudioError) as error:
            experiment.evaluate("damaged")
        assert re.fullmatch(
            r"damaged: bad audio in 4 of 24 utterances "
            r"\(1 missing, 1 unreadable, 1 silent, 1 too short\): "
            r"d00-00: .*d00-00\.wav: no such file; d00-01: .*expected an audio file: .*; "
            r"d00-02: is silent, its peak lies below -80 dB of full scale; "
            r"d00-03: lasts 0\.006 s, expected at least 0\.1 s\. Set datarc\.bad_audio to 'skip' to leave them out",
            str(error.value),
        )
        assert not (experiment.folder / "results.json").exists()

    @pytest.mark.parametrize("pre_load", [True, False])
    def test_is_skipped_and_counted_on_demand(
        self, tmp_path: Path, damaged: Path, capsys: pytest.CaptureFixture[str], pre_load: bool
    ) -> None:
        config = small_config(
            damaged,
            {"damaged": damaged},
            downstream_expert__datarc__bad_audio="skip",
            downstream_expert__datarc__pre_load=pre_load,
        )
        experiment = Experiment.make(tmp_path / "experiment", config).train()
        capsys.readouterr()
        experiment.evaluate("damaged")
        report = read_results(experiment.folder)["damaged"]
        assert report["utterances"] == 20
        assert report["bad_audio"] == {"missing": 1, "unreadable": 1, "silent": 1, "too short": 1}
        assert "damaged: bad audio in 4 of 24 utterances" in capsys.readouterr().out


class TestSafety:
    def test_every_checkpoint_is_read_with_the_safety_on(
        self, experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", raising=False)
        seen, load = [], torch.load

        def watched(*arguments: Any, **options: Any) -> Any:
            seen.append(options.get("weights_only"))
            return load(*arguments, **options)

        monkeypatch.setattr(torch, "load", watched)
        experiment.evaluate("near", "-o", f"args.expdir='{tmp_path}'")
        assert seen
        assert set(seen) <= {None, True}

    def test_a_checkpoint_that_runs_code_is_refused(self, experiment: Experiment, tmp_path: Path) -> None:
        marker = tmp_path / "ran"
        torch.save({**experiment.state(12), "Extra": _Payload(marker)}, tmp_path / "evil.ckpt")
        with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
            run_downstream("-m", "evaluate", "-e", tmp_path / "evil.ckpt", "-t", "near", "--device", "cpu")
        assert not marker.exists()


class _Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)
