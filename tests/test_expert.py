"""The expert by itself: losses, records, the choice of the checkpoint, what it keeps in a checkpoint."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.experiment import small_config
from zero_shot_emotion.dataset import class_weights
from zero_shot_emotion.expert import DownstreamExpert
from zero_shot_emotion.testing import tiny_corpus


class Logger:
    """Stands in for TensorBoard's writer."""

    def __init__(self) -> None:
        self.scalars: dict[str, float] = {}
        self.figures: list[str] = []

    def add_scalar(self, tag: str, value: float, global_step: int) -> None:
        self.scalars[tag] = value

    def add_figure(self, tag: str, figure: object, global_step: int) -> None:
        self.figures.append(tag)


def expert(folder: Path, train: object, mode: str = "train", **changes: Any) -> DownstreamExpert:
    config = small_config(train, **changes)
    torch.manual_seed(0)
    return DownstreamExpert(upstream_dim=8, upstream_rate=160, expdir=str(folder), mode=mode, seed=1, **config)


def features(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, 8, generator=generator) for length in lengths]


def records_of(truth: list[int], predicted: list[int]) -> dict[str, list]:
    shares = np.full((len(truth), 4), 0.1)
    shares[np.arange(len(truth)), predicted] = 0.7
    ids = [f"d05-{turn:02d}" for turn in range(len(truth))]
    return {"id": ids, "truth": truth, "probabilities": shares.tolist(), "loss": [1.0, 2.0, 3.0, 6.0]}


@pytest.fixture
def dev_ids(tmp_path: Path, synthetic: Path) -> list[str]:
    return [entry.id for entry in expert(tmp_path, synthetic)._sources.get("dev").entries][:4]


class TestForward:
    def test_records_what_was_predicted(self, tmp_path: Path, synthetic: Path) -> None:
        model, records = expert(tmp_path, synthetic).eval(), defaultdict(list)
        loss = model("dev", features(5, 9, 7), [0, 1, 3], ["a", "b", "c"], records)
        logits = model.classifier(features(5, 9, 7))
        assert loss.item() == pytest.approx(nn.functional.cross_entropy(logits, torch.tensor([0, 1, 3])).item())
        assert (records["id"], records["truth"]) == (["a", "b", "c"], [0, 1, 3])
        np.testing.assert_allclose(records["probabilities"], logits.softmax(dim=1).tolist(), rtol=1e-5)
        assert records["loss"] == [pytest.approx(loss.item())] * 3

    def test_weighs_classes_in_training_alone(self, tmp_path: Path) -> None:
        corpus = tiny_corpus(tmp_path / "corpus", dialogues=7, turns=3)  # classes come in unequal numbers
        model = expert(tmp_path, corpus.root, downstream_expert__datarc__balance="loss")
        labels = model._dataset("train").labels
        weights = torch.tensor(class_weights(labels, 4), dtype=torch.float)
        assert len(set(weights.tolist())) > 1

        given, truth = features(5, 9, 7, 6), [0, 1, 2, 3]
        logits = model.classifier(given)
        weighed = nn.functional.cross_entropy(logits, torch.tensor(truth), weights)
        plain = nn.functional.cross_entropy(logits, torch.tensor(truth))
        ids = list("abcd")
        assert model("train", given, truth, ids, defaultdict(list)).item() == pytest.approx(weighed.item())
        for split in ("train", "dev"):
            assert model.eval()(split, given, truth, ids, defaultdict(list)).item() == pytest.approx(plain.item())


