"""A corpus: a folder with a manifest, a card and audio.

The manifest is ``metadata.jsonl`` in the audiofolder convention of Hugging Face datasets, the card
is ``corpus.json``. Every stage of the project reads a corpus and writes a corpus.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .atomic import atomic_write
from .labels import LabelError, LabelSet
from .manifest import MANIFEST, CorpusError, Entry, Manifest, id_of, write_manifest
from .unfinished import CARD, refuse_unfinished
from .utterance import Utterance

__all__ = [
    "CARD",
    "MANIFEST",
    "Corpus",
    "CorpusError",
    "id_of",
    "load_card",
    "write_corpus",
    "write_entries",
]

COUNTED = ("utterances", "counts", "languages")
"""What the card says of the manifest, counted whenever both are written."""


@dataclass(frozen=True)
class Corpus:
    """Utterances, the folder their audio lies in, and the card that says how they came about.

    Args:
        name: how the corpus is called in results.
        root: the folder that ``file_name`` is relative to.
        utterances: in the order of the manifest. Those of a folder are read from it whenever they are asked for,
            so that a corpus of a million costs no memory.
        card: what ``corpus.json`` holds besides the counts: label set, drops, seed, config, versions.
    """

    name: str
    root: Path
    utterances: Sequence[Utterance]
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.utterances, Manifest):
            return  # its ids are unique
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
        whole = self.utterances
        kept = whole.where(keep) if isinstance(whole, Manifest) else tuple(u for u in whole if keep(u))
        return replace(self, utterances=kept)

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
        """Open a corpus folder and check every line of its manifest.

        Raises:
            CorpusError: naming file, line, value and what was expected; or the stage that has not finished here.
        """
        folder = Path(folder)
        refuse_unfinished(folder)
        card = {key: value for key, value in load_card(folder).items() if key not in COUNTED}
        name = card.pop("name", None) or folder.resolve().name
        return cls(name, folder, Manifest(folder / MANIFEST, labels=card.get("labels")), card)


def write_corpus(folder: Path, utterances: Iterable[Utterance], card: dict[str, Any]) -> dict[str, Any]:
    """Write a manifest as it streams by, then the card with its counts, by label, and by language if there are several.

    The card goes last: a folder with a card is complete.

    Returns:
        The card as written.

    Raises:
        CorpusError: if an id occurs twice; then nothing is written.
    """
    return write_entries(folder, (Entry(u.id, u.label, u.to_line(), u.language) for u in utterances), card)


def write_entries(folder: Path, entries: Iterable[Entry], card: dict[str, Any]) -> dict[str, Any]:
    """The same from lines that are ready."""
    card = {**card, **write_manifest(folder / MANIFEST, entries)}
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
