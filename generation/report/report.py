"""All numbers of a realism report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import Corpus, UserError

from ..datasheet import Datasheet, load_datasheet
from ..lengths import lengths_of
from .association import CrossTable, cross_table
from .card import Card, describe, scenario_of
from .contamination import Contamination, contamination
from .examples import Example, examples
from .lengths import Lengths, lengths, seconds
from .naming import Naming, naming
from .repeats import Repeats, repeats
from .surface import Guess, guess_from_surface, mark_shares
from .transcript import Transcript
from .typical import TypicalWord, typical_words
from .variety import Comparison, compare
from .words import words

ALL = "all"
"""The group of all lines, whatever their label."""
SECONDS = 0.5
"""Width of a bar in the histogram of durations."""


class ReportError(UserError, ValueError):
    """A corpus that there is nothing to say of."""


@dataclass(frozen=True)
class Published:
    """How long a datasheet says utterances are: shortest, median and longest, in seconds and in about so many words.

    Attributes:
        datasheet: its name.
        seconds: shortest, median and longest.
        words: likewise, at the rate of speech.
        per_second: how many words, by the datasheet or by the language.
        unit: of what is counted: words, or characters.
    """

    datasheet: str
    seconds: tuple[float, float, float]
    words: tuple[float, float, float]
    per_second: float
    unit: str


@dataclass(frozen=True)
class Report:
    """What a corpus is like. Each part is described where it is made.

    Attributes:
        version: of this project.
        seed: of every sample.
        card: facts and counts.
        words: how many words a line has, by label, and of all, and in each real transcript as ``real: NAME``.
        seconds: how long the audio is, by label; None without audio.
        unreadable: audio files whose header could not be read.
        published: by the datasheet; None without one.
        variety: of this corpus and of each real transcript.
        scenarios: labels by scenario; None where scenarios are not told.
        marks: share of lines with a punctuation mark, by label.
        surface: how well length and punctuation tell the label; None where that cannot be measured.
        typical: words of each label.
        naming: lines that name their emotion, by label.
        repeats: of lines within the corpus.
        contamination: by each real transcript.
        examples: of each label.
    """

    version: str
    seed: int
    card: Card
    words: Lengths | None
    seconds: Lengths | None
    unreadable: int
    published: Published | None
    variety: Comparison
    scenarios: CrossTable | None
    marks: dict[str, dict[str, float]]
    surface: Guess | None
    typical: dict[str, list[TypicalWord]]
    naming: dict[str, Naming]
    repeats: Repeats
    contamination: list[Contamination]
    examples: dict[str, list[Example]]


def make_report(corpus: Corpus, real: Sequence[Transcript] = (), datasheet: str | None = None, seed: int = 0) -> Report:
    """Measure a corpus.

    Args:
        corpus: with text; audio is looked at by its headers alone.
        real: transcripts to hold it against.
        datasheet: a shipped one's name or a path; by default the one that the corpus's card names, if it can be found.
        seed: of every sample.

    Raises:
        ReportError: if the corpus has no text.
        MissingConfigError: if there is no such datasheet.
        DatasheetError: if it is not one.
    """
    texts = [u.text for u in corpus if u.text]
    if not texts:
        raise ReportError(f"corpus {corpus.name!r}: holds no text, expected utterances with text")
    labelled = [(u.label, u.text, u.dialogue) for u in corpus if u.text and u.label is not None]
    lines = [(label, text) for label, text, _ in labelled]
    durations = seconds(corpus)
    return Report(
        version=__version__,
        seed=seed,
        card=describe(corpus),
        words=_word_lengths(texts, lines, real),
        seconds=_seconds(corpus, durations),
        unreadable=sum(u.file_name is not None for u in corpus) - len(durations),
        published=_published(corpus, datasheet),
        variety=compare([Transcript(corpus.name, texts), *real], seed),
        scenarios=_scenarios(corpus),
        marks=mark_shares(lines),
        surface=guess_from_surface(labelled, seed),
        typical=typical_words((label, words(text)) for label, text in lines),
        naming=naming(corpus),
        repeats=repeats(texts),
        contamination=[contamination(texts, transcript) for transcript in real],
        examples=examples(corpus, seed=seed),
    )


def _word_lengths(texts: Sequence[str], lines: Sequence[tuple[str, str]], real: Sequence[Transcript]) -> Lengths | None:
    groups = {
        ALL: texts,
        **{label: [text for other, text in lines if other == label] for label in sorted({x for x, _ in lines})},
        **{f"real: {transcript.name}": transcript.lines for transcript in real},
    }
    return lengths({name: [len(words(text)) for text in group] for name, group in groups.items()}, width=1)


def _seconds(corpus: Corpus, durations: Mapping[str, float]) -> Lengths | None:
    groups: dict[str, list[float]] = {ALL: list(durations.values())}
    for utterance in corpus:
        if utterance.id in durations and utterance.label is not None:
            groups.setdefault(utterance.label, []).append(durations[utterance.id])
    return lengths(dict(sorted(groups.items(), key=lambda group: (group[0] != ALL, group[0]))), SECONDS)


def _published(corpus: Corpus, name: str | None) -> Published | None:
    """By the datasheet that is named, or by the corpus's card, or by the datasheet that the card names."""
    told = corpus.card.get("published")
    if name is None and told is not None:
        return _in_words(str(corpus.card.get("datasheet")), told["seconds"], told["per_second"], told["unit"])
    try:
        sheet = load_datasheet(name or _named_by(corpus.card))
    except UserError:
        if name is not None:
            raise
        return None
    found = lengths_of(_in_language_of(corpus.card, sheet))
    return _in_words(sheet.name, (found.shortest, found.median, found.longest), found.rate.per_second, found.rate.unit)


def _in_words(name: str, seconds: Sequence[float], per_second: float, unit: str) -> Published:
    low, middle, high = seconds
    words = (low * per_second, middle * per_second, high * per_second)
    return Published(name, (low, middle, high), words, per_second, unit)


def _in_language_of(card: Mapping[str, Any], sheet: Datasheet) -> Datasheet:
    """The datasheet in the language that a card names, if it has that."""
    language = card.get("language")
    return sheet.in_language(language) if isinstance(language, str) and language in sheet.languages else sheet


def _named_by(card: Mapping[str, Any]) -> str:
    """The datasheet that a card names; one in a further language has that language behind its name."""
    return str(card.get("datasheet", "")).removesuffix(f"-{card.get('language')}")


def _scenarios(corpus: Corpus) -> CrossTable | None:
    pairs = [(scenario_of(u.extra), u.label) for u in corpus]
    told = [(scenario, label) for scenario, label in pairs if scenario is not None and label is not None]
    return cross_table(told) if told else None