class TestLogRecords:
    def test_a_training_log_writes_curves_alone(self, tmp_path: Path, synthetic: Path, dev_ids: list[str]) -> None:
        model, logger = expert(tmp_path, synthetic), Logger()
        records = {**records_of([0, 0, 1, 2], [0, 1, 1, 1]), "id": dev_ids}
        assert model.log_records("train", records, logger, global_step=7, batch_ids=[0], total_batch_num=1) == []
        assert logger.scalars == pytest.approx(
            {
                "zero_shot_emotion/train-UAR": 0.5,
                "zero_shot_emotion/train-WA": 0.5,
                "zero_shot_emotion/train-macro-F1": (2 / 3 + 1 / 2 + 0) / 3,
                "zero_shot_emotion/train-loss": 3.0,
            }
        )
        assert logger.figures == []
        assert not list(tmp_path.glob("*.csv"))
        log = "train at step 7: UAR 0.5000, WA 0.5000, macro-F1 0.3889\n"
        assert (tmp_path / "log.log").read_text(encoding="utf-8") == log

    @pytest.mark.parametrize(("metric", "better"), [("UAR", True), ("WA", False), ("macro-F1", True)])
    def test_the_metric_of_the_config_chooses(
        self, tmp_path: Path, synthetic: Path, dev_ids: list[str], metric: str, better: bool
    ) -> None:
        """Always guessing the commonest class is right more often, and worse by recall."""
        model = expert(tmp_path, synthetic, downstream_expert__datarc__dev_metric=metric).eval()
        lazy, keen = [0, 0, 0, 0], [0, 1, 1, 1]
        saved = [
            model.log_records(
                "dev",
                {**records_of([0, 0, 0, 1], predicted), "id": dev_ids},
                Logger(),
                global_step=step,
                batch_ids=[0],
                total_batch_num=1,
            )
            for step, predicted in ((1, lazy), (2, keen))
        ]
        assert saved == [["dev-best.ckpt"], ["dev-best.ckpt"] if better else []]

    @pytest.mark.parametrize("right", range(5))
    def test_a_tie_is_no_new_best_and_a_first_score_of_nothing_is(
        self, tmp_path: Path, synthetic: Path, dev_ids: list[str], right: int
    ) -> None:
        model = expert(tmp_path, synthetic).eval()
        truth = [0, 1, 2, 3]
        predicted = [label if label < right else (label + 1) % 4 for label in truth]
        records = {**records_of(truth, predicted), "id": dev_ids}
        logger = Logger()
        saved = [
            model.log_records("dev", records, logger, global_step=step, batch_ids=[0], total_batch_num=1)
            for step in (1, 2)
        ]
        assert saved == [["dev-best.ckpt"], []]
        assert logger.figures == ["zero_shot_emotion/dev-confusion"]  # of the best alone: drawing takes time
        assert model.best_score.item() == pytest.approx(right / 4)

    def test_a_tie_of_a_score_that_32_bits_round_down_is_no_new_best(self, tmp_path: Path, synthetic: Path) -> None:
        model = expert(tmp_path, synthetic)
        assert float(np.float32(0.7)) < 0.7
        assert model._best("dev", 0.7, step=1) == ["dev-best.ckpt"]
        assert model._best("dev", 0.7, step=2) == []
        assert model._best("dev", 0.8, step=3) == ["dev-best.ckpt"]

    def test_dev_predictions_stay_those_of_the_best_checkpoint(
        self, tmp_path: Path, synthetic: Path, dev_ids: list[str]
    ) -> None:
        """A fusion is weighed by them and tests that checkpoint, not the last step."""
        model, truth = expert(tmp_path, synthetic).eval(), [0, 1, 2, 3]
        for step, predicted in enumerate(([0, 0, 0, 0], truth, [0, 1, 1, 1])):
            records = {**records_of(truth, predicted), "id": dev_ids}
            model.log_records("dev", records, Logger(), global_step=step, batch_ids=[0], total_batch_num=1)
        with (tmp_path / "predictions-dev.csv").open(encoding="utf-8", newline="") as file:
            assert all(row["truth"] == row["predicted"] for row in csv.DictReader(file))

    @pytest.mark.parametrize("split", ["train", "target"])
    def test_nothing_but_dev_chooses(self, tmp_path: Path, synthetic: Path, dev_ids: list[str], split: str) -> None:
        model = expert(tmp_path, synthetic, downstream_expert__datarc__targets={"target": str(synthetic)}).eval()
        ids = [entry.id for entry in model._sources.get(split).entries][:4]
        records, logger = {**records_of([0, 1, 2, 3], [0, 1, 2, 3]), "id": ids}, Logger()
        assert model.log_records(split, records, logger, global_step=1, batch_ids=[0], total_batch_num=1) == []
        assert logger.figures == [f"zero_shot_emotion/{split}-confusion"]
        with (tmp_path / f"predictions-{split}.csv").open(encoding="utf-8", newline="") as file:
            assert [row["id"] for row in csv.DictReader(file)] == ids


class TestCheckpoint:
    def test_holds_the_head_the_best_score_and_the_position(self, tmp_path: Path, synthetic: Path) -> None:
        model = expert(tmp_path, synthetic, downstream_expert__datarc__balance="loss")
        model.get_dataloader("train", epoch=0)
        extra = {key for key in model.state_dict() if not key.startswith("classifier.")}
        assert extra == {"best_score", "position"}

    def test_position_counts_the_batches_of_the_epoch(self, tmp_path: Path, synthetic: Path) -> None:
        model = expert(tmp_path, synthetic)
        loader = iter(model.get_dataloader("train", epoch=2))
        next(loader)
        next(loader)
        assert model.position.tolist() == [2, 2]
        rest = [ids for _, _, ids in model.get_dataloader("train", epoch=2)]
        whole = [ids for _, _, ids in expert(tmp_path, synthetic).get_dataloader("train", epoch=2)]
        assert rest == whole[2:]
        assert len(whole) == 4

    def test_an_evaluation_leaves_the_position_alone(self, tmp_path: Path, synthetic: Path) -> None:
        model = expert(tmp_path, synthetic)
        next(iter(model.get_dataloader("train", epoch=1)))
        for split in ("train", "dev"):
            ids = [id_ for _, _, batch in model.get_dataloader(split) for id_ in batch]
            assert ids == [entry.id for entry in model._sources.get(split).entries]
        assert model.position.tolist() == [1, 1]


def test_what_is_trained_on_is_written_down(tmp_path: Path, synthetic: Path) -> None:
    model = expert(tmp_path, synthetic)
    assert not (tmp_path / "splits.json").exists()
    model.get_dataloader("train", epoch=0)
    splits = json.loads((tmp_path / "splits.json").read_text(encoding="utf-8"))
    assert splits == {split: [e.id for e in model._sources.get(split).entries] for split in ("train", "dev")}


def test_targets_alone_need_no_training_corpus(tmp_path: Path, synthetic: Path) -> None:
    model = expert(tmp_path, [], mode="evaluate", downstream_expert__datarc__targets={"target": str(synthetic)})
    assert sum(len(ids) for _, _, ids in model.get_dataloader("target")) == 24
