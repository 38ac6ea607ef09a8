"""Measure corpora, write the page and its numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..corpus import FOUR, Corpus, LabelSet, atomic_write
from .measuring import Measured, SpeechReportError, measure_corpus
from .page import render_page
from .report import make_report
from .summary import summarise

MEASURED = "measured"
"""The folder beside the page in which is kept what was measured."""


def write_speech_report(
    stages: Sequence[Corpus],
    page: str | Path,
    *,
    real: Sequence[Corpus] = (),
    labels: LabelSet = FOUR,
    seed: int = 0,
    workers: int = 1,
) -> str:
    """Write the speech report of some stages of a corpus as an HTML page, and all its numbers beside it as JSON.

    Args:
        stages: corpora with audio, such as neutral speech, emotional speech and its control.
        page: the file to write, ``*.html``.
        real: real corpora to hold them against.
        labels: the classes.
        seed: of folds, shuffles and draws.
        workers: processes that measure.

    Returns:
        one screen for people.

    Raises:
        SpeechReportError: if the page is not to be an HTML file, or a corpus has no audio to measure.
        LabelError: if the label set does not know a label of a corpus.
    """
    page = Path(page)
    if page.suffix not in (".html", ".htm"):
        raise SpeechReportError(f"-o {page}: expected the name of an .html file")
    kept = page.parent / MEASURED
    names = _unique([corpus.name for corpus in (*stages, *real)])
    measured: list[Measured] = [
        measure_corpus(corpus, labels, kept, name=name, seed=seed, workers=workers)
        for corpus, name in zip((*stages, *real), names, strict=True)
    ]
    report = make_report(measured[: len(stages)], measured[len(stages) :], labels, seed)
    numbers = page.with_suffix(".json")
    with atomic_write(numbers) as file:
        json.dump(asdict(report), file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
    with atomic_write(page) as file:
        file.write(render_page(report, numbers.name))
    return f"""{summarise(report)}
page      {page}
numbers   {numbers}
measures  {kept}, where the next page finds those of the same audio"""


def _unique(names: Sequence[str]) -> list[str]:
    """Names that tell corpora apart: what occurs again is numbered."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique
