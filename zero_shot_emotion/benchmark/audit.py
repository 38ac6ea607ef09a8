"""The leakage audit: what sources and targets share, and which upstreams have heard a target before."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ..config_files import find_config, read_yaml, validated
from ..corpus import Corpus, atomic_write
from ..errors import UserError
from .grid import GridError

AUDIT = "audit.json"
SHOWN = 3
"""Examples of what is shared."""


class _Known(BaseModel):
    """An entry of the table of upstreams."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    match: Annotated[str, Field(min_length=1)]
    corpora: tuple[str, ...]
    how: Literal["labelled", "unlabelled"]
    source: Annotated[str, Field(min_length=1)]


class _Table(RootModel[tuple[_Known, ...]]):
    """The table of upstreams, as its file has it."""


@dataclass(frozen=True)
class Heard:
    """A corpus as the audit sees it; ``audio`` has the hash of each utterance's sound, by id."""

    name: str
    corpus: Corpus
    audio: Mapping[str, str]


@dataclass(frozen=True)
class Shared:
    """What a source and a target have in common.

    Attributes:
        source: its name.
        target: its name.
        same_corpus: whether one reader read both, so that names of speakers and dialogues mean the same.
        speakers: names in common.
        dialogues: names in common.
        texts: utterances of the target whose text the source has, case and punctuation aside.
        audio: utterances of the target whose sound the source has.
        utterances: of the target.
        examples: some of what is shared.
    """

    source: str
    target: str
    same_corpus: bool
    speakers: int
    dialogues: int
    texts: int
    audio: int
    utterances: int
    examples: dict[str, list[str]]

    @property
    def warning(self) -> str | None:
        """In a sentence, None if there is nothing to warn of."""
        found = {
            "utterances with the same sound": self.audio,
            "utterances with the same text": self.texts,
            "speakers": self.speakers if self.same_corpus else 0,
            "dialogues": self.dialogues if self.same_corpus else 0,
        }
        shared = ", ".join(f"{count} {what}" for what, count in found.items() if count)
        return f"{self.source} shares with {self.target} ({self.utterances} utterances): {shared}" if shared else None


@dataclass(frozen=True)
class Trained:
    """An upstream that is known to have been trained on a target."""

    upstream: str
    target: str
    how: str
    source: str

    @property
    def warning(self) -> str:
        """In a sentence."""
        return f"{self.upstream} was trained on {self.target}, {self.how}: not zero-shot there ({self.source})"


def compare(source: Heard, target: Heard) -> Shared:
    """What a source and a target have in common."""
    sounds = set(source.audio.values())
    texts = {normalised(u.text) for u in source.corpus if u.text} - {""}
    found = {
        "speakers": sorted({u.speaker for u in source.corpus if u.speaker} & _names(target.corpus, "speaker")),
        "dialogues": sorted({u.dialogue for u in source.corpus if u.dialogue} & _names(target.corpus, "dialogue")),
        "texts": [u.text for u in target.corpus if u.text and normalised(u.text) in texts],
        "audio": [u.id for u in target.corpus if target.audio.get(u.id) in sounds],
    }
    readers = [heard.corpus.card.get("reader") for heard in (source, target)]
    return Shared(
        source=source.name,
        target=target.name,
        same_corpus=readers[0] == readers[1] and (readers[0] is not None or source.corpus.name == target.corpus.name),
        **{key: len(values) for key, values in found.items()},
        utterances=len(target.corpus),
        examples={key: list(dict.fromkeys(values))[:SHOWN] for key, values in found.items() if values},
    )


def normalised(text: str) -> str:
    """A text without case, punctuation and the width of blanks.

    >>> normalised("Well —  I'M fine!")
    'well i m fine'
    """
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def trained_on(upstreams: Sequence[tuple[str, str]], targets: Mapping[str, str]) -> list[Trained]:
    """The upstreams that are known to have been trained on a target.

    Args:
        upstreams: name in the grid; and what it is, name and checkpoint in one string.
        targets: the corpus's name, by the name in the grid.
    """
    return [
        Trained(name, target, entry.how, entry.source)
        for entry in _table()
        for name, described in upstreams
        if re.search(entry.match, described, re.IGNORECASE)
        for target, corpus in targets.items()
        if corpus in entry.corpora
    ]


def write_audit(folder: Path, shared: Sequence[Shared], trained: Sequence[Trained]) -> list[str]:
    """Write ``audit.json``.

    Returns:
        the warnings.
    """
    findings: dict[str, Any] = {
        "shared": [asdict(found) for found in shared],
        "upstreams": [asdict(found) for found in trained],
    }
    warnings = [found.warning for found in shared if found.warning] + [found.warning for found in trained]
    with atomic_write(folder / AUDIT) as file:
        json.dump({**findings, "warnings": warnings}, file, indent=2, ensure_ascii=False)
        file.write("\n")
    return warnings


def refuse_shared_audio(shared: Sequence[Shared]) -> None:
    """Stop where a source holds sound of a target.

    Raises:
        GridError: naming the pairs.
    """
    pairs = [f"{s.source} and {s.target} share the sound of {s.audio} utterances" for s in shared if s.audio]
    if pairs:
        raise GridError(
            f"leakage: {'; '.join(pairs)}. What is trained on them is not zero-shot: take the shared ones out, or "
            "say allow_leakage: true in the grid, or --allow-leakage"
        )


def _names(corpus: Corpus, column: str) -> set[str]:
    return {value for u in corpus if (value := getattr(u, column))}


def _table() -> tuple[_Known, ...]:
    path = find_config("leakage", "upstreams")
    return validated(_Table, read_yaml(path, UserError), path, UserError).root
