"""One experiment on text: train on some corpora, test on others, and leave what a speech experiment leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from .. import metrics
from ..corpus import atomic_write
from ..errors import UserError
from ..results import (
    RESULTS,
    SPLITS,
    Predictions,
    predictions_path,
    read_results,
    repetition,
    write_predictions,
    write_report,
)
from ..sources import Entry, Source, Sources
from .classifier import CONFIG, HeadClassifier, Probabilities, TextClassifier, load_classifier
from .encoder import TextEncoder, encoder_path
from .settings import TextSettings
from .store import TextStore
from .train import train, words

CLASSIFIER = "classifier"
CHECKPOINTS = "checkpoints"
RUN = "run.json"


class TextExperimentError(UserError, ValueError):
    """A folder that cannot take an experiment."""


@dataclass(frozen=True)
class TextExperiment:
    """What an experiment left.

    Attributes:
        folder: of its classifier, predictions and results.
        reports: of each set, as in ``results.json``.
    """

    folder: Path
    reports: dict[str, dict[str, Any]]

    def summary(self) -> str:
        """The figures on one screen, and where everything lies."""
        lines = [f"{'tested on':<20} {'utterances':>10}  {'UAR':<22} {'WA':<22} {'macro-F1'}"]
        for name, report in self.reports.items():
            cells = [str(metrics.Interval(**report[metric])) for metric in metrics.METRICS]
            lines.append(f"{name:<20} {report['utterances']:>10}  {cells[0]:<22} {cells[1]:<22} {cells[2]}")
        lines += [repeated for name, report in self.reports.items() if (repeated := repetition(name, report))]
        lines += ["", f"  classifier  {self.folder / CLASSIFIER}", f"  results     {self.folder / RESULTS}"]
        return "\n".join(lines)


def run_text_experiment(
    settings: TextSettings,
    out: str | Path,
    *,
    seed: int = 0,
    store: str | Path | None = None,
    device: str = "cpu",
    overwrite: bool = False,
) -> TextExperiment:
    """Train and test; what the folder holds of the same experiment is not done again.

    Args:
        settings: of the experiment.
        out: its folder.
        seed: of the split, of initialisation, order and dropout.
        store: folder of encoded texts, to be shared by experiments; by default one in the experiment's folder.
        device: of torch.
        overwrite: throw away what the folder holds of another experiment.

    Raises:
        TextExperimentError: if the folder holds another experiment.
    """
    folder = Path(out)
    settings = _with_absolute_encoder(settings)
    sources = text_sources(settings, seed)
    _claim(folder, settings, sources, seed, overwrite)
    encoded = Path(store) if store is not None else folder / "encoded"
    classifier = train_once(settings, sources, encoded, folder, seed, device)
    reports = {}
    for split in ("dev", *settings.data.target_names):
        done = read_results(folder)
        if split in done and predictions_path(folder, split).exists():
            reports[split] = dict(done[split])
        else:
            reports[split] = test_on(classifier, sources, split, encoded, folder, seed)
    return TextExperiment(folder, reports)


def text_sources(settings: TextSettings, seed: int) -> Sources:
    """The sets of an experiment on text."""
    skip = settings.data.bad_text == "skip"
    return Sources(settings.data, seed, medium="text", context=settings.data.context, skip_textless=skip)


def _with_absolute_encoder(settings: TextSettings) -> TextSettings:
    """A classifier must find its encoder again from any working directory."""
    encoder = settings.encoder.model_copy(update={"name": encoder_path(settings.encoder.name)})
    return settings.model_copy(update={"encoder": encoder})


def _claim(folder: Path, settings: TextSettings, sources: Sources, seed: int, overwrite: bool) -> None:
    """Note in the folder what the experiment is: names and settings, and what they stand for now."""
    run = {
        "seed": seed,
        "config": settings.model_dump(mode="json"),
        "corpora": {name: _content(sources.get(name)) for name in ("train", "dev", *settings.data.target_names)},
        "encoder": TextEncoder(settings.encoder).fingerprint,
    }
    text = json.dumps(run, indent=2) + "\n"
    path = folder / RUN
    if path.exists() and path.read_text(encoding="utf-8") != text:
        if not overwrite:
            raise TextExperimentError(
                f"{folder} holds another experiment (its config, its seed, its corpora or its encoder differ): choose "
                "another folder, or throw that one away with --overwrite"
            )
        shutil.rmtree(folder)
    if not path.exists():
        with atomic_write(path) as file:
            file.write(text)


def _content(source: Source) -> str:
    """A hash over all that an experiment reads of a set."""
    digest = sha256(json.dumps(source.drops, sort_keys=True).encode())
    for entry in source.entries:
        digest.update(json.dumps(asdict(entry), default=str).encode())
    return digest.hexdigest()[:16]


def train_once(
    settings: TextSettings, sources: Sources, encoded: Path, folder: Path, seed: int, device: str
) -> TextClassifier:
    """The classifier of an experiment's folder; trained now, unless it is there.

    Args:
        settings: of the experiment.
        sources: its sets.
        encoded: folder of encoded texts.
        folder: of the experiment.
        seed: of initialisation, order and dropout.
        device: of torch.
    """
    if (folder / CLASSIFIER / CONFIG).exists():
        return load_classifier(folder / CLASSIFIER, device)
    sets: dict[str, Sequence[Entry]] = {name: sources.get(name).entries for name in ("train", "dev")}
    with atomic_write(folder / SPLITS) as file:
        json.dump({name: [entry.id for entry in entries] for name, entries in sets.items()}, file, indent=0)
    classifier = train(settings, sets, encoded, folder / CHECKPOINTS, seed, device)
    classifier.save(folder / CLASSIFIER)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # the best one is the classifier
    return classifier


def predict_on(
    classifier: TextClassifier, sources: Sources, split: str, encoded: Path, folder: Path
) -> tuple[Source, Predictions]:
    """Predict on a set, and leave the predictions in the experiment's folder."""
    source = sources.get(split)
    probabilities = _predict(classifier, source.entries, encoded, split)
    ids, truth = [e.id for e in source.entries], np.array([e.label for e in source.entries])
    predictions = Predictions(ids, truth, probabilities, classifier.about.classes)
    write_predictions(folder, split, source, predictions)
    return source, predictions


def test_on(
    classifier: TextClassifier, sources: Sources, split: str, encoded: Path, folder: Path, seed: int
) -> dict[str, Any]:
    """Test on a set, and leave predictions and report in the experiment's folder."""
    source, predictions = predict_on(classifier, sources, split, encoded, folder)
    about = {
        "encoder": classifier.about.encoder.name,
        "head": classifier.about.head.select,
        "seed": seed,
        "texts": len({words(entry) for entry in source.entries}),
    }
    return write_report(folder, split, source, predictions, about)


def _predict(classifier: TextClassifier, entries: Sequence[Entry], encoded: Path, name: str) -> Probabilities:
    utterances = [words(entry) for entry in entries]
    if not isinstance(classifier, HeadClassifier):
        return classifier.predict(utterances)
    return classifier.predict_states(TextStore(encoded, classifier.encoder).states(utterances, name))
