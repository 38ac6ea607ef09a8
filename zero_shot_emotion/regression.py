"""Logistic regression on one vector an utterance: the head that carried over best from synthetic to real speech.

Strong regularisation that does not depend on the size of the source, and features standardised by the source alone and
clipped, so that what a target has more of than any source decides nothing. A model is a few arrays in safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .corpus import atomic_write, explain
from .errors import UserError
from .metrics import METRICS, confusion

Array = npt.NDArray[np.float64]
Penalty = Annotated[float, Field(gt=0)]

MODEL = "logistic-regression.safetensors"
CONSTANT = 1e-6
"""A feature whose deviation is below this share of its mean is constant, and left as it is."""
ITERATIONS = 5000


class RegressionError(UserError, ValueError):
    """Data that no regression can be fitted to, or a file that holds none."""


class RegressionSettings(BaseModel):
    """The head's options.

    Attributes:
        penalty: C times the number of utterances it is fitted to, so that it means the same at any size; of several,
            dev chooses. The default is strong; scikit-learn's C of 1 is a penalty of the number of utterances.
        clip: features to this many standard deviations; null does not.
        centre: each speaker of the source on the mean of their class means. Targets are not centred.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalty: Penalty | Annotated[tuple[Penalty, ...], Field(min_length=2)] = 0.07
    clip: Annotated[float, Field(gt=0)] | None = 2.0
    centre: bool = False

    @property
    def penalties(self) -> tuple[float, ...]:
        """Those to try."""
        return self.penalty if isinstance(self.penalty, tuple) else (self.penalty,)


def read_regression(section: Mapping[str, Any], where: str) -> RegressionSettings:
    """Validate a section.

    Raises:
        RegressionError: naming the key, its value and what was expected.
    """
    try:
        return RegressionSettings.model_validate(section)
    except ValidationError as error:
        raise RegressionError(f"{where}.{explain(error, RegressionSettings)}") from None


@dataclass(frozen=True)
class Vectors:
    """Utterances as a regression sees them.

    Attributes:
        features: shape (utterances, width).
        labels: class indices, shape (utterances,).
        speakers: of each utterance, None where it is not known.
    """

    features: Array
    labels: npt.NDArray[np.int64]
    speakers: Sequence[str | None]


@dataclass(frozen=True)
class Regression:
    """A fitted regression.

    Attributes:
        classes: their names.
        mean: of the source's features, shape (width,).
        scale: their standard deviation, shape (width,).
        weights: shape (classes, width).
        biases: shape (classes,).
        clip: standard deviations that features are clipped to.
        penalty: that it was fitted with.
    """

    classes: tuple[str, ...]
    mean: Array
    scale: Array
    weights: Array
    biases: Array
    clip: float | None
    penalty: float

    def probabilities(self, features: Array) -> Array:
        """Of the classes, shape (utterances, classes)."""
        logits = _clipped((features - self.mean) / self.scale, self.clip) @ self.weights.T + self.biases
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        normalised: Array = shares / shares.sum(axis=1, keepdims=True)
        return normalised


def vector(layers: npt.NDArray[np.float32], layer: int | None = None) -> Array:
    """An utterance's features from its layers' means, shape (layers, width) to (width,).

    One layer, or the average of all: that is what s3prl's weighted sum starts from, and it is as wide as a layer.
    """
    chosen = layers.mean(axis=0, dtype=np.float64) if layer is None else layers[layer]
    return np.asarray(chosen, dtype=np.float64)


def fit(
    train: Vectors, dev: Vectors, classes: tuple[str, ...], settings: RegressionSettings, metric: str, balanced: bool
) -> Regression:
    """Fit to the source, with the penalty that does best on dev where there are several.

    Args:
        train: of the source.
        dev: of the source; with one penalty it chooses nothing.
        classes: their names.
        settings: options.
        metric: of `METRICS`, to choose by.
        balanced: weigh classes by their inverse frequency.

    Raises:
        RegressionError: with fewer than two classes, or if speakers are to be centred who are not known.
    """
    if len(set(train.labels.tolist())) < 2:
        raise RegressionError(f"train: {len(train.labels)} utterances of one class, expected at least two classes")
    fitted = [_fit(train, classes, settings, penalty, balanced) for penalty in settings.penalties]
    if len(fitted) == 1:
        return fitted[0]
    scores = [_score(model, dev, metric) for model in fitted]
    return fitted[int(np.argmax(scores))]


