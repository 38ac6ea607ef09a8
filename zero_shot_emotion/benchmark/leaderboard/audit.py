"""The findings of the leakage audit, as a results folder holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import UserError, explain
from ..audit import AUDIT


class AuditError(UserError, ValueError):
    """An audit's file that does not hold what it should."""


class Shared(BaseModel):
    """What a source and a target have in common, in numbers; names count only where both are of one corpus."""

    model_config = ConfigDict(frozen=True)

    source: str
    target: str
    same_corpus: bool
    speakers: int
    dialogues: int
    texts: int
    audio: int
    utterances: int
    examples: dict[str, list[str]] = {}

    @property
    def telling(self) -> bool:
        """Whether it makes a result suspect."""
        return bool(self.audio or self.texts or (self.same_corpus and (self.speakers or self.dialogues)))


class Trained(BaseModel):
    """An upstream that was trained on a target."""

    model_config = ConfigDict(frozen=True)

    upstream: str
    target: str
    how: str
    source: str


class Audit(BaseModel):
    """All findings.

    Attributes:
        shared: between each source and target.
        upstreams: those that heard a target before.
    """

    model_config = ConfigDict(frozen=True)

    shared: tuple[Shared, ...] = ()
    upstreams: tuple[Trained, ...] = ()

    @property
    def telling(self) -> list[Shared]:
        """What is shared and should not be."""
        return [shared for shared in self.shared if shared.telling]


def read_audit(folder: Path) -> Audit | None:
    """The audit of a folder of results; None if none was made.

    Raises:
        AuditError: naming file, key, value and what was expected.
    """
    path = folder / AUDIT
    if not path.is_file():
        return None
    try:
        return Audit.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise AuditError(f"{path}: {explain(error)}") from None
    except ValueError as error:
        raise AuditError(f"{path}: expected JSON: {error}") from None


def merge_audits(audits: list[Audit]) -> dict[str, Any]:
    """Several audits as one, ready for JSON; what they agree in is said once."""
    shared = dict.fromkeys(one.model_dump_json() for audit in audits for one in audit.shared)
    upstreams = dict.fromkeys(one.model_dump_json() for audit in audits for one in audit.upstreams)
    return {"shared": [json.loads(one) for one in shared], "upstreams": [json.loads(one) for one in upstreams]}
