"""Where the corpora of a grid's sources come from: opened, made, mixed, shuffled, cut; each made once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config_files import find_config
from ..corpus import CARD, Corpus
from ..corpus.readers import open_corpus
from .fingerprint import PathHashes, content_hash
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
from .row import Modality, Row, SourceKind
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
        self._contents: dict[Path, str] = {}
        self._files = PathHashes()
        # Both halves of a fusion must see the same utterances, and what cannot be spoken is not in the speech.
        self._text_alone = not grid.fusions

    def target(self, name: str) -> str:
        """The spec of a target."""
        return self._paths.fill(self._grid.targets[name].corpus)

    def specs(self, name: str, seed: int, modality: Modality = "speech") -> list[str]:
        """The specs of a source's corpora; what has to be made for them is made now, unless it is there.

        Nothing is spoken for text, unless the grid has fusions.
        """
        source = self._grid.sources[name]
        if isinstance(source, CorpusSource):
            return [self._paths.fill(source.corpus)]
        if isinstance(source, SyntheticSource):
            text_alone = modality == "text" and self._text_alone
            return [str(self._text(source, seed) if text_alone else self._synthetic(source, seed))]
        if isinstance(source, MixedSource):
            return [spec for base in source.of for spec in self.specs(base, seed, modality)]
        if isinstance(source, ShuffledSource):
            return self._derived(name, source.of, seed, modality, lambda corpus: shuffled(corpus, seed))
        if isinstance(source, ShareSource):
            part = source.shares[0]
            return self._derived(name, source.of, seed, modality, lambda corpus: share(corpus, part, seed))
        if isinstance(source, PriorSource):
            prior = self._grid.targets[source.target].prior or {}
            return self._derived(name, source.of, seed, modality, lambda corpus: with_prior(corpus, prior, seed))
        raise TypeError(f"{name}: a source of kind {source.kind} has no corpora")

    def folds(self, target: str, count: int, seed: int) -> tuple[list[tuple[str, str]], str]:
        """Train and test specs of a target's cross-validation, and what it is grouped by."""
        corpus, _ = open_corpus(self.target(target)).with_labels(self._grid.label_set)
        pairs, by = folds(corpus, count, seed)
        made = []
        for number, (train, test) in enumerate(pairs):
            fold = f"{target}-{seed}-fold{number}of{count}"  # sources may differ in their number of folds
            places = [self._folder / f"{fold}-{part}" for part in ("train", "test")]
            for part, place in zip((train, test), places, strict=True):
                write_linked(part, place, self._grid.label_set.classes)
            made.append((str(places[0]), str(places[1])))
        return made, by

    def text(self, source: SyntheticSource, seed: int) -> Corpus:
        """The text of a synthetic source, before anything is spoken."""
        return open_corpus(str(self._text(source, seed)))

    def stages(self, name: str, seed: int) -> list[str]:
        """The specs of a synthetic source's text, speech and emotional speech, as far as they were made."""
        source = self._grid.sources[name]
        if not isinstance(source, SyntheticSource):
            return []
        places = [self._text_place(source, seed), self._spoken_place(source, seed), self._injected_place(source, seed)]
        return [str(place) for place in dict.fromkeys(places) if (place / CARD).exists()]

    def _text_place(self, source: SyntheticSource, seed: int) -> Path:
        if source.text is not None:
            return Path(self._paths.fill(source.text))
        content = {name: self._files.of(path) for name, path in text_files(source).items()}
        recipe = {**_text_recipe(source), **content, "labels": self._grid.labels, "seed": seed}
        return self._place(f"{source.datasheet}-text", recipe)

    def _spoken_place(self, source: SyntheticSource, seed: int) -> Path:
        said = {
            "text": self._text_name(source, seed),
            "engine": source.engine,
            "settings": source.settings,
            "seed": seed,
        }
        return self._place(f"{source.datasheet}-spoken", said)

    def _text_name(self, source: SyntheticSource, seed: int) -> str:
        """Tells a text from others: one of the user's own by what is in it, for folders of one name are many."""
        place = self._text_place(source, seed)
        if source.text is None:
            return place.name
        if place not in self._contents:
            self._contents[place] = content_hash(open_corpus(str(place)))
        return self._contents[place]

    def _injected_place(self, source: SyntheticSource, seed: int) -> Path:
        spoken = self._spoken_place(source, seed)
        if source.rules is None:
            return spoken
        rules = find_config("injection", source.rules) if source.method == "rules" else None
        content = {"rules_hash": self._files.of(rules)} if rules else {}
        recipe = {**_injection(source), **content, "neutral": source.neutral, "spoken": spoken.name, "seed": seed}
        return self._place(f"{source.datasheet}-{'neutral' if source.neutral else 'emotional'}", recipe)

    def _text(self, source: SyntheticSource, seed: int) -> Path:
        folder = self._text_place(source, seed)
        if source.text is None and not (folder / CARD).exists():
            from generation.generate import generate

            generate(folder, labels=self._grid.label_set, seed=seed, **_text_recipe(source))
        return folder

    def _synthetic(self, source: SyntheticSource, seed: int) -> Path:
        text, spoken, folder = (
            self._text(source, seed),
            self._spoken_place(source, seed),
            self._injected_place(source, seed),
        )
        if not (spoken / CARD).exists():
            from tts.speak import speak

            options: dict[str, Any] = {
                "engine": source.engine,
                "settings": source.settings,
                "skip_errors": source.skip_errors,
            }
            speak(open_corpus(str(text)), spoken, seed=seed, **options, **self._work)
        if not (folder / CARD).exists():
            from injection.inject import inject

            also: dict[str, Any] = {
                **_injection(source),
                "neutral": source.neutral,
                "skip_errors": source.skip_errors,
            }
            inject(open_corpus(str(spoken)), folder, seed=seed, **also, **self._work)
        return folder

    def _derived(
        self, name: str, base: str, seed: int, modality: Modality, change: Callable[[Corpus], Corpus]
    ) -> list[str]:
        made = []
        apart = "-text" if modality == "text" and self._text_alone else ""
        for number, spec in enumerate(self.specs(base, seed, modality)):
            corpus, _ = open_corpus(spec).with_labels(self._grid.label_set)
            folder = self._folder / f"{name}-{seed}-{number}{apart}"
            write_linked(change(corpus), folder, self._grid.label_set.classes)
            made.append(str(folder))
        return made

    def _place(self, name: str, recipe: dict[str, Any]) -> Path:
        """A folder for what a recipe makes; another recipe gets another one."""
        return self._folder / f"{name.replace('/', '-')}-{Row.id_for(recipe)[:8]}"


