"""A corpus: a folder with a manifest, a card and audio.

The manifest is ``metadata.jsonl`` in the audiofolder convention of Hugging Face datasets, the card
is ``corpus.json``. Every stage of the project reads a corpus and writes a corpus.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import UserError
from .atomic import atomic_write
from .labels import LabelError, LabelSet
from .utterance import Utterance

MANIFEST = "metadata.jsonl"
CARD = "corpus.json"
COUNTED = ("utterances", "counts", "languages")
"""What the card says of the manifest, counted whenever both are written."""


class CorpusError(UserError, ValueError):
    """A corpus folder that does not hold what it should."""


@dataclass(frozen=True)
class Corpus:
    """Utterances, the folder their audio lies in, and the card that says how they came about.

    Args:
        name: how the corpus is called in results.
        root: the folder that ``file_name`` is relative to.
        utterances: in the order of the manifest.
        card: what ``corpus.json`` holds besides the counts: label set, drops, seed, config, versions.
    """

    name: str
    root: Path
    utterances: tuple[Utterance, ...]
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for utterance in self.utterances:
            if utterance.id in seen:
                raise CorpusError(f"corpus {self.name!r}: the id {utterance.id!r} occurs twice, expected unique ids")
            seen.add(utterance.id)

    def __len__(self) -> int:
        return len(self.utterances)

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def audio_path(self, utterance: Utterance) -> Path:
        """Where an utterance's audio lies.

        Raises:
            CorpusError: if it has none.
        """
        if utterance.file_name is None:
            raise CorpusError(f"corpus {self.name!r}: the utterance {utterance.id!r} has no audio, only text")
        return self.root / utterance.file_name

    def where(self, keep: Callable[[Utterance], bool]) -> Corpus:
        """The corpus of the utterances that a predicate keeps."""
        return replace(self, utterances=tuple(u for u in self.utterances if keep(u)))

    def with_labels(self, labels: LabelSet) -> tuple[Corpus, Counter[str]]:
        """The corpus in the classes of a label set, and how many utterances each dropped emotion cost.

        Raises:
            LabelError: on an emotion that the label set does not know.
        """
        kept: list[Utterance] = []
        dropped: Counter[str] = Counter()
        for utterance in self.utterances:
            if utterance.label is None:
                dropped["no label"] += 1
                continue
            try:
                label = labels.of(utterance.label)
            except LabelError as error:
                raise LabelError(f"corpus {self.name!r}, utterance {utterance.id!r}: {error}") from None
            if label is None:
                dropped[utterance.label] += 1
            else:
                kept.append(utterance if label == utterance.label else utterance.with_(label=label))
        return replace(self, utterances=tuple(kept)), dropped

    def counts(self) -> dict[str, int]:
        """How many utterances each label has, in the order of the labels' names."""
        counts = Counter(u.label for u in self.utterances if u.label is not None)
        return {label: counts[label] for label in sorted(counts)}

    def save(self, folder: str | Path) -> None:
        """Write manifest and card into a folder; the audio is the caller's to write."""
        write_corpus(Path(folder), self.utterances, {"name": self.name, **self.card})

    @classmethod
    def load(cls, folder: str | Path) -> Corpus:
        """Read a corpus folder.

        Raises:
            CorpusError: naming file, line, value and what was expected.
        """
        folder = Path(folder)
        card = {key: value for key, value in load_card(folder).items() if key not in COUNTED}
        name = card.pop("name", None) or folder.resolve().name
        return cls(name, folder, tuple(read_manifest(folder / MANIFEST, labels=card.get("labels"))), card)


def write_corpus(folder: Path, utterances: Iterable[Utterance], card: dict[str, Any]) -> dict[str, Any]:
    """Write a manifest as it streams by, then the card with its counts, by label, and by language if there are several.

    The card goes last: a folder with a card is complete.

    Returns:
        The card as written.

    Raises:
        CorpusError: if an id occurs twice; then nothing is written.
    """
    counts: Counter[str] = Counter()
    languages: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen: set[str] = set()
    with atomic_write(folder / MANIFEST) as file:
        for utterance in utterances:
            if utterance.id in seen:
                raise CorpusError(f"{folder}: the id {utterance.id!r} occurs twice, expected unique ids")
            seen.add(utterance.id)
            counts[utterance.label or "no label"] += 1
            languages[utterance.language or "no language"][utterance.label or "no label"] += 1
            file.write(utterance.to_line() + "\n")
    card = {**card, "utterances": len(seen), "counts": dict(sorted(counts.items()))}
    if len(languages) > 1:
        card["languages"] = {language: dict(sorted(languages[language].items())) for language in sorted(languages)}
    with atomic_write(folder / CARD) as file:
        json.dump(card, file, indent=2, ensure_ascii=False)
        file.write("\n")
    return card


def load_card(folder: Path) -> dict[str, Any]:
    """Read ``corpus.json``; an audiofolder that another program made has none, and that is fine."""
    path = folder / CARD
    if not path.exists():
        return {}
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorpusError(f"{path}: expected JSON: {error}") from None
    if not isinstance(card, dict):
        raise CorpusError(f"{path}: expected a JSON object, got {type(card).__name__}")
    return card


def read_manifest(path: Path, labels: Iterable[str] | None = None) -> Iterator[Utterance]:
    """Read ``metadata.jsonl`` line by line.

    A line without ``id``, as other programs write, gets its file name without the extension.

    Raises:
        CorpusError: naming file, line, value and what was expected.
    """
    allowed = None if labels is None else set(labels)
    lines: dict[str, int] = {}
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; a corpus folder holds a {MANIFEST}")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            utterance = _parse(line, f"{path}:{number}")
            if allowed is not None and utterance.label is not None and utterance.label not in allowed:
                raise CorpusError(
                    f"{path}:{number}: label: got {utterance.label!r}, expected one of {', '.join(sorted(allowed))}"
                )
            if lines.setdefault(utterance.id, number) != number:
                raise CorpusError(
                    f"{path}:{number}: id: got {utterance.id!r}, expected unique ids, "
                    f"but line {lines[utterance.id]} has it too"
                )
            yield utterance


def _parse(line: bytes, where: str) -> Utterance:
    try:
        columns = json.loads(line)
    except ValueError as error:
        raise CorpusError(f"{where}: expected a JSON object: {error}") from None
    if not isinstance(columns, dict):
        raise CorpusError(f"{where}: expected a JSON object, got {type(columns).__name__}")
    if "id" not in columns and isinstance(columns.get("file_name"), str):
        columns["id"] = id_of(columns["file_name"])
    try:
        return Utterance.model_validate(columns)
    except ValidationError as error:
        raise CorpusError(f"{where}: {explain(error)}") from None


def id_of(file_name: str) -> str:
    """An id for a file that has no other: its path without the extension, slashes and blanks replaced.

    >>> id_of("audio/anna 01.wav")
    'audio-anna_01'
    """
    path = Path(file_name)
    return "_".join((path.parent / path.stem).as_posix().replace("/", "-").split())


def explain(error: ValidationError) -> str:
    """A pydantic error in one line: column, value, expectation."""
    first = error.errors(include_url=False)[0]
    column = ".".join(str(part) for part in first["loc"]) or "value"
    if first["type"] == "missing":
        return f"{column}: missing"
    return f"{column}: got {first['input']!r}, expected: {first['msg'].removeprefix('Value error, ')}"
