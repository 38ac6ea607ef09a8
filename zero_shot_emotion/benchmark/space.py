"""What a space of embeddings tells of emotion, language and speaker: probes and a picture.

An experiment writes its space as ``embeddings-SET.npz`` with the arrays ``ids`` (n) and ``vectors`` (n, d). Any other
may be given as such a file, or as a CSV file with a column ``id`` and one for each dimension.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from .. import metrics
from ..corpus import Corpus, LabelSet, UserError, Utterance, atomic_write
from ..corpus.splits import connected, grouped

FOLDS = 5
MOST_DRAWN = 4000
"""Points of a picture; of larger sets so many are drawn by lot."""
MOST_SPEAKERS = 50
"""That a probe tells apart: those with the most utterances."""
COLUMNS = ("emotion", "language")
"""What points are coloured by."""
METHODS = ("tsne", "umap")
What = Literal["emotion", "language", "speaker"]


class SpaceError(UserError, ValueError):
    """Embeddings that are missing, or of utterances that are not known."""


@dataclass(frozen=True)
class Space:
    """Embeddings, and whose they are.

    Attributes:
        name: of the model, for tables.
        vectors: shape (n, d).
        utterances: length n, each with a label.
    """

    name: str
    vectors: np.ndarray
    utterances: tuple[Utterance, ...]

    def column(self, name: str) -> list[str | None]:
        """The emotion, the language without its region, or the speaker of each utterance."""
        if name == "emotion":
            return [u.label for u in self.utterances]
        if name == "language":
            return [u.language and u.language.split("-")[0] for u in self.utterances]
        return [u.speaker for u in self.utterances]


@dataclass(frozen=True)
class Probe:
    """How well a linear classifier tells something from held-out embeddings.

    Attributes:
        what: it tells: emotion, language or speaker.
        uar: unweighted average recall with its 95% interval.
        chance: the UAR of guessing, one by the number of classes.
        classes: that there are.
        by: what no two folds share.
    """

    what: str
    uar: metrics.Interval
    chance: float
    classes: int
    by: str


def read_space(path: str | Path, corpora: Sequence[Corpus], set_name: str, labels: LabelSet | None = None) -> Space:
    """Read embeddings, and look up in the corpora whose they are.

    Args:
        path: an experiment's folder, or a file of embeddings.
        corpora: that hold the utterances; an id may have the corpus's name and a slash before it.
        set_name: of a folder's sets, the one that is meant.
        labels: what to make of the labels; utterances that it drops are left out.

    Raises:
        SpaceError: naming the file, the id and what was expected.
    """
    path = Path(path)
    file = path / f"embeddings-{set_name}.npz" if path.is_dir() else path
    ids, vectors = _read(file)
    if len(ids) != len(vectors) or vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise SpaceError(
            f"{file}: got {len(ids)} ids and vectors of shape {vectors.shape}, expected (n, d), all finite"
        )
    known = {name: u for corpus in corpora for u in corpus for name in (u.id, f"{corpus.name}/{u.id}")}
    found = [(known.get(i), vector) for i, vector in zip(ids, vectors, strict=True)]
    missing = [i for i, (utterance, _) in zip(ids, found, strict=True) if utterance is None]
    if missing:
        names = ", ".join(corpus.name for corpus in corpora)
        raise SpaceError(f"{file}: {len(missing)} ids, such as {missing[0]!r}, are in none of the corpora {names}")
    kept = [(_labelled(u, labels), vector) for u, vector in found if u is not None]
    pairs = [(u, vector) for u, vector in kept if u is not None]
    if not pairs:
        raise SpaceError(f"{file}: no utterance has a label that counts")
    name = path.name if path.is_dir() else path.stem
    return Space(name, np.array([vector for _, vector in pairs]), tuple(u for u, _ in pairs))


def _read(file: Path) -> tuple[list[str], np.ndarray]:
    if not file.is_file():
        there = ", ".join(sorted(p.name for p in file.parent.glob("embeddings-*.npz"))) or "none"
        raise SpaceError(f"{file}: missing, expected embeddings; there are: {there}")
    try:
        if file.suffix == ".csv":
            with file.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.DictReader(lines))
            return [row.pop("id") for row in rows], np.array([[float(v) for v in row.values()] for row in rows])
        with np.load(file, allow_pickle=False) as arrays:
            return [str(i) for i in arrays["ids"]], np.asarray(arrays["vectors"], dtype=np.float64)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise SpaceError(f"{file}: expected the arrays ids (n) and vectors (n, d): {error}") from None


def _labelled(utterance: Utterance, labels: LabelSet | None) -> Utterance | None:
    if utterance.label is None or labels is None:
        return utterance if utterance.label else None
    label = labels.of(utterance.label)
    return None if label is None else utterance.with_(label=label)


def probe(space: Space, what: What, seed: int = 0) -> Probe | None:
    """Train a logistic regression on standardised embeddings, and test it on folds that it has not seen.

    Folds share no speaker where all are known, and no dialogue where the corpus allows. Speakers themselves are told
    across sentences.

    Returns:
        None if there are not two classes that two folds could share.
    """
    column = space.column(what)
    if what == "speaker":
        common = {speaker for speaker, _ in Counter(filter(None, column)).most_common(MOST_SPEAKERS)}
        column = [speaker if speaker in common else None for speaker in column]
    kept = [i for i, value in enumerate(column) if value is not None]
    utterances = [space.utterances[i] for i in kept]
    classes = sorted({str(column[i]) for i in kept})
    truth = np.array([classes.index(str(column[i])) for i in kept], dtype=int)
    if len(classes) < 2:
        return None
    groups, by = _fold_groups(utterances, what, truth)
    predicted = _held_out(space.vectors[kept], truth, np.array(groups), seed)
    if predicted is None:
        return None
    speakers = [u.speaker for u in utterances]
    intervals = None if what == "speaker" or not all(speakers) else [str(speaker) for speaker in speakers]
    report = metrics.report(truth, predicted, classes, intervals)
    return Probe(what, metrics.Interval(**report["UAR"]), 1 / len(classes), len(classes), by)


def _fold_groups(utterances: Sequence[Utterance], what: str, truth: np.ndarray) -> tuple[list[Any], str]:
    """What folds keep together: speakers wherever they are known, and dialogues too where that leaves folds."""
    if what == "speaker":
        if all(u.dialogue for u in utterances):
            return [u.dialogue for u in utterances], "dialogue"
        return [u.text or u.id for u in utterances], "text"
    if not all(u.speaker for u in utterances):
        return grouped(utterances, 1 / FOLDS)
    together = connected(utterances, ("speaker", "dialogue"))
    largest = max(Counter(together).values())
    if _folds(truth, np.array(together)) >= 2 and largest <= (1 - 1 / FOLDS) * len(utterances):
        return together, "speaker and dialogue"
    return connected(utterances, ("speaker",)), "speaker"


def _folds(truth: np.ndarray, groups: np.ndarray) -> int:
    """How many folds can have each class: no more than it has groups."""
    return min(FOLDS, *(len(set(groups[truth == k])) for k in set(truth)))


def _held_out(vectors: np.ndarray, truth: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray | None:
    """The class that is predicted for each utterance by the fold that held it out; None where folds cannot be made."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = _folds(truth, groups)
    if folds < 2:
        return None
    predicted = np.empty_like(truth)
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(vectors, truth, groups):
        if len(np.unique(truth[train])) < 2:
            return None
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, class_weight="balanced"))
        predicted[test] = model.fit(vectors[train], truth[train]).predict(vectors[test])
    return predicted