def text_files(source: SyntheticSource) -> dict[str, Path]:
    """The files that a source's text is made of, where it is that of a datasheet's dialogues: what ships changes, too.

    Raises:
        UserError: if there is no such datasheet, language or dialogues.
    """
    from generation.datasheet import load_datasheet
    from generation.shipped import dialogues_file

    if source.text is not None or source.kind == "label-only":
        return {}
    sheet = load_datasheet(source.datasheet)
    if source.language is not None:
        sheet = sheet.in_language(source.language)
    return {
        f"datasheet {source.datasheet}": find_config("datasheets", source.datasheet),
        f"dialogues {sheet.name}": dialogues_file(sheet.name),
    }


def _text_recipe(source: SyntheticSource) -> dict[str, Any]:
    recipe = {key: getattr(source, key) for key in ("datasheet", "language", "utterances")}
    return {**recipe, "prompt": source.kind} if source.kind == "label-only" else recipe


def _injection(source: SyntheticSource) -> dict[str, Any]:
    return {"method": source.method, "rules": source.rules, "intensity": source.intensity}


def kind_of(grid: Grid, name: str, modality: Modality = "speech") -> SourceKind:
    """What a source counts as in a row; a share and a prior count as what they are cut from."""
    source = grid.sources[name]
    if isinstance(source, CorpusSource):
        return source.counts_as
    if isinstance(source, SyntheticSource) and source.kind == "synthetic":
        plain = source.neutral or (source.rules is None and modality != "text")
        return "synthetic-neutral" if plain else "synthetic"
    if isinstance(source, ShareSource | PriorSource):
        return kind_of(grid, source.of, modality)
    return source.kind


def write_linked(corpus: Corpus, folder: Path, classes: tuple[str, ...]) -> None:
    """A manifest whose audio, if there is any, stays where it is."""
    utterances = tuple(
        u if u.file_name is None else u.with_(file_name=str(corpus.audio_path(u).resolve())) for u in corpus
    )
    replace(corpus, utterances=utterances, card={**corpus.card, "labels": list(classes)}).save(folder)
