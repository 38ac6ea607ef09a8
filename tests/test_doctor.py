import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from generation.shipped import shipped_dialogues
from injection import InjectionError, qwen_speech
from zero_shot_emotion import doctor, hub_models
from zero_shot_emotion.doctor import Check, examine
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "reachable", lambda host, port: host == "localhost")
    monkeypatch.setattr(hub_models, "reachable", lambda host, port: False)
    monkeypatch.setattr(hub_models, "getproxies", dict)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", "/nowhere")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def by_topic(checks: list[Check], topic: str) -> str:
    return "\n".join(str(check) for check in checks if check.topic == topic)


def test_every_topic_is_examined_and_nothing_is_broken_here() -> None:
    checks = examine()

    topics = ["versions", "plugin", "devices", "upstreams", "engines", "injection", "recognisers", "labellers"]
    topics += ["models", "endpoints", "data"]
    assert list(dict.fromkeys(check.topic for check in checks)) == topics
    assert [str(c) for c in checks if c.status == "broken"] == []
    assert "s3prl 0.4.18" in by_topic(checks, "versions")
    assert re.search(r"espeak-ng: \d+ voices in \d+ languages", by_topic(checks, "engines"))
    assert f"rules: pyworld {version('pyworld')}, no weights" in by_topic(checks, "injection")
    assert f"whisper: torch {version('torch')}, transformers" in by_topic(checks, "recognisers")
    assert f"llm: openai {version('openai')}" in by_topic(checks, "labellers")
    assert "lexicon: needs nothing further" in by_topic(checks, "labellers")
    assert f"{len(shipped_dialogues('iemocap'))} dialogues ship for the datasheet iemocap" in by_topic(checks, "data")


def test_what_is_missing_comes_with_advice() -> None:
    checks = examine()

    assert all(check.advice for check in checks if check.status == "missing")
    assert "huggingface.co is out of reach" in by_topic(checks, "upstreams")
    models = by_topic(checks, "models")
    assert "missing  models      openai/whisper-base.en (whisper)\n" in models
    assert "missing  models      FacebookAI/roberta-large-mnli (entailment)\n" in models
    assert "sentence-transformers/all-MiniLM-L6-v2 (similarity, examples, open)" in models
    assert "bert-base-uncased (seed-work, finetune, linear)" in models
    assert "huggingface.co is out of reach; elsewhere: hf download openai/whisper-base.en" in models


def test_a_part_whose_package_is_not_installed_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("zero_shot_emotion.recognition.faster_whisper.version", absent)

    found = by_topic(examine(), "recognisers")

    assert "missing  recognisers faster-whisper: faster-whisper is not installed" in found
    assert "-> pip install faster-whisper" in found
    assert "ok       recognisers whisper: " in found


@pytest.mark.parametrize(
    ("base", "key", "found"),
    [
        (None, None, "missing  injection   expressive: engine openai: OPENAI_API_KEY is not set, expected the key of"),
        (None, "sk-secret", "ok       injection   expressive: openai at https://api.openai.com/v1"),
        ("http://localhost:8000/v1", None, "ok       injection   expressive: openai at http://localhost:8000/v1"),
    ],
)
def test_an_expressive_engine_that_can_be_asked_is_told(
    monkeypatch: pytest.MonkeyPatch, base: str | None, key: str | None, found: str
) -> None:
    def absent() -> dict[str, str]:
        raise InjectionError("expressive: engine qwen3-tts needs the package qwen-tts")

    monkeypatch.setattr(qwen_speech, "versions", absent)
    for name, value in (("OPENAI_BASE_URL", base), ("OPENAI_API_KEY", key)):
        if value is not None:
            monkeypatch.setenv(name, value)

    said = by_topic(examine(), "injection")

    assert found in said
    assert ("qwen-tts" in said) == found.startswith("missing")
    assert "sk-secret" not in said


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("http://localhost:8000/v1", "localhost:8000 answers; no OPENAI_API_KEY is set"),
        ("http://nowhere.example:8000/v1", "nowhere.example:8000 does not answer"),
    ],
)
def test_an_endpoint_is_tried(monkeypatch: pytest.MonkeyPatch, base: str, said: str) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", base)

    assert said in by_topic(examine(), "endpoints")


def test_the_corpora_of_a_config_are_opened(tmp_path: Path) -> None:
    tiny_corpus(tmp_path / "tiny", dialogues=2)
    config = tmp_path / "config.yaml"
    datarc = {"train": str(tmp_path / "tiny"), "targets": {"x": f"emodb:{tmp_path / 'absent'}"}}
    config.write_text(yaml.safe_dump({"downstream_expert": {"datarc": datarc}}))

    data = by_topic(examine(config), "data")

    assert "tiny: 8 utterances" in data
    assert "absent: no such file or folder" in data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("runner: {}", "downstream_expert: missing, expected a section of s3prl's downstream config"),
        ("downstream_expert: {datarc: [", "expected YAML: while parsing a flow node, expected the node content"),
        ("downstream_expert: {datarc: {labels: 5}}", "downstream_expert.datarc.labels: got 5, expected text or "),
    ],
)
def test_a_config_that_is_wrong_is_named(tmp_path: Path, content: str, message: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(content)

    assert f"BROKEN   data        {config}: {message}" in by_topic(examine(config), "data")


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no driver")

    monkeypatch.setattr(doctor, "_devices", fail)

    assert "BROKEN   devices     RuntimeError: no driver" in by_topic(examine(), "devices")
