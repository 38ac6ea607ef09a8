"""What a grid comes to: the systems to train, the rows that each gives, and what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..config_files import find_config, read_mapping
from ..corpus import Corpus
from ..corpus.readers import open_corpus
from ..regression import read_regression
from ..settings import conditioning_of
from .availability import is_spoken, is_written
from .corpora import kind_of, text_files
from .fingerprint import AudioHashes, PathHashes, content_hash, fingerprint
from .grid import (
    CorpusSource,
    Grid,
    GridError,
    InDomainSource,
    MajoritySource,
    Paths,
    PriorSource,
    ShareSource,
    Source,
    SyntheticSource,
    UntrainedSource,
)
from .models import MODELS, all_models, labeller_models
from .row import Modality, Row, SourceKind

Opened = dict[str, Corpus]
"""Corpora by their specs as the grid has them, placeholders and all."""
SECTION = "logistic_regression"
"""Of a head's config: what makes it a logistic regression, on which s3prl's runner has no part."""
HOW_ASKED = ("budget", "prices", "timeout", "concurrency", "patience")
"""Settings of a language model's endpoint that do not touch what it answers."""
MAJORITY = "majority class"
"""What the system that always says the commonest class is called."""


@dataclass(frozen=True)
class System:
    """One system: trained once (once a fold, if it is in-domain), tested on some targets.

    Attributes:
        source: what it is trained on.
        kind: of the source.
        upstream: its features; None where nothing is trained.
        head: what is trained on them; None where nothing is trained.
        seed: of everything.
        targets: what it is tested on.
        config: all that decides about what is learnt.
        protocol: what else decides about the numbers.
        encoder: of the text; None for speech.
        text_head: what is trained on the encoder.
        fusion: of upstream and encoder; None where there is only one of them.
        silent: whether what needs no training is tested on what can be read.
        labeller: the kind of what labels without training.
    """

    source: str
    kind: SourceKind
    upstream: str | None
    head: str | None
    seed: int
    targets: tuple[str, ...]
    config: dict[str, Any]
    protocol: dict[str, Any]
    encoder: str | None = None
    text_head: str | None = None
    fusion: str | None = None
    silent: bool = False
    labeller: str | None = None

    @property
    def modality(self) -> Modality:
        """What it takes."""
        if self.fusion is not None:
            return "fusion"
        return "text" if self.encoder is not None or self.silent else "speech"

    @property
    def model(self) -> str:
        """What a row calls the system."""
        return self.fusion or self.upstream or self.encoder or self.labeller or MAJORITY

    @property
    def trained(self) -> str:
        """What a row calls the head."""
        if self.fusion is not None:
            return str(self.config["fusion"]["how"])
        return self.head or self.text_head or "none"

    @cached_property
    def id(self) -> str:
        """Of its folder: fixed by the config, the targets aside."""
        return Row.id_for(self.config)

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the models that it rests on, such as ``ckpt of data2vec``."""
        owners = {"ckpt": self.upstream, "config": self.upstream, "encoder": self.encoder}
        models: dict[str, str] = self.config.get(MODELS, {})
        return {f"{what} of {owners.get(what, self.source)}": content for what, content in models.items()}

    @property
    def name(self) -> str:
        """For people."""
        parts = [] if self.model == MAJORITY else [self.model]
        if self.labeller is None and parts:
            parts.append(self.trained)
        return " / ".join([self.source, *parts, f"seed {self.seed}"])


@dataclass(frozen=True)
class Plan:
    """All systems of a grid.

    Attributes:
        systems: in the order in which they are to be trained.
        left_out: pairs of source and target that are not to be compared, with the reason.
        unfit: sources and targets that lack what systems of a modality need, in sentences.
        row_ids: the id of the row of a system and a target.
        fingerprints: of each target, and of each source that lies on disk.
    """

    systems: list[System]
    left_out: dict[tuple[str, str], str]
    row_ids: dict[tuple[str, str], str]
    fingerprints: dict[str, str]
    unfit: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[System, str, str]]:
        """Every row: its system, its target, its id."""
        for system in self.systems:
            for target in system.targets:
                yield system, target, self.row_ids[system.id, target]


def make_plan(grid: Grid, paths: Paths, opened: Opened, hashes: AudioHashes, files: PathHashes) -> Plan:
    """Unfold a grid.

    Args:
        grid: what is here of it.
        paths: what its placeholders stand for.
        opened: its corpora.
        hashes: of their sound.
        files: hashes of checkpoints and other files.

    Raises:
        GridError: if a system is there twice, or a part of it is not what it should be.
    """
    prints = {spec: fingerprint(corpus, hashes.of(corpus)) for spec, corpus in opened.items()}
    texts = {spec: fingerprint(corpus) for spec, corpus in opened.items()}
    heads = {name: head_config(grid, name) for name in grid.heads}
    heads |= {_text(name): text_head_config(grid, name) for name in grid.text_heads}
    models = all_models(grid, paths, files)
    written = {name: _files_of(source, paths, files) for name, source in grid.sources.items()}
    fit = Fit(grid, opened)
    left_out: dict[tuple[str, str], str] = {}
    systems: list[System] = []
    for seed in grid.all_seeds:
        for source in grid.sources:
            targets = _targets(grid, paths, source, left_out)
            if targets:
                systems += _systems(
                    grid, paths, source, seed, targets, heads, prints, texts, written, models, files, fit
                )
    _refuse_twice(systems)
    row_ids = {
        (system.id, target): Row.id_for(
            {
                **system.config,
                **_state(grid, target, prints),
                **({"target_text": texts[grid.targets[target].corpus]} if "texts" in system.config else {}),
            }
        )
        for system in systems
        for target in system.targets
    }
    named = {name: prints[target.corpus] for name, target in grid.targets.items()}
    named |= {name: prints[s.corpus] for name, s in grid.sources.items() if isinstance(s, CorpusSource)}
    return Plan(systems, left_out, row_ids, named, fit.said())


def _refuse_twice(systems: Sequence[System]) -> None:
    """Rows go by what a system is, not by its name: under two names it would be one row that each run writes anew."""
    known: dict[str, System] = {}
    for system in systems:
        other = known.setdefault(system.id, system)
        if other is not system:
            raise GridError(f"{other.name} and {system.name}: are the same under two names, expected it once")


def head_config(grid: Grid, name: str) -> dict[str, Any]:
    """The downstream config of a head, without corpora.

    Raises:
        GridError: unless it has the sections that s3prl needs.
    """
    head = grid.heads[name]
    if isinstance(head, str):
        path = find_config("downstream", head)
        config, where = read_mapping(path, GridError), str(path)
    else:
        config, where = head, f"heads.{name}"
    if isinstance(config.get("downstream_expert"), dict):
        conditioning_of(config["downstream_expert"], where)  # refuse a wrong one before anything is made
    if SECTION in config:
        return _regression(config, f"{where}.{SECTION}", grid.labels)
    for section in ("runner", "optimizer", "downstream_expert"):
        if not isinstance(config.get(section), dict):
            raise GridError(f"{where}: {section}: missing, expected a section of s3prl's downstream config")
    expert = config["downstream_expert"]
    reserved = ("train", "dev", "targets", "labels", "meta_data", "test_fold", "syn_root", "iem_root")
    data = {key: value for key, value in (expert.get("datarc") or {}).items() if key not in reserved}
    runner = {**config["runner"], "eval_dataloaders": ["dev"]}  # a target there would be looked at, then selected on
    return {**config, "runner": runner, "downstream_expert": {**expert, "datarc": {**data, "labels": grid.labels}}}


def _regression(config: dict[str, Any], where: str, labels: str) -> dict[str, Any]:
    """The config of a logistic regression: its options, and how the corpora are read."""
    options = read_regression(config[SECTION] or {}, where).model_dump(mode="json")
    data = (config.get("downstream_expert") or {}).get("datarc") or {}
    known = {
        key: data[key]
        for key in ("valid_ratio", "dev_metric", "balance", "bad_audio", "min_seconds", "level_db", "trim")
        if key in data
    }
    return {SECTION: options, "downstream_expert": {"datarc": {**known, "labels": labels}}}


def text_head_config(grid: Grid, name: str) -> dict[str, Any]:
    """The config of ``train-text`` of a head, without corpora and without the encoder's name.

    Raises:
        ConfigError: naming file, key, value and what was expected.
    """
    from ..text.settings import parse_text_settings, read_text_settings

    head = grid.text_heads[name]
    labels = {"data": {"labels": grid.labels, "bad_text": "skip"}}  # skipped utterances are counted in the row
    if isinstance(head, str):
        settings = read_text_settings(head, labels)
    else:
        settings = parse_text_settings(head, f"text_heads.{name}", labels)
    config = settings.model_dump(mode="json", exclude={"encoder": {"name"}})
    reserved = ("train", "dev", "targets", "meta_data", "test_fold", "syn_root", "iem_root")
    return {**config, "data": {key: value for key, value in config["data"].items() if key not in reserved}}


class Fit:
    """What of a grid can be heard, and what can be read.

    Args:
        grid: whose sources and targets.
        opened: its corpora.
    """

    def __init__(self, grid: Grid, opened: Opened) -> None:
        self._grid = grid
        self._can = {spec: {"speech": is_spoken(corpus), "text": is_written(corpus)} for spec, corpus in opened.items()}
        self._wanted = [name for name, any_ in (("speech", grid.upstreams), ("text", grid.encoders)) if any_]

    def targets(self, modality: Modality, targets: Sequence[str]) -> tuple[str, ...]:
        """The targets that systems of a modality can be tested on."""
        return tuple(t for t in targets if self._fits(modality, self._grid.targets[t].corpus))

    def source(self, modality: Modality, source: str) -> bool:
        """Whether systems of a modality can be trained on a source."""
        bases = [] if isinstance(self._grid.sources[source], InDomainSource) else self._grid.bases(source)
        own = [found.corpus for b in bases if isinstance(found := self._grid.sources[b], CorpusSource)]
        return all(self._fits(modality, spec) for spec in own)

    def said(self) -> tuple[str, ...]:
        """What is left out, in sentences."""
        what = {"speech": "audio", "text": "text"}
        lines = [
            f"{modality} systems {where} {name}: it holds no {what[modality]}"
            for modality in self._wanted
            for where, fits, names in (
                ("trained on", lambda n, m=modality: self.source(m, n), self._grid.sources),
                ("on", lambda n, m=modality: bool(self.targets(m, [n])), self._grid.targets),
            )
            for name in names
            if not fits(name)
        ]
        return tuple(lines)

    def _fits(self, modality: Modality, spec: str) -> bool:
        wanted = ("speech", "text") if modality == "fusion" else (modality,)
        return all(self._can[spec][name] for name in wanted)


def _state(grid: Grid, target: str, prints: dict[str, str]) -> dict[str, str]:
    """A target as it is now."""
    return {"target": target, "target_fingerprint": prints[grid.targets[target].corpus]}


def _files_of(source: Source, paths: Paths, files: PathHashes) -> dict[str, str]:
    """Hashes of the files that a source is made of, shipped ones and the user's own, by their names in the grid."""
    found: dict[str, str] = {}
    if isinstance(source, SyntheticSource):
        if source.text is not None:
            found[source.text] = content_hash(open_corpus(paths.fill(source.text)))
        found |= {name: files.of(path) for name, path in text_files(source).items()}
        if source.method == "rules" and source.rules:
            found[source.rules] = files.of(find_config("injection", source.rules))
    return found


