"""What is wrong is said before the first step, not after hours; and what another model left is not left beside it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.experiment import Experiment, small_config
from zero_shot_emotion.audio import AudioError
from zero_shot_emotion.corpus import Corpus, CorpusError
from zero_shot_emotion.dataset import EmotionDataset
from zero_shot_emotion.errors import DivergedError
from zero_shot_emotion.expert import STRIKES
from zero_shot_emotion.features import UpstreamSpec, extract
from zero_shot_emotion.results import read_results
from zero_shot_emotion.settings import ConfigError
from zero_shot_emotion.testing import tiny_corpus

MEAN = {"projector_dim": 16}
"""The default head: a projection, and the mean over the frames."""


def changed(source: Path, folder: Path, **columns: Any) -> Path:
    """A corpus with other columns, whose audio stays where it is."""
    corpus = Corpus.load(source)
    utterances = tuple(u.with_(**{"file_name": str(corpus.audio_path(u).resolve()), **columns}) for u in corpus)
    Corpus(folder.name, folder, utterances).save(folder)
    return folder


def refused(folder: Path, config: dict[str, Any], error: type[Exception], *options: object) -> str:
    """What a training that must not begin says; nothing was trained."""
    experiment = Experiment.make(folder / "experiment", config)
    with pytest.raises(error) as raised:
        experiment.train(*options)
    assert not list(experiment.folder.glob("*.ckpt"))
    return str(raised.value)


class TestTargets:
    @pytest.fixture(autouse=True)
    def _nothing_is_decoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(EmotionDataset, "__init__", None)

    @pytest.mark.parametrize(
        ("columns", "spec", "message"),
        [
            (None, "nowhere", r"target 'far': corpus '.*nowhere': .*nowhere: no such file or folder"),
            ({}, "far#test", r"target 'far': corpus '.*far#test': split: got 'test', expected no split: .*"),
            ({"file_name": None}, "far", r"corpus 'far': the utterance 'd00-00' has no audio, only text"),
            ({"label": "fru"}, "far", r"far: no utterance is left in the label set 'four'; dropped: fru 16"),
            ({"file_name": "gone.wav"}, "far", r"far: none of its 16 audio files is there, such as .*far/gone\.wav"),
        ],
        ids=["path", "split", "text alone", "labels", "files"],
    )
    def test_one_that_cannot_be_tested_on_is_refused(
        self, tmp_path: Path, synthetic: Path, unseen: Path, columns: dict[str, Any] | None, spec: str, message: str
    ) -> None:
        if columns is not None:
            changed(unseen, tmp_path / "far", **columns)
        config = small_config(synthetic, {"near": unseen, "far": tmp_path / spec})
        error = AudioError if "gone" in message else CorpusError
        assert re.fullmatch(message, refused(tmp_path, config, error))


def test_some_missing_files_of_a_target_are_warned_of(
    tmp_path: Path, synthetic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = tiny_corpus(tmp_path / "far", dialogues=2).root
    gone = far / "audio" / "d01-00.wav"
    gone.unlink()
    config = small_config(synthetic, {"far": far})
    warning = f"[Expert] - far: WARNING: 1 of 8 audio files are missing, such as {gone}: its test will be refused"

    Experiment.make(tmp_path / "strict", config).train()
    assert warning in capsys.readouterr().out
    config["downstream_expert"]["datarc"]["bad_audio"] = "skip"
    Experiment.make(tmp_path / "lenient", config).train()
    assert "WARNING" not in capsys.readouterr().out


class TestSets:
    def test_one_class_is_nothing_to_learn(self, tmp_path: Path, synthetic: Path) -> None:
        angry = changed(synthetic, tmp_path / "angry", label="ang")
        message = r"train: all \d+ utterances are 'ang', expected at least two classes"
        assert re.fullmatch(message, refused(tmp_path, small_config(angry), CorpusError))

    def test_classes_that_train_lacks_are_told(
        self, tmp_path: Path, synthetic: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        config = small_config(synthetic, downstream_expert__datarc__labels="six")
        Experiment.make(tmp_path / "experiment", config).train()
        told = "[Expert] - train: WARNING: holds no fea, dis: the model will not learn to say so\n"
        assert told in capsys.readouterr().out

    def test_bad_audio_of_dev_is_known_before_the_first_step(self, tmp_path: Path, synthetic: Path) -> None:
        dev = changed(synthetic, tmp_path / "dev", file_name="gone.wav")
        config = small_config(synthetic, downstream_expert__datarc__dev=[str(dev)])
        assert refused(tmp_path, config, AudioError).startswith("dev: bad audio in 24 of 24 utterances (24 missing): ")
        assert not (tmp_path / "experiment" / "log.log").exists()

    def test_numbers_are_no_labels(self, tmp_path: Path, synthetic: Path) -> None:
        corpus = changed(synthetic, tmp_path / "numbers") / "metadata.jsonl"
        corpus.write_text(re.sub(r'"label":"\w+"', '"label":3', corpus.read_text(encoding="utf-8")), encoding="utf-8")
        message = f"{corpus}:1: label: got the number 3, expected the emotion's name, such as 'ang'"
        assert refused(tmp_path, small_config(corpus.parent), CorpusError) == message

    def test_nor_classes(self, tmp_path: Path, synthetic: Path) -> None:
        config = small_config(synthetic, downstream_expert__datarc__labels={"classes": [0, 1]})
        assert refused(tmp_path, config, ConfigError) == (
            "config: downstream_expert.datarc.labels: got {'classes': [0, 1]}, expected a label set, but its "
            "classes.0: got 0, expected text"
        )


class TestSchedule:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"optimizer__lr": -1.0},
                "config: optimizer.lr: got -1.0, expected at least 0",
            ),
            (
                {"optimizer__lr": "1e-4"},
                "config: optimizer.lr: got '1e-4', expected a number (YAML takes 1e-4 for text, 1.0e-4 for a number)",
            ),
            ({"optimizer__lr": float("nan")}, "config: optimizer.lr: got nan, expected at least 0"),
            ({"optimizer": None}, "config: optimizer: got None, expected a section of s3prl's downstream config"),
            (
                {"runner__eval_step": 0},
                "config: runner.eval_step: got 0, expected at least 1",
            ),
            (
                {"runner__total_steps": "2"},
                "config: runner.total_steps: got '2', expected a number (YAML takes 1e-4 for text, ",
            ),
            ({"runner": {"total_steps": 2}}, "config: runner.gradient_clipping: missing"),
            (
                {"runner__eval_step": 1000, "runner__save_step": 500},
                "config: runner.total_steps: got 2, expected at least eval_step (1000, with dev in eval_dataloaders) "
                "or save_step (500): the training would leave no checkpoint",
            ),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
    )
    def test_what_s3prl_would_fail_on_is_refused(
        self, tmp_path: Path, synthetic: Path, changes: dict[str, Any], message: str
    ) -> None:
        assert refused(tmp_path, small_config(synthetic, **changes), ConfigError).startswith(message)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"runner__eval_step": 5}, "runner.eval_step is 5, above total_steps (2)"),
            ({"runner__eval_dataloaders": []}, "runner.eval_dataloaders does not name dev"),
        ],
        ids=["never comes", "without dev"],
    )
    def test_a_training_without_a_best_checkpoint_says_so(
        self, tmp_path: Path, synthetic: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], why: str
    ) -> None:
        experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, **changes)).train()
        told = f"[Expert] - WARNING: {why}: dev is never looked at, and no dev-best.ckpt comes of the training\n"
        assert told in capsys.readouterr().out
        assert [path.name for path in experiment.folder.glob("*.ckpt")] == ["states-2.ckpt"]

    def test_a_learning_rate_of_0_is_told(
        self, tmp_path: Path, synthetic: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It has its use: what another experiment's weights say, by ``-i``."""
        Experiment.make(tmp_path / "experiment", small_config(synthetic, optimizer__lr=0.0)).train()
        assert "[Expert] - WARNING: optimizer.lr is 0: nothing is learnt\n" in capsys.readouterr().out


