"""The steps of a run, each finished once: what depends on other settings or other input lies in another folder.

So a run with other noise control uses the transcripts and scores that are there, and ``--overwrite`` costs nothing but
the last step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.corpus.stage import ItemT, Made, StageReport, run_stage

STEPS = ".steps"
"""Hidden, so that no loader of audio folders takes what lies in it for a corpus."""


@dataclass
class Steps:
    """Runs steps in folders of their own.

    Attributes:
        out: folder of the corpus to be made.
        executor: does the work of those that may leave this process.
        skip_errors: leave out what fails.
        seconds: that each took in this run, by name.
        resumed: names of those of which an earlier run had done something.
    """

    out: Path
    executor: Executor | None
    skip_errors: bool
    seconds: dict[str, float] = field(default_factory=dict)
    resumed: set[str] = field(default_factory=set)

    def run(
        self,
        name: str,
        items: Sequence[ItemT],
        task: Callable[[ItemT], Iterable[Made]],
        card: dict[str, Any],
        *,
        alone: bool = False,
        skip_errors: bool | None = None,
    ) -> tuple[Corpus, StageReport]:
        """Do a step, or find it done.

        Args:
            name: of the step.
            items: to work on.
            task: makes the lines of an item.
            card: what the lines depend on besides the items.
            alone: it must stay in this process.
            skip_errors: where it is not to be as for the others.
        """
        digest = sha256(json.dumps(card, sort_keys=True).encode())
        for item in items:
            digest.update(item.model_dump_json().encode())
        folder = self.out / STEPS / f"{name}-{digest.hexdigest()[:12]}"
        report = run_stage(
            items,
            task,
            folder,
            name=name,
            card={"step": name, **card},
            executor=None if alone else self.executor,
            skip_errors=self.skip_errors if skip_errors is None else skip_errors,
        )
        self.seconds[name] = self.seconds.get(name, 0.0) + report.seconds
        if report.resumed:
            self.resumed.add(name)
        return Corpus.load(folder), report
