"""Text systems of a grid: each text once through each encoder, then heads on what is stored."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..corpus import atomic_write
from ..results import Predictions, read_predictions, write_predictions, write_report
from ..settings import CorporaSettings
from ..sources import Source, Sources
from ..text.settings import TextSettings, parse_text_settings
from .passes import Passes
from .train import FACTS, Part, guarded, limit_threads

TEXTS = "texts"
COSTS = "costs.json"


@dataclass(frozen=True)
class TextJob:
    """What a worker is asked for: a text system, whole.

    Attributes:
        folder: of the system; what all parts say of a target is gathered here.
        parts: one, or one a fold.
        targets: specs of whole targets by name.
        config: sections of ``train-text``'s config, the encoder's name among them.
        seed: of everything.
        store: folder of encoded texts.
        device: to train on.
        threads: of torch.
    """

    folder: Path
    parts: tuple[Part, ...]
    targets: dict[str, str]
    config: dict[str, Any]
    seed: int
    store: Path
    device: str = "cpu"
    threads: int = 1

    def settings(self, part: Part) -> TextSettings:
        """Of the experiment that a part is."""
        corpora = {"data": {"train": part.train, "targets": part.targets}}
        return parse_text_settings(self.config, str(self.folder), corpora)


def run_text_job(job: TextJob) -> str | None:
    """Train and test a system; what is trained already is not trained again.

    Returns:
        None, or what went wrong: a failure must not stop other systems.
    """
    return guarded(job.folder, partial(train_and_test_text, job))


def train_and_test_text(job: TextJob) -> None:
    """As `run_text_job`, in the open."""
    from ..text.experiment import CLASSIFIER, predict_on, test_on, text_sources, train_once

    limit_threads(job.threads)
    training: list[float | None] = []
    testing = dict.fromkeys(job.targets, 0.0)
    for part in job.parts:
        settings, start = job.settings(part), time.monotonic()
        resumed = (part.folder / CLASSIFIER).exists()
        sources = text_sources(settings, job.seed)
        classifier = train_once(settings, sources, job.store, part.folder, job.seed, job.device)
        training.append(None if resumed else round(time.monotonic() - start, 3))
        predict_on(classifier, sources, "dev", job.store, part.folder)  # for fusions
        for target in part.targets:
            start = time.monotonic()
            test_on(classifier, sources, target, job.store, part.folder, job.seed)
            testing[target] = round(testing[target] + time.monotonic() - start, 3)
    if [part.folder for part in job.parts] != [job.folder]:
        for name, spec in job.targets.items():
            gather(job.folder, [part.folder for part in job.parts], name, spec, settings.data)
    known = [seconds for seconds in training if seconds is not None]
    trained = sum(known) if len(known) == len(training) else read_seconds(job.folder)
    write_facts(job.folder, trained, testing, classifier.parameters, job.device)


def gather(folder: Path, parts: list[Path], name: str, spec: str, data: CorporaSettings, **about: Any) -> None:
    """Put the predictions of all parts together: one test of the whole target."""
    settings = CorporaSettings(targets={name: spec}, labels=data.labels)
    source = Sources(settings, 0, medium="text", skip_textless=True).get(name)
    tests = [read_predictions(part, name).predictions for part in parts]
    found = {i: row for test in tests for i, row in zip(test.ids, test.probabilities, strict=True)}
    report(folder, name, source, found, tests[0].classes, **about)


def report(
    folder: Path,
    name: str,
    source: Source,
    found: Mapping[str, npt.NDArray[np.float64]],
    classes: tuple[str, ...],
    **about: Any,
) -> None:
    """Write what was said of a target, by the utterance's id: predictions and their report."""
    entries = tuple(entry for entry in source.entries if entry.id in found)
    predictions = Predictions(
        [entry.id for entry in entries],
        np.array([entry.label for entry in entries]),
        np.array([found[entry.id] for entry in entries]),
        classes,
    )
    tested = Source(entries, source.drops)
    write_predictions(folder, name, tested, predictions)
    write_report(folder, name, tested, predictions, about)


def read_seconds(folder: Path) -> float | None:
    """What the training of a system took, as an earlier run noted."""
    path = folder / FACTS
    return json.loads(path.read_text(encoding="utf-8"))["training"] if path.exists() else None


def write_facts(
    folder: Path, training: float | None, testing: Mapping[str, float], parameters: int, device: str
) -> None:
    """Note what `zero_shot_emotion.benchmark.train.read_facts` reads."""
    facts = {
        "training": training,
        "testing": testing,
        "parameters": parameters,
        "layer_weights": None,
        "device": device,
    }
    with atomic_write(folder / FACTS) as file:
        json.dump(facts, file)


class TextStores:
    """What encoders made of the grid's texts.

    Args:
        folder: of all stores; each encoder names its own file, and what its passes took lies beside that.
        device: to encode on.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.folder, self._device = folder, device
        self._passes: dict[tuple[str, str], Passes] = {}

    def fill(self, name: str, head: str, settings: TextSettings, specs: list[str]) -> None:
        """Encode what is not there of some corpora, with an encoder as a head wants it."""
        from ..text.encoder import TextEncoder
        from ..text.store import TextStore
        from ..text.train import words

        store = TextStore(self.folder, TextEncoder(settings.encoder, self._device))
        passes = self._passes[name, head] = Passes(store.path.with_name(f"{store.path.stem}-{COSTS}"))
        for spec in specs:
            corpora = settings.data.model_copy(update={"train": (), "targets": {"all": spec}})
            with redirect_stdout(None):
                skip = settings.data.bad_text == "skip"
                context = settings.data.context
                source = Sources(corpora, 0, medium="text", context=context, skip_textless=skip).get("all")
            start = time.monotonic()
            with passes.over(spec) as took:
                if store.add([words(entry) for entry in source.entries], f"{name}: {Path(spec).name}"):
                    took(time.monotonic() - start)

    def seconds(self, name: str, head: str, specs: list[str]) -> float | None:
        """What the pass over some corpora took; None if that is not known, or nothing is stored for the head."""
        passes = self._passes.get((name, head))
        return None if passes is None else passes.seconds(specs)
