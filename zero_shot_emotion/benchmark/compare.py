"""What a folder of results says: each system's mean over seeds, and how it compares with a baseline."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .row import UNDRAWN, Row, RowError
from .statistics import Difference, Mean, Resampled, holm

LEVEL = 0.05
"""Of Holm's procedure."""


class Key(NamedTuple):
    """What is the same in all rows of a system: all but the seed."""

    modality: str
    system: str
    head: str
    source: str
    target: str
    protocol: tuple[tuple[str, object], ...]

    @property
    def model(self) -> str:
        """For people: what the source trains."""
        return f"{self.system}, {self.head}"


@dataclass(frozen=True)
class Score:
    """A system's mean over seeds."""

    key: Key
    rows: tuple[Row, ...]
    mean: Mean


@dataclass(frozen=True)
class Comparison:
    """A source against the baseline, on the same target, with the same model.

    Attributes:
        key: of the source's system.
        baseline: the source it is compared with.
        metric: such as UAR.
        difference: source minus baseline.
        p_holm: adjusted over all comparisons that are reported together.
        one_seed: of the two, what could differ over seeds and has one; that spread is not in the interval.
    """

    key: Key
    baseline: str
    metric: str
    difference: Difference
    p_holm: float
    one_seed: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What may be said of it."""
        sources = " and ".join(self.one_seed)
        return f"{self._finding}; one seed of {sources}: other seeds may differ" if sources else self._finding

    @property
    def _finding(self) -> str:
        d, on = self.difference, f"on {self.key.target} ({self.key.model})"
        if self.p_holm >= LEVEL:
            shown = f"{d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
            return (
                f"no difference shown between {self.key.source} and {self.baseline} {on}: "
                f"{self.metric} {shown} (p_Holm = {self.p_holm:.3f})"
            )
        verb = "beats" if d.value > 0 else "is beaten by"
        return (
            f"{self.key.source} {verb} {self.baseline} {on} by {abs(d.value):.3f} [{_towards(d)}] {self.metric} "
            f"(p_Holm {_p(self.p_holm)})"
        )


def _towards(difference: Difference) -> str:
    """The interval in the direction in which the difference lies."""
    low, high = (difference.low, difference.high) if difference.value > 0 else (-difference.high, -difference.low)
    return f"{low:.3f}, {high:.3f}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def evaluate(
    folder: str | Path, rows: Iterable[Row], baseline: str | None = None, metric: str = "UAR"
) -> tuple[list[Score], list[Comparison]]:
    """Means over seeds, and comparisons with a baseline, each source under the same model on the same target.

    Args:
        folder: of the results, for the predictions.
        rows: of one benchmark.
        baseline: the source that all others are compared with; None compares nothing.
        metric: UAR, WA or macro-F1.

    Raises:
        RowError: if the predictions of two rows on a target are not of the same utterances.
    """
    # what has no text is in the rows of speech alone, what cannot be heard in those of text alone
    by_target: dict[tuple[str, str], dict[Key, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_target[row.target, row.modality][_key(row)].append(row)
    scores: list[Score] = []
    found: list[tuple[Key, Difference, tuple[str, ...]]] = []
    for systems in by_target.values():
        resampled = _resampled(Path(folder), systems, metric)
        for key, its in systems.items():
            scores.append(Score(key, tuple(its), resampled.mean(str(key))))
        for key, other in _pairs(systems, baseline):
            found.append((key, resampled.difference(str(key), str(other)), _one_seed(systems, key, other)))
    adjusted = holm([difference.p for _, difference, _ in found])
    return scores, [
        Comparison(key, baseline or "", metric, difference, p, one_seed)
        for (key, difference, one_seed), p in zip(found, adjusted, strict=True)
    ]


def read_predictions(folder: Path, row: Row) -> dict[str, dict[str, str]]:
    """The lines of a row's predictions, by the utterance's id.

    Raises:
        RowError: if there is no such file.
    """
    path = folder / row.predictions
    if not path.is_file():
        raise RowError(f"{path}: no such file, expected the predictions of the row {row.id}")
    with path.open(encoding="utf-8", newline="") as file:
        return {line["id"]: line for line in csv.DictReader(file)}


def _key(row: Row) -> Key:
    return Key(row.modality, row.system, row.head, row.source, row.target, tuple(sorted(row.protocol.items())))


def _pairs(systems: dict[Key, list[Row]], baseline: str | None) -> list[tuple[Key, Key]]:
    """Each system with the baseline that has the same upstream and head; protocols may differ, such as the share.

    The majority class has neither: as the baseline it stands beside every model.
    """
    of_model = {(key.system, key.head): key for key in systems if key.source == baseline}
    always = next((key for key in of_model.values() if systems[key][0].source_kind == "majority"), None)
    others = {key: of_model.get((key.system, key.head), always) for key in systems if key.source != baseline}
    return [(key, of) for key, of in others.items() if of is not None]


def _one_seed(systems: dict[Key, list[Row]], *keys: Key) -> tuple[str, ...]:
    of = {key: ({row.seed for row in systems[key]}, systems[key][0].source_kind) for key in keys}
    return tuple(key.source for key, (seeds, kind) in of.items() if len(seeds) == 1 and kind not in UNDRAWN)


def _resampled(folder: Path, systems: dict[Key, list[Row]], metric: str) -> Resampled:
    first = next(iter(systems.values()))[0]
    lines = read_predictions(folder, first)
    ids, index = list(lines), {name: i for i, name in enumerate(first.labels)}

    def predicted(row: Row) -> npt.NDArray[np.int64]:
        its = lines if row is first else read_predictions(folder, row)
        if row.labels != first.labels or its.keys() != lines.keys():
            raise RowError(
                f"{folder / row.predictions}: holds {len(its)} utterances in the classes {', '.join(row.labels)}, "
                f"expected the {len(lines)} utterances and the classes of the row {first.id}"
            )
        return np.array([index[its[name]["predicted"]] for name in ids])

    return Resampled(
        [index[lines[name]["truth"]] for name in ids],
        {str(key): np.stack([predicted(row) for row in rows]) for key, rows in systems.items()},
        len(first.labels),
        _groups([lines[name] for name in ids], first.test.grouped_by),
        metric,
        seeds={str(key): [row.seed for row in rows] for key, rows in systems.items()},
    )


def _groups(lines: Sequence[dict[str, str]], by: str) -> list[str] | None:
    """What the row's own intervals drew whole."""
    return None if by == "utterance" else [f"{line['corpus']}/{line[by]}" for line in lines]
