"""The config of a weak labelling run, validated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from zero_shot_emotion.config_files import find_config, read_mapping, validated

from .asr import GIVEN, describe
from .errors import WeakLabelError
from .labeller import LabellerSpec, reads_labels

KIND = "weak_labels"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Segments(_Section):
    """How recordings are cut at silences, by silero-vad.

    Attributes:
        threshold: probability from which on a frame is speech.
        min_seconds: of speech; shorter stretches are left out.
        max_seconds: of a segment; longer ones are cut at their longest silence.
        min_silence: seconds of it that end a segment.
        pad: seconds added on either side.
    """

    threshold: float = Field(default=0.5, gt=0, lt=1)
    min_seconds: float = Field(default=0.5, gt=0)
    max_seconds: float = Field(default=29.0, gt=0)
    min_silence: float = Field(default=0.4, gt=0)
    pad: float = Field(default=0.1, ge=0)


class Transcripts(_Section):
    """Where the words come from.

    Attributes:
        engine: ``given`` takes the corpus's own; else a speech recogniser, see `zero_shot_emotion.recognition`.
        file: of one's own transcripts: a table with the columns ``id`` and ``text`` (CSV, TSV or JSON lines). They go
            before the corpus's own, and before the engine.
        settings: of the engine.
        batch: utterances that the engine gets at once.
    """

    engine: str = GIVEN
    file: Path | None = None
    settings: dict[str, Any] = {}
    batch: int = Field(default=16, ge=1)


class Noise(_Section):
    """What is done about labels that are wrong, in this order; each step counts what it drops.

    Attributes:
        prior: what each distribution is divided by before it is renormalised, against a bias towards neutral or any
            other class: the labeller's ``mean`` distribution over the corpus, or its distribution for ``null``
            premises that say nothing (contextual calibration, Zhao et al. 2021).
        min_confidence: probability of the label.
        min_margin: probability of the label less that of the runner-up.
        agreement: all labellers must give the same label.
        confident_learning: the independent view that cleanlab holds labels against: ``acoustics`` (a classifier that
            is cross-validated over speakers or recordings, on measures of the sound), or the name of another labeller.
        per_class: most utterances of a class; the most confident stay.
    """

    prior: Literal["none", "mean", "null"] = "none"
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    min_margin: float = Field(default=0.0, ge=0, le=1)
    agreement: bool = False
    confident_learning: str | None = None
    per_class: int | None = Field(default=None, ge=1)


class WeakLabelSettings(_Section):
    """All of a run.

    Attributes:
        segments: how recordings are cut; None takes files as they are.
        transcripts: where the words come from.
        taxonomy: a shipped one's name, or the path of one.
        labellers: the first gives the labels, the others are compared with it.
        noise: what is done about labels that are wrong.
        chunk: distinct turns in a step of work: what a kill may cost.
        seed: of what is drawn.
    """

    segments: Segments | None = None
    transcripts: Transcripts = Transcripts()
    taxonomy: str = "seven"
    labellers: tuple[LabellerSpec, ...] = Field(min_length=1)
    noise: Noise = Noise()
    chunk: int = Field(default=64, ge=1)
    seed: int = 0

    @model_validator(mode="after")
    def _fits_together(self) -> WeakLabelSettings:
        titles = [labeller.title for labeller in self.labellers]
        if len(set(titles)) < len(titles):
            raise ValueError(f"labellers of different names, got {', '.join(titles)}: give each a name")
        if self.noise.agreement and len(titles) < 2:
            raise ValueError("a second labeller for noise.agreement")
        view = self.noise.confident_learning
        if view not in (None, "acoustics", *titles[1:]):
            raise ValueError(f"acoustics or another labeller than the first for noise.confident_learning, got {view!r}")
        return self

    @property
    def keeps_labels(self) -> bool:
        """Whether the corpus only gets words: one labeller, who repeats its labels, and nothing that drops by them."""
        alone = len(self.labellers) == 1 and reads_labels(self.labellers[0].kind)
        return alone and self.segments is None and self.noise == Noise()

    @property
    def hears(self) -> bool:
        """Whether the sound has to be measured."""
        return self.noise.confident_learning == "acoustics" or any(spec.settings.sound for spec in self.labellers)


def read_settings(config: str | Path, changes: Mapping[str, Any] | None = None) -> WeakLabelSettings:
    """Read a config.

    Args:
        config: a shipped one's name, or the path of one.
        changes: keys that go before the config's.

    Raises:
        MissingConfigError: if there is none.
        WeakLabelError: naming file, key, value and what was expected.
    """
    path = find_config(KIND, config)
    content = {**read_mapping(path, WeakLabelError), **(changes or {})}
    settings = validated(WeakLabelSettings, content, path, WeakLabelError)
    for labeller in settings.labellers:
        labeller.settings  # noqa: B018 - refuse a wrong one before hours of speech recognition
    if settings.transcripts.engine != GIVEN:
        describe(settings.transcripts.engine, settings.transcripts.settings)
    return settings
