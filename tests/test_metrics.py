import json

import numpy as np
import pytest
from confidence_intervals import evaluate_with_conf_int, get_bootstrap_indices
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, recall_score

from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark.statistics import Resampled

CLASSES = ("neu", "hap", "ang", "sad")
PAIRS = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def draw(seed, size=200, in_truth=range(4), in_predicted=range(4)):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.choice(list(in_truth), size), rng.choice(list(in_predicted), size)
    right = rng.random(size) < 0.4
    return truth, np.where(right & np.isin(truth, list(in_predicted)), truth, predicted)


def sklearn_f1(truth, predicted):
    return f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)


def sklearn_uar(truth, predicted):
    return recall_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)


ORACLES = {"UAR": sklearn_uar, "WA": accuracy_score, "macro-F1": sklearn_f1}

DATA = [
    pytest.param(draw(0), id="all classes"),
    pytest.param(draw(1, size=7), id="few utterances"),
    pytest.param(draw(2, in_truth=(0, 2)), id="classes missing in the truth"),
    pytest.param(draw(3, in_predicted=(1, 3)), id="classes never predicted"),
    pytest.param(draw(4, in_truth=(1, 2), in_predicted=(0, 3)), id="nothing right"),
    pytest.param(draw(5, in_truth=(3,)), id="one class"),
    pytest.param(([2], [2]), id="one utterance"),
]


@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label was found")
@pytest.mark.parametrize("data", DATA)
def test_agrees_with_scikit_learn(data):
    table = metrics.confusion(*data, len(CLASSES))

    assert table.tolist() == confusion_matrix(*data, labels=range(4)).tolist()
    for name, oracle in ORACLES.items():
        assert metrics.METRICS[name](table) == pytest.approx(oracle(*data))
    assert metrics.uar(table) == pytest.approx(balanced_accuracy_score(*data))
    in_truth = np.unique(data[0])
    expected = recall_score(*data, labels=in_truth, average=None, zero_division=0)
    assert metrics.recalls(table)[in_truth].tolist() == pytest.approx(expected.tolist())
    assert np.isnan(np.delete(metrics.recalls(table), in_truth)).all()


@pytest.mark.parametrize("metric", ORACLES)
def test_interval_without_groups_is_that_of_confidence_intervals(metric, monkeypatch):
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 60)
    truth, predicted = draw(6)
    expected = evaluate_with_conf_int(
        predicted, ORACLES[metric], truth, None, num_bootstraps=metrics.BOOTSTRAPS, alpha=metrics.ALPHA
    )

    got = metrics.interval(metric, truth, predicted, 4)

    assert (got.value, got.low, got.high) == pytest.approx((expected[0], *expected[1]))


@pytest.mark.parametrize("groups", [1, 5, 12])
def test_grouped_sets_are_those_of_confidence_intervals_with_one_generator_for_all_groups(groups):
    """`get_bootstrap_indices` draws them; `evaluate_with_conf_int` hands it a seed, which starts anew for each group."""
    speakers = (np.random.default_rng(7).random(80) ** 2 * groups).astype(int)

    got = metrics._draws(80, speakers.astype(np.intp).tobytes(), 20)

    for seed, counts in enumerate(got):
        indices = get_bootstrap_indices(80, speakers, random_state=np.random.RandomState(seed))
        assert counts.tolist() == np.bincount(indices, minlength=80).tolist()


def test_groups_of_one_size_draw_for_themselves():
    """With one seed for all of them, every group would draw the same positions, whenever it is drawn."""
    speakers = np.repeat(np.arange(4), 25)

    drawn = metrics._draws(100, speakers.astype(np.intp).tobytes(), 200).reshape(200, 4, 25)

    times = drawn.sum(axis=2, keepdims=True) / 25
    both = [(of[a] / t[a], of[b] / t[b]) for of, t in zip(drawn, times, strict=True) for a, b in PAIRS if t[a] * t[b]]
    correlations = [np.corrcoef(one, two)[0, 1] for one, two in both]
    assert abs(np.mean(correlations)) < 0.05


