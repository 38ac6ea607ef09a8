"""How the utterances of a corpus lie over languages and emotions: counted, and drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .corpus import Corpus, CorpusError

UNKNOWN = "?"
"""Of an utterance without a language or a label."""
INK, FAINT = "#2a4d69", "#e8edf1"


@dataclass(frozen=True)
class Distributions:
    """Utterances by language and emotion.

    Attributes:
        languages: in the order of their sizes, then their names.
        emotions: in the order of their names.
        table: utterances of each language (rows) and emotion (columns).
    """

    languages: tuple[str, ...]
    emotions: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]

    @property
    def by_language(self) -> tuple[int, ...]:
        """Sums of the rows."""
        return tuple(map(sum, self.table))

    @property
    def by_emotion(self) -> tuple[int, ...]:
        """Sums of the columns."""
        return tuple(map(sum, zip(*self.table, strict=True)))


def distributions(corpus: Corpus) -> Distributions:
    """Count a corpus.

    Raises:
        CorpusError: if it is empty.
    """
    if not len(corpus):
        raise CorpusError(f"corpus {corpus.name!r}: is empty, expected utterances to count")
    counts = Counter((u.language or UNKNOWN, u.label or UNKNOWN) for u in corpus)
    sizes: Counter[str] = Counter(u.language or UNKNOWN for u in corpus)
    languages = tuple(sorted(sizes, key=lambda language: (-sizes[language], language)))
    emotions = tuple(sorted({emotion for _, emotion in counts}))
    table = tuple(tuple(counts[language, emotion] for emotion in emotions) for language in languages)
    return Distributions(languages, emotions, table)


def draw_distributions(corpus: Corpus, path: str | Path) -> Path:
    """Draw languages, emotions and their table; the file's suffix (svg, png, pdf) says in which format.

    The same corpus gives the same bytes.

    Raises:
        CorpusError: if the corpus is empty, or the suffix is unknown.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = distributions(corpus)
    known = FigureCanvasAgg.get_supported_filetypes()
    if Path(path).suffix.lstrip(".") not in known:
        raise CorpusError(f"{path}: got the suffix {Path(path).suffix!r}, expected one of svg, png, pdf")
    rows, columns = len(found.languages), len(found.emotions)
    figure = Figure(figsize=(3.2 + 0.75 * columns, 2.8 + 0.42 * rows), layout="constrained")
    axes = figure.subplots(
        2, 2, sharex="col", sharey="row", width_ratios=(columns, 3), height_ratios=(3, rows), squeeze=False
    )
    _columns(axes[0][0], found)
    _cells(axes[1][0], found)
    _bars(axes[1][1], found)
    axes[0][1].axis("off")
    figure.suptitle(f"{corpus.name}: {len(corpus)} utterances", fontsize=11)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "zero-shot-emotion", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=150, metadata=_dateless(Path(path)))
    return Path(path)


def _dateless(path: Path) -> dict[str, Any]:
    """No date in the file: it would differ each time."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {})


def _columns(axes: Any, found: Distributions) -> None:
    bars = axes.bar(range(len(found.emotions)), found.by_emotion, color=INK, width=0.7)
    axes.bar_label(bars, fontsize=8)
    axes.margins(y=0.2)
    _bare(axes)


def _bars(axes: Any, found: Distributions) -> None:
    bars = axes.barh(range(len(found.languages)), found.by_language, color=INK, height=0.7)
    axes.bar_label(bars, fontsize=8, padding=2)
    axes.margins(x=0.3)
    _bare(axes)


def _cells(axes: Any, found: Distributions) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    most = max(map(max, found.table))
    colours = LinearSegmentedColormap.from_list("ink", [FAINT, INK])
    axes.imshow(found.table, cmap=colours, vmin=0, vmax=most, aspect="auto")
    for row, counts in enumerate(found.table):
        for column, count in enumerate(counts):
            axes.text(
                column, row, str(count), ha="center", va="center", fontsize=8, color="w" if 2 * count > most else "k"
            )
    axes.set_xticks(range(len(found.emotions)), found.emotions)
    axes.set_yticks(range(len(found.languages)), found.languages)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _bare(axes: Any) -> None:
    """Without axes: every bar says its own number."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelbottom=False, labelleft=False)
    axes.set_facecolor("none")
