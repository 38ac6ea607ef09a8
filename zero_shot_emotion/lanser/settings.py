"""The config of a LanSER experiment: what is labelled weakly, what is trained on it, what it is held against."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..benchmark.fingerprint import PathHashes
from ..config_files import find_config, read_mapping, validated
from ..corpus import LabelSet, label_set
from ..corpus.labels import LabelError
from ..corpus.utterance import Name
from ..errors import UserError
from ..settings import conditioning_of
from ..settings import read_settings as read_downstream
from .content import by_content

KIND = "lanser"
"""The folder of the shipped configs in ``configs/``."""
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
"""Stands for a path that each user has elsewhere, such as ``${speech}``."""
RESERVED = ("train", "dev", "test")
"""Names that s3prl's ``-t`` has a meaning for."""
OURS = ("train", "dev", "targets", "labels", "meta_data", "test_fold", "syn_root", "iem_root")
"""Keys of ``datarc`` that the experiment fills in."""

Share = Annotated[float, Field(gt=0, le=1)]


class LanserError(UserError, ValueError):
    """A LanSER experiment that is not what it should be."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Upstream(_Strict):
    """What turns speech into frames, as s3prl's command line is told.

    Attributes:
        upstream: ``-u``.
        ckpt: ``-k``.
        config: ``-g``: a path, or a shipped one's name.
        trainable: ``-f``: it is trained along, in pre-training and in fine-tuning.
        stored: its features are computed once, in a store that all trainings read.
    """

    upstream: str
    ckpt: str | None = None
    config: str | None = None
    trainable: bool = False
    stored: bool = False

    @model_validator(mode="after")
    def _stays_as_it_was_stored(self) -> Self:
        if self.trainable and self.stored:
            raise ValueError("either trainable or stored: features that are stored do not learn")
        return self

    @property
    def model_config_path(self) -> str | None:
        """Of ``-g``."""
        return None if self.config is None else str(find_config("upstreams", self.config, ".json"))

    @property
    def files(self) -> dict[str, str]:
        """What it names that may lie on disk."""
        named = {"ckpt": self.ckpt, "config": self.model_config_path}
        return {key: value for key, value in named.items() if value is not None}

    def by_content(self, hashes: PathHashes) -> dict[str, Any]:
        """All of it, wherever its files lie."""
        return {**self.model_dump(), **by_content(self.files, hashes)}

    @property
    def options(self) -> tuple[str, ...]:
        """For s3prl's command line."""
        words = ["-u", self.upstream]
        for flag, value in (("-k", self.ckpt), ("-g", self.model_config_path)):
            words += [] if value is None else [flag, value]
        return (*words, *(["-f"] if self.trainable else []))


class Target(_Strict):
    """Labelled speech that nothing was pre-trained on, in two parts.

    Attributes:
        corpus: is split by speaker: as `zero_shot_emotion.corpus.readers.open_corpus` takes it.
        test_ratio: the share of its utterances that the test gets.
        train: the part to fine-tune on, where the corpus has parts of its own.
        test: the part to test on.
    """

    corpus: str | None = None
    test_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.4
    train: str | None = None
    test: str | None = None

    @model_validator(mode="after")
    def _one_way_of_naming_parts(self) -> Self:
        if (self.corpus is None) == (self.train is None or self.test is None):
            raise ValueError("either 'corpus', which is split by speaker, or both 'train' and 'test'")
        return self


