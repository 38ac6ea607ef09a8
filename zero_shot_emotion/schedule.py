"""The sections of a config that are s3prl's own, checked before a training begins: s3prl would fail on them later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .config_files import validated
from .errors import explain
from .settings import ConfigError

SectionT = TypeVar("SectionT", bound="_Section")


def _no_text(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError("a number (YAML takes 1e-4 for text, 1.0e-4 for a number)")
    return value


Steps = Annotated[int, BeforeValidator(_no_text), Field(ge=1)]
Amount = Annotated[float, BeforeValidator(_no_text), Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class RunnerSettings(_Section):
    """``runner``: what s3prl cannot train without.

    Attributes:
        total_steps: of the optimizer.
        gradient_clipping: of the gradient's norm.
        gradient_accumulate_steps: batches a step.
        log_step: it logs every so many steps.
        eval_step: it evaluates every so many steps.
        save_step: it saves every so many steps.
        max_keep: how many of what it saved.
        eval_dataloaders: the sets that it evaluates.
    """

    total_steps: Steps
    gradient_clipping: Amount
    gradient_accumulate_steps: Steps
    log_step: Steps
    eval_step: Steps
    save_step: Steps
    max_keep: Steps
    eval_dataloaders: tuple[str, ...]

    @property
    def evaluated(self) -> tuple[str, ...]:
        """The sets that are evaluated before the training ends."""
        return self.eval_dataloaders if self.eval_step <= self.total_steps else ()


class OptimizerSettings(_Section):
    """``optimizer``: what of it every optimizer of s3prl's has."""

    name: str
    lr: Annotated[float, BeforeValidator(_no_text), Field(ge=0, allow_inf_nan=False)] | None = None


def read_schedule(config: Mapping[str, Any]) -> RunnerSettings:
    """How long is trained, and what is looked at and saved on the way.

    Args:
        config: the sections, by name.

    Raises:
        ConfigError: naming the key, its value and what was expected; or if the training would leave no checkpoint.
    """
    _checked(OptimizerSettings, config, "optimizer")
    runner = _checked(RunnerSettings, config, "runner")
    if "dev" not in runner.evaluated and runner.save_step > runner.total_steps:
        raise ConfigError(
            f"config: runner.total_steps: got {runner.total_steps}, expected at least eval_step ({runner.eval_step}, "
            f"with dev in eval_dataloaders) or save_step ({runner.save_step}): the training would leave no checkpoint"
        )
    return runner


def warnings(config: Mapping[str, Any]) -> list[str]:
    """What a training does that its user may not expect, in sentences; its sections are valid."""
    told = []
    runner = _checked(RunnerSettings, config, "runner")
    if _checked(OptimizerSettings, config, "optimizer").lr == 0:
        told.append("optimizer.lr is 0: nothing is learnt")
    if "dev" not in runner.evaluated:
        why = "runner.eval_dataloaders does not name dev"
        if "dev" in runner.eval_dataloaders:
            why = f"runner.eval_step is {runner.eval_step}, above total_steps ({runner.total_steps})"
        told.append(f"{why}: dev is never looked at, and no dev-best.ckpt comes of the training")
    return told


def _checked(model: type[SectionT], config: Mapping[str, Any], name: str) -> SectionT:
    if not isinstance(config.get(name), dict):
        raise ConfigError(f"config: {name}: got {config.get(name)!r}, expected a section of s3prl's downstream config")

    def tell(error: ValidationError, known: type[BaseModel]) -> str:
        return f"{name}.{explain(error, known)}"

    return validated(model, config[name], "config", ConfigError, tell=tell)