def _text(head: str) -> str:
    """The key of a text head's config, beside those of speech."""
    return f"text: {head}"


def _targets(grid: Grid, paths: Paths, source: str, left_out: dict[tuple[str, str], str]) -> tuple[str, ...]:
    """What a source is tested on."""
    found = grid.sources[source]
    if isinstance(found, PriorSource):
        wanted = [target for target in grid.targets if target == found.target]
    else:
        wanted = list(grid.targets)
    own = [base for base in map(grid.sources.__getitem__, grid.bases(source)) if isinstance(base, CorpusSource)]
    specs = {paths.fill(base.corpus) for base in own}
    kept = []
    for target in wanted:
        if paths.fill(grid.targets[target].corpus) in specs:
            left_out[source, target] = "the source is, or holds, the target itself"
        else:
            kept.append(target)
    return tuple(kept)


def _systems(
    grid: Grid,
    paths: Paths,
    source: str,
    seed: int,
    targets: tuple[str, ...],
    heads: dict[str, dict[str, Any]],
    prints: dict[str, str],
    texts: dict[str, str],
    written: dict[str, dict[str, str]],
    models: dict[str, dict[str, str]],
    files: PathHashes,
    fit: Fit,
) -> Iterator[System]:
    found = grid.sources[source]
    recipe = {name: _recipe(grid, name) for name in _made_of(grid, source)}
    own = [s.corpus for name in recipe if isinstance(s := grid.sources[name], CorpusSource)]
    made_of = {file: content for name in recipe for file, content in written[name].items()}
    config = {
        "source": recipe,
        "labels": grid.labels,
        "fingerprints": {**{spec: prints[spec] for spec in own}, **made_of},
        "protocol": grid.protocol,
    }
    if isinstance(found, MajoritySource):
        if seed == grid.all_seeds[0]:  # nothing is drawn
            yield from _majorities(grid, source, seed, targets, config, fit)
        return
    if isinstance(found, UntrainedSource):
        read = fit.targets("text", targets)
        if read and seed == grid.all_seeds[0]:
            rests = labeller_models(grid, found, paths, files)
            kind, told = kind_of(grid, source), {**config, "seed": seed, "texts": {}, MODELS: rests}
            labeller = found.labeller["kind"]
            protocol = dict(grid.protocol)
            yield System(source, kind, None, None, seed, read, told, protocol, silent=True, labeller=labeller)
        return
    protocol = {**grid.protocol, **_protocol(grid, source)}
    words = {"texts": {spec: texts[spec] for spec in own}} if grid.encoders else {}
    for parts, also in _models(grid, heads):
        rests = {**models.get(parts.get("upstream", ""), {}), **models.get(parts.get("encoder", ""), {})}
        modality: Modality = "fusion" if "fusion" in parts else "text" if "encoder" in parts else "speech"
        possible = fit.targets(modality, targets) if fit.source(modality, source) else ()
        each = [(target,) for target in possible] if isinstance(found, InDomainSource) else [possible]
        for tested in filter(None, each):
            # in-domain systems learn from the target: it belongs to what they are
            target = _state(grid, tested[0], prints) if isinstance(found, InDomainSource) else {}
            if target and modality != "speech":
                target["target_text"] = texts[grid.targets[tested[0]].corpus]
            told = {**config, **target, **also, "seed": seed, **({} if modality == "speech" else words)}
            told |= {MODELS: rests} if rests else {}
            yield System(
                source,
                kind_of(grid, source, modality),
                parts.get("upstream"),
                parts.get("head"),
                seed,
                tested,
                told,
                {**_chosen_by(also), **protocol},
                parts.get("encoder"),
                parts.get("text_head"),
                parts.get("fusion"),
            )


