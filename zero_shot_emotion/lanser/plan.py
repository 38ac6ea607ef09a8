"""What is trained: pre-trainings, then each target's shares, from weak labels and from scratch, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..benchmark.corpora import write_linked
from ..benchmark.fingerprint import AudioHashes, PathHashes, fingerprint
from ..benchmark.row import Row, SourceKind
from ..benchmark.subsets import stratified_share
from ..benchmark.train import BEST, Job, Part, read_facts
from ..corpus import Corpus
from ..corpus.readers import open_corpus
from ..corpus.splits import split_dev
from ..sources import check_files
from .content import models_of
from .settings import LanserError, LanserSettings, Target
from .weak import WeakCorpus, fits

SPLIT_SEED = 0
"""Of the targets' train and test parts: all seeds are tested on the same speakers."""
WEAK, SCRATCH = "weak labels", "random"
"""What the weights were before the target was seen."""


@dataclass(frozen=True)
class Parts:
    """A target's speech to learn from and to be tested on.

    Attributes:
        name: of the target.
        train: labelled, in the label set.
        test: labelled, in the label set.
        by: what keeps them apart.
        folder: of the corpora made of them.
        fingerprint: of the test.
        sounds: hashes of the train part's audio, by id.
    """

    name: str
    train: Corpus
    test: Corpus
    by: str
    folder: Path
    fingerprint: str
    sounds: dict[str, str]

    @property
    def test_spec(self) -> str:
        return str((self.folder / "test").absolute())

    def subset(self, share: float, seed: int) -> Corpus:
        """A share of the train part; smaller ones lie within larger ones of the same seed."""
        return stratified_share(self.train, share, seed)

    def subset_spec(self, share: float, seed: int) -> str:
        return str((self.folder / f"train-{seed}-{share:g}").absolute())