@pytest.mark.parametrize("metric", ORACLES)
@pytest.mark.parametrize("sizes", [[20] * 10, [5, 10, 15, 30, 60, 80]], ids=["equal groups", "unequal groups"])
def test_grouped_interval_is_that_of_the_statistics_over_seeds(metric, sizes):
    """Another implementation of the same draw: of groups, then of utterances within each, by multinomials."""
    truth, predicted = draw(11)
    speakers = np.repeat(np.arange(len(sizes)), sizes)
    predicted = np.where(speakers % 3 == 0, truth, predicted)  # some speakers are easy: the groups matter

    one = metrics.interval(metric, truth, predicted, 4, speakers.tolist())
    other = Resampled(truth, {"": predicted}, 4, speakers.tolist(), metric).mean("")

    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.02)


@pytest.mark.parametrize("metric", ORACLES)
def test_interval_contains_the_value_and_never_changes(metric):
    data = draw(8)
    first = metrics.interval(metric, *data, 4)

    np.random.rand()  # the global generator plays no part

    assert metrics.interval(metric, *data, 4) == first
    assert 0 <= first.low < first.value < first.high <= 1


@pytest.mark.parametrize("metric", ORACLES)
def test_interval_is_wider_where_the_utterances_of_a_group_are_alike(metric):
    rng = np.random.default_rng(9)
    speakers = np.repeat(np.arange(20), 20)
    truth = rng.integers(4, size=400)
    predicted = np.where((rng.random(20) < 0.5)[speakers], truth, (truth + 1) % 4)

    by_utterance = metrics.interval(metric, truth, predicted, 4)
    by_speaker = metrics.interval(metric, truth, predicted, 4, speakers.tolist())

    assert by_speaker.value == by_utterance.value
    assert by_speaker.high - by_speaker.low > 2 * (by_utterance.high - by_utterance.low)


def test_interval_in_print():
    assert str(metrics.Interval(0.61249, 0.5, 0.7)) == "0.612 [0.500, 0.700]"


@pytest.mark.parametrize("groups", [None, ["a", "b"] * 100])
def test_report_is_json_and_holds_the_intervals(groups):
    truth, predicted = draw(10, in_truth=(0, 1, 2))

    report = metrics.report(truth, predicted, CLASSES, groups)

    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["utterances"] == 200
    for name in ORACLES:
        assert metrics.Interval(**report[name]) == metrics.interval(name, truth, predicted, 4, groups)
    assert list(report["recall"]) == list(CLASSES)
    assert report["recall"]["sad"] is None
    assert np.mean([r for r in report["recall"].values() if r is not None]) == pytest.approx(report["UAR"]["value"])
    assert report["confusion"]["classes"] == list(CLASSES)
    assert np.sum(report["confusion"]["rows are truth"], axis=1).tolist() == np.bincount(truth, minlength=4).tolist()


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([], [], "expected two equally long, non-empty lists of classes, got shapes (0,) and (0,)"),
        ([0, 1], [0], "expected two equally long, non-empty lists of classes, got shapes (2,) and (1,)"),
        ([[0]], [[0]], "expected two equally long, non-empty lists of classes, got shapes (1, 1) and (1, 1)"),
        ([0, 4], [0, 0], "truth: expected classes from 0 to 3, got 0 to 4"),
        ([0, 1], [-1, 2], "predicted: expected classes from 0 to 3, got -1 to 2"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(truth, predicted, message):
    for call in (
        lambda: metrics.confusion(truth, predicted, 4),
        lambda: metrics.interval("UAR", truth, predicted, 4),
        lambda: metrics.report(truth, predicted, CLASSES),
    ):
        with pytest.raises(ValueError, match="expected") as error:
            call()
        assert str(error.value) == message


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="groups: expected one for each of 3 utterances, got 2"):
        metrics.report([0, 1, 2], [0, 1, 2], CLASSES, ["a", "b"])
