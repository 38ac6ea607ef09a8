"""Logistic regression against scikit-learn's own pipeline."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from zero_shot_emotion.regression import (
    RegressionError,
    RegressionSettings,
    Vectors,
    fit,
    load,
    read_regression,
    save,
    vector,
)

CLASSES = ("neu", "hap", "ang", "sad")


def vectors(seed=0, size=80, classes=range(4), width=6, noise=2.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.resize(list(classes), size))
    centres = 3 * np.random.default_rng(99).standard_normal((4, width))
    features = 50 + 7 * (centres[labels] + noise * rng.standard_normal((size, width)))
    return Vectors(features, labels, [f"s{i % 8}" for i in range(size)])


def fitted(train, dev=None, metric="UAR", balanced=False, **options):
    return fit(train, dev or vectors(1), CLASSES, RegressionSettings(**options), metric, balanced)


@pytest.mark.parametrize("classes", [range(4), (0, 2, 3), (1, 3)], ids=["all", "three", "two"])
@pytest.mark.parametrize("clip", [None, 2.0])
@pytest.mark.parametrize("balanced", [False, True])
def test_probabilities_are_those_of_scikit_learn(classes, clip, balanced):
    train, test = vectors(0, classes=classes), vectors(2)
    oracle = make_pipeline(
        StandardScaler(),
        FunctionTransformer(lambda x: x if clip is None else np.clip(x, -clip, clip)),
        LogisticRegression(C=8 / 80, class_weight="balanced" if balanced else None, max_iter=5000),
    ).fit(train.features, train.labels)

    shares = fitted(train, penalty=8, clip=clip, balanced=balanced).probabilities(test.features)

    assert shares.sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose(shares[:, list(classes)], oracle.predict_proba(test.features), atol=1e-6)
    assert (np.delete(shares, list(classes), axis=1) == 0).all()


def test_the_default_is_strong_and_means_the_same_at_any_size():
    small, large = vectors(0), vectors(0)
    large = Vectors(np.tile(large.features, (5, 1)), np.tile(large.labels, 5), [*large.speakers] * 5)
    one, other = fitted(small), fitted(large)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-3)
    assert np.abs(one.weights).max() < np.abs(fitted(small, penalty=80).weights).max() / 5


def test_centring_takes_voices_away_and_leaves_the_target_alone():
    """Speakers who differ in all features by far more than the classes do, and have one class more often."""
    plain, test = vectors(0, size=160, noise=1.0), vectors(2, noise=1.0)
    rng = np.random.default_rng(3)
    voices = {name: 200 * rng.standard_normal(6) for name in sorted(set(plain.speakers))}
    spoken = Vectors(plain.features + np.array([voices[s] for s in plain.speakers]), plain.labels, plain.speakers)

    centred = fitted(spoken, penalty=8, clip=None, centre=True)
    left = fitted(spoken, penalty=8, clip=None)

    def separated(model):
        """How far the classes lie apart along what was learnt, in units of the voices."""
        means = np.stack([test.features[test.labels == k].mean(axis=0) for k in range(4)])
        logits = (means / model.scale) @ model.weights.T
        return (np.diag(logits) - logits.mean(axis=0)).mean()

    assert separated(centred) > 2 * separated(left)
    np.testing.assert_array_equal(centred.mean, spoken.features.mean(axis=0))
    np.testing.assert_array_equal(centred.scale, left.scale)


def test_dev_chooses_among_several_penalties():
    train, dev = vectors(0, size=40, noise=6.0), vectors(1, size=400, noise=6.0)
    choices = (1e-9, 0.5, 5000.0)
    scores = {}
    for penalty in choices:
        predicted = fitted(train, penalty=penalty).probabilities(dev.features).argmax(axis=1)
        scores[penalty] = np.mean([(predicted[dev.labels == k] == k).mean() for k in range(4)])
    assert len(set(scores.values())) == 3
    assert fitted(train, dev, penalty=choices).penalty == max(scores, key=scores.get)


def test_a_constant_feature_decides_nothing():
    train, test = vectors(0), vectors(2)
    constant = Vectors(np.column_stack([train.features, np.full(80, 3.0)]), train.labels, train.speakers)
    one = fitted(train).probabilities(test.features)
    other = fitted(constant).probabilities(np.column_stack([test.features, np.full(80, -1e6)]))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_saved_model_is_the_same_model(tmp_path):
    model = fitted(vectors(0, classes=(0, 1, 3)), clip=1.5)
    save(model, tmp_path / "model.safetensors", {"store": "stores/x"})
    again, about = load(tmp_path / "model.safetensors")
    assert about == {"store": "stores/x"}
    assert (again.classes, again.clip, again.penalty) == (CLASSES, 1.5, 0.07)
    test = vectors(2).features
    np.testing.assert_array_equal(again.probabilities(test), model.probabilities(test))


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "other").write_bytes(b"no tensors")
    for name in ("other", "missing"):
        with pytest.raises(RegressionError, match=f"{name}: expected a logistic regression in safetensors"):
            load(tmp_path / name)


def test_layers_are_averaged_or_one_is_taken():
    layers = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert vector(layers).tolist() == [2, 3]
    assert vector(layers, 2).tolist() == [4, 5]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"penalty": 0}, "here.penalty"),
        ({"penalty": [1]}, "here.penalty"),
        ({"clip": -1}, "here.clip"),
        ({"c": 1}, "here.c: "),
    ],
)
def test_options_that_are_wrong_are_named(section, message):
    with pytest.raises(RegressionError, match=message):
        read_regression(section, "here")


def test_data_that_cannot_be_fitted_is_refused():
    with pytest.raises(RegressionError, match="train: 80 utterances of one class, expected at least two classes"):
        fitted(vectors(0, classes=(2,)))
    nobody = Vectors(vectors(0).features, vectors(0).labels, [None] * 3 + ["s"] * 77)
    with pytest.raises(RegressionError, match="centre: 3 of 80 training utterances name no speaker"):
        fitted(nobody, centre=True)