@dataclass(frozen=True)
class System:
    """A model to be trained, and what its rows say.

    Attributes:
        name: for people.
        job: that trains and tests it.
        config: that everything follows from.
        source: what it is trained on.
        fingerprint: of the source, whole.
        models: hashes of the models' files behind it, by name.
        kind: the source's.
        protocol: what else decides about the numbers.
        utterances: of the target that it was trained on.
    """

    name: str
    job: Job
    config: dict[str, Any]
    source: str
    fingerprint: str
    models: dict[str, str]
    kind: SourceKind
    protocol: dict[str, str | int | float | bool | None]
    utterances: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it is trained, and tested on all its targets."""
        facts = read_facts(self.job.folder)
        return bool(facts) and all(self.job.is_tested(name, facts) for name in self.job.targets)

    def row_id(self, target: Parts) -> str:
        """Of its row on a target."""
        return Row.id_for({**self.config, "target": target.name, "target_fingerprint": target.fingerprint})


def split_targets(settings: LanserSettings, out: Path, hashes: AudioHashes) -> dict[str, Parts]:
    """Cut each target into train and test by speaker, and write both and all shares as manifests."""
    found = {name: _split(settings, name, target, out, hashes) for name, target in settings.targets.items()}
    for parts in found.values():
        write_linked(parts.test, parts.folder / "test", settings.label_set.classes)
        for seed in range(settings.seeds):
            for share in settings.shares:
                folder = Path(parts.subset_spec(share, seed))
                write_linked(parts.subset(share, seed), folder, settings.label_set.classes)
    return found


def _split(settings: LanserSettings, name: str, target: Target, out: Path, hashes: AudioHashes) -> Parts:
    if target.corpus is None:
        train, test = (_labelled(settings, name, spec or "") for spec in (target.train, target.test))
        by = "parts of its own"
    else:
        whole = _labelled(settings, name, target.corpus)
        train, test, by = split_dev(whole, target.test_ratio, SPLIT_SEED)
    for what, part in (("train", train), ("test", test)):
        if lacking := [label for label in settings.label_set.classes if not part.counts().get(label)]:
            raise LanserError(f"target {name!r}: its {what} part holds no {', '.join(lacking)}, expected every class")
    return Parts(name, train, test, by, out / "targets" / name, fingerprint(test, hashes.of(test)), hashes.of(train))


def _labelled(settings: LanserSettings, name: str, spec: str) -> Corpus:
    corpus, _ = open_corpus(spec).with_labels(settings.label_set)
    if not len(corpus):
        raise LanserError(f"target {name!r}: {spec} holds no utterance of the label set {settings.labels!r}")
    check_files(f"target {name!r}", [corpus.audio_path(utterance) for utterance in corpus])
    return corpus


@dataclass(frozen=True)
class Planner:
    """Unfolds an experiment into systems.

    Attributes:
        settings: of the experiment.
        out: its folder.
        targets: split.
        upstream: s3prl's options for it.
        files: hashes of checkpoints.
        device: to train on.
        threads: of torch, in each process.
    """

    settings: LanserSettings
    out: Path
    targets: dict[str, Parts]
    upstream: tuple[str, ...]
    files: PathHashes
    device: str
    threads: int

    def pretrainings(self, weak: WeakCorpus) -> list[System]:
        """On weak labels, one a seed; tested where the classes allow it."""
        tests = (
            {name: parts.test_spec for name, parts in self.targets.items()}
            if fits(weak.taxonomy, self.settings)
            else {}
        )
        return [self._pretraining(weak, tests, seed) for seed in range(self.settings.pretrainings)]

    def _pretraining(self, weak: WeakCorpus, tests: dict[str, str], seed: int) -> System:
        config = {"step": "pre-train", "weak labels": weak.config, "fingerprint": weak.fingerprint}
        config |= {"labels": weak.labels_by_name, **self._common(self.settings.pretrain, seed)}
        return System(
            name=f"pre-train on {weak.folder.name}, seed {seed}",
            job=self._job(config, str(weak.folder.absolute()), tests, weak.labels, None),
            config=config,
            source=_source(weak),
            fingerprint=weak.fingerprint,
            models={**self._models, **weak.models},
            kind="weak-labels",
            protocol={"init": WEAK, "share": 0.0, "fine-tuned": False},
        )

    def finetunings(self, weak: WeakCorpus, pretrained: list[System]) -> Iterator[System]:
        """Each target's shares from each start, seed by seed: a run that is stopped has whole seeds."""
        for seed in range(self.settings.seeds):
            for parts in self.targets.values():
                for share in self.settings.shares:
                    yield self._finetuning(parts, share, seed, weak, pretrained[seed % len(pretrained)])
                    yield self._finetuning(parts, share, seed, weak, None)

    def _finetuning(self, parts: Parts, share: float, seed: int, weak: WeakCorpus, start: System | None) -> System:
        subset = parts.subset(share, seed)
        config = {"step": "fine-tune", "target": parts.name, "share": share}
        config |= {"fingerprint": fingerprint(subset, parts.sounds)}
        config |= {"labels": self.settings.labels, **self._common(self._finetune(), seed)}
        config["start"] = None if start is None else start.config
        spec, tests = parts.subset_spec(share, seed), {parts.name: parts.test_spec}
        return System(
            name=f"{parts.name}, {share:.0%} of train, {'scratch' if start is None else 'pre-trained'}, seed {seed}",
            job=self._job(config, spec, tests, self.settings.labels, start),
            config=config,
            source=f"{parts.name}-train" if start is None else _source(weak),
            fingerprint=fingerprint(parts.train, parts.sounds) if start is None else weak.fingerprint,
            models={**self._models, **({} if start is None else weak.models)},
            kind="in-domain" if start is None else "weak-labels",
            protocol={"init": SCRATCH if start is None else WEAK, "share": share, "fine-tuned": start is not None},
            utterances=len(subset),
        )

    def _finetune(self) -> dict[str, Any]:
        """The config of fine-tuning: the head is the pre-training's, and the last step's model counts.

        A dev set would be labels that the share does not have. s3prl writes a best model when it evaluates: once, on
        what was trained on, which decides nothing.
        """
        config = deepcopy(self.settings.finetune)
        config["downstream_expert"]["modelrc"] = self.settings.modelrc
        config["runner"]["eval_step"] = config["runner"]["total_steps"]
        return config

    def _common(self, config: dict[str, Any], seed: int) -> dict[str, Any]:
        return {"upstream": self.settings.upstream.by_content(self.files), "head": config, "seed": seed}

    @property
    def _models(self) -> dict[str, str]:
        upstream = self.settings.upstream
        return models_of(upstream.upstream, upstream.files, self.files)

    def _job(self, config: dict[str, Any], train: str, tests: dict[str, str], labels: str, start: System | None) -> Job:
        folder = (self.out / "systems" / Row.id_for(config)).absolute()
        head = deepcopy(config["head"])
        head["runner"]["eval_dataloaders"] = ["dev"]  # a target there would be looked at, then selected on
        data = head["downstream_expert"].setdefault("datarc", {})
        data |= {"labels": labels, **({"dev": [train]} if config["step"] == "fine-tune" else {})}
        carried = () if start is None else ("-i", str(start.job.folder / BEST))
        return Job(
            folder=folder,
            parts=(Part(folder, (train,), tests),),
            targets=tests,
            config=head,
            upstream=(*self.upstream, *carried),
            labels=labels,
            seed=config["seed"],
            device=self.device,
            threads=self.threads,
            fingerprints={name: self.targets[name].fingerprint for name in tests},
        )


def _source(weak: WeakCorpus) -> str:
    """What rows call the weakly labelled speech."""
    return f"{weak.corpus.name}-{weak.taxonomy.name}"
