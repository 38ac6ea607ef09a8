"""Small experiments: a config, and s3prl's own command called in this process."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from zero_shot_emotion import metrics

NON_LINEAR = {"select": "FrameLevel", "FrameLevel": {"hiddens": [16]}}
"""s3prl's filter banks have zero mean over an utterance: without this, mean pooling leaves nothing of them."""


def small_config(train: object = (), targets: Mapping[str, object] | None = None, **changes: Any) -> dict[str, Any]:
    """A config that trains in a second.

    Args:
        train: the training corpora.
        targets: the target corpora by name.
        changes: values by their key in the config, dots written as two underscores.
    """
    datarc: dict[str, Any] = {"train": [str(spec) for spec in (train if isinstance(train, list | tuple) else [train])]}
    config: dict[str, Any] = {
        "runner": {
            "total_steps": 2,
            "gradient_clipping": 1,
            "gradient_accumulate_steps": 1,
            "log_step": 2,
            "eval_step": 2,
            "save_step": 2,
            "max_keep": 100,
            "eval_dataloaders": ["dev"],
        },
        "optimizer": {"name": "TorchOptim", "torch_optim_name": "Adam", "lr": 0.01},
        "downstream_expert": {
            "datarc": {
                **datarc,
                "targets": {name: str(spec) for name, spec in (targets or {}).items()},
                "valid_ratio": 0.25,
                "train_batch_size": 4,
                "eval_batch_size": 5,
                "num_workers": 0,
            },
            "modelrc": {"projector_dim": 16, "UtteranceLevel": {"pre_net": NON_LINEAR}},
        },
    }
    for key, value in changes.items():
        *sections, last = key.split("__")
        section = config
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    return config


BOOTSTRAPS = 20
"""For intervals in these tests; that they are right is tested where they are computed."""


def run_downstream(*arguments: object) -> None:
    """Call s3prl's ``run_downstream.py`` with these arguments, and put back what it changes."""
    from s3prl import run_downstream as script

    before = sys.argv, builtins.isinstance, metrics.BOOTSTRAPS, torch.get_num_threads()
    sys.argv, metrics.BOOTSTRAPS = ["run_downstream.py", *map(str, arguments)], BOOTSTRAPS
    torch.set_num_threads(1)
    try:
        script.main()
    finally:
        sys.argv, builtins.isinstance, metrics.BOOTSTRAPS, threads = before
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class Experiment:
    """One experiment folder and how it is trained."""

    folder: Path
    config: Path
    upstream: tuple[object, ...] = ("fbank",)

    @classmethod
    def make(cls, folder: Path, config: dict[str, Any], upstream: tuple[object, ...] = ("fbank",)) -> Experiment:
        """Write the config beside the experiment folder."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        path = folder.with_name(folder.name + ".yaml")
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return cls(folder, path, upstream)

    def train(self, *options: object) -> Experiment:
        run_downstream("-m", "train", *self.arguments, *options)
        return self

    @property
    def arguments(self) -> tuple[object, ...]:
        """What tells s3prl of the experiment."""
        return (
            *("-u", *self.upstream, "-d", "zero_shot_emotion", "-c", self.config),
            *("-p", self.folder, "--device", "cpu"),
        )

    def evaluate(self, target: str, *options: object, checkpoint: str = "dev-best.ckpt") -> None:
        run_downstream(
            *("-m", "evaluate", "-e", self.folder / checkpoint, "-t", target),
            *("--device", "cpu", *options),
        )

    def state(self, checkpoint: str | int) -> dict[str, Any]:
        """What a checkpoint holds, by its name or its step."""
        import s3prl  # noqa: F401 - lets torch read the command line in it

        name = f"states-{checkpoint}.ckpt" if isinstance(checkpoint, int) else checkpoint
        return torch.load(self.folder / name, map_location="cpu")
