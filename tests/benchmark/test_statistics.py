import numpy as np
import pytest
from confidence_intervals import get_bootstrap_indices

from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark.statistics import METRICS, Resampled, holm, weights

CLASSES = 4


def made(seed, groups=12, each=20, right=0.5, systems=1):
    """A truth, its groups, and predictions that are right as often as asked for."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, groups * each)
    wrong = rng.integers(0, CLASSES, (systems, len(truth)))
    predicted = np.where(rng.random(wrong.shape) < right, truth, wrong)
    return truth, [f"g{i // each}" for i in range(len(truth))], predicted


@pytest.mark.parametrize("name", METRICS)
def test_metrics_over_many_matrices_are_those_of_each(name):
    tables = np.random.default_rng(0).integers(0, 9, (5, 3, CLASSES, CLASSES))
    tables[0, 0, 2] = 0  # a class that the truth does not hold
    each = [[metrics.METRICS[name](table) for table in row] for row in tables]
    np.testing.assert_allclose(METRICS[name](tables), each)


def test_the_interval_of_one_seed_is_that_of_a_row():
    truth, _, predicted = made(0)
    one = Resampled(truth, {"a": predicted}, CLASSES, bootstraps=4000).mean("a")
    row = metrics.interval("UAR", truth, predicted[0], CLASSES)
    assert one.value == pytest.approx(row.value)
    assert (one.low, one.high) == pytest.approx((row.low, row.high), abs=0.008)
    assert one.sd is None


@pytest.mark.parametrize("grouped", [True, False])
def test_weights_are_drawn_as_confidence_intervals_draws_indices(grouped):
    _, groups, _ = made(0, groups=5, each=4)
    numbers = np.unique(groups, return_inverse=True)[1] if grouped else None
    mine = np.concatenate(list(weights(20, groups if grouped else None, 4000, 0)))
    rng = np.random.RandomState(0)
    theirs = [np.bincount(get_bootstrap_indices(20, numbers, random_state=rng), minlength=20) for _ in range(1000)]
    assert (mine.sum(axis=1) == 20).all()
    for one, other in zip(moments(mine), moments(np.array(theirs)), strict=True):
        assert one == pytest.approx(other, abs=0.1)


def moments(drawn):
    """Mean, variance, covariance within a group of four and between groups, each over all utterances alike."""
    table = np.cov(drawn.T)
    same = np.kron(np.eye(5), np.ones((4, 4))).astype(bool)
    apart = same & ~np.eye(20, dtype=bool)
    return drawn.mean(), np.diag(table).mean(), table[apart].mean(), table[~same].mean()


def test_weights_do_not_depend_on_how_many_are_held_at_a_time(monkeypatch):
    whole = np.concatenate(list(weights(20, None, 50, 3)))
    monkeypatch.setattr("zero_shot_emotion.benchmark.statistics.CELLS", 60)
    parts = list(weights(20, None, 50, 3))
    assert max(map(len, parts)) == 3
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_mean_over_seeds_is_resampled_for_all_seeds_at_once():
    truth, groups, predicted = made(1, systems=3)
    drawn = np.concatenate(list(weights(len(truth), groups, 300, 0)))
    each = [
        np.mean([metrics.uar(metrics.confusion(np.repeat(truth, w), np.repeat(p, w), CLASSES)) for p in predicted])
        for w in drawn.astype(int)
    ]
    found = Resampled(truth, {"a": predicted}, CLASSES, groups, bootstraps=300).mean("a")
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(each, [2.5, 97.5])))
    scores = [metrics.uar(metrics.confusion(truth, p, CLASSES)) for p in predicted]
    assert (found.value, found.sd, found.seeds) == pytest.approx((np.mean(scores), np.std(scores, ddof=1), 3))


def test_a_difference_is_paired():
    truth, groups, predicted = made(2, right=0.6)
    better = np.where(np.arange(len(truth)) % 3 == 0, truth, predicted[0])  # right wherever the other one is
    found = Resampled(truth, {"a": better, "b": predicted}, CLASSES, groups, bootstraps=2000)
    difference, alone = found.difference("a", "b"), found.mean("a")
    assert difference.value == pytest.approx(found.mean("a").value - found.mean("b").value)
    assert 0 < difference.low < difference.value < difference.high
    assert difference.high - difference.low < alone.high - alone.low
    assert difference.p == pytest.approx(2 / 2001)
    back = found.difference("b", "a")
    assert (back.value, back.low, back.high) == pytest.approx((-difference.value, -difference.high, -difference.low))


def test_a_system_does_not_differ_from_itself():
    truth, groups, predicted = made(3)
    same = Resampled(truth, {"a": predicted, "b": predicted}, CLASSES, groups, bootstraps=100).difference("a", "b")
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("seed", range(3))
def test_holm_is_the_smallest_level_at_which_the_step_down_test_rejects(seed):
    p_values = np.random.default_rng(seed).random(6) ** 3

    def rejected(level):
        """The definition: from the smallest on, as long as p is at most level / tests that are left."""
        found = set()
        for rank, index in enumerate(np.argsort(p_values)):
            if p_values[index] > level / (len(p_values) - rank):
                break
            found.add(index)
        return found

    for index, adjusted in enumerate(holm(list(p_values))):
        assert adjusted == 1 or index in rejected(adjusted + 1e-9)
        assert index not in rejected(adjusted - 1e-9)


def test_holm_equals_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="an oracle only: not installed")
    p_values = [0.01, 0.04, 0.03, 0.005, 0.04]
    np.testing.assert_allclose(holm(p_values), multitest.multipletests(p_values, method="holm")[1])


def test_holm_of_a_textbook_example_and_of_nothing():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Speakers differ in how well they are recognised; the truth is the mean over all speakers there could be."""
    rng, held, runs = np.random.default_rng(0), 0, 120
    for run in range(runs):
        skill = np.clip(0.5 + 0.1 * rng.standard_normal((12, CLASSES)), 0, 1)
        truth = np.tile(np.repeat(np.arange(CLASSES), 6), 12)
        right = rng.random(len(truth)) < np.repeat(skill.reshape(-1), 6)
        predicted = np.where(right, truth, (truth + 1) % CLASSES)
        groups = np.repeat(np.arange(12), 6 * CLASSES)
        found = Resampled(truth, {"a": predicted}, CLASSES, list(groups), bootstraps=300, seed=run).mean("a")
        held += found.low <= 0.5 <= found.high
    assert held / runs >= 0.9


@pytest.mark.parametrize(
    ("truth", "predicted", "groups", "message"),
    [
        ([0, 1], [[0]], None, r"a: expected predictions of 2 utterances, got shape \(1, 1\)"),
        ([0, 1], [[0, 4]], None, "a: expected classes from 0 to 3, got 0 to 4"),
        ([0, -1], [[0, 1]], None, "truth: expected classes from 0 to 3, got -1 to 0"),
        ([0, 1], [[0, 1]], ["x"], "groups: expected one for each of 2 utterances, got 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(truth, predicted, groups, message):
    with pytest.raises(ValueError, match=message):
        Resampled(truth, {"a": predicted}, CLASSES, groups)
