import csv
import itertools

import numpy as np
import pytest

from zero_shot_emotion.benchmark import Interval, Row, SourceKind, Test, write_rows
from zero_shot_emotion.benchmark.leaderboard import load_board

LABELS = ("neu", "hap")
TRUTH = np.tile([0, 1], 120)
ALWAYS = {"kind": "majority", "system": "majority class", "head": "none"}


def row(
    folder,
    source,
    seed,
    right,
    target="real",
    kind: SourceKind = "real",
    utterances=range(240),
    system="fbank",
    head="demo",
    **changes,
):
    """A row whose predictions are right as often as asked for; the majority class always says the first."""
    rng = np.random.default_rng(seed + 100 * len(source))
    predicted = np.where(rng.random(len(TRUTH)) < right, TRUTH, 1 - TRUTH) * (kind != "majority")
    score = Interval(value=0.5, low=0.4, high=0.6)
    made = Row(
        id=f"{source}-{seed}-{target}-{system}-{head}-{changes.get('contributor', '')}",
        benchmark="b",
        modality="speech",
        system=system,
        head=head,
        source=source,
        source_kind=kind,
        target=target,
        seed=seed,
        labels=LABELS,
        test=Test(
            utterances=len(utterances),
            metrics={"UAR": score, "WA": score, "macro-F1": score},
            recall={},
            confusion=[[1, 0], [0, 1]],
            grouped_by="speaker",
        ),
        **changes,
    )
    path = folder / made.predictions
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "corpus", "speaker", "dialogue", "truth", "predicted"])
        for i in utterances:
            writer.writerow([f"u{i}", "c", f"s{i % 12}", "", LABELS[TRUTH[i]], LABELS[predicted[i]]])
    return made


def compared(folder, rows, baseline):
    write_rows(folder, rows)
    return [found for table in load_board(folder, baseline).tables for found in table.comparisons]


def told(found):
    return {(c.entry.first.source, c.entry.first.head): c.difference for c in found}


def test_the_majority_class_is_a_baseline_of_every_model(tmp_path):
    """It has one seed and no model; whoever beats it hears something."""
    rows = [
        row(tmp_path, source, seed, 0.8, head=head)
        for source, head in (("one", "demo"), ("other", "another"))
        for seed in range(4)
    ]
    always = row(tmp_path, "majority", 0, 0.5, **ALWAYS, protocol={"grid": "own"})
    rows = [made.model_copy(update={"protocol": {"dev metric": "UAR", "grid": "own"}}) for made in rows]
    found = compared(tmp_path, [*rows, always], "majority")
    assert [(c.entry.first.source, c.entry.first.head) for c in found] == [("one", "demo"), ("other", "another")]
    assert {c.verdict for c in found} == {"beats"}
    assert {c.caveat for c in found} == {""}  # how others are trained is nothing to it
    assert compared(tmp_path, [*rows, always], "one") == []  # another model, and none at all


def test_the_majority_class_stands_beside_what_was_tested_on_less(tmp_path):
    """Text lacks an utterance without words, speech one that cannot be read: the class is still one for all."""
    parts = {"demo": range(240), "text": range(1, 240), "far": range(200)}
    rows = [row(tmp_path, "one", s, 0.8, head=head, utterances=part) for head, part in parts.items() for s in (0, 1)]
    always = row(tmp_path, "majority", 0, 0.5, **ALWAYS)
    found = told(compared(tmp_path, [*rows, always], "majority"))
    for head, part in parts.items():
        own = row(tmp_path, "majority", 0, 0.5, **ALWAYS, utterances=part)
        its = [made for made in rows if made.head == head]
        (expected,) = compared(tmp_path, [*its, own], "majority")
        assert found["one", head] == expected.difference
    always = row(tmp_path, "majority", 0, 0.5, **ALWAYS, utterances=range(100))
    assert compared(tmp_path, [*rows, always], "majority") == []  # it was not tested on all of any


def test_ones_own_majority_class_comes_first_and_anothers_is_as_good(tmp_path):
    rows = [row(tmp_path, "one", s, 0.8, contributor=who) for who in ("ann", "bob") for s in (0, 1)]
    anns = row(tmp_path, "majority", 0, 0.5, **ALWAYS, contributor="ann")
    both = compared(tmp_path, [*rows, anns], "majority")
    assert [(c.entry.first.contributor, c.baseline.first.contributor) for c in both] == [("ann", "ann"), ("bob", "ann")]
    bobs = row(tmp_path, "majority", 0, 0.5, **ALWAYS, contributor="bob")
    own = compared(tmp_path, [*rows, anns, bobs], "majority")
    assert {(c.entry.first.contributor, c.baseline.first.contributor) for c in own} == {("bob", "bob"), ("ann", "ann")}


