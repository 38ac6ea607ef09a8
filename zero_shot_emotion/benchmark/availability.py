"""What of a grid is here: corpora, checkpoints, packages. All that is missing is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec

from ..audio import AudioError
from ..config_files import MissingConfigError
from ..corpus import Corpus, CorpusError
from ..corpus.readers import open_corpus
from ..sources import check_files
from .grid import CorpusSource, Grid, GridError, Paths, SyntheticSource, UntrainedSource


@dataclass
class Missing:
    """What is missing, with the reason, by name."""

    sources: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    upstreams: dict[str, str] = field(default_factory=dict)
    encoders: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """One for each thing."""
        kinds = {
            "source": self.sources,
            "target": self.targets,
            "upstream": {**self.upstreams, **self.packages},
            "encoder": self.encoders,
        }
        return [f"{kind} {name}: {reason}" for kind, things in kinds.items() for name, reason in things.items()]


def find_missing(grid: Grid, paths: Paths) -> Missing:
    """Look for everything that a grid names."""
    missing = Missing()
    for name, source in grid.sources.items():
        if isinstance(source, CorpusSource):
            _try(missing.sources, name, partial(_open, grid, paths, source.corpus))
        elif isinstance(source, SyntheticSource) and source.text is not None:
            _try(missing.sources, name, partial(_open_text, paths, source.text))
        elif isinstance(source, UntrainedSource):
            for value in source.labeller.values():
                _try(missing.sources, name, partial(paths.fill, str(value)))
    for name in grid.sources:
        gone = [base for base in grid.bases(name) if base in missing.sources and base != name]
        if gone:
            missing.sources[name] = f"is made of {', '.join(gone)}, which is missing"
    for name, target in grid.targets.items():
        _try(missing.targets, name, partial(_open, grid, paths, target.corpus))
    for name, upstream in grid.upstreams.items():
        _try(missing.upstreams, name, partial(paths.fill, upstream.ckpt or ""))
        _try(missing.upstreams, name, partial(paths.config, upstream.config))
        absent = [module for module in upstream.requires if find_spec(module) is None]
        if absent:
            missing.packages[name] = f"needs the package {', '.join(absent)}, which is not installed"
    for name, encoder in grid.encoders.items():
        _try(missing.encoders, name, partial(paths.fill, encoder.encoder))
    return missing


def present(grid: Grid, paths: Paths, skip_missing: bool) -> tuple[Grid, Missing]:
    """The part of a grid that can run here; an upstream whose package is not installed is always left out.

    Raises:
        GridError: listing all that is missing, unless it is to be skipped; or if nothing is left.
    """
    missing = find_missing(grid, paths)
    wanting = Missing(missing.sources, missing.targets, missing.upstreams, missing.encoders)
    if wanting.lines() and not skip_missing:
        listed = "\n  ".join(wanting.lines())
        hint = "Say where it is with --path NAME=FOLDER, or leave it out with --skip-missing"
        raise GridError(f"{grid.name}: missing:\n  {listed}\n{hint}")
    upstreams = {*missing.upstreams, *missing.packages}
    return grid.without(set(missing.sources), set(missing.targets), upstreams, missing.encoders), missing


def is_spoken(corpus: Corpus) -> bool:
    """Whether there is audio of it."""
    return any(u.file_name is not None for u in corpus)


def is_written(corpus: Corpus) -> bool:
    """Whether there is text of it."""
    return any(u.text and u.text.strip() for u in corpus)


def _open(grid: Grid, paths: Paths, spec: str) -> Corpus:
    corpus = open_corpus(paths.fill(spec))
    if not grid.encoders and corpus.utterances and not is_spoken(corpus):
        raise CorpusError(f"{paths.fill(spec)}: holds text alone, expected audio")
    kept, _ = corpus.with_labels(grid.label_set)
    if not len(kept):
        raise CorpusError(f"{paths.fill(spec)}: no utterance is left in the label set {grid.labels!r}")
    if grid.upstreams and (heard := [kept.audio_path(u) for u in kept if u.file_name is not None]):
        check_files(paths.fill(spec), heard)
    return corpus


def _open_text(paths: Paths, spec: str) -> Corpus:
    return open_corpus(paths.fill(spec))


def _try(missing: dict[str, str], name: str, look: Callable[[], object]) -> None:
    try:
        look()
    except (AudioError, CorpusError, GridError, MissingConfigError) as error:
        missing[name] = str(error)
