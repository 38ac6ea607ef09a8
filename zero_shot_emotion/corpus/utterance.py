"""One utterance: a line of a corpus's manifest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[^\s/\\]+$", max_length=200)]
"""An identifier that can be a file name: no white space, no slash."""


class Utterance(BaseModel):
    """What is known of one utterance. Columns beyond these are kept as they are.

    Attributes:
        id: unique in its corpus; names the audio file of whatever stage speaks it.
        file_name: its audio, relative to the corpus folder; None while it is text alone.
        text: its words.
        label: its emotion, in a canonical code or in the terms of the corpus's own taxonomy.
        speaker: who speaks, unique in the corpus.
        gender: of the speaker.
        language: BCP 47 tag, such as ``en`` or ``cmn``.
        dialogue: the conversation it belongs to, unique in the corpus.
        turn: its place in the dialogue, from 0.
        split: the corpus's own partition (train, dev, a session, a fold).
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    file_name: Annotated[str, StringConstraints(min_length=1)] | None = None
    id: Name
    text: str | None = None
    label: Annotated[str, StringConstraints(min_length=1)] | None = None
    speaker: Name | None = None
    gender: Literal["female", "male"] | None = None
    language: str | None = None
    dialogue: Name | None = None
    turn: Annotated[int, Field(ge=0)] | None = None
    split: str | None = None

    @property
    def extra(self) -> dict[str, Any]:
        """The columns beyond the standard ones, such as a voice or injection parameters."""
        return dict(self.model_extra or {})

    def with_(self, **changes: Any) -> Utterance:
        """A validated copy with some columns changed or added."""
        return Utterance.model_validate({**self.model_dump(), **changes})

    def to_line(self) -> str:
        """Its line in ``metadata.jsonl``, without the line break; absent values are left out."""
        return self.model_dump_json(exclude_none=True)
