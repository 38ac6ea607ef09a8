"""Untrained systems of a grid: labellers that read the words and were trained on no source."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..corpus import Utterance, label_set
from ..corpus.readers import open_corpus
from ..settings import CorporaSettings
from ..sources import Sources
from .grid import GridError
from .text import report, write_facts
from .train import guarded, limit_threads

if TYPE_CHECKING:
    from ..taxonomy import Taxonomy


@dataclass(frozen=True)
class UntrainedJob:
    """What a worker is asked for: a labeller's answers to some targets.

    Attributes:
        folder: of the system; a labeller's paid answers lie in its ``raw``.
        targets: specs by name.
        labeller: as in a config of ``weak-label``, filled in.
        taxonomy: its classes.
        labels: name of the label set.
        threads: of torch.
    """

    folder: Path
    targets: dict[str, str]
    labeller: dict[str, Any]
    taxonomy: str
    labels: str
    threads: int = 1


def run_untrained_job(job: UntrainedJob) -> str | None:
    """Label and score.

    Returns:
        None, or what went wrong: a failure must not stop other systems.
    """
    return guarded(job.folder, partial(_label_all, job))


def _label_all(job: UntrainedJob) -> None:
    from generation.weak_labels.labeller import LabellerSpec, label

    from ..taxonomy import load_taxonomy

    limit_threads(job.threads)
    taxonomy, classes = load_taxonomy(job.taxonomy), label_set(job.labels).classes
    into = _into_classes(taxonomy, job.labels)
    seconds = {}
    for name, spec in job.targets.items():
        settings = CorporaSettings(targets={name: spec}, labels=job.labels)
        source = Sources(settings, 0, medium="text", skip_textless=True).get(name)
        ids = {entry.id for entry in source.entries}
        utterances: list[Utterance] = list(open_corpus(spec))  # all of them: a dialogue's other turns are context
        start = time.monotonic()
        labeller = LabellerSpec.model_validate(job.labeller)
        answers = label(utterances, labeller, taxonomy, answers=job.folder) @ into
        seconds[name] = round(time.monotonic() - start, 3)
        shares, unanswered = _shares(answers)
        found = {u.id: row for u, row in zip(utterances, shares, strict=True) if u.id in ids}
        silent = sum(u.id in ids for u, none in zip(utterances, unanswered, strict=True) if none)
        report(job.folder, name, source, found, classes, unanswered=silent)
    write_facts(job.folder, None, seconds, 0, "cpu")


def _into_classes(taxonomy: Taxonomy, labels: str) -> npt.NDArray[np.float64]:
    """What each class of the taxonomy counts for, shape (taxonomy, label set); some count for none.

    Raises:
        GridError: if a class of the label set has none in the taxonomy.
    """
    wanted = label_set(labels)
    into = np.zeros((len(taxonomy.names), len(wanted.classes)))
    for row, name in enumerate(taxonomy.names):
        code = taxonomy.code(name)
        label = wanted.of(code) if code is not None else None
        if label is not None:
            into[row, wanted.classes.index(label)] = 1
    lacking = [c for column, c in enumerate(wanted.classes) if not into[:, column].any()]
    if lacking:
        raise GridError(f"taxonomy: {taxonomy.name!r} has nothing for {', '.join(lacking)}, expected every class")
    return into


def _shares(answers: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], list[bool]]:
    """Probabilities of the label set, and where there was no answer: there all classes are alike."""
    total = answers.sum(axis=1)
    unanswered = [not value > 0 for value in total]  # NaN, too
    shares = answers / np.where(unanswered, 1, total)[:, None]
    shares[unanswered] = 1 / answers.shape[1]
    return shares, unanswered
