"""What a speech model is told in words: an instruction for each emotion and intensity, from a YAML file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from string import Template
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from zero_shot_emotion.config_files import find_config, read_mapping, validated

from .method import NEUTRAL, InjectionError

WORDS = ("degree", "emotion", "manner")
"""What a template may name, each with a dollar before it."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Degree(_Strict):
    """How an intensity is put in words."""

    up_to: Annotated[float, Field(gt=0)]
    say: str


class Manner(_Strict):
    """An emotion, and how it sounds."""

    emotion: str
    manner: str = ""


class Instructions(_Strict):
    """Instructions for some emotions.

    Attributes:
        name: of the file.
        description: what they are, and where they come from.
        template: of an instruction, with ``$degree``, ``$emotion`` and ``$manner``.
        degrees: by rising intensity; the last holds beyond.
        neutral: the whole instruction of neutral speech.
        emotions: by label.
    """

    name: str
    description: str
    template: str
    degrees: Annotated[tuple[Degree, ...], Field(min_length=1)]
    neutral: str
    emotions: dict[str, Manner]

    @field_validator("template")
    @classmethod
    def _known_words(cls, template: str) -> str:
        if not Template(template).is_valid() or set(Template(template).get_identifiers()) - set(WORDS):
            raise ValueError(f"no other words with a dollar than {', '.join('$' + word for word in WORDS)}")
        return template

    @field_validator("degrees")
    @classmethod
    def _rising(cls, degrees: tuple[Degree, ...]) -> tuple[Degree, ...]:
        if any(a.up_to >= b.up_to for a, b in pairwise(degrees)):
            raise ValueError("rising numbers in up_to")
        return degrees

    def say(self, emotion: str, intensity: float) -> str:
        """The instruction of an emotion; that of neutral speech where there is no intensity."""
        if emotion == NEUTRAL or intensity == 0:
            return self.neutral
        degree = next((d for d in self.degrees if intensity <= d.up_to), self.degrees[-1])
        manner = self.emotions[emotion]
        said = Template(self.template).substitute(degree=degree.say, emotion=manner.emotion, manner=manner.manner)
        return " ".join(said.split())


def load_instructions(name_or_path: str | Path) -> Instructions:
    """Read instructions, those of ``configs/injection/expressive`` by name or any file by its path.

    Raises:
        MissingConfigError: if there are none.
        InjectionError: naming file, key, value and what was expected.
    """
    path = find_config("injection/expressive", name_or_path)
    return validated(Instructions, {"name": path.stem, **read_mapping(path, InjectionError)}, path, InjectionError)