class TestMeansOfZero:
    """s3prl's CMVN leaves no mean to its own upstreams; which of them have it, their own configs say."""

    @staticmethod
    def normalised(name: str) -> bool:
        from s3prl import hub

        config = getattr(hub, name)().config
        return bool(config["cmvn"]["use_cmvn"] if "cmvn" in config else config["input"]["cmvn"])

    @pytest.mark.parametrize("name", ["fbank", "mfcc", "mel", "linear", "spectrogram", "fbank_no_cmvn"])
    def test_are_refused_where_the_head_hears_nothing_else(self, tmp_path: Path, synthetic: Path, name: str) -> None:
        config = small_config(synthetic, downstream_expert__modelrc=MEAN)
        experiment = Experiment.make(tmp_path / "experiment", config, (name,))
        if not self.normalised(name):
            experiment.train()
            return
        with pytest.raises(ConfigError) as error:
            experiment.train()
        assert str(error.value) == (
            f"-u {name}: its features have a mean of zero over each utterance, and the mean is all that this head "
            "hears: nothing would be learnt. Take an upstream that does not subtract it, such as fbank_no_cmvn, or a "
            "head that looks at frames, such as pooling: AttentivePooling or a pre_net with hiddens in "
            "modelrc.UtteranceLevel"
        )
        assert not list(experiment.folder.glob("*.ckpt"))

    @pytest.mark.parametrize(
        ("head", "hears"),
        [
            ({"UtteranceLevel": {"pooling": "AttentivePooling"}}, True),
            ({"UtteranceLevel": {"pre_net": {"FrameLevel": {"hiddens": [8]}}}}, True),
            ({"UtteranceLevel": {"pre_net": {"FrameLevel": {"hiddens": [8], "activation": "Identity"}}}}, False),
            ({"UtteranceLevel": {"pre_net": {}}}, False),
            ({"select": "DeepModel", "DeepModel": {"model_type": "DeepNet"}}, True),
        ],
        ids=["attentive", "non-linear", "identity", "linear", "DeepModel"],
    )
    def test_do_for_heads_that_look_at_frames(
        self, tmp_path: Path, synthetic: Path, head: dict[str, Any], hears: bool
    ) -> None:
        config = small_config(synthetic, downstream_expert__modelrc={**MEAN, **head})
        experiment = Experiment.make(tmp_path / "experiment", config)
        if hears:
            experiment.train()
        else:
            with pytest.raises(ConfigError, match="the mean is all that this head hears"):
                experiment.train()

    def test_are_refused_of_stored_frames_too(self, tmp_path: Path, synthetic: Path) -> None:
        extract([Corpus.load(synthetic)], UpstreamSpec("fbank"), tmp_path / "store", keep="frames", device="cpu")
        config = small_config(synthetic, downstream_expert__modelrc=MEAN)
        experiment = Experiment.make(tmp_path / "experiment", config, ("stored", "-k", tmp_path / "store"))
        with pytest.raises(ConfigError, match=r"^-u stored: its features have a mean of zero over each utterance"):
            experiment.train()

    def test_are_seen_behind_specaugment_at_the_first_evaluation(self, tmp_path: Path, synthetic: Path) -> None:
        masks = {"apply_time_mask": True, "time_mask_width_range": [5, 20], "apply_time_warp": False}
        config = small_config(synthetic, downstream_expert__modelrc=MEAN, specaug={**masks, "apply_freq_mask": False})
        with pytest.raises(ConfigError, match=r"^-u fbank: its features have a mean of zero over each utterance"):
            Experiment.make(tmp_path / "experiment", config).train()
        assert not list((tmp_path / "experiment").glob("*.ckpt"))


