"""The offline provider: dialogues that a language model wrote from the project's own prompts, and that ship with it.

Each line of ``generation/dialogues/<datasheet>.jsonl`` holds one answer as it was given, with the scenario and
the speakers' genders that the prompt named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from zero_shot_emotion.config_files import MissingConfigError

from .datasheet import Gender

PROVIDER = "shipped"
FOLDER = Path(__file__).with_name("dialogues")


class ShippedDialogue(BaseModel):
    """One stored answer.

    Attributes:
        scenario: of the datasheet.
        take: which of the scenario's answers.
        genders: of the speakers.
        response: the answer.
        unclear: places of the turns that are no utterances, because their words alone do not tell their emotion: a
            classifier of plain lines took them for another one (docs/text.md).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: str
    take: int
    genders: dict[str, Gender]
    response: dict[str, Any]
    unclear: frozenset[int] = frozenset()

    @property
    def id(self) -> str:
        """Unique in its file."""
        return f"{self.scenario}-{self.take:02d}"


def shipped_datasheets() -> list[str]:
    """The datasheets that dialogues ship for."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def dialogues_file(datasheet: str) -> Path:
    """The file of the dialogues that ship for a datasheet.

    Raises:
        MissingConfigError: if none do, naming the datasheets they ship for.
    """
    path = FOLDER / f"{datasheet}.jsonl"
    if not path.is_file():
        raise MissingConfigError(
            f"no dialogues ship for the datasheet {datasheet!r}, only for {', '.join(shipped_datasheets())}; "
            "expected one of these, or a language model (--model) to write them"
        )
    return path


def shipped_dialogues(datasheet: str) -> Sequence[ShippedDialogue]:
    """All dialogues that ship for a datasheet.

    Raises:
        MissingConfigError: if none do, naming the datasheets they ship for.
    """
    with dialogues_file(datasheet).open(encoding="utf-8") as file:
        return [ShippedDialogue.model_validate_json(line) for line in file]