class LanserSettings(_Strict):
    """All of an experiment.

    Attributes:
        name: of the rows' benchmark; by default the file's.
        description: for people.
        speech: a folder of audio, or a corpus; its own labels decide nothing.
        weak_labels: a config of ``configs/weak_labels`` by name or path; or its keys, over those of ``config``.
        labels: the targets' label set.
        zero_shot: test what was pre-trained with the targets' own classes directly, too.
        upstream: of the pre-training and of all that is trained on targets.
        pretrain: s3prl's downstream config, without corpora.
        finetune: the same; its ``modelrc`` is that of the pre-training.
        targets: by name.
        shares: of the target's train part that are fine-tuned on.
        seeds: of the subsets, the new weights, the order of batches.
        pretrainings: how often is pre-trained, with seeds of their own; fine-tunings take turns.
    """

    name: Name
    description: str = ""
    speech: str
    weak_labels: str | dict[str, Any] = "lanser"
    labels: str = "four"
    zero_shot: bool = True
    upstream: Upstream
    pretrain: dict[str, Any]
    finetune: dict[str, Any]
    targets: Annotated[dict[Name, Target], Field(min_length=1)]
    shares: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.01, 0.1, 0.3, 1.0)
    seeds: Annotated[int, Field(ge=1)] = 5
    pretrainings: Annotated[int, Field(ge=1)] = 1

    @field_validator("upstream", mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"upstream": value} if isinstance(value, str) else value

    @field_validator("targets", mode="before")
    @classmethod
    def _corpora_alone(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: {"corpus": one} if isinstance(one, str) else one for name, one in value.items()}

    @field_validator("shares")
    @classmethod
    def _in_order(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(value)))

    @field_validator("pretrain", "finetune")
    @classmethod
    def _is_a_downstream_config(cls, value: dict[str, Any]) -> dict[str, Any]:
        for section in ("runner", "optimizer", "downstream_expert"):
            if not isinstance(value.get(section), dict):
                raise ValueError(f"a section {section!r}, as s3prl's downstream configs have it")
        found = [key for key in OURS if key in (value["downstream_expert"].get("datarc") or {})]
        if found:
            raise ValueError(f"a datarc without {found[0]!r}: the experiment fills it in")
        read_downstream({"datarc": {}, **value["downstream_expert"]})  # refuse a wrong head before speech is labelled
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        reserved = [name for name in self.targets if name in RESERVED]
        if reserved:
            raise ValueError(f"targets by other names than {', '.join(RESERVED)}, got {reserved[0]!r}")
        if self.finetune["downstream_expert"].get("modelrc", self.modelrc) != self.modelrc:
            raise ValueError("the modelrc of pretrain in finetune, or none: another head could not take its weights")
        before, after = (conditioning_of(part["downstream_expert"]) for part in (self.pretrain, self.finetune))
        if before != after:
            raise ValueError(f"the level_db and trim of pretrain ({before}) in finetune ({after})")
        if self.pretrainings > self.seeds:
            raise ValueError(f"at most as many pretrainings as seeds, got {self.pretrainings} and {self.seeds}")
        try:
            self.label_set  # noqa: B018 - refuses an unknown one now
        except LabelError as error:
            raise ValueError(f"a label set: {error}") from None
        return self

    @property
    def label_set(self) -> LabelSet:
        """The targets' classes."""
        return label_set(self.labels)

    @property
    def modelrc(self) -> dict[str, Any]:
        """The head."""
        found: dict[str, Any] = self.pretrain["downstream_expert"].get("modelrc") or {}
        return found

    @property
    def head(self) -> str:
        """What the head is called in rows."""
        select = self.modelrc.get("select", "UtteranceLevel")
        kind = (self.modelrc.get(select) or {}).get("model_type") if select == "DeepModel" else None
        return select if kind is None else f"{select}-{kind}"


def read_settings(config: str | Path, paths: Mapping[str, str] | None = None) -> LanserSettings:
    """Read a config.

    Args:
        config: a shipped one's name, or the path of one.
        paths: what its placeholders stand for; they go before its own ``paths``, the environment comes last.

    Raises:
        MissingConfigError: if there is none.
        LanserError: naming file, key, value and what was expected.
    """
    path = find_config(KIND, config)
    content = read_mapping(path, LanserError)
    given, used = dict(paths or {}), set[str]()
    own = {name: value for name, value in (content.pop("paths", None) or {}).items() if value is not None}
    known = {**os.environ, **own, **given}
    filled = _filled(content, known, used)
    if missing := sorted(used - set(known)):
        named = ", ".join(f"${{{name}}}" for name in missing)
        given_by = " ".join(f"--path {name}=FOLDER" for name in missing)
        raise LanserError(f"{path}: {named} {'stands' if len(missing) == 1 else 'stand'} for nothing: give {given_by}")
    unused = sorted(set(given) - used)
    if unused:
        names = ", ".join(sorted(used)) or "none"
        raise LanserError(f"--path {unused[0]}: {path} has no such path, expected one of {names}")
    return validated(LanserSettings, {"name": path.stem, **filled}, path, LanserError)


def _filled(value: Any, known: Mapping[str, str], used: set[str]) -> Any:
    """A config's content with every placeholder that is known filled in; those that are there are noted."""
    if isinstance(value, dict):
        return {key: _filled(each, known, used) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, known, used) for each in value]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        used.add(name)
        return str(Path(known[name]).expanduser()) if name in known else match.group()

    return PLACEHOLDER.sub(fill, value)
