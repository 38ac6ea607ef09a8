"""The first stage: a text corpus like the one that a datasheet describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import LabelSet, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, run_stage

from .datasheet import Datasheet, load_datasheet
from .response import Dialogue, parse
from .shipped import PROVIDER, ShippedDialogue, shipped_dialogues


class GenerationError(ValueError):
    """A corpus that cannot be made as asked."""


@dataclass(frozen=True)
class _Chosen:
    """The stage's task: the utterances of a dialogue that were chosen for the corpus."""

    datasheet: Datasheet
    labels: LabelSet
    chosen: frozenset[str]

    def __call__(self, dialogue: ShippedDialogue) -> list[Made]:
        return [Made(u) for u in _utterances(self.datasheet, self.labels, dialogue) if u.id in self.chosen]


def generate(
    out: str | Path,
    *,
    datasheet: str | Path = "iemocap",
    labels: LabelSet,
    utterances: int | None = None,
    seed: int = 0,
    skip_errors: bool = False,
    overwrite: bool = False,
) -> StageReport:
    """Make a text corpus of the dialogues that ship with the project.

    Whole dialogues are taken, in an order fixed by the seed that goes through all scenarios in turn; then each class
    is cut to the same number of utterances.

    Args:
        out: folder of the new corpus.
        datasheet: a shipped datasheet's name or the path of one.
        labels: the classes; turns of other emotions are left out and counted.
        utterances: how many at most; by default as many as ship, balanced over the classes.
        seed: fixes which dialogues are taken.
        skip_errors: see `run_stage`.
        overwrite: see `run_stage`.

    Raises:
        GenerationError: if fewer than ``utterances`` ship.
    """
    sheet = load_datasheet(datasheet)
    dialogues = _in_order(shipped_dialogues(sheet.name), seed)
    chosen, drops = _choose(sheet, labels, dialogues, utterances)
    taken = [d for d in dialogues if any(u.id in chosen for u in _utterances(sheet, labels, d))]
    card = {
        "name": f"{sheet.name}-like",
        "stage": "generate",
        "description": (
            f"Dialogues like those of {sheet.title}, written by a language model from the datasheet and the prompt that "
            "ship with zero-shot-emotion. Nothing of the corpus itself was used."
        ),
        "provider": PROVIDER,
        "datasheet": sheet.name,
        "labels": list(labels.classes),
        "asked": utterances,
        "seed": seed,
        "drops": dict(drops),
        "versions": {"zero-shot-emotion": __version__},
    }
    task = _Chosen(sheet, labels, chosen)
    return run_stage(taken, task, out, name="generate", card=card, skip_errors=skip_errors, overwrite=overwrite)


def _in_order(dialogues: Sequence[ShippedDialogue], seed: int) -> list[ShippedDialogue]:
    """Shuffled within each scenario, scenarios in turn: any beginning of the list covers them evenly."""
    rng = np.random.default_rng(seed)
    place: Counter[str] = Counter()
    keyed = []
    for index in rng.permutation(len(dialogues)):
        dialogue = dialogues[index]
        keyed.append((place[dialogue.scenario], dialogue.scenario, dialogue))
        place[dialogue.scenario] += 1
    return [dialogue for _, _, dialogue in sorted(keyed, key=lambda k: k[:2])]


def _choose(
    sheet: Datasheet, labels: LabelSet, dialogues: Sequence[ShippedDialogue], utterances: int | None
) -> tuple[frozenset[str], Counter[str]]:
    """The ids of a class-balanced corpus, and why other turns of the dialogues are left out."""
    made = [u for dialogue in dialogues for u in _utterances(sheet, labels, dialogue)]
    smallest = min(Counter(u.label for u in made).get(label, 0) for label in labels.classes)
    each = smallest if utterances is None else utterances // len(labels.classes)
    if each > smallest or each == 0:
        raise GenerationError(
            f"-n: got {utterances} utterances, expected {len(labels.classes)} to {smallest * len(labels.classes)}: so many "
            f"ship for the datasheet {sheet.name!r}, balanced over {', '.join(labels.classes)}"
        )
    taken: Counter[str | None] = Counter()
    chosen = set()
    drops: Counter[str] = Counter()
    for dialogue in dialogues:
        if all(taken[label] == each for label in labels.classes):
            break
        drops.update(_parse(sheet, dialogue).drops)
        drops.update(f"emotion {t.label}" for t in _parse(sheet, dialogue).turns if labels.of(t.label) is None)
        for utterance in _utterances(sheet, labels, dialogue):
            if taken[utterance.label] < each:
                taken[utterance.label] += 1
                chosen.add(utterance.id)
            else:
                drops["over the class balance"] += 1
    return frozenset(chosen), drops


def _parse(sheet: Datasheet, dialogue: ShippedDialogue) -> Dialogue:
    return parse(dialogue.response, dialogue.genders, sheet.labels)


def _utterances(sheet: Datasheet, labels: LabelSet, dialogue: ShippedDialogue) -> list[Utterance]:
    """The turns of a dialogue that carry a class of the label set."""
    name = f"{sheet.name}-{dialogue.id}"
    made = []
    for turn in _parse(sheet, dialogue).turns:
        label = labels.of(turn.label)
        if label is not None:
            made.append(
                Utterance(
                    id=f"{name}-{turn.index:02d}",
                    text=turn.text,
                    label=label,
                    speaker=f"{name}-{turn.speaker}",
                    gender=dialogue.genders[turn.speaker],
                    language=sheet.language,
                    dialogue=name,
                    turn=turn.index,
                    scenario=dialogue.scenario,
                )
            )
    return made
