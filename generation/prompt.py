"""Prompts: a datasheet and a scenario, put into the words that a language model is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import EMOTIONS

from .datasheet import Datasheet, Gender, Scenario

WORDS_PER_SECOND = 2.7
"""Of conversational English (about 160 words a minute), to turn a corpus's durations into lengths of text."""


@dataclass(frozen=True)
class Request:
    """One dialogue to be written.

    Attributes:
        scenario: of the datasheet.
        genders: of the speakers A, B, ... in the order of the scenario's roles.
        turns: how many to write.
        wanted: how many turns of each label to aim at; empty leaves it to the scenario.
        avoid: lines that exist already.
    """

    scenario: Scenario
    genders: tuple[Gender, ...]
    turns: int = 9
    wanted: Mapping[str, int] | None = None
    avoid: Sequence[str] = ()


def speaker_name(index: int) -> str:
    """A, B, C, ...: how a prompt calls the speakers."""
    return chr(ord("A") + index)


def render(datasheet: Datasheet, request: Request, template: str | Path = "dialogue") -> str:
    """The prompt for one dialogue.

    Args:
        datasheet: of the corpus to be imitated.
        request: the dialogue to be written.
        template: a shipped prompt's name, or the path of a Jinja2 template.

    Raises:
        MissingConfigError: if there is no such template.
    """
    from jinja2 import Environment, StrictUndefined

    path = find_config("prompts", template, ".j2")
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=False, keep_trailing_newline=True, autoescape=False
    )
    seconds = datasheet.utterance_seconds
    return environment.from_string(path.read_text(encoding="utf-8")).render(
        description=datasheet.description,
        language=datasheet.language_name,
        roles=[
            {
                "name": speaker_name(i),
                "gender": gender,
                "situation": role.situation,
                "emotion": EMOTIONS[role.emotion],
            }
            for i, (role, gender) in enumerate(zip(request.scenario.roles, request.genders, strict=True))
        ],
        turns=request.turns,
        words_min=max(1, round(seconds.min * WORDS_PER_SECOND)),
        words_median=round(seconds.median * WORDS_PER_SECOND),
        words_max=min(30, round(seconds.max * WORDS_PER_SECOND)),
        labels=[EMOTIONS[label] for label in datasheet.labels],
        wanted={EMOTIONS[label]: count for label, count in (request.wanted or {}).items()},
        avoid=list(request.avoid),
    )
