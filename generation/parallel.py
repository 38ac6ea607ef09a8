"""Sentences that say the same in several languages: the offline provider of multilingual corpora.

``generation/sentences/parallel.jsonl`` holds, a line each, an emotion and one sentence in six languages. They were
written by a language model for this project, each language for itself after the same situation, and checked by no
native speaker.

A sentence is said by several speakers, of whom each speaks one language. Sentences fall into blocks, and each block
has speakers of its own: so a corpus can be split such that neither a speaker nor a sentence is in both parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import LabelSet, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, run_stage

from .errors import GenerationError
from .utterances import draw_test_split

NAME = "parallel"
SENTENCES = Path(__file__).with_name("sentences") / "parallel.jsonl"
BLOCK = 2
"""Sentences of each emotion in a block."""
PAIR = 2
"""Speakers of a block in each language, at least: a woman and a man. There are more where sentences are said again."""


class Sentence(BaseModel):
    """One sentence in all languages, by tag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: str
    texts: dict[str, str]


def parallel_sentences() -> list[Sentence]:
    """All that ship, every one in the same languages."""
    with SENTENCES.open(encoding="utf-8") as file:
        return [Sentence.model_validate_json(line) for line in file]


def generate_parallel(
    out: str | Path,
    *,
    languages: Sequence[str] = (),
    labels: LabelSet,
    utterances: int | None = None,
    test_ratio: float = 0.0,
    seed: int = 0,
    skip_errors: bool = False,
    overwrite: bool = False,
) -> StageReport:
    """Make a text corpus of parallel sentences, balanced over language and emotion.

    Args:
        out: folder of the new corpus. The column ``parallel`` is shared by the utterances of one sentence, as is
            ``dialogue``, by which splits are grouped.
        languages: by tag; by default all that ship.
        labels: the classes; sentences of other emotions are left out and counted.
        utterances: how many, a multiple of languages times classes; by default every sentence once a language.
            Sentences are said again, by others, where more are asked for than ship.
        test_ratio: share of the utterances that form a split ``test``, with sentences and speakers of its own.
        seed: fixes the order of the sentences, and the splits.
        skip_errors: see `run_stage`.
        overwrite: see `run_stage`.

    Raises:
        GenerationError: on a language or a class of which nothing ships, or a number that gives no balance.
    """
    sentences = parallel_sentences()
    known = tuple(sentences[0].texts)
    tags = tuple(dict.fromkeys(languages)) or known
    for tag in tags:
        if tag not in known:
            raise GenerationError(f"--parallel: got {tag!r}, expected languages among {', '.join(known)}")
    by_class: dict[str, list[Sentence]] = {label: [] for label in labels.classes}
    left_out = 0
    for sentence in sentences:
        if (label := labels.of(sentence.label)) is None:
            left_out += len(tags)
        else:
            by_class[label].append(sentence)
    drawn = _drawn(by_class, seed)
    each = _per_cell(utterances, len(tags), {label: len(found) for label, found in drawn.items()})
    made = list(_utterances(drawn, tags, each))
    splits = draw_test_split(made, test_ratio, seed)
    card = {
        "name": NAME,
        "stage": "generate",
        "description": (
            "Sentences that say the same in several languages, written by a language model for zero-shot-emotion; "
            "no native speaker has checked them. No corpus was imitated."
        ),
        "provider": NAME,
        "language": list(tags),
        "labels": list(labels.classes),
        "asked": utterances,
        "test_ratio": test_ratio,
        "seed": seed,
        "drops": {"emotion outside the label set": left_out} if left_out else {},
        "versions": {"zero-shot-emotion": __version__},
    }
    items = [utterance.with_(split=splits[utterance.id]) for utterance in made]
    return run_stage(items, _as_it_is, out, name="generate", card=card, skip_errors=skip_errors, overwrite=overwrite)


def _as_it_is(utterance: Utterance) -> list[Made]:
    return [Made(utterance)]


def _drawn(by_class: Mapping[str, Sequence[Sentence]], seed: int) -> dict[str, list[Sentence]]:
    """The sentences of each class in an order fixed by the seed.

    Raises:
        GenerationError: if a class has none.
    """
    rng = np.random.default_rng(seed)
    for label, sentences in by_class.items():
        if not sentences:
            raise GenerationError(f"--labels: no parallel sentences ship for the class {label!r}")
    return {label: [found[i] for i in rng.permutation(len(found))] for label, found in by_class.items()}


def _per_cell(utterances: int | None, languages: int, sentences: Mapping[str, int]) -> int:
    """Utterances for each language and class."""
    cells = languages * len(sentences)
    if utterances is None:
        return min(sentences.values())
    if utterances < cells or utterances % cells:
        raise GenerationError(
            f"-n: got {utterances} utterances, expected a multiple of {cells}: "
            f"so many for each of {languages} languages and {len(sentences)} classes"
        )
    return utterances // cells


def _utterances(drawn: Mapping[str, Sequence[Sentence]], tags: Sequence[str], each: int) -> Iterator[Utterance]:
    """Sentence by sentence, in all languages; those that are said again come last.

    Each speaker says as much of every class as of any other, or nearly.
    """
    takes = -(-each // min(len(found) for found in drawn.values()))
    speakers = max(PAIR, takes + takes % 2)
    said = {label: list(islice(cycle(enumerate(found)), each)) for label, found in drawn.items()}
    for number in range(each):
        for label, lines in said.items():
            place, sentence = lines[number]
            take = number // len(drawn[label])
            speaker = (place + take) % speakers
            for tag in tags:
                yield Utterance.model_validate(
                    {
                        "id": f"{sentence.id}-{tag}-{take:02d}",
                        "text": sentence.texts[tag],
                        "label": label,
                        "speaker": f"{tag}-{place // BLOCK:02d}-{speaker:02d}",
                        "gender": ("female", "male")[speaker % 2],
                        "language": tag,
                        "dialogue": sentence.id,
                        "parallel": sentence.id,
                    }
                )
