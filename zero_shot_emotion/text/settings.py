"""The config of an experiment on text, validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..config_files import find_config, read_mapping, validated
from ..settings import ConfigError, CorporaSettings

Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextDataSettings(CorporaSettings):
    """``data``: the corpora, and what of an utterance is read.

    Attributes:
        context: how many previous turns of its dialogue stand before an utterance.
        bad_text: what to do about utterances without text: ``error`` or ``skip``.
    """

    context: Annotated[int, Field(ge=0, le=20)] = 0
    bad_text: Literal["error", "skip"] = "error"


class EncoderSettings(_Section):
    """``encoder``: a Hugging Face model of text.

    Attributes:
        name: on the hub, or its folder.
        revision: branch, tag or commit on the hub.
        layer: whose hidden states are taken; -1 is the last.
        max_length: longer texts are cut, in tokens; context is cut first.
        batch_tokens: how many tokens are encoded at a time.
    """

    name: str = "bert-base-uncased"
    revision: str | None = None
    layer: int = -1
    max_length: Annotated[int, Field(ge=8)] = 256
    batch_tokens: Annotated[int, Field(ge=64)] = 4096


class CNNSettings(_Section):
    """The seed work's head; its sizes are the seed work's."""

    channels: tuple[Count, Count, Count] = (128, 64, 32)
    kernels: tuple[Count, Count, Count] = (1, 8, 4)


class LinearSettings(_Section):
    """Logistic regression on the mean of the tokens.

    Attributes:
        C: inverse strength of the penalty; of several, dev chooses.
        normalise: ``l2`` brings each mean to length 1, as sentence encoders are compared.
    """

    C: tuple[Amount, ...] = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    normalise: Literal["none", "l2"] = "l2"
    balance: Literal["none", "loss"] = "loss"

    @field_validator("C", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, int | float) else value


class HeadSettings(_Section):
    """``head``: what is trained on the encoder.

    Attributes:
        select: ``CNN`` and ``linear`` leave the encoder frozen; ``finetune`` trains it whole, under the
            classification head that its architecture has in transformers.
    """

    select: Literal["CNN", "linear", "finetune"] = "CNN"
    CNN: CNNSettings = CNNSettings()
    linear: LinearSettings = LinearSettings()


class TrainingSettings(_Section):
    """``training`` of ``CNN`` and ``finetune``; the defaults are the seed work's schedule.

    Attributes:
        lr: Adam's.
        weight_decay: decoupled from the gradient.
        batch_size: utterances a step.
        epochs: at most; the best one by ``select`` is kept.
        select: ``loss`` on dev, or dev's metric (``data.dev_metric``).
        warmup_ratio: share of the steps over which the learning rate rises.
        schedule: ``constant`` or ``linear`` decay.
        clip: of the gradient's norm; none by default, as the seed work has none.
    """

    lr: Amount = 7e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    batch_size: Count = 128
    epochs: Count = 50
    select: Literal["loss", "metric"] = "loss"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.0
    schedule: Literal["constant", "linear"] = "constant"
    clip: Amount | None = None


class TextSettings(_Section):
    """A whole config of ``train-text``."""

    data: TextDataSettings
    encoder: EncoderSettings = EncoderSettings()
    head: HeadSettings = HeadSettings()
    training: TrainingSettings = TrainingSettings()


def read_text_settings(config: str | Path, changes: Mapping[str, Any] | None = None) -> TextSettings:
    """Read a config, one of ``configs/text`` by its name or any file by its path.

    Args:
        config: name or path.
        changes: values of some keys of sections, by section, which replace the file's.

    Raises:
        ConfigError: naming file, key, value and what was expected.
    """
    path = find_config("text", config)
    return parse_text_settings(read_mapping(path, ConfigError), str(path), changes)


def parse_text_settings(
    sections: Mapping[str, Any], where: str, changes: Mapping[str, Any] | None = None
) -> TextSettings:
    """Validate the sections of a config.

    Args:
        sections: as a file has them.
        where: they come from.
        changes: as for `read_text_settings`.

    Raises:
        ConfigError: naming where, key, value and what was expected.
    """
    sections = dict(sections)
    for section, values in (changes or {}).items():
        sections[section] = {**(sections.get(section) or {}), **values}
    settings = validated(TextSettings, sections, where, ConfigError)
    try:
        settings.data.label_set  # noqa: B018 - refuses an unknown or contradictory label set now
    except ValueError as error:
        raise ConfigError(f"{where}: data.labels: {error}") from None
    return settings
