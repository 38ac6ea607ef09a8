import numpy as np
import pytest
from confidence_intervals import get_bootstrap_indices

from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark.statistics import METRICS, Resampled, holm, seed_draws, weights

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


def uar_by_hand(pairs):
    """Of pairs of truth and prediction."""
    shares = [[t == p for t, p in pairs if t == label] for label in {t for t, _ in pairs}]
    return sum(sum(share) / len(share) for share in shares) / len(shares)


def by_hand(truth, groups, runs, seeds, sets):
    """What each set says, in plain Python: the mean over seeds on its groups, moved by what its seeds are on all."""
    drawn = np.concatenate(list(weights(len(truth), groups, sets, 0)))
    numbers = sorted(set(seeds))
    times, stretches = seed_draws(numbers, sets, 0)

    def of_seeds(counts):
        """The UAR of each seed where each utterance occurs so often: the mean over its runs."""
        found = {number: [] for number in numbers}
        for run, number in zip(runs, seeds, strict=True):
            pairs = [(t, p) for t, p, count in zip(truth, run, counts, strict=True) for _ in range(int(count))]
            found[number].append(uar_by_hand(pairs))
        return [sum(found[number]) / len(found[number]) for number in numbers]

    whole, said = of_seeds([1] * len(truth)), []
    for utterances, own, stretch in zip(drawn, times, stretches[:, 0], strict=True):
        on_drawn = of_seeds(utterances)
        of_drawn = [score for score, count in zip(whole, own, strict=True) for _ in range(count)]
        moved = sum(of_drawn) / len(of_drawn) - sum(whole) / len(whole)
        said.append(sum(on_drawn) / len(on_drawn) + stretch * moved)
    return np.array(said)


