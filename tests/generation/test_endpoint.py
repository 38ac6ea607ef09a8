from pathlib import Path

import pytest

from generation.endpoint import OPENAI_URL, Endpoint, Prices, key_from_environment, load_endpoint
from generation.errors import EndpointError
from zero_shot_emotion.config_files import MissingConfigError, configs_folder

SHIPPED = sorted(path.stem for path in (configs_folder() / "generation").glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_are_valid(name: str) -> None:
    assert load_endpoint(name).base_url.endswith("/v1")


def test_changes_go_before_the_config_section_by_section(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("model: a\ntemperature: 0.5\nbudget: {requests: 5, money: 2}\nprices: {prompt: 1}\n")
    changes = {"model": "b", "temperature": None, "top_p": 0.9, "budget": {"requests": 9, "money": None}}
    endpoint = load_endpoint(path, changes)

    assert (endpoint.model, endpoint.temperature, endpoint.top_p) == ("b", 0.5, 0.9)
    assert endpoint.budget.model_dump(exclude_none=True) == {"requests": 9, "money": 2}


def test_the_address_is_openais_own_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert Endpoint(model="m").base_url == OPENAI_URL
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here/v1/")
    assert Endpoint(model="m").base_url == "http://here/v1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"endpoint: model: missing, expected the name of a model \(--model\)"),
        ({"model": "m", "temperature": "hot"}, "endpoint: temperature: got 'hot', expected a number"),
        ({"model": "m", "top_p": 2.0}, r"endpoint: top_p: got 2.0, expected at most 1"),
        ({"model": "m", "colour": "red"}, "endpoint: colour: unknown key"),
        (
            {"model": "m", "json_mode": "yaml"},
            "endpoint: json_mode: got 'yaml', expected 'auto', 'schema', 'object'",
        ),
        ({"model": "m", "budget": {"money": 3}}, "^endpoint: expected prices of a million tokens"),
        (
            {"model": "m", "base_url": "localhost:8000"},
            "^endpoint: base_url: expected an address such as http://localhost",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_expectation(settings: dict, message: str) -> None:
    with pytest.raises(EndpointError, match=message):
        load_endpoint(None, settings)


@pytest.mark.parametrize("url", ["http://me:sk-hidden@host/v1", "https://host/v1?api-key=sk-hidden"])
def test_an_address_with_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(EndpointError, match=r"without user, password or query .* OPENAI_API_KEY") as error:
        load_endpoint(None, {"model": "m", "base_url": url})

    assert "sk-hidden" not in str(error.value)


def test_a_file_with_a_secret_that_is_no_yaml_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("base_url: https://me:sk-hidden@host/v1: x")
    with pytest.raises(EndpointError, match=r"mine.yaml: expected YAML: mapping values are not allowed here") as error:
        load_endpoint(path)

    assert "sk-hidden" not in str(error.value)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    for content, message in (
        ("model: [", "mine.yaml: expected YAML"),
        ("- a", "mine.yaml: expected a mapping, got list$"),
    ):
        path.write_text(content)
        with pytest.raises(EndpointError, match=message):
            load_endpoint(path)
    with pytest.raises(MissingConfigError, match=r"generation: got 'nope', expected the path of .* or one of ollama"):
        load_endpoint("nope")


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1 \n")
    assert key_from_environment() == "sk-1"
    monkeypatch.delenv("OPENAI_API_KEY")
    assert key_from_environment() is None


def test_a_key_that_no_header_can_carry_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hidden\nX: y")
    with pytest.raises(EndpointError, match="OPENAI_API_KEY: got something that no header can carry") as error:
        key_from_environment()

    assert "hidden" not in str(error.value)


def test_prices_are_of_a_million_tokens() -> None:
    assert Prices(prompt=2, completion=10).of(500_000, 100_000) == 2.0
