from pathlib import Path

import pytest
import yaml

from generation.shipped import shipped_dialogues
from zero_shot_emotion import doctor
from zero_shot_emotion.doctor import Check, examine
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_reachable", lambda host, port: host == "localhost")
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def by_topic(checks: list[Check], topic: str) -> str:
    return "\n".join(str(check) for check in checks if check.topic == topic)


def test_every_topic_is_examined_and_nothing_is_broken_here() -> None:
    checks = examine()

    topics = ["versions", "plugin", "devices", "upstreams", "engines", "endpoints", "data"]
    assert list(dict.fromkeys(check.topic for check in checks)) == topics
    assert [str(c) for c in checks if c.status == "broken"] == []
    assert "s3prl 0.4.18" in by_topic(checks, "versions")
    assert "espeak-ng" in by_topic(checks, "engines")
    assert f"{len(shipped_dialogues('iemocap'))} dialogues ship for the datasheet iemocap" in by_topic(checks, "data")


def test_what_is_missing_comes_with_advice() -> None:
    checks = examine()

    assert all(check.advice for check in checks if check.status == "missing")
    assert "huggingface.co is out of reach" in by_topic(checks, "upstreams")


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
        ("downstream_expert: {datarc: {labels: 5}}", "downstream_expert.datarc.labels.str: got 5, expected: Input"),
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
