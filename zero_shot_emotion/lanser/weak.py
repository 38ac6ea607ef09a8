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
from generation.weak_labels.summary import WeakLabelReport
from generation.weak_labels.weak_label import weak_label

from ..benchmark.fingerprint import AudioHashes, PathHashes, content_hash
from ..benchmark.row import Row
from ..corpus import CARD, Corpus
from ..corpus.corpus import load_card
from ..settings import TAXONOMY
from ..taxonomy import Taxonomy, load_taxonomy
from .content import weak_settings
from .settings import LanserError, LanserSettings

ABOUT = ("source", "unavailable")
"""Of a taxonomy: what is for people."""
HIDDEN = "human_label"
"""The column of labels that the speech had: they decide nothing."""
SHARED = "steps"
"""Segments, transcripts and scores of all taxonomies: speech is listened to once."""


@dataclass(frozen=True)
class WeakCorpus:
    """Weakly labelled speech.

    Attributes:
        folder: where it lies.
        taxonomy: that it is labelled with.
        labels: the label set to train on it with.
        config: all that its labels follow from, wherever that lies.
        models: hashes of what labelled it, by name.
        fingerprint: of all that its lines say but labels that were hidden, and of its sound.
        summary: of the labelling, for people.
    """

    folder: Path
    taxonomy: Taxonomy
    labels: str
    config: dict[str, Any]
    models: dict[str, str]
    fingerprint: str
    summary: str

    @property
    def labels_by_name(self) -> str:
        """The label set, wherever the file of a taxonomy lies."""
        return f"{TAXONOMY}:{self.taxonomy.name}" if self.labels.startswith(f"{TAXONOMY}:") else self.labels

    @property
    def card(self) -> dict[str, Any]:
        return load_card(self.folder)

    @property
    def corpus(self) -> Corpus:
        return Corpus.load(self.folder)


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
    hashes: AudioHashes,
    files: PathHashes,
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
        hashes: of sound.
        files: hashes of models.
        workers: processes on this machine, where no executor is given.
        skip_errors: leave out what cannot be read, and count it.
        executor: does the work instead.
    """
    speech, taxonomy = open_source(settings.speech), load_taxonomy(weak.taxonomy)
    config, models = weak_settings(weak, files)
    heard = content_hash(speech, hashes.of(speech))
    recipe = {"settings": config, "speech": heard, "taxonomy": taxonomy.model_dump(exclude=set(ABOUT))}
    folder = out / "weak" / f"{taxonomy.name}-{Row.id_for(recipe)[:8]}"
    if _is_whole(folder):  # named by all that it follows from: it is what it would be, wherever that lies now
        report = WeakLabelReport(folder, load_card(folder), {}, 0.0)
    else:
        # steps know models and sound by their names: what these stood for before must not be taken for them
        _share_steps(folder, out / SHARED / Row.id_for({"models": models, "speech": heard})[:8])
        how: dict[str, Any] = {"workers": workers, "skip_errors": skip_errors, "executor": executor}
        report = weak_label(speech, folder, weak, overwrite=True, **how)
    made = Corpus.load(folder)
    return WeakCorpus(
        folder=folder,
        taxonomy=taxonomy,
        labels=settings.labels if fits(taxonomy, settings) else f"{TAXONOMY}:{weak.taxonomy}",
        config={**config, "taxonomy": recipe["taxonomy"]},
        models=models,
        fingerprint=content_hash(made, hashes.of(made), but=[HIDDEN]),
        summary=report.summary(),
    )


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


def _is_whole(folder: Path) -> bool:
    """Whether a corpus is there with all its audio, which is linked to where the speech lay."""
    if not (folder / CARD).exists():
        return False
    corpus = Corpus.load(folder)
    return all(corpus.audio_path(u).exists() for u in corpus if u.file_name is not None)


def _share_steps(folder: Path, shared: Path) -> None:
    shared.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / STEPS
    if not link.is_symlink() and not link.exists():
        link.symlink_to(os.path.relpath(shared, folder), target_is_directory=True)
