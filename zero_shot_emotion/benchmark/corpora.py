"""Where the corpora of a grid's sources come from: opened, made, mixed, shuffled, cut; each made once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..config_files import find_config
from ..corpus import CARD, Corpus
from ..corpus.readers import open_corpus
from .grid import (
    CorpusSource,
    Grid,
    MixedSource,
    Paths,
    PriorSource,
    ShareSource,
    ShuffledSource,
    SyntheticSource,
)
from .row import Row, SourceKind
from .subsets import folds, share, shuffled, with_prior


class Corpora:
    """Makes and names the corpora of a grid.

    Args:
        grid: whose sources and targets.
        paths: what its placeholders stand for.
        folder: of what is made.
        workers: processes that speak and inject, where no executor is given.
        executor: that speaks and injects.
    """

    def __init__(
        self, grid: Grid, paths: Paths, folder: Path, workers: int = 1, executor: Executor | None = None
    ) -> None:
        self._grid, self._paths, self._folder = grid, paths, folder
        self._work: dict[str, Any] = {"workers": workers, "executor": executor}

    def target(self, name: str) -> str:
        """The spec of a target."""
        return self._paths.fill(self._grid.targets[name].corpus)

    def specs(self, name: str, seed: int) -> list[str]:
        """The specs of a source's corpora; what has to be made for them is made now, unless it is there."""
        source = self._grid.sources[name]
        if isinstance(source, CorpusSource):
            return [self._paths.fill(source.corpus)]
        if isinstance(source, SyntheticSource):
            return [str(self._synthetic(source, seed))]
        if isinstance(source, MixedSource):
            return [spec for base in source.of for spec in self.specs(base, seed)]
        if isinstance(source, ShuffledSource):
            return self._derived(name, source.of, seed, lambda corpus: shuffled(corpus, seed))
        if isinstance(source, ShareSource):
            part = source.shares[0]
            return self._derived(name, source.of, seed, lambda corpus: share(corpus, part, seed))
        if isinstance(source, PriorSource):
            prior = self._grid.targets[source.target].prior or {}
            return self._derived(name, source.of, seed, lambda corpus: with_prior(corpus, prior, seed))
        raise TypeError(f"{name}: a source of kind {source.kind} has no corpora")

    def folds(self, target: str, count: int, seed: int) -> tuple[list[tuple[str, str]], str]:
        """Train and test specs of a target's cross-validation, and what it is grouped by."""
        corpus, _ = open_corpus(self.target(target)).with_labels(self._grid.label_set)
        pairs, by = folds(corpus, count, seed)
        made = []
        for number, (train, test) in enumerate(pairs):
            places = [self._folder / f"{target}-{seed}-fold{number}-{part}" for part in ("train", "test")]
            for part, place in zip((train, test), places, strict=True):
                write_linked(part, place, self._grid.label_set.classes)
            made.append((str(places[0]), str(places[1])))
        return made, by

    def text(self, source: SyntheticSource, seed: int) -> Corpus:
        """The text of a synthetic source, before anything is spoken."""
        return open_corpus(str(self._text(source, seed)))

    def _text(self, source: SyntheticSource, seed: int) -> Path:
        if source.text is not None:
            return Path(self._paths.fill(source.text))
        from generation.generate import generate

        recipe: dict[str, Any] = {key: getattr(source, key) for key in ("datasheet", "language", "utterances")}
        folder = self._place(f"{source.datasheet}-text", {**recipe, "labels": self._grid.labels, "seed": seed})
        if not (folder / CARD).exists():
            generate(folder, labels=self._grid.label_set, seed=seed, **recipe)
        return folder

    def _synthetic(self, source: SyntheticSource, seed: int) -> Path:
        text = self._text(source, seed)
        said = {"text": text.name, "engine": source.engine, "settings": source.settings, "seed": seed}
        spoken = self._place(f"{source.datasheet}-spoken", said)
        if not (spoken / CARD).exists():
            from tts.speak import speak

            options: dict[str, Any] = {
                "engine": source.engine,
                "settings": source.settings,
                "skip_errors": source.skip_errors,
            }
            speak(open_corpus(str(text)), spoken, seed=seed, **options, **self._work)
        if source.rules is None:
            return spoken
        injection = {"method": source.method, "rules": source.rules, "intensity": source.intensity}
        rules = find_config("injection", source.rules) if source.method == "rules" else None
        content = {"rules_hash": sha256(rules.read_bytes()).hexdigest()} if rules else {}
        recipe = {**injection, **content, "neutral": source.neutral, "spoken": spoken.name, "seed": seed}
        folder = self._place(f"{source.datasheet}-{'neutral' if source.neutral else 'emotional'}", recipe)
        if not (folder / CARD).exists():
            from injection.inject import inject

            also: dict[str, Any] = {**injection, "neutral": source.neutral, "skip_errors": source.skip_errors}
            inject(open_corpus(str(spoken)), folder, seed=seed, **also, **self._work)
        return folder

    def _derived(self, name: str, base: str, seed: int, change: Callable[[Corpus], Corpus]) -> list[str]:
        made = []
        for number, spec in enumerate(self.specs(base, seed)):
            corpus, _ = open_corpus(spec).with_labels(self._grid.label_set)
            folder = self._folder / f"{name}-{seed}-{number}"
            write_linked(change(corpus), folder, self._grid.label_set.classes)
            made.append(str(folder))
        return made

    def _place(self, name: str, recipe: dict[str, Any]) -> Path:
        """A folder for what a recipe makes; another recipe gets another one."""
        return self._folder / f"{name.replace('/', '-')}-{Row.id_for(recipe)[:8]}"


def kind_of(grid: Grid, name: str) -> SourceKind:
    """What a source counts as in a row; a share and a prior count as what they are cut from."""
    source = grid.sources[name]
    if isinstance(source, CorpusSource):
        return source.counts_as
    if isinstance(source, SyntheticSource):
        return "synthetic-neutral" if source.neutral or source.rules is None else "synthetic"
    if isinstance(source, ShareSource | PriorSource):
        return kind_of(grid, source.of)
    return source.kind


def write_linked(corpus: Corpus, folder: Path, classes: tuple[str, ...]) -> None:
    """A manifest whose audio stays where it is."""
    utterances = tuple(u.with_(file_name=str(corpus.audio_path(u).resolve())) for u in corpus)
    replace(corpus, utterances=utterances, card={**corpus.card, "labels": list(classes)}).save(folder)
