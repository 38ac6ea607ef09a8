"""The report as one HTML page that needs nothing else, drawn by a template."""

from __future__ import annotations

from ..config_files import find_config
from ..corpus import EMOTIONS
from .features import ALL, CEPSTRUM, FEATURES, GROUPS, SETS, SOUND, SPEECH
from .realness import EVERY
from .report import SpeechReport
from .summary import verdict
from .telling import SHUFFLES

STRONG = 2.0
"""Standard deviations at which a cell of a table has its full colour."""


def render_page(report: SpeechReport, numbers: str = "report.json") -> str:
    """The page of a report.

    Args:
        report: what to show.
        numbers: the file beside the page that holds all numbers.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    path = find_config("pages", "speech", ".j2")
    environment = Environment(
        loader=FileSystemLoader(path.parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(label=_label, tone=_tone, number=_number, heat=_heat)
    environment.globals.update(
        features=FEATURES,
        groups=GROUPS,
        sets=SETS,
        all=ALL,
        sound=SOUND,
        speech=SPEECH,
        cepstrum=CEPSTRUM,
        every=EVERY,
        shuffles=SHUFFLES,
        scale=_scale,
        verdict=verdict,
    )
    return environment.get_template(path.name).render(report=report, numbers=numbers)


def _scale(report: SpeechReport, feature: str) -> tuple[float, float]:
    """The ends of a measure's axis: what the 10th and the 90th percentile reach in any class of any corpus."""
    spreads = [s for corpus in report.corpora for s in corpus.spreads[feature].values()]
    low, high = min((s.quantiles[0] for s in spreads), default=0), max((s.quantiles[-1] for s in spreads), default=1)
    margin = 0.04 * (high - low) or 0.5
    return (low - margin if low < 0 else max(low - margin, 0.0)), high + margin  # a share is never below none


def _number(value: float | None, digits: int = 2) -> str:
    """A number with a true minus, and none before zero.

    >>> _number(-0.04, 1), _number(None)
    ('0.0', 'n/a')
    """
    return "n/a" if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "\u2212")


def _heat(value: float | None) -> str:
    """How strongly a cell is coloured, from 0 to 1, and towards which side.

    >>> _heat(-1), _heat(None)
    ('--less: 0.50; --more: 0.00', '')
    """
    if value is None:
        return ""
    share = min(abs(value) / STRONG, 1.0)
    return f"--less: {share if value < 0 else 0:.2f}; --more: {share if value > 0 else 0:.2f}"


def _label(code: str) -> str:
    """A label in words; that of another taxonomy as it is."""
    return EMOTIONS.get(code, code)


def _tone(code: str) -> str:
    """The colour class of a label."""
    return code if code in EMOTIONS else "any"
