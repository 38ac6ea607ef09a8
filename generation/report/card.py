"""What a corpus says of itself in its card, as rows of a table, and how much of what was written it kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion.corpus import Corpus

ELSEWHERE = {"description", "drops", "labels", "fingerprint", "published", "counts", "utterances", "yield"}
"""Keys of a card that the report shows in another place, or that tell people nothing."""
COLUMNS = ("label", "split", "language", "gender")


@dataclass(frozen=True)
class Card:
    """A corpus in facts and counts.

    Attributes:
        name: of the corpus.
        description: what it is; empty where the card does not say.
        facts: what else the card says in a word.
        utterances: how many there are.
        with_text: those with text.
        with_audio: those with audio.
        speakers: different ones.
        dialogues: different ones.
        counts: utterances by value, of each column that has any.
        drops: what was left out, by reason.
        kept: share of all that was written or read that is in the corpus; None where nothing is known of drops.
    """

    name: str
    description: str
    facts: dict[str, str]
    utterances: int
    with_text: int
    with_audio: int
    speakers: int
    dialogues: int
    counts: dict[str, dict[str, int]]
    drops: dict[str, int]
    kept: float | None


def describe(corpus: Corpus) -> Card:
    """The facts and counts of a corpus."""
    counts = {column: _counts(getattr(u, column) for u in corpus) for column in COLUMNS}
    counts["scenario"] = _counts(scenario_of(u.extra) for u in corpus)
    drops = {str(reason): int(count) for reason, count in dict(corpus.card.get("drops") or {}).items()}
    return Card(
        name=corpus.name,
        description=str(corpus.card.get("description", "")),
        facts=dict(_facts(corpus.card)),
        utterances=len(corpus),
        with_text=sum(bool(u.text) for u in corpus),
        with_audio=sum(u.file_name is not None for u in corpus),
        speakers=len({u.speaker for u in corpus} - {None}),
        dialogues=len({u.dialogue for u in corpus} - {None}),
        counts={column: found for column, found in counts.items() if found},
        drops=drops,
        kept=len(corpus) / (len(corpus) + sum(drops.values())) if "drops" in corpus.card else None,
    )


def scenario_of(extra: Mapping[str, Any]) -> str | None:
    """The scenario in an utterance's own columns."""
    return None if extra.get("scenario") is None else str(extra["scenario"])


def _counts(values: Iterator[str | None]) -> dict[str, int]:
    counts = Counter(value for value in values if value is not None)
    return {value: counts[value] for value in sorted(counts)}


def _facts(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is said in a word; of a table in the card what it says in a word."""
    for key, value in card.items():
        if key not in ELSEWHERE and (shown := _words(value)):
            yield key.replace("_", " "), shown


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = {
            key: _words(held) for key, held in value.items() if not isinstance(held, Mapping) and key not in ELSEWHERE
        }
        return ", ".join(f"{key} {held}".replace("_", " ") for key, held in inner.items() if held)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
