"""The report as one HTML page that needs nothing else, drawn by a template."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import EMOTIONS

from . import charts
from .report import ALL, Report
from .surface import MARKS


def render_page(report: Report, root: Path, folder: Path, numbers: str = "report.json") -> str:
    """The page of a report.

    Args:
        report: what to show.
        root: the corpus's folder, which its audio is relative to.
        folder: where the page will lie: players read the audio from there.
        numbers: the file beside the page that holds all numbers.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    def audio_link(file_name: str) -> str:
        return quote(Path(os.path.relpath(root / file_name, folder)).as_posix())

    path = find_config("pages", "report", ".j2")
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=_count, per_cent=_per_cent, number=_number, label=_label, tone=_tone)
    environment.globals.update(
        steps=charts.steps, curve=charts.curve, ticks=charts.ticks, highlight=highlight, audio_link=audio_link
    )
    return environment.get_template(path.name).render(report=report, all=ALL, marks=MARKS, numbers=numbers)


def highlight(text: str, run: str) -> Markup:
    """A text with a run of its words marked.

    >>> highlight("Well, I-I don’t know!", "i don't know")
    Markup('Well, I-<mark>I don’t know</mark>!')
    """
    words = (re.escape(word).replace("'", "['\u2019]") for word in run.split())
    found = re.search(r"[\W_]*".join(words), text, re.IGNORECASE) if run else None
    if found is None:
        return escape(text)
    before, inside, after = text[: found.start()], found[0], text[found.end() :]
    return Markup("{}<mark>{}</mark>{}").format(before, inside, after)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _per_cent(value: float) -> str:
    """A share, never rounded to nothing.

    >>> _per_cent(0), _per_cent(0.0001), _per_cent(0.125)
    ('0 %', '< 0.1 %', '12.5 %')
    """
    return "< 0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f}".removesuffix(".0") + " %"


def _number(value: float | None, digits: int = 2) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _label(code: str) -> str:
    """A label in words; that of another taxonomy as it is."""
    return EMOTIONS.get(code, code)


def _tone(code: str) -> str:
    """The colour class of a label."""
    return code if code in EMOTIONS else "real" if code.startswith("real: ") else "any"
