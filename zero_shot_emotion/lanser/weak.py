"""The paper's first three steps: speech to words, words to distributions, distributions to weak labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.weak_labels.recordings import open_source
from generation.weak_labels.settings import WeakLabelSettings
from generation.weak_labels.settings import read_settings as read_weak_settings
from generation.weak_labels.steps import STEPS
from generation.weak_labels.weak_label import weak_label

from ..benchmark.fingerprint import content_hash, fingerprint
from ..benchmark.row import Row
from ..corpus import CARD, Corpus
from ..corpus.corpus import load_card
from ..settings import TAXONOMY
from ..taxonomy import Taxonomy, load_taxonomy
from .settings import LanserError, LanserSettings

SHARED = "steps"
"""Segments, transcripts and scores of all taxonomies: speech is listened to once."""


@dataclass(frozen=True)
class WeakCorpus:
    """Weakly labelled speech.

    Attributes:
        folder: where it lies.
        taxonomy: that it is labelled with.
        labels: the label set to train on it with.
        config: that labelled it.
        summary: of the labelling, for people.
    """

    folder: Path
    taxonomy: Taxonomy
    labels: str
    config: dict[str, Any]
    summary: str

    @property
    def card(self) -> dict[str, Any]:
        return load_card(self.folder)

    @property
    def corpus(self) -> Corpus:
        return Corpus.load(self.folder)

    @property
    def fingerprint(self) -> str:
        """Of its labels, and of all that its distributions follow from."""
        return f"{fingerprint(self.corpus)}-{self.card['fingerprint']}"


def read_weak(settings: LanserSettings, taxonomy: str | None = None) -> WeakLabelSettings:
    """The config of the weak labels, or the same with other classes.

    Raises:
        LanserError: if it leaves the labels that are there.
    """
    own = settings.weak_labels
    config, keys = (own, {}) if isinstance(own, str) else (own.get("config", "lanser"), {**own})
    keys.pop("config", None)
    found = read_weak_settings(config, keys if taxonomy is None else {**keys, "taxonomy": taxonomy})
    if found.keeps_labels:
        raise LanserError(
            f"weak_labels: labellers: got {found.labellers[0].title} alone, expected one that reads the words: labels "
            "that are there are no weak labels"
        )
    return found


def label_speech(
    settings: LanserSettings,
    weak: WeakLabelSettings,
    out: Path,
    *,
    workers: int,
    skip_errors: bool,
    executor: Executor | None = None,
) -> WeakCorpus:
    """Label the speech, or find it labelled.

    Args:
        settings: of the experiment.
        weak: of the labelling.
        out: folder of the experiment.
        workers: processes on this machine, where no executor is given.
        skip_errors: leave out what cannot be read, and count it.
        executor: does the work instead.
    """
    speech, taxonomy = open_source(settings.speech), load_taxonomy(weak.taxonomy)
    config = weak.model_dump(mode="json")
    recipe = {"settings": config, "speech": content_hash(speech), "taxonomy": taxonomy.model_dump()}
    folder = out / "weak" / f"{taxonomy.name}-{Row.id_for(recipe)[:8]}"
    if not (folder / CARD).exists():
        _share_steps(folder, out / SHARED)
    report = weak_label(speech, folder, weak, workers=workers, skip_errors=skip_errors, executor=executor)
    labels = settings.labels if fits(taxonomy, settings) else f"{TAXONOMY}:{weak.taxonomy}"
    return WeakCorpus(folder, taxonomy, labels, config, report.summary())


def fits(taxonomy: Taxonomy, settings: LanserSettings) -> bool:
    """Whether a model of a taxonomy's classes can be tested on the targets as it is."""
    return set(taxonomy.names) == set(settings.label_set.classes)


def compared(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How weak labels agree with labels that the speech had and nobody looked at: all, kept, by decile."""
    human = card.get("human")
    if human is None:
        return []
    tenths = [{"which": f"decile {i}", **tenth} for i, tenth in enumerate(human["by_confidence"], 1)]
    return [{"which": "all", **human["labelled"]}, {"which": "kept", **human["kept"]}, *tenths]


def _share_steps(folder: Path, shared: Path) -> None:
    shared.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / STEPS
    if not link.is_symlink() and not link.exists():
        link.symlink_to(os.path.relpath(shared, folder), target_is_directory=True)