def _recipe(grid: Grid, source: str) -> dict[str, Any]:
    """What decides about a source. Not how an endpoint is asked: a larger budget goes on with the answers there are."""
    told = grid.sources[source].model_dump(exclude={"description"})
    endpoint = told.get("labeller", {}).get("endpoint")
    if isinstance(endpoint, dict):
        asked = {key: value for key, value in endpoint.items() if key not in HOW_ASKED}
        told["labeller"] = {**told["labeller"], "endpoint": asked}
    return told


def _majorities(
    grid: Grid, source: str, seed: int, targets: tuple[str, ...], config: dict[str, Any], fit: Fit
) -> Iterator[System]:
    """One for what can be heard, one for what can only be read."""
    kind, protocol = kind_of(grid, source), dict(grid.protocol)
    heard = fit.targets("speech", targets) if grid.upstreams else ()
    read = [target for target in fit.targets("text", targets) if target not in heard] if grid.encoders else []
    if heard:
        yield System(source, kind, None, None, seed, heard, {**config, "seed": seed}, protocol)
    if read:
        told = {**config, "seed": seed, "modality": "text"}
        yield System(source, kind, None, None, seed, tuple(read), told, protocol, silent=True)


def _models(grid: Grid, heads: dict[str, dict[str, Any]]) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Everything that can be trained on a source: its names, and what decides about it."""
    for upstream in grid.upstreams:
        for head in grid.heads_of(upstream):
            yield {"upstream": upstream, "head": head}, _speech(grid, upstream, heads[head])
    for encoder in grid.encoders:
        for head in grid.text_heads_of(encoder):
            yield {"encoder": encoder, "text_head": head}, _words(grid, encoder, heads[_text(head)])
    for name, fused in grid.fusions.items():
        head = fused.head or grid.heads_of(fused.upstream)[0]
        text_head = fused.text_head or grid.text_heads_of(fused.encoder)[0]
        names = {"upstream": fused.upstream, "head": head, "encoder": fused.encoder, "text_head": text_head}
        yield (
            {**names, "fusion": name},
            {
                **_speech(grid, fused.upstream, heads[head]),
                **_words(grid, fused.encoder, heads[_text(text_head)]),
                "fusion": {"how": fused.how},
            },
        )


def _speech(grid: Grid, upstream: str, head: dict[str, Any]) -> dict[str, Any]:
    described = grid.upstreams[upstream].model_dump(exclude={"heads", "requires", "description"})
    return {"upstream": described, "head": head}


def _words(grid: Grid, encoder: str, head: dict[str, Any]) -> dict[str, Any]:
    return {"encoder": grid.encoders[encoder].encoder, "text_head": head}


def _chosen_by(config: dict[str, Any]) -> dict[str, Any]:
    """What of a head decides about the numbers; of a fusion, that of speech."""
    if "head" in config:
        return _head_protocol(config["head"])
    return {"dev metric": config["text_head"]["data"].get("dev_metric", "UAR")}


def _made_of(grid: Grid, source: str) -> list[str]:
    """A source and all that it is made of."""
    of = getattr(grid.sources[source], "of", ())
    return [source, *(name for base in ((of,) if isinstance(of, str) else of) for name in _made_of(grid, base))]


def _head_protocol(head: dict[str, Any]) -> dict[str, Any]:
    """What of a head decides about the numbers, besides its name."""
    metric = head["downstream_expert"]["datarc"].get("dev_metric", "UAR")
    heard = conditioning_of(head["downstream_expert"]).key
    if SECTION not in head:
        return {"dev metric": metric, **heard}
    options = {**head[SECTION], **heard}
    if not isinstance(options["penalty"], list):
        return options  # nothing is chosen
    return {**options, "penalty": " or ".join(map(str, options["penalty"])), "dev metric": metric}


def _protocol(grid: Grid, source: str) -> dict[str, Any]:
    found = grid.sources[source]
    if isinstance(found, ShareSource):
        return {**_protocol(grid, found.of), "share": found.shares[0]}
    if isinstance(found, PriorSource):
        return {**_protocol(grid, found.of), "label prior": f"published of {found.target}"}
    if isinstance(found, InDomainSource):
        return {"folds": found.folds}
    return {}
