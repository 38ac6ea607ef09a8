"""Datasheets: what is publicly documented about a corpus, checked when it is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from zero_shot_emotion.config_files import find_config, read_mapping, validated
from zero_shot_emotion.corpus import EMOTIONS, UserError
from zero_shot_emotion.errors import explain_all


class DatasheetError(UserError, ValueError):
    """A datasheet that does not say what a datasheet must say."""


TEMPLATE = "template"
OPEN = "FILL IN"
"""What stands in the template where a fact is to stand."""

CODES = {code: name for code, name in EMOTIONS.items() if code != "xxx"}
"""What annotators may choose: every canonical emotion but their disagreement."""


def _is_emotion(value: Any) -> Any:
    if value not in CODES:
        raise ValueError("one of " + ", ".join(f"{code} ({name})" for code, name in CODES.items()))
    return value


def _is_id(value: Any) -> Any:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(value)):
        raise ValueError("small letters and digits, with hyphens between them, such as my-corpus")
    return str(value)


Emotion = Annotated[str, BeforeValidator(_is_emotion)]
Id = Annotated[str, BeforeValidator(_is_id)]
"""Stands in the names of folders and utterances."""
Gender = Literal["female", "male"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_filled_in(cls, value: Any) -> Any:
        if OPEN in (str(held).strip() for held in (value if isinstance(value, list) else [value])):
            raise ValueError("what the comment beside it in the template says")
        return value


class Role(_Section):
    """One participant of a scenario, told in the second person, and the emotion the scenario means to draw out."""

    emotion: Emotion
    situation: str


class Scenario(_Section):
    """A situation that a dialogue is improvised from."""

    id: Id
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]


class Speakers(_Section):
    """Who talks in a dialogue."""

    per_dialogue: Annotated[int, Field(ge=1)]
    genders: Annotated[tuple[Gender, ...], Field(min_length=1)]


class Durations(_Section):
    """Of utterances, in seconds. A paper may give their median, their mean, or both."""

    min: Annotated[float, Field(gt=0)]
    median: float | None = None
    mean: float | None = None
    max: float

    @model_validator(mode="after")
    def _in_order(self) -> Durations:
        given = [value for value in (self.median, self.mean) if value is not None]
        if not given:
            raise ValueError("a median, a mean, or both")
        if not all(self.min <= value <= self.max for value in given):
            raise ValueError("min, median and max in this order, and the mean between min and max")
        return self


class Datasheet(_Section):
    """The public facts about a corpus that a generator is given.

    ``languages`` are further ones that the same situations may be played in: what a prompt calls each, by its tag.
    ``words_per_second`` is the corpus's own rate, where one is published; by default that of the language is taken.
    """

    name: Id
    title: str
    language: str
    language_name: str
    languages: dict[str, str] = {}
    description: str
    speakers: Speakers
    labels: Annotated[tuple[Emotion, ...], Field(min_length=2)]
    utterance_seconds: Durations
    words_per_second: Annotated[float, Field(gt=0)] | None = None
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1)]
    sources: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Datasheet:
        ids = [scenario.id for scenario in self.scenarios]
        for what, held in (("labels", self.labels), ("ids of scenarios", ids)):
            if twice := [value for value in dict.fromkeys(held) if held.count(value) > 1]:
                raise ValueError(f"{what} that differ, got {twice[0]!r} twice")
        for scenario in self.scenarios:
            if len(scenario.roles) > self.speakers.per_dialogue:
                raise ValueError(
                    f"at most as many roles as speakers.per_dialogue ({self.speakers.per_dialogue}), "
                    f"got {len(scenario.roles)} in the scenario {scenario.id!r}"
                )
        return self

    def in_language(self, tag: str) -> Datasheet:
        """The datasheet in one of its further languages, under a name of its own.

        Raises:
            DatasheetError: if it has no such language, naming those it has.
        """
        if tag == self.language:
            return self
        if tag not in self.languages:
            known = ", ".join((self.language, *self.languages))
            raise DatasheetError(f"datasheet {self.name!r}: no language {tag!r}, expected one of {known}")
        return self.model_copy(
            update={
                "name": f"{self.name}-{tag}",
                "language": tag,
                "language_name": self.languages[tag],
                "words_per_second": None,  # was measured in the first language
            }
        )

    def scenario(self, scenario_id: str) -> Scenario:
        """The scenario of an id.

        Raises:
            DatasheetError: if there is none, naming those there are.
        """
        for scenario in self.scenarios:
            if scenario.id == scenario_id:
                return scenario
        known = ", ".join(scenario.id for scenario in self.scenarios)
        raise DatasheetError(f"datasheet {self.name!r}: no scenario {scenario_id!r}, expected one of {known}")


def new_datasheet(path: str | Path) -> None:
    """Write the template of a datasheet, to be filled in.

    Raises:
        DatasheetError: if there is a file already, or no folder for it.
    """
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(find_config("datasheets", TEMPLATE).read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasheetError(f"{path}: cannot be written ({error.strerror}), expected a new file") from None


def load_datasheet(name: str | Path) -> Datasheet:
    """Read a datasheet by its shipped name or by path.

    Raises:
        MissingConfigError: if there is none of that name.
        DatasheetError: naming file, key, value and what was expected, of everything that is open or wrong.
    """
    path = find_config("datasheets", name)
    return validated(Datasheet, read_mapping(path, DatasheetError), path, DatasheetError, tell=_explain)


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    return "\n  ".join(explain_all(error, model))
