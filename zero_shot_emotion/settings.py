"""The ``downstream_expert`` section of a config, validated: what s3prl hands to the expert."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .acoustics import LEVELS, Conditioning
from .config_files import find_config, read_mapping
from .corpus import LabelSet, UserError, explain, label_set
from .corpus.utterance import Name
from .heads.settings import EmotionQFormerSettings
from .taxonomy import load_taxonomy

SECTION = "downstream_expert"
RESERVED = ("train", "dev")
"""Split names that no target may take."""
TAXONOMY = "taxonomy"
"""Before a colon, says that a taxonomy's name follows."""


class ConfigError(UserError, ValueError):
    """A config value that is not what it should be."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LabelSettings(_Section):
    """A label set of the user's own, where the built-in ones do not serve."""

    name: str = "custom"
    classes: tuple[str, ...]
    merge: dict[str, str] = {}
    drop: tuple[str, ...] = ()


class CorporaSettings(_Section):
    """The corpora of an experiment, whatever is read of them.

    Corpora are named by ``train`` and ``targets``, or in the seed work's way by ``meta_data``,
    ``test_fold``, ``syn_root`` (what the paths of its train and dev lists are relative to) and ``iem_root``
    (what those of its test list are relative to).

    Attributes:
        train: the corpora to train on, each as `zero_shot_emotion.corpus.readers.open_corpus` takes it.
        dev: corpora to choose the checkpoint on; by default dev is split off the training corpora.
        targets: the corpora to test on, by the name that ``-t`` takes.
        labels: a built-in label set, one of one's own, or ``taxonomy:NAME`` for the classes of a taxonomy.
        valid_ratio: share of the training utterances that dev gets.
        dev_metric: what chooses the checkpoint.
    """

    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    targets: dict[Name, str] = {}  # names become file names
    iem_root: str | None = None
    syn_root: str | None = None
    meta_data: str | None = None
    test_fold: str | None = None
    labels: str | LabelSettings = "four"
    valid_ratio: Annotated[float, Field(gt=0, lt=1)] = 0.2
    dev_metric: Literal["UAR", "WA", "macro-F1"] = "UAR"

    @field_validator("train", "dev", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("labels", mode="before")
    @classmethod
    def _told_of_as_a_set(cls, value: Any) -> Any:
        """A set of one's own that is wrong is told of as such, and not as a name that it is not."""
        if not isinstance(value, dict):
            return value
        try:
            return LabelSettings.model_validate(value)
        except ValidationError as error:
            raise ValueError(f"a label set, but its {explain(error, LabelSettings)}") from None

    @model_validator(mode="after")
    def _one_way_of_naming_corpora(self) -> Self:
        if self.meta_data is not None and (self.train or self.dev or self.targets):
            raise ValueError("name the corpora by 'meta_data' or by 'train' and 'targets', not by both")
        reserved = [name for name in self.targets if name in RESERVED]
        if reserved:
            raise ValueError(f"a target cannot be called {reserved[0]!r}: that name is taken")
        return self

    @property
    def label_set(self) -> LabelSet:
        """The label set of the task."""
        if isinstance(self.labels, str):
            kind, _, name = self.labels.partition(":")
            return load_taxonomy(name).label_set() if kind == TAXONOMY else label_set(self.labels)
        return LabelSet(self.labels.name, self.labels.classes, self.labels.merge, self.labels.drop)

    @property
    def target_names(self) -> tuple[str, ...]:
        """What ``-t`` takes besides ``train`` and ``dev``."""
        return ("test",) if self.meta_data is not None else tuple(self.targets)


class DataSettings(CorporaSettings):
    """``datarc``: the corpora, and how their audio is read.

    Attributes:
        soft_labels: the column of the training corpora that holds a probability for each class, such as ``scores``
            of weak labels; the loss is then taken against the whole distribution.
        balance: ``loss`` weighs classes by their inverse frequency, ``sampling`` draws them equally often.
        bad_audio: what to do about audio that is missing, unreadable, too short, silent or not finite.
        min_seconds: shorter audio is bad, in seconds; of trimmed audio that counts which is left.
        level_db: the active level that all audio is set to, in dB of full scale; by default it stays as it is.
        trim: cut the silence at both ends of all audio.
        pre_load: keep all waves in memory.
    """

    soft_labels: str | None = None
    balance: Literal["none", "loss", "sampling"] = "none"
    bad_audio: Literal["error", "skip"] = "error"
    min_seconds: Annotated[float, Field(ge=0)] = 0.1
    level_db: Annotated[float, Field(ge=LEVELS[0], le=LEVELS[1])] | None = None
    trim: bool = False
    pre_load: bool = True
    train_batch_size: Annotated[int, Field(ge=1)] = 4
    eval_batch_size: Annotated[int, Field(ge=1)] = 4
    num_workers: Annotated[int, Field(ge=0)] = 4

    @property
    def conditioning(self) -> Conditioning:
        """What is done to all audio."""
        return Conditioning(self.level_db, self.trim)


Activation = Literal["ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Tanh", "Sigmoid", "Softplus", "Identity"]
"""Classes of torch.nn."""


class FrameLevelSettings(_Section):
    """s3prl's frame-wise network: hidden layers, each with an activation, and a linear layer."""

    hiddens: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    activation: Activation = "ReLU"


class NetSettings(_Section):
    """A network before or after pooling. s3prl would evaluate ``select`` as Python, whatever it says."""

    select: Literal["FrameLevel"] = "FrameLevel"
    FrameLevel: FrameLevelSettings = FrameLevelSettings()

    @property
    def is_linear(self) -> bool:
        """Whether it is linear in the frames."""
        return not self.FrameLevel.hiddens or self.FrameLevel.activation == "Identity"


class UtteranceLevelSettings(_Section):
    """s3prl's utterance-level head: an optional frame-wise network, pooling over time, a linear layer."""

    pooling: Literal["MeanPooling", "AttentivePooling"] = "MeanPooling"
    activation: Activation = "ReLU"
    pre_net: NetSettings | None = None
    post_net: NetSettings = NetSettings()


class DeepModelSettings(_Section):
    """s3prl's convolutional heads; the defaults are those of SUPERB's emotion recipe."""

    model_type: Literal["CNNSelfAttention", "FCN", "DeepNet"] = "CNNSelfAttention"
    hidden_dim: Annotated[int, Field(ge=1)] = 80
    kernel_size: Annotated[int, Field(ge=1)] = 5
    padding: Annotated[int, Field(ge=0)] = 2
    pooling: Annotated[int, Field(ge=1)] = 5
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4


class ModelSettings(_Section):
    """``modelrc``: the head on the upstream's weighted sum of layers.

    Attributes:
        projector_dim: width of the linear layer before s3prl's heads; ours see the features as they are.
        select: s3prl's ``UtteranceLevel`` and ``DeepModel``; LanSER's ``ResNet50`` on log-mel frames; M5SER's
            ``EmotionQFormer`` before a language model.
    """

    projector_dim: Annotated[int, Field(ge=1)] = 256
    select: Literal["UtteranceLevel", "DeepModel", "ResNet50", "EmotionQFormer"] = "UtteranceLevel"
    UtteranceLevel: UtteranceLevelSettings = UtteranceLevelSettings()
    DeepModel: DeepModelSettings = DeepModelSettings()
    EmotionQFormer: EmotionQFormerSettings = EmotionQFormerSettings()

    @property
    def hears_means_alone(self) -> bool:
        """Whether of an utterance nothing but the mean of its frames counts, since all before the pooling is linear."""
        pooled = self.UtteranceLevel
        if self.select != "UtteranceLevel" or pooled.pooling != "MeanPooling":
            return False
        return pooled.pre_net is None or pooled.pre_net.is_linear


class ExpertSettings(_Section):
    """The whole ``downstream_expert`` section."""

    datarc: DataSettings
    modelrc: ModelSettings = ModelSettings()


def read_config(config: str | Path) -> dict[str, Any]:
    """Read a whole downstream config, whose corpora may be filled in yet.

    Args:
        config: a shipped one's name, or the path of one.

    Raises:
        MissingConfigError: if there is none.
        ConfigError: unless it has a section ``downstream_expert`` with a ``datarc``.
    """
    path = find_config("downstream", config)
    content = read_mapping(path, ConfigError)
    _section(content, f"{path}: ", SECTION)
    _section(content[SECTION], f"{path}: {SECTION}.", "datarc")
    return content


def _section(content: Mapping[str, Any], where: str, key: str) -> None:
    if key not in content:
        raise ConfigError(f"{where}{key}: missing, expected a section of s3prl's downstream config")
    if not isinstance(content[key], dict):
        raise ConfigError(f"{where}{key}: got {content[key]!r}, expected a section of s3prl's downstream config")


def read_settings(section: Mapping[str, Any], where: object = "config") -> ExpertSettings:
    """Validate a ``downstream_expert`` section.

    Args:
        section: as the config has it.
        where: it comes from, such as a path.

    Raises:
        ConfigError: naming the key, its value and what was expected.
    """
    try:
        settings = ExpertSettings.model_validate(section)
        settings.datarc.label_set  # noqa: B018 - refuses an unknown or contradictory label set now
    except ValidationError as error:
        raise ConfigError(f"{where}: {SECTION}.{explain(error, ExpertSettings)}") from None
    except ValueError as error:
        raise ConfigError(f"{where}: {SECTION}.datarc.labels: {error}") from None
    if settings.modelrc.select == "EmotionQFormer" and settings.datarc.soft_labels is not None:
        raise ConfigError(
            f"{where}: {SECTION}.datarc.soft_labels: got {settings.datarc.soft_labels!r}, expected none with "
            "EmotionQFormer, whose contrasts need one emotion an utterance"
        )
    loss = settings.modelrc.EmotionQFormer.loss
    contrasts = [name for name in ("text_contrast", "emotion_contrast") if getattr(loss, name)]
    if settings.modelrc.select == "EmotionQFormer" and contrasts and settings.datarc.train_batch_size < 2:
        raise ConfigError(
            f"{where}: {SECTION}.datarc.train_batch_size: got 1, expected at least 2 for modelrc.EmotionQFormer.loss."
            f"{contrasts[0]}: one utterance has nothing to be contrasted with"
        )
    return settings


def conditioning_of(section: Mapping[str, Any], where: object = "config") -> Conditioning:
    """What a ``downstream_expert`` section says of the audio, whatever else it says.

    Raises:
        ConfigError: as above.
    """
    data = section.get("datarc") or {}
    known = {key: data[key] for key in ("level_db", "trim") if key in data}
    return read_settings({"datarc": known}, where).datarc.conditioning


def default_config() -> Path:
    """The config that stands beside the expert, for those who start from it."""
    return Path(__file__).with_name("config.yaml")
