from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zero_shot_emotion.errors import explain, has_unknown_key


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sine(Strict):
    kind: Literal["sine"]
    frequency: float = Field(default=440, gt=0, le=8000)


class Noise(Strict):
    kind: Literal["noise"]
    colour: Literal["white", "pink"] = "white"


class Words(Strict):
    classes: tuple[str, ...] = Field(min_length=2)


class Config(Strict):
    name: Annotated[str, Field(min_length=1, max_length=5, pattern="^[a-z]*$")]
    sources: dict[str, Annotated[Sine | Noise, Field(discriminator="kind")]] = {}
    steps: list[Sine] | None = None
    words: str | Words = "four"
    loud: bool = False
    count: Annotated[int, Field(ge=1, lt=9)] = 1
    batch: int = Field(default=1, alias="batch-size")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"name": "a", "sauces": {}},
            "sauces: unknown key; did you mean 'sources'? known keys: name, sources, steps, words, loud, count, "
            "batch-size",
        ),
        ({"nam": "a"}, "nam: unknown key; did you mean 'name'? known keys: name, sources, "),
        (
            {"name": "a", "zzz": 1},
            "zzz: unknown key, expected one of name, sources, steps, words, loud, count, batch-size",
        ),
        (
            {"name": "a", "sources": {"s": {"kind": "noise", "color": "pink"}}},
            "sources.s.noise.color: unknown key; did you mean 'colour'? known keys: kind, colour",
        ),
        (
            {"name": "a", "steps": [{"kind": "sine", "freq": 1}]},
            "steps.0.freq: unknown key; did you mean 'frequency'? known keys: kind, frequency",
        ),
        (
            {"name": "a", "words": {"class": ["x", "y"]}},
            "words.Words.class: unknown key; did you mean 'classes'? known keys: classes",
        ),
        ({"name": "a", "words": 3}, "words: got 3, expected text or a mapping"),
        ({"name": "a", "words": {"classes": ["x"]}}, "words.Words.classes: got ['x'], expected at least 2 of them"),
        ({}, "name: missing"),
        ({"name": 3}, "name: got 3, expected text"),
        ({"name": ""}, "name: got '', expected text of length at least 1"),
        ({"name": "abcdef"}, "name: got 'abcdef', expected text of length at most 5"),
        ({"name": "A"}, "name: got 'A', expected text that matches ^[a-z]*$"),
        ({"name": "a", "loud": "very"}, "loud: got 'very', expected true or false"),
        ({"name": "a", "count": 0}, "count: got 0, expected at least 1"),
        ({"name": "a", "count": 9}, "count: got 9, expected less than 9"),
        ({"name": "a", "count": "x"}, "count: got 'x', expected a whole number"),
        ({"name": "a", "count": 1.5}, "count: got 1.5, expected a whole number"),
        ({"name": "a", "steps": 1}, "steps: got 1, expected a list"),
        ({"name": "a", "sources": []}, "sources: got [], expected a mapping"),
        ({"name": "a", "sources": {"s": {}}}, "sources.s: got {}, expected a 'kind'"),
        (
            {"name": "a", "sources": {"s": {"kind": "x"}}},
            "sources.s: got {'kind': 'x'}, expected a 'kind' among 'sine', 'noise'",
        ),
        (
            {"name": "a", "sources": {"s": {"kind": "noise", "colour": "red"}}},
            "sources.s.noise.colour: got 'red', expected 'white' or 'pink'",
        ),
        (
            {"name": "a", "sources": {"s": {"kind": "sine", "frequency": "x"}}},
            "sources.s.sine.frequency: got 'x', expected a number",
        ),
        (
            {"name": "a", "sources": {"s": {"kind": "sine", "frequency": 0}}},
            "sources.s.sine.frequency: got 0, expected more than 0",
        ),
        (
            {"name": "a", "sources": {"s": {"kind": "sine", "frequency": 9000}}},
            "sources.s.sine.frequency: got 9000, expected at most 8000",
        ),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_a_config(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        Config.model_validate(content)

    assert explain(error.value, Config).startswith(message)
    assert has_unknown_key(error.value) == ("unknown key" in message)


def test_without_the_model_an_unknown_key_is_only_named() -> None:
    with pytest.raises(ValidationError) as error:
        Config.model_validate({"name": "a", "sauces": {}})

    assert explain(error.value) == "sauces: unknown key"