def save(model: Regression, path: Path, about: Mapping[str, str]) -> None:
    """Write a regression, with what else is to be known of it."""
    from safetensors.numpy import save as to_bytes

    arrays = {name: np.ascontiguousarray(getattr(model, name)) for name in ("mean", "scale", "weights", "biases")}
    settings = {name: value for name, value in asdict(model).items() if name not in arrays}
    with atomic_write(path, "wb") as file:
        file.write(to_bytes(arrays, {**about, "regression": json.dumps(settings)}))


def load(path: Path) -> tuple[Regression, dict[str, str]]:
    """Read a regression, and what else is known of it.

    Raises:
        RegressionError: if the file holds none.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            about: dict[str, str] = file.metadata()
            arrays = {name: file.get_tensor(name) for name in ("mean", "scale", "weights", "biases")}
        settings = json.loads(about.pop("regression"))
    except (OSError, SafetensorError, KeyError, AttributeError) as error:
        raise RegressionError(f"{path}: expected a logistic regression in safetensors: {error!r}") from None
    return Regression(**{**settings, "classes": tuple(settings["classes"])}, **arrays), about


def _fit(
    train: Vectors, classes: tuple[str, ...], settings: RegressionSettings, penalty: float, balanced: bool
) -> Regression:
    from sklearn.linear_model import LogisticRegression

    mean, scale = train.features.mean(axis=0), _deviation(train.features)
    if settings.centre:
        centred = _centred(train)
        standard = centred / _deviation(centred)
    else:
        standard = (train.features - mean) / scale
    model = LogisticRegression(
        C=penalty / len(train.labels), class_weight="balanced" if balanced else None, max_iter=ITERATIONS
    )
    model.fit(_clipped(standard, settings.clip), train.labels)
    weights, biases = for_all_classes(classes, model.classes_, model.coef_, model.intercept_)
    return Regression(classes, mean, scale, weights, biases, settings.clip, penalty)


def for_all_classes(classes: tuple[str, ...], known: Array, weights: Array, biases: Array) -> tuple[Array, Array]:
    """A row a class: two classes have one row in scikit-learn, a class that the source lacks is never said."""
    if len(known) == 2:
        weights, biases = np.vstack([np.zeros_like(weights), weights]), np.append(0.0, biases)
    all_weights, all_biases = np.zeros((len(classes), weights.shape[1])), np.full(len(classes), -np.inf)
    all_weights[known], all_biases[known] = weights, biases
    return all_weights, all_biases


def _centred(train: Vectors) -> Array:
    """Each speaker on the mean of their class means: how a voice sounds, whatever it has to say most often."""
    if not all(train.speakers):
        missing = sum(not speaker for speaker in train.speakers)
        raise RegressionError(f"centre: {missing} of {len(train.speakers)} training utterances name no speaker")
    speakers, centred = np.asarray(train.speakers, dtype=str), train.features.copy()
    for speaker in np.unique(speakers):
        own = speakers == speaker
        of_classes = [train.features[own & (train.labels == label)] for label in np.unique(train.labels[own])]
        centred[own] -= np.mean([features.mean(axis=0) for features in of_classes], axis=0)
    return centred


def _deviation(features: Array) -> Array:
    deviation = features.std(axis=0)
    return np.where(deviation > CONSTANT * np.abs(features).mean(axis=0), deviation, 1.0)


def _clipped(features: Array, clip: float | None) -> Array:
    return features if clip is None else np.clip(features, -clip, clip)


def _score(model: Regression, dev: Vectors, metric: str) -> float:
    predicted = model.probabilities(dev.features).argmax(axis=1)
    return METRICS[metric](confusion(dev.labels, predicted, len(model.classes)))