@pytest.mark.parametrize("seeds", [(0, 1, 2), (7, 3), (5,), (0, 1, 1), (2, 2, 2)], ids=str)
def test_a_mean_is_resampled_over_groups_and_seeds(seeds):
    truth, groups, runs = made(1, groups=5, each=6, systems=len(seeds))
    found = Resampled(truth, {"a": runs}, CLASSES, groups, bootstraps=200, seeds={"a": seeds}).mean("a")
    expected = np.percentile(by_hand(truth, groups, runs, seeds, 200), [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx(tuple(np.clip(expected, 0, 1)))
    each = [metrics.uar(metrics.confusion(truth, run, CLASSES)) for run in runs]
    scores = [np.mean([e for e, s in zip(each, seeds, strict=True) if s == seed]) for seed in set(seeds)]
    assert (found.value, found.seeds) == pytest.approx((np.mean(scores), len(scores)))
    assert found.sd == (pytest.approx(np.std(scores, ddof=1)) if len(scores) > 1 else None)


@pytest.mark.parametrize("others", [(0, 1, 2), (0, 1, 3), (4, 5), (0,)], ids=str)
def test_a_difference_draws_shared_seeds_once_and_others_for_each(others):
    truth, groups, runs = made(2, groups=5, each=6, systems=3 + len(others))
    seeds = {"a": (0, 1, 2), "b": others}
    systems = {"a": runs[:3], "b": runs[3:]}
    found = Resampled(truth, systems, CLASSES, groups, bootstraps=200, seeds=seeds).difference("a", "b")
    drawn = by_hand(truth, groups, runs[:3], (0, 1, 2), 200) - by_hand(truth, groups, runs[3:], others, 200)
    assert (found.low, found.high) == pytest.approx(tuple(np.clip(np.percentile(drawn, [2.5, 97.5]), -1, 1)))
    tail = min((drawn <= 1e-12).sum(), (drawn >= -1e-12).sum())
    assert found.p == pytest.approx(min(1, 2 * (tail + 1) / 201))
    assert found.seeds == (3, len(others))


def test_systems_share_the_draws_of_the_same_seeds_alone():
    draws = {seeds: seed_draws(seeds, 2000, 0)[0] for seeds in [(0, 1, 2), (0, 1, 3), (0, 1, 2, 3), (1, 2, 0)]}
    np.testing.assert_array_equal(draws[0, 1, 2], seed_draws([0, 1, 2], 2000, 0)[0])
    assert not np.array_equal(draws[0, 1, 2], seed_draws([0, 1, 2], 2000, 1)[0])
    assert abs(np.corrcoef(draws[0, 1, 2][:, 0], draws[0, 1, 3][:, 0])[0, 1]) < 0.1
    assert (draws[0, 1, 2, 3].sum(axis=1) == 4).all()


def test_what_does_not_differ_over_seeds_has_the_interval_of_one():
    """Majority class, untrained systems: one row or five of them, to the last bit."""
    truth, groups, runs = made(3, systems=4)
    systems = {"five": np.repeat(runs[:1], 5, axis=0), "one": runs[:1], "learnt": runs[1:]}
    found = Resampled(truth, systems, CLASSES, groups, bootstraps=300)
    five, one = found.mean("five"), found.mean("one")
    assert (five.low, five.high, five.sd, one.sd) == (one.low, one.high, pytest.approx(0), None)
    same = found.difference("five", "one")
    assert (same.low, same.high, same.p, same.seeds) == (0, 0, 1, (5, 1))
    to_five, to_one = found.difference("learnt", "five"), found.difference("learnt", "one")
    assert (to_five.low, to_five.high, to_five.p) == (to_one.low, to_one.high, to_one.p)
    assert to_one.low < 0 < to_one.high


def test_a_mean_does_not_depend_on_who_is_drawn_with_it():
    truth, groups, runs = made(4, systems=5)
    alone = Resampled(truth, {"a": runs[2:]}, CLASSES, groups, bootstraps=100).mean("a")
    assert Resampled(truth, {"b": runs[:2], "a": runs[2:]}, CLASSES, groups, bootstraps=100).mean("a") == alone


def test_no_interval_leaves_what_is_possible():
    truth, groups, _ = made(5)
    runs = [truth, (truth + 1) % CLASSES]  # of two seeds one is always right and one never
    found = Resampled(truth, {"a": runs, "b": runs[::-1]}, CLASSES, groups, bootstraps=500)
    mean, difference = found.mean("a"), found.difference("a", "b")
    assert (mean.value, mean.low, mean.high) == (0.5, 0, 1)
    assert (difference.value, difference.low, difference.high) == (0, -1, 1)


def shuffled_controls(runs, seeds, spread, rng):
    """Systems that know nothing: by chance, each seed is better or worse than chance on this target."""
    truth = np.tile(np.repeat(np.arange(CLASSES), 6), 10)
    skill = np.clip(1 / CLASSES + spread * rng.standard_normal((runs, seeds, 1)), 0, 1)
    right = rng.random((runs, seeds, len(truth))) < skill
    wrong = (truth + rng.integers(1, CLASSES, right.shape)) % CLASSES
    return truth, np.repeat([f"g{k}" for k in range(10)], 6 * CLASSES), np.where(right, truth, wrong)


@pytest.mark.parametrize(("seeds", "shared"), [(2, True), (3, True), (5, True), (5, False)])
def test_a_control_does_not_beat_itself_more_often_than_it_may(seeds, shared):
    """The spread over seeds counted, one in twenty at most is found to differ; over groups alone, far more are."""
    runs, rng = 200, np.random.default_rng(seeds)
    truth, groups, predicted = shuffled_controls(2 * runs, seeds, 0.08, rng)
    systems = {str(k): own for k, own in enumerate(predicted)}
    numbers = {str(k): [seeds * (k % runs if shared else k) + s for s in range(seeds)] for k in range(2 * runs)}
    both = Resampled(truth, systems, CLASSES, list(groups), bootstraps=400, seeds=numbers)
    alone = Resampled(truth, systems, CLASSES, list(groups), bootstraps=400, seeds=dict.fromkeys(systems, [0] * seeds))
    rejected, once = (
        np.mean([found.difference(str(k), str(k + runs)).p < 0.05 for k in range(runs)]) for found in (both, alone)
    )
    assert 0 < rejected < 0.09
    assert once > 0.25


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


def test_runs_without_a_seed_are_refused():
    with pytest.raises(ValueError, match="a: expected a seed for each of 2 runs, got 1"):
        Resampled([0, 1], {"a": [[0, 1], [0, 1]]}, CLASSES, seeds={"a": [0]})
