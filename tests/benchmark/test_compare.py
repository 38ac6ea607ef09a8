import csv

import numpy as np
import pytest

from zero_shot_emotion.benchmark import Interval, Row, RowError, Test
from zero_shot_emotion.benchmark.compare import evaluate

LABELS = ("neu", "hap")
TRUTH = np.tile([0, 1], 120)


def row(folder, source, seed, right, target="real", kind="real", utterances=240):
    """A row whose predictions are right as often as asked for."""
    rng = np.random.default_rng(seed + 100 * len(source))
    predicted = np.where(rng.random(utterances) < right, TRUTH[:utterances], 1 - TRUTH[:utterances])
    score = Interval(value=0.5, low=0.4, high=0.6)
    made = Row(
        id=f"{source}-{seed}-{target}",
        benchmark="b",
        modality="speech",
        system="fbank",
        head="demo",
        source=source,
        source_kind=kind,
        target=target,
        seed=seed,
        labels=LABELS,
        test=Test(
            utterances=utterances,
            metrics={"UAR": score},
            recall={},
            confusion=[[0, 0], [0, 0]],
            grouped_by="speaker",
        ),
    )
    path = folder / made.predictions
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "corpus", "speaker", "dialogue", "truth", "predicted"])
        for i in range(utterances):
            writer.writerow([f"u{i}", "c", f"s{i % 12}", "", LABELS[TRUTH[i]], LABELS[predicted[i]]])
    return made


def test_the_majority_class_is_a_baseline_of_every_model(tmp_path):
    """It has one seed and no model; whoever beats it hears something."""
    rows = [row(tmp_path, source, seed, 0.8) for source in ("one", "other") for seed in range(4)]
    rows[4:] = [made.model_copy(update={"head": "another"}) for made in rows[4:]]
    always = row(tmp_path, "majority", 0, 0.5, kind="majority").model_copy(
        update={"system": "majority", "head": "none"}
    )
    _, comparisons = evaluate(tmp_path, [*rows, always], baseline="majority")
    assert [(c.key.source, c.key.head) for c in comparisons] == [("one", "demo"), ("other", "another")]
    assert all(c.sentence.startswith(f"{c.key.source} beats majority on real") for c in comparisons)
    _, others = evaluate(tmp_path, [*rows, always], baseline="one")
    assert others == []  # a model of its own, and none at all: neither is compared with the model of "one"


def test_it_says_what_beats_what_and_what_is_not_shown(tmp_path):
    rights = {"better": 0.9, "worse": 0.4, "alike": 0.6, "base": 0.6}
    rows = [row(tmp_path, source, seed, right) for source, right in rights.items() for seed in range(5)]
    scores, comparisons = evaluate(tmp_path, rows, baseline="base")
    assert [(score.key.source, score.mean.seeds) for score in scores] == [(source, 5) for source in rights]
    assert [comparison.key.source for comparison in comparisons] == ["better", "worse", "alike"]
    better, worse, alike = (comparison.sentence for comparison in comparisons)
    d = comparisons[0].difference
    assert better == (
        f"better beats base on real (fbank, demo) by {d.value:.3f} [{d.low:.3f}, {d.high:.3f}] UAR (p_Holm < 0.001)"
    )
    d = comparisons[1].difference
    assert worse.startswith(
        f"worse is beaten by base on real (fbank, demo) by {-d.value:.3f} [{-d.high:.3f}, {-d.low:.3f}]"
    )
    assert alike.startswith("no difference shown between alike and base on real (fbank, demo): UAR ")


def test_a_single_seed_is_said_where_another_could_differ(tmp_path):
    rows = [row(tmp_path, source, 0, 0.8) for source in ("one", "two")] + [row(tmp_path, "two", 1, 0.8)]
    rows += [row(tmp_path, "majority", 0, 0.5, kind="majority")]
    told = {c.key.source: c.sentence for base in ("two", "majority") for c in evaluate(tmp_path, rows, base)[1]}
    assert told["one"].endswith("; one seed of one: other seeds may differ")
    assert "one seed" not in told["two"]


def test_seeds_of_the_same_number_are_drawn_together(tmp_path):
    """The baseline is worse by the same in each seed; if each side drew seeds of its own, that would not show."""
    rights = {"low": (0.3, 0.4, 0.5, 0.6), "high": (0.5, 0.6, 0.7, 0.8)}
    rows = [row(tmp_path, name, seed, right) for name, of in rights.items() for seed, right in enumerate(of)]
    paired = evaluate(tmp_path, rows, "low")[1][0].difference
    apart = [made.model_copy(update={"seed": made.seed + 4 * (made.source == "low")}) for made in rows]
    own = evaluate(tmp_path, apart, "low")[1][0].difference
    assert paired.value == own.value
    assert paired.low > 0 > own.low


def test_holm_is_over_all_targets_together(tmp_path):
    rows = [row(tmp_path, s, 0, right, target) for target in ("a", "b") for s, right in (("x", 0.7), ("base", 0.6))]
    _, comparisons = evaluate(tmp_path, rows, baseline="base")
    raw = sorted(comparison.difference.p for comparison in comparisons)
    assert sorted(c.p_holm for c in comparisons)[0] == pytest.approx(min(1, 2 * raw[0]))


def test_without_a_baseline_nothing_is_compared(tmp_path):
    scores, comparisons = evaluate(tmp_path, [row(tmp_path, "x", 0, 0.7)])
    assert (len(scores), comparisons) == (1, [])
    assert scores[0].mean.sd is None


def test_systems_on_other_utterances_are_not_compared(tmp_path):
    rows = [row(tmp_path, "x", 0, 0.7), row(tmp_path, "base", 0, 0.7, utterances=100)]
    with pytest.raises(
        RowError, match=r"base-0-real.csv: holds 100 utterances in the classes neu, hap, expected the 240"
    ):
        evaluate(tmp_path, rows, "base")


def test_a_row_without_predictions_is_named(tmp_path):
    made = row(tmp_path, "x", 0, 0.7)
    (tmp_path / made.predictions).unlink()
    with pytest.raises(RowError, match=r"x-0-real.csv: no such file, expected the predictions of the row x-0-real"):
        evaluate(tmp_path, [made])
