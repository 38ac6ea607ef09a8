"""Training and testing on stored features against the same on the upstream itself, by s3prl's own command."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.experiment import Experiment, small_config
from tests.tiny_checkpoints import BUILDERS, build
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.features import UpstreamSpec, extract

STEPS = {"runner__total_steps": 6, "runner__log_step": 3, "runner__eval_step": 3, "runner__save_step": 3}
# By themselves: s3prl's featurizer lets a frame or two of a batch's padding into the shorter utterances.
ALONE = {
    "optimizer__lr": 1e-3,
    "runner__gradient_accumulate_steps": 4,
    "downstream_expert__datarc__train_batch_size": 1,
    "downstream_expert__datarc__eval_batch_size": 1,
}
LINEAR = {"downstream_expert__modelrc": {"projector_dim": 16}}
MEL = """
win_ms: 25
hop_ms: 10
n_freq: 201
n_mels: 40
n_mfcc: 13
input: {feat_type: mel, channel: 0, log: true, delta: 0, cmvn: false}
"""
NETWORKS = ("data2vec_local", "hubert_local", "wavlm_local", "hf_wav2vec2_custom")


def config(train: Path, target: Path, **changes: Any) -> dict[str, Any]:
    return small_config(train, {"unseen": target}, **{**STEPS, **ALONE, **LINEAR, **changes})


def store_of(
    folder: Path, upstream: str, corpora: list[Path], keep: str = "means"
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """How s3prl's command names an upstream, and how it names its stored features."""
    ckpt = str(build(upstream, folder)) if upstream in BUILDERS else None
    spec = UpstreamSpec(upstream, ckpt)
    options: tuple[object, ...] = ("-k", ckpt) if ckpt else ()
    if upstream == "baseline_local":
        (folder / "mel.yaml").write_text(MEL, encoding="utf-8")
        spec = UpstreamSpec(upstream, config=str(folder / "mel.yaml"))
        options = ("-g", folder / "mel.yaml")
    extract([Corpus.load(c) for c in corpora], spec, folder / "store", keep=keep, device="cpu")
    return (upstream, *options), ("stored", "-k", folder / "store")


def probabilities(folder: Path, split: str) -> np.ndarray:
    with (folder / f"predictions-{split}.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["id"])
    return np.array([[float(value) for name, value in row.items() if name.startswith("p_")] for row in rows])


@pytest.mark.parametrize("upstream", ["fbank_no_cmvn", "baseline_local", *NETWORKS])
def test_predictions_are_the_upstreams_over_training_too(
    upstream: str, tmp_path: Path, synthetic: Path, unseen: Path
) -> None:
    names = store_of(tmp_path, upstream, [synthetic, unseen])
    folders = []
    for kind, name in zip(("itself", "stored"), names, strict=True):
        experiment = Experiment.make(tmp_path / kind, config(synthetic, unseen), name).train()
        experiment.evaluate("unseen", checkpoint="states-6.ckpt")
        experiment.evaluate("dev", checkpoint="states-3.ckpt")
        folders.append(experiment)
    itself, stored = folders
    for split in ("unseen", "dev"):
        expected, found = (probabilities(e.folder, split) for e in (itself, stored))
        assert np.ptp(expected, axis=0).max() > 1e-4  # there is something to get wrong
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    for section in ("Downstream", "Featurizer"):
        for name, value in itself.state(6)[section].items():
            torch.testing.assert_close(stored.state(6)[section][name], value, rtol=0, atol=1e-4)