def test_it_says_what_beats_what_and_what_is_not_shown(tmp_path):
    rights = {"better": 0.9, "worse": 0.4, "alike": 0.6, "base": 0.6}
    rows = [row(tmp_path, source, seed, right) for source, right in rights.items() for seed in range(5)]
    found = {c.entry.first.source: c for c in compared(tmp_path, rows, "base")}
    verdicts = {source: c.verdict for source, c in found.items()}
    assert verdicts == {"better": "beats", "worse": "loses to", "alike": "cannot be told from"}
    d = found["better"].difference
    assert str(found["better"]) == (
        f"fbank, demo: better beats base on real: +{d.value:.3f} [+{d.low:.3f}, +{d.high:.3f}], p < .001"
    )


def test_controls_and_the_upper_bound_are_compared_too(tmp_path):
    """A control that beats the baseline is news; who leaves it out has looked first."""
    kinds: dict[str, SourceKind] = {"control": "shuffled", "own": "in-domain", "base": "real"}
    rows = [row(tmp_path, source, s, 0.7, kind=kind) for source, kind in kinds.items() for s in range(3)]
    assert {source for source, _ in told(compared(tmp_path, rows, "base"))} == {"control", "own"}


def test_a_single_seed_is_said_where_another_could_differ(tmp_path):
    rows = [row(tmp_path, source, 0, 0.8) for source in ("one", "two")] + [row(tmp_path, "two", 1, 0.8)]
    rows += [row(tmp_path, "majority", 0, 0.5, **ALWAYS)]
    caveats = {c.entry.first.source: c.caveat for c in compared(tmp_path, rows, "majority")}
    assert caveats == {"one": " (one seed of one: other seeds may differ)", "two": ""}


def test_seeds_of_the_same_number_are_drawn_together(tmp_path):
    """The baseline is worse by the same in each seed; if each side drew seeds of its own, that would not show."""
    rights = {"low": (0.3, 0.4, 0.5, 0.6), "high": (0.5, 0.6, 0.7, 0.8)}
    rows = [row(tmp_path, name, seed, right) for name, of in rights.items() for seed, right in enumerate(of)]
    (paired,) = compared(tmp_path, rows, "low")
    apart = [made.model_copy(update={"seed": made.seed + 4 * (made.source == "low")}) for made in rows]
    (own,) = compared(tmp_path, apart, "low")
    assert paired.difference.value == own.difference.value
    assert paired.difference.low > 0 > own.difference.low


def test_a_difference_does_not_depend_on_what_else_is_compared(tmp_path, monkeypatch):
    """However many are drawn together: a leaderboard that grows tells the same of what was there."""
    rows = [row(tmp_path, name, seed, 0.5 + k / 40) for k, name in enumerate("abcdef") for seed in range(3)]
    whole = told(compared(tmp_path, rows, "a"))
    monkeypatch.setattr("zero_shot_emotion.benchmark.leaderboard.scoring.AT_A_TIME", 2)
    assert told(compared(tmp_path, rows, "a")) == whole
    few = [made for made in rows if made.source in "ac"]
    assert told(compared(tmp_path, few, "a")) == {("c", "demo"): whole["c", "demo"]}


def test_holm_is_over_all_targets_together(tmp_path):
    rows = [row(tmp_path, s, 0, right, target) for target in ("a", "b") for s, right in (("x", 0.7), ("base", 0.6))]
    found = compared(tmp_path, rows, "base")
    raw = sorted(c.difference.p for c in found)
    assert sorted(c.p for c in found)[0] == pytest.approx(min(1, 2 * raw[0]))
    assert [c.family for c in found] == [2, 2]


def test_without_a_baseline_nothing_is_compared(tmp_path):
    assert compared(tmp_path, [row(tmp_path, "x", 0, 0.7), row(tmp_path, "y", 0, 0.7)], None) == []


def test_systems_on_other_utterances_are_not_compared(tmp_path):
    rows = [row(tmp_path, "x", 0, 0.7), row(tmp_path, "base", 0, 0.7, utterances=range(100))]
    assert compared(tmp_path, rows, "base") == []
    assert [table.name for table in load_board(tmp_path).tables] == ["real (1)", "real (2)"]


def test_another_state_of_a_target_has_no_majority_class_of_this_one(tmp_path):
    states = itertools.product(("one", "majority"), ("old", "new"))
    rows = [
        row(tmp_path, s, 0, 0.8, fingerprints={"real": of}, **(ALWAYS if s == "majority" else {})).model_copy(
            update={"id": f"{s}-{of}"}
        )
        for s, of in states
    ]
    for made in rows:
        (tmp_path / made.predictions).write_bytes(
            (tmp_path / "predictions" / "one-0-real-fbank-demo-.csv").read_bytes()
        )
    found = compared(tmp_path, [made for made in rows if made.id != "majority-new"], "majority")
    assert [c.entry.first.id for c in found] == ["one-old"]
