"""Configs are checked before anything runs; errors name key, value and expectation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from zero_shot_emotion.settings import ConfigError, default_config, read_settings

SETTINGS = "downstream_expert"


def section(datarc: dict[str, Any] | None = None, modelrc: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"datarc": datarc or {}, "modelrc": modelrc or {}}


def test_the_config_beside_the_expert_is_the_seed_works_schedule() -> None:
    config = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    runner = {key: config["runner"][key] for key in ("total_steps", "gradient_clipping", "gradient_accumulate_steps")}
    assert runner == {"total_steps": 15_000, "gradient_clipping": 1, "gradient_accumulate_steps": 8}
    assert config["runner"]["eval_dataloaders"] == ["dev"]
    assert config["optimizer"] == {"name": "TorchOptim", "torch_optim_name": "Adam", "lr": 1e-4}
    settings = read_settings(config["downstream_expert"])
    assert settings.datarc.train_batch_size == 4
    assert settings.modelrc.projector_dim == 256
    assert settings.modelrc.UtteranceLevel.pooling == "MeanPooling"


def test_what_a_config_leaves_out_is_what_the_shipped_one_says() -> None:
    config = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    named = {key: config["downstream_expert"]["datarc"].pop(key) for key in ("train", "targets")}
    assert read_settings(config["downstream_expert"]) == read_settings({"datarc": {}})
    assert named["targets"].keys() == {"iemocap", "msp-podcast"}


def test_one_corpus_needs_no_list() -> None:
    settings = read_settings(section({"train": "a", "dev": "b"})).datarc
    assert (settings.train, settings.dev) == (("a",), ("b",))


def test_classes_may_be_listed_where_no_label_set_fits() -> None:
    labels = read_settings(section({"labels": "neu,hap,ang,fru"})).datarc.label_set
    assert (labels.classes, labels.of("exc"), labels.of("sad")) == (("neu", "hap", "ang", "fru"), "hap", None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "datarc: missing"),
        (section({"valid_ratio": 1.5}), "datarc.valid_ratio: got 1.5, expected less than 1"),
        (section({"valid_ratio": 0}), "datarc.valid_ratio: got 0, expected more than 0"),
        (
            section({"train_batch_size": 0}),
            "datarc.train_batch_size: got 0, expected at least 1",
        ),
        (
            section({"num_workers": -1}),
            "datarc.num_workers: got -1, expected at least 0",
        ),
        (
            section({"balance": "both"}),
            "datarc.balance: got 'both', expected 'none', 'loss' or 'sampling'",
        ),
        (
            section({"bad_audio": "ignore"}),
            "datarc.bad_audio: got 'ignore', expected 'error' or 'skip'",
        ),
        (
            section({"dev_metric": "accuracy"}),
            "datarc.dev_metric: got 'accuracy', expected 'UAR', 'WA' or 'macro-F1'",
        ),
        (section({"root": "x"}), "datarc.root: unknown key; did you mean 'syn_root'? known keys: train, "),
        (section({"targets": ["a"]}), "datarc.targets: got ['a'], expected a mapping"),
        (
            section({"targets": {"../elsewhere": "a"}}),
            "datarc.targets.../elsewhere.[key]: got '../elsewhere', expected text that matches",
        ),
        (section({"targets": {"dev": "a"}}), "a target cannot be called 'dev': that name is taken"),
        (
            section({"meta_data": "m", "targets": {"a": "b"}}),
            "name the corpora by 'meta_data' or by 'train' and 'targets', not by both",
        ),
        (
            section({"labels": "five hundred"}),
            "datarc.labels: unknown label set 'five hundred': expected one of four, six, seven, eight",
        ),
        (
            section({"labels": {"classes": ["neu", "hap"], "merge": {"exc": "joy"}}}),
            "datarc.labels: label set 'custom': 'exc' is merged into 'joy', which is none of its classes",
        ),
        (
            section(modelrc={"select": "Transformer"}),
            "modelrc.select: got 'Transformer', expected 'UtteranceLevel', 'DeepModel'",
        ),
        (
            section(modelrc={"projector_dim": "wide"}),
            "modelrc.projector_dim: got 'wide', expected a whole number",
        ),
        (
            section(modelrc={"UtteranceLevel": {"pooling": "MaxPooling"}}),
            "modelrc.UtteranceLevel.pooling: got 'MaxPooling', expected 'MeanPooling' or 'AttentivePooling'",
        ),
        (
            section(modelrc={"UtteranceLevel": {"activation": "Linear"}}),
            "modelrc.UtteranceLevel.activation: got 'Linear', expected 'ReLU', ",
        ),
        (
            section(modelrc={"DeepModel": {"model_type": "DeepModel"}}),
            "modelrc.DeepModel.model_type: got 'DeepModel', expected 'CNNSelfAttention', 'FCN' or 'DeepNet'",
        ),
        (
            section(modelrc={"DeepModel": {"dropout": 1}}),
            "modelrc.DeepModel.dropout: got 1, expected less than 1",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_an_error_names_key_value_and_expectation(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_settings(given)
    assert str(error.value).startswith("config: downstream_expert.")
    assert message in str(error.value)


@pytest.mark.parametrize("net", ["pre_net", "post_net"])
def test_no_value_reaches_s3prls_eval(net: str, tmp_path: Path) -> None:
    """s3prl makes these networks with ``eval(config['select'])``."""
    code = f"__import__('pathlib').Path({str(tmp_path / 'ran')!r}).touch()"
    message = f"modelrc.UtteranceLevel.{net}.select: got {code!r}, expected 'FrameLevel'"
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_settings(section(modelrc={"UtteranceLevel": {net: {"select": code}}}))
    assert not (tmp_path / "ran").exists()


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = read_settings(section())
    with pytest.raises(ValueError, match="frozen"):
        settings.datarc.valid_ratio = 0.9
