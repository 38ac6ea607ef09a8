"""Training and testing on stored features against the same on the upstream itself, by s3prl's own command."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.experiment import Experiment, run_downstream, small_config
from tests.tiny_checkpoints import BUILDERS, build
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.features import StoreError, UpstreamSpec, extract
from zero_shot_emotion.results import read_results
from zero_shot_emotion.testing import tiny_corpus

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
NORMALISE = "--upstream_feature_normalize"
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


@pytest.fixture(scope="module")
def hubert(
    tmp_path_factory: pytest.TempPathFactory, synthetic: Path, unseen: Path
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return store_of(tmp_path_factory.mktemp("hubert"), "hubert_local", [synthetic, unseen])


def stored(folder: Path, hubert: tuple[Any, Any], config: dict[str, Any], *options: object) -> Experiment:
    return Experiment.make(folder / "experiment", config, (*hubert[1], *options))


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW"])
def test_fused_adam_gives_the_same_predictions(
    tmp_path: Path, hubert: tuple[Any, Any], synthetic: Path, unseen: Path, optimizer: str
) -> None:
    """It is what the shipped grids train with: a seventh less time a step."""
    steps = {"runner__total_steps": 60, "runner__eval_step": 60, "runner__save_step": 60}
    found = []
    for fused in (False, True):
        changes = {**steps, "optimizer__torch_optim_name": optimizer, "optimizer__fused": fused}
        experiment = stored(tmp_path / str(fused), hubert, config(synthetic, unseen, **changes)).train()
        experiment.evaluate("unseen", checkpoint="states-60.ckpt")
        found.append(probabilities(experiment.folder, "unseen"))
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
    assert found[0].std(axis=0).max() > 1e-3  # it has learnt something


@pytest.mark.parametrize("options", [("-s", "last_hidden_state"), ("-l", "1"), ("-l", "0", NORMALISE)])
def test_selecting_a_layer_is_the_upstreams_too(
    options: tuple[object, ...], tmp_path: Path, hubert: tuple[Any, Any], synthetic: Path, unseen: Path
) -> None:
    states = []
    for kind, name in zip(("itself", "stored"), hubert, strict=True):
        experiment = Experiment.make(tmp_path / kind, config(synthetic, unseen), (*name, *options)).train()
        states.append(experiment.state(6)["Downstream"])
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=0, atol=1e-4)


def test_a_checkpoint_serves_the_upstream_itself_and_new_files(
    tmp_path: Path, hubert: tuple[Any, Any], synthetic: Path, unseen: Path
) -> None:
    (name, _, ckpt), _ = hubert
    experiment = stored(tmp_path, hubert, config(synthetic, unseen)).train()
    experiment.evaluate("unseen")
    expected = probabilities(experiment.folder, "unseen")
    report = read_results(experiment.folder)["unseen"]
    assert (report["upstream"], report["features"]["upstream"]) == ("stored", "hubert_local")

    itself = f"args.upstream={name},,args.upstream_ckpt={ckpt}"
    experiment.evaluate("unseen", "-o", itself)
    np.testing.assert_allclose(probabilities(experiment.folder, "unseen"), expected, rtol=0, atol=1e-5)

    wav = next((unseen / "audio").glob("*.wav"))
    answers = []
    for options in ((), ("-o", itself)):
        best = experiment.folder / "dev-best.ckpt"
        run_downstream("-m", "inference", "-e", best, "-t", wav, "--device", "cpu", *options)
        answers.append(json.loads((experiment.folder / f"inference-{wav.stem}.json").read_text(encoding="utf-8")))
    assert answers[0]["probabilities"] == pytest.approx(answers[1]["probabilities"], abs=1e-5)


def test_all_frames_serve_any_head(tmp_path: Path, synthetic: Path, unseen: Path) -> None:
    names = store_of(tmp_path, "hubert_local", [synthetic, unseen], keep="frames")
    attentive = {"downstream_expert__modelrc": {"projector_dim": 16, "UtteranceLevel": {"pooling": "AttentivePooling"}}}
    found = []
    for kind, name in zip(("itself", "stored"), names, strict=True):
        experiment = Experiment.make(tmp_path / kind, config(synthetic, unseen, **attentive), name).train()
        experiment.evaluate("unseen")
        found.append(probabilities(experiment.folder, "unseen"))
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-2)  # half precision


DEEP = {"projector_dim": 16, "select": "DeepModel"}
PRE_NET = {"projector_dim": 16, "UtteranceLevel": {"pre_net": {"FrameLevel": {"hiddens": [8]}}}}
ATTENTIVE = {"projector_dim": 16, "UtteranceLevel": {"pooling": "AttentivePooling"}}
SPECAUG = {"apply_time_warp": False, "apply_time_mask": True, "apply_freq_mask": False}


@pytest.mark.parametrize(
    ("changes", "options", "reason"),
    [
        ({}, ("-f",), r"-f: stored features are of a frozen upstream"),
        ({}, ("-s", "hidden_state_9"), r"-s hidden_state_9: is not stored in .*, expected one of hidden_states, "),
        ({}, (NORMALISE,), r"--upstream_feature_normalize: normalises each frame, and the store keeps the mean"),
        ({"specaug": SPECAUG}, (), r"specaug: masks frames, and the store keeps the mean over frames alone"),
        ({"downstream_expert__modelrc": DEEP}, (), r"modelrc\.select: DeepModel works on frames, and the store"),
        ({"downstream_expert__modelrc": ATTENTIVE}, (), r"pooling: AttentivePooling weighs frames, and the store"),
        ({"downstream_expert__modelrc": PRE_NET}, (), r"pre_net: is not linear in the frames.*--keep frames"),
    ],
)
def test_what_would_train_another_model_is_refused(
    changes: dict[str, Any],
    options: tuple[object, ...],
    reason: str,
    tmp_path: Path,
    hubert: tuple[Any, Any],
    synthetic: Path,
    unseen: Path,
) -> None:
    with pytest.raises(StoreError, match=reason):
        stored(tmp_path, hubert, config(synthetic, unseen, **changes), *options).train()


def test_missing_features_are_named_with_the_command_that_stores_them(
    tmp_path: Path, hubert: tuple[Any, Any], unseen: Path
) -> None:
    other = tiny_corpus(tmp_path / "other", seed=5).root
    expected = (
        r"train: 1[0-9] of 1[0-9] utterances are not in .*/store \(first: d0\d-\d\d, .*\.wav\)\. Store other: "
        r"zero-shot-emotion extract CORPUS -u hubert_local -k \S+ -o \S+"
    )
    with pytest.raises(StoreError, match=expected):
        stored(tmp_path, hubert, config(other, unseen)).train()


def test_bad_audio_and_what_is_too_short_are_as_in_a_run_on_audio(tmp_path: Path, unseen: Path) -> None:
    corpus = tiny_corpus(tmp_path / "corpus")
    corpus.audio_path(corpus.utterances[3]).write_bytes(b"no audio at all")
    spec = UpstreamSpec("fbank_no_cmvn")
    extract([corpus, Corpus.load(unseen)], spec, tmp_path / "store", device="cpu", skip_errors=True)
    changes = {"downstream_expert__datarc__bad_audio": "skip", "downstream_expert__datarc__min_seconds": 0.5}
    names = (("fbank_no_cmvn",), ("stored", "-k", tmp_path / "store"))
    bad = []
    for kind, name in zip(("itself", "stored"), names, strict=True):
        experiment = Experiment.make(tmp_path / kind, config(corpus.root, unseen, **changes), name).train()
        for split in ("train", "dev", "unseen"):
            experiment.evaluate(split)
        bad.append([read_results(experiment.folder)[split]["bad_audio"] for split in ("train", "dev", "unseen")])
    assert bad[0] == bad[1]
    assert sum(counts.get("unreadable", 0) for counts in bad[0]) == 1
    assert any("too short" in counts for counts in bad[0])


def test_a_checkpoint_that_has_changed_since_is_refused(tmp_path: Path, synthetic: Path, unseen: Path) -> None:
    (_, _, ckpt), name = store_of(tmp_path, "hubert_local", [synthetic, unseen])
    Path(str(ckpt)).write_bytes(b"another checkpoint")
    experiment = Experiment.make(tmp_path / "experiment", config(synthetic, unseen), name)
    with pytest.raises(StoreError, match=r"-k \S+ has changed since its features were stored; store them again: "):
        experiment.train()


def test_a_model_is_not_tested_on_features_of_another_kind(tmp_path: Path, synthetic: Path, unseen: Path) -> None:
    _, name = store_of(tmp_path, "fbank_no_cmvn", [synthetic, unseen])
    experiment = Experiment.make(tmp_path / "experiment", config(synthetic, unseen), name).train()
    corpora = [Corpus.load(folder) for folder in (synthetic, unseen)]
    extract(corpora, UpstreamSpec("fbank_no_cmvn"), tmp_path / "store", keep="frames", device="cpu", overwrite=True)
    with pytest.raises(StoreError, match=r"holds other features than those that \S+ was trained on"):
        experiment.evaluate("unseen")


def test_another_downstream_is_told_that_it_needs_the_upstream_itself(hubert: tuple[Any, Any]) -> None:
    from s3prl import hub

    model = hub.stored(ckpt=str(hubert[1][2]), model_config=None, refresh=False)
    sound = [torch.randn(16_000)]
    assert [layer.shape for layer in model(sound)["hidden_states"]] == [(1, 1, 32)] * 3  # the featurizer's probe
    with pytest.raises(StoreError, match=r"-u stored: got sound, expected what the downstream zero_shot_emotion"):
        model(sound)


def test_no_store_is_told() -> None:
    from s3prl import hub

    with pytest.raises(StoreError, match=r"-u stored: -k is missing, expected the folder of a store"):
        hub.stored(ckpt=None, model_config=None, refresh=False)
