"""A grid: what to train on, with which upstreams and heads, what to test on, how often. Read from YAML, validated."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..config_files import find_config, read_mapping, validated
from ..corpus import LabelSet, explain, label_set
from ..corpus.utterance import Name
from ..errors import UserError
from .row import SourceKind

KIND = "benchmarks"
"""The folder of the shipped grids in ``configs/``."""
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
"""Stands for a path that each user has elsewhere, such as ``${iemocap}``."""
RESERVED = ("train", "dev", "test")
"""Names that s3prl's ``-t`` has a meaning for."""
TOLERANCE = 0.01
"""By how much a published distribution of labels may miss 1: it is rounded."""

Share = Annotated[float, Field(gt=0, le=1)]


class GridError(UserError, ValueError):
    """A grid that is not what it should be."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CorpusSource(_Strict):
    """A corpus that lies on disk: real speech, or whatever ``counts_as`` says.

    Attributes:
        corpus: as `zero_shot_emotion.corpus.readers.open_corpus` takes it, with placeholders.
        counts_as: the kind in the rows.
        description: for people.
    """

    kind: Literal["corpus"]
    corpus: str
    counts_as: SourceKind = "real"
    description: str = ""


class SyntheticSource(_Strict):
    """A corpus that the benchmark makes, anew for each seed: text, voices and injection follow the row's seed.

    ``label-only`` is the control whose text names its emotion in every line and tells nothing else.

    Attributes:
        datasheet: whose shipped dialogues are spoken, in an order that the seed fixes.
        text: a text corpus to speak instead of the datasheet's, as it is.
        language: of the datasheet.
        utterances: size, balanced over the classes; all that ship by default.
        engine: that speaks.
        settings: of the engine.
        method: of the injection.
        rules: of the method; null leaves the engine's speech as it is.
        intensity: of the injection.
        neutral: the control: every utterance is treated as neutral.
        skip_errors: leave out, and count, what cannot be spoken or injected.
        description: for people.
    """

    kind: Literal["synthetic", "label-only"]
    datasheet: str = "iemocap"
    text: str | None = None
    language: str | None = None
    utterances: Annotated[int, Field(ge=1)] | None = None
    engine: str = "espeak-ng"
    settings: dict[str, Any] = {}
    method: str = "rules"
    rules: str | None = "acted"
    intensity: Annotated[float, Field(ge=0, le=2)] = 1.0
    neutral: bool = False
    skip_errors: bool = False
    description: str = ""


class MixedSource(_Strict):
    """Several sources at once; each gives its own share of dev."""

    kind: Literal["mixed"]
    of: Annotated[tuple[str, ...], Field(min_length=2)]
    description: str = ""


class ShuffledSource(_Strict):
    """The control that tells what is learnt from nothing: a source whose labels are permuted by the seed."""

    kind: Literal["shuffled"]
    of: str
    description: str = ""


class ShareSource(_Strict):
    """Parts of a source, each in the next: whole dialogues (else speakers), in an order that the seed fixes.

    Every share becomes a source of its own, such as ``curve-25%``.
    """

    kind: Literal["share"]
    of: str
    shares: Annotated[tuple[Share, ...], Field(min_length=1)]
    description: str = ""


class PriorSource(_Strict):
    """As much of a source as has the label distribution that was published of a target; tested on that target alone."""

    kind: Literal["prior"]
    of: str
    target: str
    description: str = ""


class MajoritySource(_Strict):
    """The control that hears nothing: always the class that is commonest in the target."""

    kind: Literal["majority"]
    description: str = ""


class UntrainedSource(_Strict):
    """No source at all: a labeller of text that needs no training, the floor of what training on a source is worth.

    Attributes:
        labeller: as in a config of ``weak-label``: its ``kind``, such as ``entailment``, and its settings, with
            placeholders.
        taxonomy: its classes; by default the shipped one of the label set's name.
        description: for people.
    """

    kind: Literal["untrained"]
    labeller: dict[str, Any]
    taxonomy: str | None = None
    description: str = ""

    @field_validator("labeller")
    @classmethod
    def _has_a_kind(cls, labeller: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(labeller.get("kind"), str):
            raise ValueError("a kind, that of a labeller, such as entailment or similarity")
        return labeller


class InDomainSource(_Strict):
    """The upper bound: the target itself, cross-validated with speakers (else dialogues) kept apart."""

    kind: Literal["in-domain"]
    folds: Annotated[int, Field(ge=2)] = 5
    description: str = ""


Source = Annotated[
    CorpusSource
    | SyntheticSource
    | MixedSource
    | ShuffledSource
    | ShareSource
    | PriorSource
    | MajoritySource
    | UntrainedSource
    | InDomainSource,
    Field(discriminator="kind"),
]


class Target(_Strict):
    """A corpus to test on.

    Attributes:
        corpus: as for a source.
        prior: its published label distribution, by class. Never measured: the target's labels are not ours to use.
        prior_from: where that was published.
    """

    corpus: str
    prior: dict[str, Annotated[float, Field(gt=0, lt=1)]] | None = None
    prior_from: str = ""


class Upstream(_Strict):
    """What turns speech into features.

    Attributes:
        upstream: s3prl's name, as ``-u`` takes it.
        ckpt: as ``-k`` takes it, with placeholders.
        config: as ``-g`` takes it, with placeholders; or a shipped one's name.
        feature_selection: as ``-s`` takes it.
        heads: those to train on it; all by default.
        requires: Python modules without which it is left out.
        description: for people.
    """

    upstream: str
    ckpt: str | None = None
    config: str | None = None
    feature_selection: str = "hidden_states"
    heads: tuple[str, ...] | None = None
    requires: tuple[str, ...] = ()
    description: str = ""


class Encoder(_Strict):
    """What turns text into features.

    Attributes:
        encoder: a text model of the Hugging Face hub, or its folder, with placeholders.
        heads: of ``text_heads``, those to train on it; all by default.
        description: for people.
    """

    encoder: str
    heads: tuple[str, ...] | None = None
    description: str = ""


class Fused(_Strict):
    """A speech system and a text system of the grid, put together on the same source with the same seed.

    Attributes:
        how: ``late`` weighs what both say, by dev; ``features`` trains a logistic regression on the mean vectors of
            both.
        upstream: of the speech system.
        encoder: of the text system.
        head: of the speech system; by default its first.
        text_head: of the text system; by default its first.
        description: for people.
    """

    how: Literal["late", "features"]
    upstream: str
    encoder: str
    head: str | None = None
    text_head: str | None = None
    description: str = ""


def _corpus_alone(value: Any) -> Any:
    return {"corpus": value} if isinstance(value, str) else value


def _upstream_alone(value: Any) -> Any:
    return {"upstream": value} if isinstance(value, str) else value


def _encoder_alone(value: Any) -> Any:
    return {"encoder": value} if isinstance(value, str) else value


def _empty(value: Any) -> Any:
    return {} if value is None else value


class Grid(_Strict):
    """Sources x upstreams and encoders x heads x seeds, each tested on every target.

    Attributes:
        name: of the benchmark.
        description: for people.
        labels: a built-in label set.
        paths: what the placeholders stand for; ``--path`` and the environment fill those that are null.
        sources: by name.
        targets: by name.
        upstreams: by name.
        heads: downstream configs by name: a shipped one's name, a path, or the config itself. Their corpora and
            labels are the grid's.
        encoders: by name, for systems on text.
        text_heads: configs of ``train-text`` by name, as `heads`; their encoder's name is the grid's too.
        fusions: of a speech system and a text system, by name.
        seeds: how many, from 0, or which.
        baseline: the source that all others are compared with.
        protocol: what else belongs to a row's protocol.
        allow_leakage: go on where a source shares audio with a target.
    """

    name: Name
    description: str = ""
    labels: str = "four"
    paths: Annotated[dict[str, str | None], BeforeValidator(_empty)] = {}
    sources: Annotated[dict[Name, Source], Field(min_length=1)]
    targets: Annotated[dict[Name, Annotated[Target, BeforeValidator(_corpus_alone)]], Field(min_length=1)]
    upstreams: dict[Name, Annotated[Upstream, BeforeValidator(_upstream_alone)]] = {}
    heads: dict[Name, str | dict[str, Any]] = {}
    encoders: dict[Name, Annotated[Encoder, BeforeValidator(_encoder_alone)]] = {}
    text_heads: dict[Name, str | dict[str, Any]] = {}
    fusions: dict[Name, Fused] = {}
    seeds: Annotated[int, Field(ge=1)] | Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = 5
    baseline: str | None = None
    protocol: dict[str, str | int | float | bool | None] = {}
    allow_leakage: bool = False

    @field_validator("sources")
    @classmethod
    def _each_share_is_a_source(cls, sources: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, source in sources.items():
            if isinstance(source, ShareSource) and len(source.shares) > 1:
                made |= {
                    f"{name}-{share:.0%}": source.model_copy(update={"shares": (share,)}) for share in source.shares
                }
            else:
                made[name] = source
        return made

    @model_validator(mode="after")
    def _names_are_known(self) -> Grid:
        self.label_set  # noqa: B018 - refuses an unknown label set now
        for name in (*self.sources, *self.targets):
            if name in RESERVED:
                raise ValueError(f"a source or target cannot be called {name!r}: that name is taken")
        for name, source in self.sources.items():
            self._check_bases(name)
            if isinstance(source, PriorSource):
                self._check_prior(name, source)
        self._check_systems()
        if self.baseline is not None:
            _check_known("baseline", self.baseline, self.sources)
        if isinstance(self.seeds, tuple) and len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: got {list(self.seeds)}, expected different ones")
        return self

    def _check_systems(self) -> None:
        if not (self.upstreams or self.encoders):
            raise ValueError("upstreams: missing, expected some, or some encoders")
        _check_heads("upstreams", self.upstreams, "heads", self.heads)
        _check_heads("encoders", self.encoders, "text_heads", self.text_heads)
        for name, fused in self.fusions.items():
            _check_known(f"fusions.{name}.upstream", fused.upstream, self.upstreams)
            _check_known(f"fusions.{name}.encoder", fused.encoder, self.encoders)
            heads, text_heads = self.heads_of(fused.upstream), self.text_heads_of(fused.encoder)
            _check_known(f"fusions.{name}.head", fused.head or heads[0], dict.fromkeys(heads))
            _check_known(f"fusions.{name}.text_head", fused.text_head or text_heads[0], dict.fromkeys(text_heads))
        names = [*self.upstreams, *self.encoders, *self.fusions]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"encoders: {twice[0]!r} names two systems, expected different names")

    def _check_bases(self, name: str, above: tuple[str, ...] = ()) -> None:
        if name in above:
            raise ValueError(f"sources.{name}.of: leads back to itself")
        for base in _bases(self.sources[name]):
            _check_known(f"sources.{name}.of", base, self.sources)
            if isinstance(self.sources[base], MajoritySource | UntrainedSource | InDomainSource):
                raise ValueError(f"sources.{name}.of: got {base!r}, expected a source that is a corpus")
            self._check_bases(base, (*above, name))

    def _check_prior(self, name: str, source: PriorSource) -> None:
        _check_known(f"sources.{name}.target", source.target, self.targets)
        prior = self.targets[source.target].prior
        if prior is None:
            raise ValueError(f"targets.{source.target}.prior: missing, expected since the source {name!r} follows it")
        if set(prior) != set(self.label_set.classes):
            raise ValueError(
                f"targets.{source.target}.prior: got {', '.join(prior)}, expected {', '.join(self.label_set.classes)}"
            )
        if abs(sum(prior.values()) - 1) > TOLERANCE:
            raise ValueError(f"targets.{source.target}.prior: adds up to {sum(prior.values()):.3f}, expected 1")

    @property
    def label_set(self) -> LabelSet:
        """The label set of all corpora."""
        return label_set(self.labels)

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Every seed."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def heads_of(self, upstream: str) -> tuple[str, ...]:
        """The heads to train on an upstream."""
        return self.upstreams[upstream].heads or tuple(self.heads)

    def text_heads_of(self, encoder: str) -> tuple[str, ...]:
        """The heads to train on an encoder."""
        return self.encoders[encoder].heads or tuple(self.text_heads)

    def bases(self, source: str) -> list[str]:
        """The sources that a source is made of, down to those that are made of no other; itself if it is such."""
        found = _bases(self.sources[source])
        return [leaf for base in found for leaf in self.bases(base)] if found else [source]

    def without(
        self, sources: set[str], targets: set[str], upstreams: set[str], encoders: Collection[str] = ()
    ) -> Grid:
        """The grid without some of its parts; the sources that are made of a source that goes must be among them.

        Raises:
            GridError: if nothing is left of sources or targets, or neither upstreams nor encoders.
        """
        parts = {
            "sources": {name: source for name, source in self.sources.items() if name not in sources},
            "targets": {name: target for name, target in self.targets.items() if name not in targets},
            "upstreams": {name: upstream for name, upstream in self.upstreams.items() if name not in upstreams},
            "encoders": {name: encoder for name, encoder in self.encoders.items() if name not in encoders},
            "fusions": {
                name: fused
                for name, fused in self.fusions.items()
                if fused.upstream not in upstreams and fused.encoder not in encoders
            },
        }
        for key in ("sources", "targets"):
            if not parts[key]:
                raise GridError(f"{self.name}: {key}: none is left of {', '.join(getattr(self, key))}")
        if not (parts["upstreams"] or parts["encoders"]):
            key = "upstreams" if self.upstreams else "encoders"
            raise GridError(f"{self.name}: {key}: none is left of {', '.join((*self.upstreams, *self.encoders))}")
        baseline = None if self.baseline in sources else self.baseline
        return self.model_copy(update={**parts, "baseline": baseline})


def load_grid(name: str | Path) -> Grid:
    """Read a grid.

    Args:
        name: of a shipped grid, or the path of one.

    Raises:
        GridError: naming file, key, value and what was expected.
        MissingConfigError: naming the shipped grids.
    """
    path = find_config(KIND, name)
    return validated(Grid, {"name": path.stem, **read_mapping(path, GridError)}, path, GridError, tell=_explain)


class Paths:
    """What the placeholders of a grid stand for.

    Args:
        grid: whose ``paths`` may name some.
        given: by the user, by name; they come first. The environment comes last.
    """

    def __init__(self, grid: Grid, given: Mapping[str, str] | None = None) -> None:
        named = {name: value for name, value in grid.paths.items() if value is not None}
        self._known = {**os.environ, **named, **(given or {})}
        used = set(placeholders(grid)) | set(grid.paths)
        unused = sorted(set(given or {}) - used)
        if unused:
            raise GridError(
                f"--path {unused[0]}: the grid {grid.name!r} has no such path, expected one of "
                f"{', '.join(sorted(used)) or 'none'}"
            )

    def config(self, text: str | None) -> str | None:
        """The path of an upstream's config: one's own, or a shipped one by its name."""
        return None if text is None else str(find_config("upstreams", self.fill(text), ".json").absolute())

    def model(self, text: str | None) -> str | None:
        """A checkpoint as it is found from any working directory; what is on a hub keeps its name."""
        if not text:
            return None
        filled = self.fill(text)
        return str(Path(filled).absolute()) if Path(filled).exists() else filled

    def fill(self, text: str) -> str:
        """The text with every placeholder filled in.

        Raises:
            GridError: naming a placeholder that nothing is known for.
        """

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in self._known:
                raise GridError(f"${{{name}}} stands for nothing: give --path {name}=FOLDER")
            return str(Path(self._known[name]).expanduser())

        return PLACEHOLDER.sub(value, text)


def placeholders(grid: Grid) -> Iterator[str]:
    """The names of the placeholders in a grid's corpora and upstreams."""
    texts = [source.corpus for source in grid.sources.values() if isinstance(source, CorpusSource)]
    texts += [source.text for source in grid.sources.values() if isinstance(source, SyntheticSource) and source.text]
    texts += [target.corpus for target in grid.targets.values()]
    texts += [
        value
        for source in grid.sources.values()
        if isinstance(source, UntrainedSource)
        for value in source.labeller.values()
        if isinstance(value, str)
    ]
    texts += [encoder.encoder for encoder in grid.encoders.values()]
    texts += [text for upstream in grid.upstreams.values() for text in (upstream.ckpt, upstream.config) if text]
    for text in texts:
        yield from PLACEHOLDER.findall(text)


def _bases(source: Any) -> tuple[str, ...]:
    of = getattr(source, "of", ())
    return (of,) if isinstance(of, str) else of


def _check_known(key: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise ValueError(f"{key}: got {name!r}, expected one of {', '.join(known)}")


def _check_heads(
    key: str, systems: Mapping[str, Upstream | Encoder], where: str, heads: Mapping[str, str | dict[str, Any]]
) -> None:
    if systems and not heads:
        raise ValueError(f"{where}: missing, expected at least one for the {key}")
    for name, system in systems.items():
        for head in system.heads or ():
            _check_known(f"{key}.{name}.heads", head, heads)


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    """As `explain`; what a validator of the whole grid found names its key itself."""
    first = error.errors(include_url=False)[0]
    whole = first["type"] == "value_error" and not first["loc"]
    return str(first["ctx"]["error"]) if whole else explain(error, model)
