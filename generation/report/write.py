"""Measure a corpus, write the page and its numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from zero_shot_emotion.corpus import Corpus, atomic_write

from .page import render_page
from .report import ReportError, make_report
from .summary import summarise
from .transcript import open_transcript


def write_report(
    corpus: Corpus, page: str | Path, *, real: Sequence[str] = (), datasheet: str | None = None, seed: int = 0
) -> str:
    """Write the realism report of a corpus as an HTML page, and all its numbers beside it as JSON.

    Args:
        corpus: with text.
        page: the file to write, ``*.html``.
        real: real transcripts to hold the corpus against, as `open_transcript` takes them.
        datasheet: see `make_report`.
        seed: of every sample.

    Returns:
        one screen for people.

    Raises:
        ReportError: if the page is not to be an HTML file, or the corpus has no text.
        TranscriptError: if a transcript has no text.
    """
    page = Path(page)
    if page.suffix not in (".html", ".htm"):
        raise ReportError(f"-o {page}: expected the name of an .html file")
    numbers = page.with_suffix(".json")
    report = make_report(corpus, [open_transcript(spec) for spec in real], datasheet, seed)
    html = render_page(report, corpus.root, page.parent, numbers.name)
    with atomic_write(numbers) as file:
        json.dump(asdict(report), file, indent=2, ensure_ascii=False)
        file.write("\n")
    with atomic_write(page) as file:
        file.write(html)
    return f"{summarise(report)}\npage     {page}\nnumbers  {numbers}"
