"""Upstreams of s3prl's hub, as tiny random checkpoints."""

from pathlib import Path

import pytest
import torch

from tests.experiment import Experiment, small_config
from tests.tiny_checkpoints import BUILDERS, build
from zero_shot_emotion.results import read_results


@pytest.mark.parametrize("upstream", BUILDERS)
def test_trains_and_evaluates_on_a_checkpoint_given_by_k(
    upstream: str, tmp_path: Path, synthetic: Path, unseen: Path
) -> None:
    config = small_config(synthetic, {"unseen": unseen})
    checkpoint = build(upstream, tmp_path)
    experiment = Experiment.make(tmp_path / "experiment", config, (upstream, "-k", checkpoint)).train()

    state = experiment.state(2)
    assert state["Featurizer"]["weights"].shape == (3,)  # two layers, and what comes out of the encoder or goes in
    assert state["Featurizer"]["weights"].any()
    assert state["Downstream"]["classifier.projector.weight"].shape == (16, 32)
    assert "Upstream" not in state

    experiment.evaluate("unseen")
    report = read_results(experiment.folder)["unseen"]
    assert (report["utterances"], report["upstream"], report["upstream_ckpt"]) == (16, upstream, str(checkpoint))


def test_f_trains_the_upstream_and_keeps_it_in_the_checkpoint(tmp_path: Path, synthetic: Path, unseen: Path) -> None:
    upstream = ("data2vec_local", "-k", build("data2vec_local", tmp_path))
    config = small_config(synthetic, {"unseen": unseen}, runner__save_step=1)
    experiment = Experiment.make(tmp_path / "experiment", config, upstream).train("-f")

    first, second = (experiment.state(step)["Upstream"] for step in (1, 2))
    moved = {name for name in first if not torch.equal(first[name], second[name])}
    assert any("encoder.layers.0" in name for name in moved)
    assert not any("feature_extractor" in name for name in moved)  # s3prl gives the convolutions no gradient

    experiment.evaluate("unseen")
    assert read_results(experiment.folder)["unseen"]["utterances"] == 16
