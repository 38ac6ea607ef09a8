"""The first stage: a text corpus like the one that a datasheet describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zero_shot_emotion import __version__
from zero_shot_emotion.corpus import LabelSet, Utterance
from zero_shot_emotion.corpus.stage import Made, StageReport, run_stage

from .by_endpoint import DEFAULT_PROMPT, generate_by_endpoint
from .datasheet import Datasheet, load_datasheet
from .endpoint import Endpoint
from .errors import GenerationError
from .label_only import PROMPT as LABEL_ONLY
from .label_only import generate_label_only
from .lengths import lengths_of
from .response import Dialogue, parse
from .shipped import PROVIDER, ShippedDialogue, shipped_dialogues
from .utterances import draw_test_split, utterance_of

UNCLEAR = "unclear by itself"
"""Why a turn is left out whose words alone do not tell its emotion."""


@dataclass(frozen=True)
class _Chosen:
    """The stage's task: the utterances of a dialogue that were chosen for the corpus, with their splits."""

    datasheet: Datasheet
    labels: LabelSet
    chosen: Mapping[str, str | None]

    def __call__(self, dialogue: ShippedDialogue) -> list[Made]:
        return [
            Made(u.with_(split=self.chosen[u.id]))
            for u in _utterances(self.datasheet, self.labels, dialogue)
            if u.id in self.chosen
        ]


def generate(
    out: str | Path,
    *,
    datasheet: str | Path = "iemocap",
    language: str | None = None,
    labels: LabelSet,
    utterances: int | None = None,
    test_ratio: float = 0.0,
    seed: int = 0,
    endpoint: Endpoint | None = None,
    prompt: str | Path | None = None,
    skip_errors: bool = False,
    overwrite: bool = False,
) -> StageReport:
    """Make a text corpus: of dialogues that a language model is asked for, or of those that ship with the project.

    Of those that ship, whole dialogues are taken, in an order fixed by the seed that goes through all scenarios in
    turn; then each class is cut to the same number of utterances. For those that are asked for, see
    `generate_by_endpoint`.

    Args:
        out: folder of the new corpus.
        datasheet: a shipped datasheet's name or the path of one.
        language: one of the datasheet's languages; by default its first.
        labels: the classes; turns of other emotions are left out and counted.
        utterances: how many, balanced over the classes; by default as many as ship.
        test_ratio: share of the utterances that form a split ``test``, in dialogues of their own; the others are
            ``train``. By default there are no splits.
        seed: fixes which dialogues are taken or asked for, and the splits.
        endpoint: of the language model; by default none is asked.
        prompt: for the language model: a shipped template's name, or the path of one. ``label-only`` is a control
            that needs no model.
        skip_errors: see `run_stage`.
        overwrite: see `run_stage`.

    Raises:
        GenerationError: if fewer than ``utterances`` ship, or none of a class, or if a language model's part is not
            told or told in vain.
        EndpointError: if the endpoint refuses or does not answer.
    """
    sheet = load_datasheet(datasheet)
    if language is not None:
        sheet = sheet.in_language(language)
    if endpoint is not None:
        return generate_by_endpoint(
            out,
            sheet,
            endpoint,
            labels=labels,
            utterances=utterances,
            prompt=prompt or DEFAULT_PROMPT,
            test_ratio=test_ratio,
            seed=seed,
            overwrite=overwrite,
        )
    if prompt == LABEL_ONLY:
        return generate_label_only(
            out, labels=labels, utterances=utterances, test_ratio=test_ratio, seed=seed, overwrite=overwrite
        )
    if prompt is not None:
        raise GenerationError(f"--prompt: got {str(prompt)!r} without --model, expected a model that it is meant for")
    dialogues = _in_order(shipped_dialogues(sheet.name), seed)
    kept, drops = _choose(sheet, labels, dialogues, utterances)
    chosen = draw_test_split(kept, test_ratio, seed)
    taken = [d for d in dialogues if any(u.id in chosen for u in _utterances(sheet, labels, d))]
    card = {
        "name": f"{sheet.name}-like",
        "stage": "generate",
        "description": (
            f"Dialogues like those of {sheet.title}, written by a language model from the datasheet and the prompt "
            "that ship with zero-shot-emotion. Nothing of the corpus itself was used."
        ),
        "provider": PROVIDER,
        "datasheet": sheet.name,
        "published": lengths_of(sheet).published(),
        "language": sheet.language,
        "labels": list(labels.classes),
        "asked": utterances,
        "test_ratio": test_ratio,
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
) -> tuple[list[Utterance], Counter[str]]:
    """A class-balanced choice, and why other turns of the dialogues are left out."""
    made = [u for dialogue in dialogues for u in _utterances(sheet, labels, dialogue)]
    there = Counter(u.label for u in made)
    if lacking := [label for label in labels.classes if not there[label]]:
        raise GenerationError(
            f"label set {labels.name!r}: no utterance ships for the datasheet {sheet.name!r} of {', '.join(lacking)}, "
            f"expected classes among {', '.join(sorted(filter(None, there)))}, or a language model "
            "(--model) to write them"
        )
    smallest = min(there[label] for label in labels.classes)
    each = smallest if utterances is None else utterances // len(labels.classes)
    if each > smallest or each == 0:
        raise GenerationError(
            f"-n: got {utterances} utterances, expected {len(labels.classes)} to {smallest * len(labels.classes)}: "
            f"so many ship for the datasheet {sheet.name!r}, balanced over {', '.join(labels.classes)}"
        )
    taken: Counter[str | None] = Counter()
    chosen = []
    drops: Counter[str] = Counter()
    for dialogue in dialogues:
        if all(taken[label] == each for label in labels.classes):
            break
        drops.update(_parse(sheet, dialogue).drops)
        drops.update(f"emotion {t.label}" for t in _parse(sheet, dialogue).turns if labels.of(t.label) is None)
        for utterance in _utterances(sheet, labels, dialogue):
            if taken[utterance.label] < each:
                taken[utterance.label] += 1
                chosen.append(utterance)
            else:
                drops["over the class balance"] += 1
    return chosen, drops


def _parse(sheet: Datasheet, dialogue: ShippedDialogue) -> Dialogue:
    """The turns of a dialogue that are utterances; those that are unclear by themselves are dropped too."""
    found = parse(dialogue.response, dialogue.genders, sheet.labels)
    clear = tuple(turn for turn in found.turns if turn.index not in dialogue.unclear)
    unclear = len(found.turns) - len(clear)
    return Dialogue(clear, {**found.drops, **({UNCLEAR: unclear} if unclear else {})})


def _utterances(sheet: Datasheet, labels: LabelSet, dialogue: ShippedDialogue) -> list[Utterance]:
    """The turns of a dialogue that carry a class of the label set."""
    return [
        utterance_of(turn, label, sheet, dialogue.scenario, dialogue.id, dialogue.genders)
        for turn in _parse(sheet, dialogue).turns
        if (label := labels.of(turn.label)) is not None
    ]
