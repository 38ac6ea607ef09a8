"""Label efficiency: what pre-training saves in labels, as numbers, as a table, as a curve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..benchmark.leaderboard.predictions import read_told
from ..benchmark.row import Row
from ..benchmark.statistics import Mean, Resampled, holm
from ..corpus import atomic_write
from .plan import SCRATCH, WEAK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METRIC = "UAR"
NAMES = {WEAK: "pre-trained on weak labels", SCRATCH: "from scratch"}
COLOURS = {WEAK: "#0b6e99", SCRATCH: "#b3541e"}
FIGURES = ("curve.svg", "curve.png")


@dataclass(frozen=True)
class Point:
    """A target's mean over seeds at one share of its labels; share 0 is zero-shot.

    Attributes:
        target: its name.
        init: what the weights were before.
        share: of the train part.
        utterances: of the target that were trained on, mean over seeds.
        mean: of the metric.
    """

    target: str
    init: str
    share: float
    utterances: float
    mean: Mean


@dataclass(frozen=True)
class Gain:
    """What pre-training gives over scratch at one share, paired over the same test utterances."""

    target: str
    share: float
    value: float
    low: float
    high: float
    p_holm: float


@dataclass(frozen=True)
class Curve:
    """All points, and pre-training's gain at each share."""

    points: tuple[Point, ...]
    gains: tuple[Gain, ...]

    def of(self, target: str, init: str) -> list[Point]:
        """A line of the figure: without the zero-shot point."""
        return [p for p in self.points if (p.target, p.init) == (target, init) and p.share > 0]

    def zero_shot(self, target: str) -> Point | None:
        """What was reached without a label of the target."""
        return next((p for p in self.points if p.target == target and p.share == 0), None)

    @property
    def targets(self) -> list[str]:
        return list(dict.fromkeys(point.target for point in self.points))

    def as_json(self) -> dict[str, Any]:
        """For files."""
        return {"metric": METRIC, "points": [asdict(p) for p in self.points], "gains": [asdict(g) for g in self.gains]}


def draw_up(out: Path, rows: Sequence[Row], utterances: Mapping[str, int]) -> Curve:
    """Means over seeds with intervals, and paired differences, Holm-corrected over all shares and targets.

    Both starts have the same seeds, subsets and head: seeds are drawn for both alike.

    Args:
        out: folder of the rows' predictions.
        rows: of one experiment.
        utterances: of the target that each row's system was trained on, by the row's id.
    """
    points: list[Point] = []
    found: list[tuple[str, float, Any]] = []
    for target in dict.fromkeys(row.target for row in rows):
        its: dict[tuple[str, float], list[Row]] = defaultdict(list)
        for row in rows:
            if row.target == target:
                its[str(row.protocol["init"]), float(row.protocol["share"] or 0)].append(row)
        resampled = _resampled(out, its)
        for (init, share), own in sorted(its.items(), key=lambda item: (item[0][1], item[0][0] != WEAK)):
            trained = float(np.mean([utterances[row.id] for row in own]))
            points.append(Point(target, init, share, trained, resampled.mean(_key(init, share))))
        shares = sorted(share for init, share in its if init == SCRATCH and (WEAK, share) in its)
        found += [(target, s, resampled.difference(_key(WEAK, s), _key(SCRATCH, s))) for s in shares]
    adjusted = holm([difference.p for *_, difference in found])
    gains = [Gain(t, s, d.value, d.low, d.high, p) for (t, s, d), p in zip(found, adjusted, strict=True)]
    return Curve(tuple(points), tuple(gains))


def table(curve: Curve) -> list[str]:
    """For people: a line a share."""
    lines = []
    gains = {(gain.target, gain.share): gain for gain in curve.gains}
    for target in curve.targets:
        zero = curve.zero_shot(target)
        lines += ["", f"{target}: {METRIC}, mean ± SD over seeds [95% interval over the test's groups and the seeds]"]
        if zero is not None:
            lines.append(f"  zero-shot   no label            {zero.mean}")
        scratch = {point.share: point for point in curve.of(target, SCRATCH)}
        for point in curve.of(target, WEAK):
            gain, other = gains.get((target, point.share)), scratch.get(point.share)
            said = (
                ""
                if gain is None
                else f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] p_Holm {gain.p_holm:.3f}"
            )
            lines.append(f"  {point.share:>6.1%} {point.utterances:>8.0f} labels  pre-trained {point.mean}")
            if other is not None:
                lines.append(f"  {'':>22}  scratch     {other.mean}  gain {said}")
    return lines


def draw(curve: Curve, out: Path, chance: float) -> list[Path]:
    """The curve as SVG and PNG: a panel a target, means with the seeds' SD as a band."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "lanser", "font.size": 9, "svg.fonttype": "none"}):
        figure = Figure(figsize=(4.2 * len(curve.targets), 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        panels = figure.subplots(1, len(curve.targets), sharey=True, squeeze=False)[0]
        for panel, target in zip(panels, curve.targets, strict=True):
            _panel(panel, curve, target, chance)
        panels[0].set_ylabel(METRIC)
        panels[-1].legend(loc="best", frameon=False, fontsize=8)
        for name in FIGURES:
            with atomic_write(out / name, "wb") as file:
                kind = name.rsplit(".", 1)[1]
                figure.savefig(file, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return [out / name for name in FIGURES]


def _panel(panel: Axes, curve: Curve, target: str, chance: float) -> None:
    ticks: dict[float, str] = {}
    for init in (WEAK, SCRATCH):
        points = curve.of(target, init)
        if not points:
            continue
        x = np.array([point.share for point in points])
        y = np.array([point.mean.value for point in points])
        spread = np.array([point.mean.sd or 0.0 for point in points])
        panel.plot(x, y, marker="o", markersize=4, color=COLOURS[init], label=NAMES[init])
        panel.fill_between(x, y - spread, y + spread, color=COLOURS[init], alpha=0.2, linewidth=0)
        ticks |= {point.share: f"{point.share:.0%}\n{point.utterances:.0f}" for point in points}
    zero = curve.zero_shot(target)
    if zero is not None:
        panel.axhline(zero.mean.value, color=COLOURS[WEAK], linestyle="--", linewidth=1, label="zero-shot")
    panel.axhline(chance, color="grey", linestyle=":", linewidth=1, label="chance")
    panel.set_xscale("log")
    panel.set_xticks(list(ticks), list(ticks.values()))
    panel.minorticks_off()
    panel.set_xlabel("share of the train part, its utterances")
    panel.set_title(target)


def _resampled(out: Path, its: Mapping[tuple[str, float], Sequence[Row]]) -> Resampled:
    told = {_key(*key): [read_told(out, row) for row in own] for key, own in its.items()}
    first, row = next(iter(told.values()))[0], next(iter(its.values()))[0]
    systems = {name: np.stack([one.predicted for one in own]) for name, own in told.items()}
    seeds = {_key(*key): [row.seed for row in own] for key, own in its.items()}
    return Resampled(first.truth, systems, len(row.labels), first.groups, METRIC, seeds=seeds)


def _key(init: str, share: float) -> str:
    return f"{init} {share}"
