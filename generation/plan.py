"""The plan of a run: which dialogue each round asks for.

Scenario, genders, the number of turns and how long each is to be are drawn from the seed and the round's number alone,
so that a stored answer fits its round whatever became of the others. Only what follows from the rest of the corpus
(which emotions are missing, which lines exist) follows from what was accepted before. Lengths and emotions are drawn
apart, so that the one does not tell the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from zero_shot_emotion.corpus import LabelSet

from .datasheet import Datasheet, Gender, Scenario
from .errors import GenerationError
from .lengths import lengths_of
from .prompt import PlannedTurn, Request, fill, speaker_name, template_text

EDITION = 2
"""Of the way in which rounds are drawn. Raise it when that changes: answers to another plan fit no more."""
TURNS = (6, 12)
"""The fewest and the most turns that a dialogue is asked to have."""
AVOIDED = 8
"""Lines that exist already, shown in a prompt."""


@dataclass(frozen=True)
class Round:
    """One request of the plan.

    Attributes:
        index: its place, from 0.
        key: names the request, and the dialogue that comes of it, among all runs.
        request: what is asked for.
    """

    index: int
    key: str
    request: Request


class Plan:
    """The rounds of a run.

    Args:
        sheet: of the corpus to be imitated.
        labels: the classes that are wanted.
        sampling: the model and how it is sampled, which tell this run's answers from another's.
        template: the text of the prompt's template, likewise.
        seed: fixes everything that is drawn.

    Raises:
        GenerationError: if the datasheet has no emotion for a class.
    """

    def __init__(
        self, sheet: Datasheet, labels: LabelSet, sampling: Mapping[str, Any], template: str, seed: int
    ) -> None:
        self._sheet = sheet
        self._emotions = {label: _emotion(sheet, labels, label) for label in labels.classes}
        self._lengths = lengths_of(sheet)
        self._seed = seed
        identity = {
            "edition": EDITION,
            "datasheet": sheet.model_dump(mode="json", exclude={"title", "sources"}),
            "labels": [labels.classes, sorted(labels.merge.items())],
            "sampling": dict(sampling),
            "prompt": template,
            "seed": seed,
        }
        self.fingerprint = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]

    def round(self, index: int, missing: Mapping[str, int], lines: Mapping[str, Sequence[str]]) -> Round:
        """A round of the plan.

        Args:
            index: its place, from 0.
            missing: how many utterances of each class are still to be had.
            lines: of each scenario, some that exist already.
        """
        rng = np.random.default_rng([self._seed, index, 0])
        scenario = self._scenario(index)
        genders = self._genders(scenario, rng)
        turns = int(rng.integers(*TURNS, endpoint=True))
        known = lines.get(scenario.id, ())
        avoid = [known[i] for i in rng.permutation(len(known))[:AVOIDED]]
        key = sha256(f"{self.fingerprint} {index}".encode()).hexdigest()[:12]
        plan = tuple(
            PlannedTurn(speaker_name(place % len(scenario.roles)), emotion, length)
            for place, (emotion, length) in enumerate(
                zip(self._wanted(index, scenario, turns, missing), self._long(index, turns), strict=True)
            )
        )
        return Round(index, key, Request(scenario, genders, plan, avoid))

    def _scenario(self, index: int) -> Scenario:
        """All scenarios in turn, in another order each time."""
        scenarios = self._sheet.scenarios
        cycle, place = divmod(index, len(scenarios))
        order = np.random.default_rng([self._seed, cycle, 1]).permutation(len(scenarios))
        return scenarios[order[place]]

    def _genders(self, scenario: Scenario, rng: np.random.Generator) -> tuple[Gender, ...]:
        """The datasheet's genders, dealt out in random order."""
        given = self._sheet.speakers.genders
        order = rng.permutation(len(given))
        return tuple(given[order[i % len(given)]] for i in range(len(scenario.roles)))

    def _long(self, index: int, turns: int) -> list[int]:
        """How long each turn is to be."""
        rng = np.random.default_rng([self._seed, index, 2])
        return [self._lengths.words(quantile) for quantile in rng.random(turns)]

    def _wanted(self, index: int, scenario: Scenario, turns: int, missing: Mapping[str, int]) -> list[str] | list[None]:
        """An emotion for each turn, drawn in proportion to what is missing.

        A role's own goes to its turns first, and each speaker's come in runs: moods shift, they do not flicker.
        """
        total = sum(missing.values())
        if total == 0:
            return [None] * turns
        rng = np.random.default_rng([self._seed, index, 3])
        counts = rng.multinomial(turns, [missing[label] / total for label in self._emotions])
        left = [emotion for emotion, count in zip(self._emotions.values(), counts, strict=True) for _ in range(count)]
        wanted, speakers = [""] * turns, len(scenario.roles)
        for place in map(int, rng.permutation(turns)):
            own = scenario.roles[place % speakers].emotion
            wanted[place] = own if own in left else left[int(rng.integers(len(left)))]
            left.remove(wanted[place])
        for speaker in range(speakers):
            run = dict(zip(self._emotions.values(), rng.permutation(len(self._emotions)), strict=True))
            wanted[speaker::speakers] = sorted(wanted[speaker::speakers], key=run.__getitem__)
        return wanted


def first_prompt(sheet: Datasheet, labels: LabelSet, template: str | Path = "dialogue", seed: int = 0) -> str:
    """The first prompt of a run, while as much is missing of each class as of any other.

    Raises:
        MissingConfigError: if there is no such template.
        GenerationError: if it cannot be filled, or if the datasheet has no emotion for a class.
    """
    text = template_text(template)
    first = Plan(sheet, labels, {}, text, seed).round(0, dict.fromkeys(labels.classes, 1), {})
    return fill(text, sheet, first.request)


def lacking(sheet: Datasheet, labels: LabelSet) -> list[str]:
    """The classes of a label set that a datasheet has no emotion for."""
    there = {labels.of(emotion) for emotion in sheet.labels}
    return [label for label in labels.classes if label not in there]


def _emotion(sheet: Datasheet, labels: LabelSet, label: str) -> str:
    """The emotion of the datasheet that counts as a class."""
    for emotion in (label, *sheet.labels):
        if emotion in sheet.labels and labels.of(emotion) == label:
            return emotion
    raise GenerationError(
        f"label set {labels.name!r}: the datasheet {sheet.name!r} has no emotion for the class {label!r}, "
        f"expected classes among {', '.join(sheet.labels)}, such as --labels {','.join(sheet.labels)}"
    )
