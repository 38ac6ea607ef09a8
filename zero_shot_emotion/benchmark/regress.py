"""A logistic regression on the stored means of one training run: no runner, a second instead of five."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..corpus import atomic_write
from ..dataset import StoredDataset
from ..features import FeatureStore, check_stand_in
from ..regression import MODEL, Regression, Vectors, fit, read_regression, save, vector
from ..results import SPLITS, Predictions, write_predictions
from ..settings import DataSettings, ModelSettings
from ..sources import Sources
from .plan import SECTION


class Experiment:
    """The sets of one training run, as vectors.

    Args:
        store: folder of the upstream's means.
        selection: ``hidden_states`` averages the layers; else a layer's name.
        settings: of the corpora.
        seed: of the split of train and dev.
    """

    def __init__(self, store: str, selection: str, settings: DataSettings, seed: int) -> None:
        self._store, self._selection, self._settings = FeatureStore(store), selection, settings
        told = {"upstream_feature_selection": selection}
        check_stand_in(self._store, ModelSettings(), told, settings.conditioning)
        self._sources = Sources(settings, seed)

    def train(self, folder: Path, config: Mapping[str, Any]) -> Regression:
        """Fit to the source, and write the model into a folder."""
        rc = self._settings
        settings = read_regression(config[SECTION] or {}, SECTION)
        model = fit(
            self._vectors(self._set("train")),
            self._vectors(self._set("dev")),
            rc.label_set.classes,
            settings,
            rc.dev_metric,
            balanced=rc.balance == "loss",
        )
        folder.mkdir(parents=True, exist_ok=True)
        splits = {split: [entry.id for entry in self._sources.get(split).entries] for split in ("train", "dev")}
        with atomic_write(folder / SPLITS) as file:
            json.dump(splits, file, indent=0)
        about = {"store": str(self._store.folder), "selection": self._selection}
        heard = {name: json.dumps(value) for name, value in rc.conditioning.key.items()}
        save(model, folder / MODEL, {**about, **heard})
        return model

    def test(self, model: Regression, split: str, folder: Path) -> tuple[dict[str, list[float]], dict[str, int]]:
        """The probabilities of each utterance of a set by id, and how many could not be read, by reason.

        They are left in the folder, too, where fusions find them.
        """
        dataset = self._set(split)
        shares = model.probabilities(self._vectors(dataset).features)
        ids = [entry.id for entry in dataset.entries]
        classes = self._settings.label_set.classes
        predictions = Predictions(ids, np.array(dataset.labels), np.asarray(shares), classes)
        write_predictions(folder, split, self._sources.get(split), predictions)
        return dict(zip(ids, shares.tolist(), strict=True)), dataset.bad

    def _set(self, split: str) -> StoredDataset:
        rc, entries = self._settings, self._sources.get(split).entries
        return StoredDataset(entries, split, self._store, rc.bad_audio, rc.min_seconds)

    def _vectors(self, dataset: StoredDataset) -> Vectors:
        rows = [int(dataset[index][0][0]) for index in range(len(dataset))]  # a ticket: the number of the row
        layer = self._store.card["aliases"].get(self._selection)
        features = np.stack([vector(self._store.features(row).numpy(), layer) for row in rows])
        return Vectors(features, dataset.labels, [entry.speaker for entry in dataset.entries])
