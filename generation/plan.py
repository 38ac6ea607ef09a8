"""The plan of a run: which dialogue each round asks for.

Scenario, genders and length of a round are drawn from the seed and the round's number alone, so that a stored answer
fits its round whatever became of the others. Only what a prompt says of the rest of the corpus (which emotions are
missing, which lines exist) follows from what was accepted before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from zero_shot_emotion.corpus import LabelSet

from .datasheet import Datasheet, Gender, Scenario
from .endpoint import Endpoint
from .errors import GenerationError
from .prompt import Request

EDITION = 1
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
        endpoint: whose model and sampling tell this run's answers from another's.
        template: the text of the prompt's template, likewise.
        seed: fixes everything that is drawn.

    Raises:
        GenerationError: if the datasheet has no emotion for a class.
    """

    def __init__(self, sheet: Datasheet, labels: LabelSet, endpoint: Endpoint, template: str, seed: int) -> None:
        self._sheet = sheet
        self._emotions = {label: _emotion(sheet, labels, label) for label in labels.classes}
        self._seed = seed
        identity = {
            "edition": EDITION,
            "datasheet": sheet.model_dump(mode="json", exclude={"title", "sources"}),
            "labels": [labels.classes, sorted(labels.merge.items())],
            "sampling": endpoint.sampling(),
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
        return Round(index, key, Request(scenario, genders, turns, self._wanted(turns, missing, rng), avoid))

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

    def _wanted(self, turns: int, missing: Mapping[str, int], rng: np.random.Generator) -> dict[str, int]:
        """An emotion for each turn, drawn in proportion to what is missing."""
        total = sum(missing.values())
        if total == 0:
            return {}
        counts = rng.multinomial(turns, [missing[label] / total for label in self._emotions])
        return {
            emotion: int(count) for emotion, count in zip(self._emotions.values(), counts, strict=True) if count > 0
        }


def _emotion(sheet: Datasheet, labels: LabelSet, label: str) -> str:
    """The emotion of the datasheet that counts as a class."""
    for emotion in (label, *sheet.labels):
        if emotion in sheet.labels and labels.of(emotion) == label:
            return emotion
    raise GenerationError(
        f"label set {labels.name!r}: the datasheet {sheet.name!r} has no emotion for the class {label!r}, "
        f"expected classes among {', '.join(sheet.labels)}"
    )
