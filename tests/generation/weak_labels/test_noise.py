import numpy as np
import pytest

from generation.weak_labels.noise import control, correct, entropies, margins
from generation.weak_labels.settings import Noise

NAN = float("nan")
SCORES = np.array([[0.6, 0.3, 0.1], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1], [0.5, 0.1, 0.4], [0.9, 0.05, 0.05]])
IDS = ["a", "b", "c", "d", "e"]


def kept(noise, others=None, view=None, scores=SCORES):
    mask, drops = control(Noise(**noise), scores, others or {}, view, IDS)
    return "".join(name for name, stays in zip(IDS, mask, strict=True) if stays), drops


def test_nothing_is_done_unless_asked():
    assert kept({}) == ("abcde", {})


@pytest.mark.parametrize(
    ("noise", "left", "drops"),
    [
        ({"min_confidence": 0.55}, "ace", {"confidence below 0.55": 2}),
        ({"min_margin": 0.2}, "ace", {"margin below 0.2": 2}),
        ({"min_confidence": 0.55, "min_margin": 0.5}, "ce", {"confidence below 0.55": 2, "margin below 0.5": 1}),
        ({"per_class": 2}, "ace", {"more than 2 of a class": 2}),
        ({"min_confidence": 0.55, "per_class": 1}, "ce", {"confidence below 0.55": 2, "more than 1 of a class": 1}),
    ],
)
def test_each_step_counts_what_the_steps_before_left(noise, left, drops):
    assert kept(noise) == (left, drops)


def test_labels_on_which_labellers_differ_go_and_so_do_those_that_one_does_not_give():
    other = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [NAN] * 3, [0, 0, 1]], dtype=float)
    assert kept({"agreement": True}, {"two": other}) == ("ac", {"two disagrees": 3})


def test_a_prior_takes_what_it_gives_to_all_alike():
    skewed = SCORES * np.array([8, 1, 1])
    skewed /= skewed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(correct(skewed, np.array([0.8, 0.1, 0.1])), SCORES, atol=1e-9)
    assert correct(SCORES, None) is SCORES


def test_margin_and_entropy():
    np.testing.assert_allclose(margins(SCORES), [0.3, 0.05, 0.7, 0.1, 0.85])
    assert entropies(np.full((1, 4), 0.25)) == pytest.approx(np.log(4))
    assert entropies(np.eye(3)) == pytest.approx(np.zeros(3), abs=1e-9)


def test_confident_learning_finds_labels_that_an_independent_view_contradicts():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    wrong = np.zeros(300, dtype=bool)
    wrong[::20] = True
    labels = np.where(wrong, (truth + 1) % 3, truth)
    scores, view = (0.8 * np.eye(3)[which] + 0.2 / 3 for which in (labels, truth))
    ids = [f"u{i}" for i in range(300)]
    mask, drops = control(Noise(confident_learning="two"), scores, {}, view, ids)
    assert drops == {"confident learning": 15}
    assert (mask == ~wrong).all()


def test_what_the_view_does_not_judge_stays():
    view = np.full(SCORES.shape, NAN)
    assert kept({"confident_learning": "two"}, {}, view) == ("abcde", {"confident learning": 0})
