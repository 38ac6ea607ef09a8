"""Late fusion: what a speech model and a text model say of the same utterances, weighed by dev."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import metrics
from .errors import UserError
from .results import (
    RESULTS,
    SPLITS,
    Predictions,
    Test,
    read_predictions,
    read_results,
    repetition,
    write_predictions,
    write_report,
)
from .sources import Source

WEIGHTS = np.linspace(0, 1, 21)
"""Of speech; text has the rest."""
SYSTEMS = ("speech", "text", "fusion")
SAME = (
    "the same, from the same corpora and --seed, which run_downstream.py takes for 1337 and train-text for 0 where it "
    "is not given"
)


class FusionError(UserError, ValueError):
    """Two experiments that cannot be fused."""


@dataclass(frozen=True)
class Fusion:
    """What a fusion left.

    Attributes:
        folder: with one sub-folder a system, on the same utterances.
        weight: of speech, as dev chose it.
        reports: by target and system.
    """

    folder: Path
    weight: float
    reports: dict[str, dict[str, dict[str, Any]]]

    def summary(self) -> str:
        """The figures on one screen, each system on the same utterances."""
        lines = [f"weight of speech, from dev: {self.weight:.2f}"]
        for target, systems in self.reports.items():
            number = systems["fusion"]["utterances"]
            lines += ["", f"{target} ({number} utterances)", f"  {'':<8} {'UAR':<22} {'WA':<22} {'macro-F1'}"]
            for system, report in systems.items():
                cells = [str(metrics.Interval(**report[metric])) for metric in metrics.METRICS]
                lines.append(f"  {system:<8} {cells[0]:<22} {cells[1]:<22} {cells[2]}")
        return "\n".join([*lines, "", f"  results  {self.folder}/{{{','.join(SYSTEMS)}}}/{RESULTS}"])


def fuse(
    speech: str | Path,
    text: str | Path,
    targets: Sequence[str],
    out: str | Path,
    *,
    dev_metric: str = "UAR",
    same_dev: bool = True,
) -> Fusion:
    """Weigh the probabilities of two experiments that were trained on the same corpora with the same seed.

    Args:
        speech: experiment folder with predictions on dev and on the targets.
        text: as well.
        targets: names of test sets that both have.
        out: folder; speech and text alone are written beside the fusion, on the utterances that both have.
        dev_metric: what chooses the weight. Nothing of a target does.
        same_dev: refuse two dev sets that differ, but for what cannot be heard and what has no text: it is how
            another seed, or another source, shows. Not asked where both are known to be of one split.

    Raises:
        FusionError: if the experiments do not share their classes, their dev set or a target.
        ResultsError: if one has no predictions on a set.
    """
    dev = _aligned(speech, text, "dev", same=same_dev and not _same_split(speech, text))
    weight = _best_weight(*dev, dev_metric)
    reports: dict[str, dict[str, dict[str, Any]]] = {}
    tested = read_results(text)
    for target in targets:
        if target in tested and (warning := repetition(target, tested[target])):
            print(warning)
        heard, read = _aligned(speech, text, target)
        fused = _weighted(heard, read, weight)
        made = dict(zip(SYSTEMS, (heard.predictions, read.predictions, fused), strict=True))
        source = Source(heard.entries, _drops(speech, target))
        reports[target] = {
            system: _write(Path(out) / system, target, source, predictions, {"weight of speech": weight})
            for system, predictions in made.items()
        }
    return Fusion(Path(out), weight, reports)


def _aligned(speech: str | Path, text: str | Path, split: str, *, same: bool = False) -> tuple[Test, Test]:
    """Two tests on the utterances that both have, in the order of the first."""
    heard, read = read_predictions(speech, split), read_predictions(text, split)
    if heard.predictions.classes != read.predictions.classes:
        raise FusionError(
            f"{split}: {speech} has the classes {', '.join(heard.predictions.classes)} and {text} has "
            f"{', '.join(read.predictions.classes)}, expected the same in the same order"
        )
    of = {utterance: i for i, utterance in enumerate(read.predictions.ids)}
    shared = [utterance for utterance in heard.predictions.ids if utterance in of]
    lost = len(heard.entries) + len(read.entries) - 2 * len(shared)
    if not shared or (same and lost):
        raise FusionError(
            f"{split}: {speech} and {text} share {len(shared)} utterances and differ in {lost}; expected "
            + (SAME if same else "some that both have")
        )
    if lost:
        print(f"{split}: {lost} utterances that only one of the two experiments has are left out")
    where = {utterance: i for i, utterance in enumerate(heard.predictions.ids)}
    heard, read = _take(heard, [where[u] for u in shared]), _take(read, [of[u] for u in shared])
    if (heard.predictions.truth != read.predictions.truth).any():
        raise FusionError(f"{split}: {speech} and {text} do not agree about the true labels")
    return heard, read


def _same_split(speech: str | Path, text: str | Path) -> bool:
    """Whether both were split alike: none was trained on what the other has in dev, and both on some utterances."""
    paths = [Path(folder) / SPLITS for folder in (speech, text)]
    if not all(path.is_file() for path in paths):
        return False
    heard, read = ({k: set(ids) for k, ids in json.loads(path.read_text(encoding="utf-8")).items()} for path in paths)
    apart = heard["dev"].isdisjoint(read["train"]) and read["dev"].isdisjoint(heard["train"])
    return apart and not heard["train"].isdisjoint(read["train"])


def _take(test: Test, order: list[int]) -> Test:
    old = test.predictions
    taken = Predictions([old.ids[i] for i in order], old.truth[order], old.probabilities[order], old.classes)
    return Test(taken, tuple(test.entries[i] for i in order))


def _weighted(speech: Test, text: Test, weight: float) -> Predictions:
    first, second = speech.predictions, text.predictions
    mixed = weight * first.probabilities + (1 - weight) * second.probabilities
    return Predictions(first.ids, first.truth, mixed, first.classes)


def _best_weight(speech: Test, text: Test, metric: str) -> float:
    """The weight that is best on dev; of several, the one nearest to equal parts."""
    scores = [metrics.METRICS[metric](_weighted(speech, text, weight).confusion) for weight in WEIGHTS]
    best = [w for w, score in zip(WEIGHTS, scores, strict=True) if np.isclose(score, max(scores))]
    return float(min(best, key=lambda weight: abs(weight - 0.5)))


def _drops(expdir: str | Path, target: str) -> dict[str, int]:
    return dict(read_results(expdir).get(target, {}).get("dropped", {}))


def _write(
    folder: Path, target: str, source: Source, predictions: Predictions, about: dict[str, Any]
) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder, target, source, predictions)
    return write_report(folder, target, source, predictions, about)
