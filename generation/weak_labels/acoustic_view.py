"""What the sound alone says of the weak labels: the independent view that confident learning asks for.

The labels come from words, these probabilities from measures of the sound, and from speakers (or recordings) whose
labels the classifier has not seen. A label that words suggest and no voice bears out is what this can find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zero_shot_emotion.corpus import Utterance

from .labeller import Array
from .sound import relative

FOLDS = 5


def acoustic_view(
    utterances: Sequence[Utterance],
    labels: Sequence[int],
    classes: int,
    measures: Mapping[str, Mapping[str, float | None]],
    seed: int,
) -> Array:
    """Out-of-sample probabilities of the classes by logistic regression, cross-validated over speakers.

    Args:
        utterances: that were labelled.
        labels: index of the weak label of each.
        classes: of the taxonomy.
        measures: by id; what has none is not judged.
        seed: of the folds.

    Returns:
        shape (utterances, classes); NaN where an utterance is not judged: without sound, or of a class with fewer
        groups than folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    view = np.full((len(utterances), classes), np.nan)
    groups = np.array([u.speaker or u.dialogue or u.id for u in utterances])
    labelled = np.asarray(labels)
    heard = np.array([u.id in measures for u in utterances], dtype=bool)
    common = [c for c in range(classes) if len(set(groups[heard & (labelled == c)])) >= FOLDS]
    judged = np.flatnonzero(heard & np.isin(labelled, common))
    chosen = [utterances[i] for i in judged.tolist()]
    if len(common) < 2:
        return view
    features = relative(chosen, measures)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, class_weight="balanced"))
    found = cross_val_predict(
        classifier,
        features,
        np.searchsorted(common, labelled[judged]),
        groups=groups[judged],
        cv=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed),
        method="predict_proba",
    )
    view[judged] = 0.0
    view[np.ix_(judged, np.array(common))] = found
    return view
