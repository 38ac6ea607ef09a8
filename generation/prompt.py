"""Prompts: a datasheet and a scenario, put into the words that a language model is asked with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import EMOTIONS

from .datasheet import Datasheet, Gender, Scenario
from .errors import GenerationError
from .lengths import lengths_of

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class PlannedTurn:
    """A turn that is asked for. What comes back may differ, and counts as it labels itself.

    Attributes:
        speaker: A, B, ...; a suggestion.
        emotion: its canonical code (in a template its adjective); None leaves it to the scenario.
        length: about how many words, or characters where the language is counted in those.
    """

    speaker: str
    emotion: str | None
    length: int


@dataclass(frozen=True)
class Request:
    """One dialogue to be written.

    Attributes:
        scenario: of the datasheet.
        genders: of the speakers A, B, ... in the order of the scenario's roles.
        plan: its turns, in their order.
        avoid: lines that exist already.
    """

    scenario: Scenario
    genders: tuple[Gender, ...]
    plan: Sequence[PlannedTurn]
    avoid: Sequence[str] = ()

    @property
    def turns(self) -> int:
        """How many turns to write."""
        return len(self.plan)

    @property
    def wanted(self) -> dict[str, int]:
        """How many turns of each emotion the plan has."""
        return dict(Counter(turn.emotion for turn in self.plan if turn.emotion is not None))

    @property
    def speakers(self) -> dict[str, Gender]:
        """The gender of each speaker, by the name that the prompt gives them."""
        return {speaker_name(i): gender for i, gender in enumerate(self.genders)}


def speaker_name(index: int) -> str:
    """A, B, C, ...: how a prompt calls the speakers."""
    return chr(ord("A") + index)


def template_text(template: str | Path) -> str:
    """The text of a template.

    Args:
        template: a shipped prompt's name, or the path of a Jinja2 template.

    Raises:
        MissingConfigError: if there is no such template.
    """
    return find_config("prompts", template, ".j2").read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def _compiled(text: str) -> Template:
    from jinja2 import Environment, StrictUndefined

    return Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False).from_string(text)


def answer_schema(datasheet: Datasheet, request: Request) -> dict[str, Any]:
    """The JSON schema of an answer, in the part of the language that all endpoints understand."""
    turn = {
        "speaker": {"type": "string", "enum": list(request.speakers)},
        "emotion": {"type": "string", "enum": [EMOTIONS[label] for label in datasheet.labels]},
        "text": {"type": "string"},
    }
    return _object({"turns": {"type": "array", "items": _object(turn)}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def render(datasheet: Datasheet, request: Request, template: str | Path = "dialogue") -> str:
    """The prompt for one dialogue.

    Args:
        datasheet: of the corpus to be imitated.
        request: the dialogue to be written.
        template: a shipped prompt's name, or the path of a Jinja2 template.

    Raises:
        MissingConfigError: if there is no such template.
        GenerationError: if it cannot be filled, naming the line or the variable.
    """
    return fill(template_text(template), datasheet, request)


def fill(text: str, datasheet: Datasheet, request: Request) -> str:
    """The prompt for one dialogue, from the text of a template.

    Raises:
        GenerationError: if it cannot be filled, naming the line or the variable.
    """
    return fill_template(text, _variables(datasheet, request))


def fill_template(text: str, variables: Mapping[str, Any]) -> str:
    """A prompt, from the text of a template and what the template may use.

    Raises:
        GenerationError: if it cannot be filled, naming the line or the variable.
    """
    from jinja2 import TemplateError, TemplateSyntaxError

    try:
        return _compiled(text).render(variables)
    except TemplateSyntaxError as error:
        raise GenerationError(f"prompt, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        raise GenerationError(f"prompt: {error}") from None


def _variables(datasheet: Datasheet, request: Request) -> dict[str, Any]:
    """What a template may use."""
    lengths = lengths_of(datasheet)
    return {
        "description": datasheet.description,
        "language": datasheet.language_name,
        "roles": [
            {
                "name": name,
                "gender": gender,
                "situation": role.situation,
                "emotion": EMOTIONS[role.emotion],
            }
            for role, (name, gender) in zip(request.scenario.roles, request.speakers.items(), strict=True)
        ],
        "turns": request.turns,
        "plan": [
            PlannedTurn(turn.speaker, turn.emotion and EMOTIONS[turn.emotion], turn.length) for turn in request.plan
        ],
        "unit": lengths.rate.unit,
        "words_min": lengths.words(0),
        "words_median": lengths.words(0.5),
        "words_max": lengths.words(1),
        "labels": [EMOTIONS[label] for label in datasheet.labels],
        "wanted": {EMOTIONS[label]: count for label, count in request.wanted.items()},
        "avoid": list(request.avoid),
    }
