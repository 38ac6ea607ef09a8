"""A control without a language model: lines that name their emotion, and tell nothing else.

If a classifier that was trained on these does as well as one that was trained on dialogues, then what the dialogues
bring is no more than the names of the emotions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import LabelSet, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, run_stage

from .errors import GenerationError
from .utterances import draw_test_split

PROMPT = "label-only"
TURNS = 8
"""Lines of a dialogue, which two speakers take in turn."""

SYNONYMS = {
    "neu": ("neutral", "calm", "indifferent", "composed", "unmoved"),
    "hap": ("happy", "glad", "cheerful", "delighted", "joyful"),
    "ang": ("angry", "furious", "mad", "outraged", "annoyed"),
    "sad": ("sad", "unhappy", "sorrowful", "miserable", "gloomy"),
    "fea": ("afraid", "scared", "fearful", "frightened", "terrified"),
    "dis": ("disgusted", "revolted", "repelled", "sickened", "nauseated"),
    "sur": ("surprised", "astonished", "amazed", "startled", "stunned"),
    "con": ("contemptuous", "scornful", "disdainful", "derisive", "sneering"),
}
"""Words for each emotion, the canonical one first."""
FRAMES = (
    "I am {}.",
    "I feel {}.",
    "I'm {} now.",
    "You sound {}.",
    "She is {} today.",
    "He looks {} to me.",
    "We were {} then.",
    "They are all {}.",
    "It makes me {}.",
    "I was {} yesterday.",
    "Are you {}?",
    "Everybody is {} here.",
)
DEGREES = ("{}", "so {}", "very {}", "really {}", "quite {}")


def generate_label_only(
    out: str | Path,
    *,
    labels: LabelSet,
    utterances: int | None,
    test_ratio: float,
    seed: int,
    overwrite: bool = False,
) -> StageReport:
    """Write the control corpus.

    Args:
        out: folder of the new corpus.
        labels: the classes.
        utterances: how many, balanced over the classes; by default all that there are.
        test_ratio: share of the utterances that form a split ``test``.
        seed: fixes which lines are taken, their order, and the splits.
        overwrite: see `run_stage`.

    Raises:
        GenerationError: if there are no words for a class, or fewer lines than are asked for.
    """
    unknown = [label for label in labels.classes if label not in SYNONYMS]
    if unknown:
        raise GenerationError(f"label-only: got the class {unknown[0]!r}, expected some of {', '.join(SYNONYMS)}")
    each = len(FRAMES) * len(DEGREES) * len(SYNONYMS["neu"])
    wanted = each if utterances is None else utterances // len(labels.classes)
    if not 0 < wanted <= each:
        classes = len(labels.classes)
        raise GenerationError(f"-n: got {utterances}, expected {classes} to {each * classes} label-only utterances")
    lines = list(_lines(labels.classes, wanted, seed))
    splits = draw_test_split(lines, test_ratio, seed)
    card = {
        "name": PROMPT,
        "stage": "generate",
        "description": "A control: lines that name their emotion and tell nothing else, put together from a list.",
        "provider": "label-only",
        "labels": list(labels.classes),
        "asked": utterances,
        "test_ratio": test_ratio,
        "seed": seed,
        "versions": {"zero-shot-emotion": __version__},
    }
    made = [utterance.with_(split=splits[utterance.id]) for utterance in lines]
    return run_stage(made, _as_it_is, out, name="generate", card=card, overwrite=overwrite)


def _as_it_is(utterance: Utterance) -> list[Made]:
    return [Made(utterance)]


def _lines(classes: Sequence[str], each: int, seed: int) -> Iterator[Utterance]:
    rng = np.random.default_rng(seed)
    drawn = []
    for label in classes:
        there_are = list(product(FRAMES, DEGREES, SYNONYMS[label]))
        drawn += [(label, *there_are[i]) for i in rng.permutation(len(there_are))[:each]]
    for place, index in enumerate(rng.permutation(len(drawn))):
        label, frame, degree, word = drawn[index]
        dialogue, turn = divmod(place, TURNS)
        yield Utterance(
            id=f"{PROMPT}-{dialogue:03d}-{turn:02d}",
            text=frame.format(degree.format(word)),
            label=label,
            speaker=f"{PROMPT}-{dialogue:03d}-{'AB'[turn % 2]}",
            gender="female" if turn % 2 == 0 else "male",
            language="en",
            dialogue=f"{PROMPT}-{dialogue:03d}",
            turn=turn,
        )