class TestDivergence:
    def config(self, synthetic: Path, **changes: Any) -> dict[str, Any]:
        optimizer = {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": 1e30}
        return small_config(synthetic, optimizer=optimizer, runner__gradient_clipping=1e30, **changes)

    def test_losses_that_stay_no_numbers_end_the_training(
        self, tmp_path: Path, synthetic: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        steps = {"runner__total_steps": 200, "runner__eval_step": 200, "runner__save_step": 200}
        message = refused(tmp_path, self.config(synthetic, **steps), DivergedError)
        assert re.fullmatch(
            rf"the loss of a batch is (nan|inf), as were those of the {STRIKES - 1} before it: the model has diverged, "
            r"or the features are no numbers\. Try a lower learning rate \(optimizer\.lr is 1e\+30\), or a lower "
            r"runner\.gradient_clipping",
            message,
        )
        assert re.search(
            r"^.*WARNING: the loss of a batch is (nan|inf): it teaches nothing$", capsys.readouterr().out, re.M
        )

    def test_a_model_that_says_no_numbers_is_no_best_one(self, tmp_path: Path, synthetic: Path) -> None:
        steps = {"runner__total_steps": 8, "runner__eval_step": 8, "runner__save_step": 100}
        message = "dev: the model says no number of any utterance: it diverged in its training"
        assert refused(tmp_path, self.config(synthetic, **steps), DivergedError) == message


class TestTrainingAnew:
    """Under the name of an experiment that was trained and tested before."""

    @pytest.fixture
    def before(self, tmp_path: Path, synthetic: Path, unseen: Path) -> Experiment:
        config = small_config(synthetic, {"unseen": unseen}, runner__total_steps=4)
        experiment = Experiment.make(tmp_path / "experiment", config).train()
        experiment.evaluate("unseen")
        return experiment

    def test_moves_what_belongs_to_the_older_model(
        self, before: Experiment, capsys: pytest.CaptureFixture[str]
    ) -> None:
        older = {name: content for name, content in held(before.folder).items() if not re.match("args_|config_", name)}
        capsys.readouterr()
        before.train("-o", "config.runner.total_steps=2")
        aside = before.folder / "earlier-1"
        assert held(aside) == older
        assert {"results.json", "predictions-unseen.csv", "unseen_predict.txt", "dev-best.ckpt"} <= older.keys()
        names = {p.name for p in before.folder.iterdir()}
        assert not {"results.json", "predictions-unseen.csv", "unseen_predict.txt", "states-4.ckpt"} & names
        assert {"dev-best.ckpt", "states-2.ckpt", "log.log", "splits.json"} <= names
        assert (
            f"[Expert] - {before.folder} holds an earlier training: its files (dev-best.ckpt, states-2.ckpt, "
            f"states-4.ckpt and {len(older) - 3} more) are in {aside} from now on\n"
        ) in capsys.readouterr().out

    def test_twice_keeps_both(self, before: Experiment) -> None:
        before.train().train()
        assert (before.folder / "earlier-1" / "results.json").exists()
        assert (before.folder / "earlier-2" / "dev-best.ckpt").exists()
        assert not (before.folder / "earlier-2" / "results.json").exists()

    @pytest.mark.parametrize("how", ["-a", "-e"])
    def test_going_on_moves_nothing(self, before: Experiment, how: str) -> None:
        options = [how] if how == "-a" else [how, before.folder]
        before.train(*options, "-o", "config.runner.total_steps=6")
        assert before.state(6)["Step"] == 6
        assert read_results(before.folder).keys() == {"unseen"}
        assert not list(before.folder.glob("earlier-*"))

    def test_what_is_refused_moves_nothing(self, before: Experiment) -> None:
        with pytest.raises(CorpusError, match="nowhere: no such file or folder"):
            before.train("-o", "config.downstream_expert.datarc.train=['nowhere']")
        assert read_results(before.folder).keys() == {"unseen"}
        assert not list(before.folder.glob("earlier-*"))


def held(folder: Path) -> dict[str, bytes]:
    """Each file of a folder; of TensorBoard's, which a thread still writes, the name alone."""
    return {p.name: b"" if "tfevents" in p.name else p.read_bytes() for p in folder.iterdir()}


def test_probabilities_that_are_no_numbers_are_counted(
    tmp_path: Path, synthetic: Path, unseen: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One utterance whose features overflow costs no test, but it is said."""
    experiment = Experiment.make(tmp_path / "experiment", small_config(synthetic, {"unseen": unseen})).train()
    real = EmotionDataset.__getitem__

    def broken(self: EmotionDataset, index: int) -> Any:
        wave, label, name = real(self, index)
        return (np.full_like(wave, np.nan) if name == "d01-02" else wave), label, name

    monkeypatch.setattr(EmotionDataset, "__getitem__", broken)
    experiment.evaluate("unseen")
    assert (
        "WARNING: unseen: the probabilities of 1 of 16 utterances are no numbers, such as those of d01-02: "
        "they count as neu\n"
    ) in capsys.readouterr().out
    assert torch.isfinite(torch.tensor(read_results(experiment.folder)["unseen"]["UAR"]["value"]))
