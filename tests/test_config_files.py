import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

from zero_shot_emotion.config_files import (
    MissingConfigError,
    configs_folder,
    find_config,
    read_mapping,
    read_yaml,
    validated,
)
from zero_shot_emotion.errors import UserError


class OwnError(UserError, ValueError):
    pass


class Limits(BaseModel):
    low: int
    high: int = 9

    @field_validator("high")
    @classmethod
    def _is_allowed(cls, high: int, info: ValidationInfo) -> int:
        if high > (info.context or {}).get("most", 9):
            raise ValueError("no more than the most")
        return high

    @model_validator(mode="after")
    def _rises(self) -> "Limits":
        if self.low > self.high:
            raise ValueError("the lower number first")
        return self


def test_shipped_configs_are_found_by_name() -> None:
    assert find_config("datasheets", "iemocap") == configs_folder() / "datasheets" / "iemocap.yaml"
    assert find_config("prompts", "dialogue", ".j2").is_file()


def test_a_path_wins_over_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("iemocap").write_text("mine")

    assert find_config("datasheets", "iemocap") == Path("iemocap")


def test_what_does_not_exist_is_an_error_with_the_names_there_are() -> None:
    with pytest.raises(
        MissingConfigError, match=r"^injection: got 'loud', expected the path of a .yaml file or one of acted"
    ):
        find_config("injection", "loud")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "expected YAML: while parsing a flow node, expected the node content, .* (line 1, column 5)"),
        ("a: 1\nb: c: d", "expected YAML: mapping values are not allowed here (line 2, column 5)"),
        ("- 1", "expected a mapping, got list"),
        ("some words", "expected a mapping, got str"),
        ("", "expected a mapping, got nothing"),
        ("# all commented out", "expected a mapping, got nothing"),
    ],
)
def test_a_file_without_a_mapping_is_named_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(OwnError, match=rf"^{path}: {re.escape(message).replace(re.escape('.*'), '.*')}$"):
        read_mapping(path, OwnError)


def test_a_file_in_another_encoding_is_named_and_so_is_the_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes("a: \u00fc".encode("latin-1"))
    message = "expected YAML: unacceptable character #x00fc: invalid start byte in .*, position 3"
    with pytest.raises(OwnError, match=f"^{path}: {message}$"):
        read_mapping(path, OwnError)


def test_what_is_no_mapping_can_be_read_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("- \u00fc", encoding="utf-8")
    assert read_yaml(path, OwnError) == ["\u00fc"]
    path.write_text("a: {b: 2}")
    assert read_mapping(path, OwnError) == {"a": {"b": 2}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "here: low: missing"),
        ({"low": "x"}, "here: low: got 'x', expected a whole number"),
        ({"low": 1, "high": 8}, "here: high: got 8, expected no more than the most$"),
        ({"low": 7, "high": 6}, "here: expected the lower number first$"),
        ([], r"here: value: got \[\], expected a mapping"),
    ],
)
def test_what_a_model_refuses_is_named(content: object, message: str) -> None:
    with pytest.raises(OwnError, match=f"^{message}"):
        validated(Limits, content, "here", OwnError, context={"most": 7})
    with pytest.raises(OwnError, match=r"^here: \d errors?$"):
        validated(Limits, content, "here", OwnError, context={"most": 7}, tell=lambda e, _: f"{e.error_count()} error")


def test_what_a_model_takes_is_made() -> None:
    assert validated(Limits, {"low": 3, "high": 8}, "here", OwnError) == Limits(low=3, high=8)