def draw_spaces(spaces: Sequence[Space], path: str | Path, method: str = "tsne", seed: int = 0) -> Path:
    """Draw spaces, one a row, coloured by emotion and by language.

    Raises:
        SpaceError: if UMAP is asked for and not installed, or a space is too small.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if Path(path).suffix.lstrip(".") not in FigureCanvasAgg.get_supported_filetypes():
        raise SpaceError(f"{path}: got the suffix {Path(path).suffix!r}, expected one of png, svg, pdf")
    figure = Figure(figsize=(10.5, 4.2 * len(spaces)), layout="constrained")
    rows = figure.subplots(len(spaces), len(COLUMNS), squeeze=False)
    colours = colormaps["tab10"]
    values = {what: sorted({str(v) for space in spaces for v in space.column(what)}) for what in COLUMNS}
    for space, row in zip(spaces, rows, strict=True):
        drawn = np.sort(np.random.default_rng(seed).permutation(len(space.vectors))[:MOST_DRAWN])
        points = project(space.vectors[drawn], method, seed)
        for what, axes in zip(COLUMNS, row, strict=True):
            column = np.array([str(value) for value in space.column(what)])[drawn]
            for n, value in enumerate(values[what]):
                chosen = points[column == value]
                axes.scatter(chosen[:, 0], chosen[:, 1], s=8, color=colours(n % 10), label=value, linewidths=0)
            axes.set(xticks=[], yticks=[], title=f"{space.name}, by {what}")
            axes.legend(fontsize=8, markerscale=2, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    return Path(path)


def project(vectors: np.ndarray, method: str = "tsne", seed: int = 0) -> np.ndarray:
    """Embeddings of shape (n, d) in the plane, (n, 2), by cosine distance.

    Raises:
        SpaceError: if UMAP is asked for and not installed, or there are fewer than 4 embeddings.
    """
    if len(vectors) < 4:
        raise SpaceError(f"picture: got {len(vectors)} embeddings, expected at least 4")
    if method == "umap":
        try:
            from umap import UMAP  # not among the dependencies: it brings numba
        except ImportError:
            raise SpaceError(
                "--method: got 'umap', expected umap-learn to be installed for it, as by "
                "pip install 'zero-shot-emotion[umap]' (or tsne)"
            ) from None
        near = min(15, len(vectors) - 1)
        plane = UMAP(n_neighbors=near, metric="cosine", random_state=seed, n_jobs=1)  # a seed allows one thread alone
        return np.asarray(plane.fit_transform(vectors))
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=seed).fit_transform(vectors)


def compare_spaces(
    paths: Sequence[str | Path],
    corpora: Sequence[Corpus],
    out: str | Path,
    *,
    set_name: str = "dev",
    labels: LabelSet | None = None,
    method: str = "tsne",
    seed: int = 0,
) -> str:
    """Probe spaces and draw them: before training, after one stage, after the next.

    Args:
        paths: experiments' folders, or files of embeddings, with different names.
        corpora: that hold the utterances.
        out: the picture; the probes go beside it as JSON.
        set_name: of the experiments' sets.
        labels: what to make of the labels.
        method: ``tsne`` or ``umap``.
        seed: of folds and picture.

    Returns:
        the table of the probes.

    Raises:
        SpaceError: on embeddings that cannot be used, an unknown method, or a name that occurs twice.
    """
    if method not in METHODS:
        raise SpaceError(f"--method: got {method!r}, expected {' or '.join(METHODS)}")
    spaces = [read_space(path, corpora, set_name, labels) for path in paths]
    names = [space.name for space in spaces]
    if len(set(names)) < len(names):
        raise SpaceError(f"EXP: got {', '.join(names)}, expected different names")
    found = {space.name: [p for what in get_args(What) if (p := probe(space, what, seed))] for space in spaces}
    draw_spaces(spaces, out, method, seed)
    write_probes(found, Path(out).with_suffix(".json"))
    return table(found)


def write_probes(probes: Mapping[str, Sequence[Probe]], path: Path) -> None:
    """Write the probes of each space as JSON."""
    facts = {
        name: {p.what: {"UAR": vars(p.uar), "chance": p.chance, "classes": p.classes, "folds_by": p.by} for p in found}
        for name, found in probes.items()
    }
    with atomic_write(path) as file:
        json.dump(facts, file, indent=2)
        file.write("\n")


def table(probes: Mapping[str, Sequence[Probe]]) -> str:
    """The probes of each space, side by side."""
    width = max(len("space"), *map(len, probes))
    lines = [f"{'space':<{width}}  {'probe':<9} {'UAR':<22} {'chance':<7} folds by"]
    for name, found in probes.items():
        lines += [f"{name:<{width}}  {p.what:<9} {p.uar!s:<22} {p.chance:<7.3f} {p.by}" for p in found]
    return "\n".join(lines)
