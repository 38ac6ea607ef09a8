"""A resumed run ends in the same weights as the one that was never stopped, bit for bit."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.experiment import Experiment, run_downstream, small_config
from tests.tiny_checkpoints import build

PARTS = ("Upstream", "Featurizer", "Downstream", "Optimizer", "Scheduler", "Step", "Epoch")
DEEP_MODEL = {
    "downstream_expert__modelrc__select": "DeepModel",
    "downstream_expert__modelrc__DeepModel": {"hidden_dim": 16, "dropout": 0.4},
}
SPECAUG = {"apply_time_warp": True, "freq_mask_width_range": [0, 8], "time_mask_width_range": [0, 10]}
CASES: dict[str, dict[str, Any]] = {
    "default head": {},
    "end of an epoch": {"stop": 4},
    "dropout": DEEP_MODEL,
    "attentive pooling": {"downstream_expert__modelrc__UtteranceLevel": {"pooling": "AttentivePooling"}},
    "specaug": {"specaug": SPECAUG},
    "accumulation": {"runner__gradient_accumulate_steps": 2},
    "end of an epoch with accumulation": {"runner__gradient_accumulate_steps": 2, "stop": 4},
    "scheduler": {"scheduler": {"name": "linear_schedule_with_warmup", "num_warmup_steps": 3}},
    "sampling": {"downstream_expert__datarc__balance": "sampling"},
    "weighted loss": {"downstream_expert__datarc__balance": "loss"},
    "workers": {**DEEP_MODEL, "downstream_expert__datarc__num_workers": 2},
    "no preloading": {"downstream_expert__datarc__pre_load": False},
    "data2vec": {"upstream": "data2vec_local"},
    "trained data2vec with dropout": {"upstream": "data2vec_local", "options": ["-f"]},
    "trained wavlm with everything": {
        **DEEP_MODEL,
        "upstream": "wavlm_local",
        "options": ["-f"],
        "specaug": SPECAUG,
        "runner__gradient_accumulate_steps": 2,
        "scheduler": {"name": "cosine_schedule_with_warmup", "num_warmup_steps": 2},
        "downstream_expert__datarc__balance": "sampling",
        "downstream_expert__datarc__num_workers": 2,
    },
}


def differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Where two states differ by as much as a bit."""
    if isinstance(one, torch.Tensor):
        same = isinstance(other, torch.Tensor) and torch.equal(one, other)
    elif isinstance(one, dict):
        if not isinstance(other, dict) or one.keys() != other.keys():
            return [where]
        return [found for key in one for found in differences(one[key], other[key], f"{where}/{key}")]
    elif isinstance(one, list | tuple):
        if not isinstance(other, list | tuple) or len(one) != len(other):
            return [where]
        pairs = enumerate(zip(one, other, strict=True))
        return [found for i, (a, b) in pairs for found in differences(a, b, f"{where}/{i}")]
    else:
        same = one == other
    return [] if same else [where]


def trained(state: dict[str, Any]) -> dict[str, Any]:
    return {part: state[part] for part in PARTS if part in state}


def config(synthetic: Path, **changes: Any) -> dict[str, Any]:
    # 24 utterances, 8 of them for dev: 4 batches an epoch. Evaluation falls between the stop and the end.
    steps = {"total_steps": 8, "save_step": 1, "eval_step": 3, "log_step": 4}
    return small_config(synthetic, **{**{f"runner__{name}": value for name, value in steps.items()}, **changes})


@pytest.mark.parametrize("case", CASES)
def test_resuming_from_a_checkpoint_ends_as_the_whole_run_does(case: str, tmp_path: Path, synthetic: Path) -> None:
    changes = dict(CASES[case])
    stop, options = changes.pop("stop", 5), changes.pop("options", [])
    upstream = changes.pop("upstream", "fbank")
    named = (upstream,) if upstream == "fbank" else (upstream, "-k", build(upstream, tmp_path))
    whole = Experiment.make(tmp_path / "whole", config(synthetic, **changes), named).train(*options)

    torch.manual_seed(11)  # whatever random state the next process happens to begin with
    np.random.seed(11)
    override = f"args.expdir='{tmp_path / 'resumed'}'"
    run_downstream("-m", "train", "-e", whole.folder / f"states-{stop}.ckpt", "-o", override, "--device", "cpu")
    resumed = Experiment(tmp_path / "resumed", whole.config)

    assert not (resumed.folder / f"states-{stop}.ckpt").exists()
    assert differences(trained(whole.state(stop)), trained(whole.state(8))) != []
    assert differences(trained(whole.state(8)), trained(resumed.state(8))) == []


KILLED = """
import os, signal, sys
import torch
from s3prl import run_downstream

torch.set_num_threads(1)
done, step = [], torch.optim.Adam.step

def step_or_die(*arguments, **options):
    done.append(step(*arguments, **options))
    if len(done) == 6:
        os.kill(os.getpid(), signal.SIGKILL)

torch.optim.Adam.step = step_or_die
run_downstream.main()
"""


def test_a_killed_run_goes_on_by_e_and_by_a(tmp_path: Path, synthetic: Path) -> None:
    changes = {
        **DEEP_MODEL,
        "runner__save_step": 4,
        "runner__max_keep": 1,
        "scheduler": {"name": "linear_schedule_with_warmup", "num_warmup_steps": 2},
    }
    whole = Experiment.make(tmp_path / "whole", config(synthetic, **changes)).train().state(8)

    killed = Experiment.make(tmp_path / "killed", config(synthetic, **changes))
    command = [sys.executable, "-c", KILLED, "-m", "train", *map(str, killed.arguments)]
    process = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert [path.name for path in killed.folder.glob("states-*")] == ["states-4.ckpt"]
    shutil.copytree(killed.folder, tmp_path / "as it was")

    run_downstream("-m", "train", "-e", killed.folder, "--device", "cpu")
    assert differences(trained(whole), trained(killed.state(8))) == []

    shutil.rmtree(killed.folder)
    (tmp_path / "as it was").rename(killed.folder)
    killed.train("-a")
    assert differences(trained(whole), trained(killed.state(8))) == []
    assert not (killed.folder / "states-4.ckpt").exists()


def test_the_best_score_outlives_the_process(tmp_path: Path, synthetic: Path) -> None:
    changes = {"runner__eval_step": 2, "runner__save_step": 4}
    whole = Experiment.make(tmp_path / "whole", config(synthetic, **changes)).train()
    best = whole.state("dev-best.ckpt")
    shutil.copytree(whole.folder, tmp_path / "copy")

    run_downstream(
        "-m", "train", "-e", whole.folder / "states-4.ckpt", "-o", f"args.expdir='{tmp_path / 'copy'}'",
        "--device", "cpu",
    )  # fmt: skip
    resumed = Experiment(tmp_path / "copy", whole.config)
    assert resumed.state(8)["Downstream"]["best_score"] == whole.state(8)["Downstream"]["best_score"]
    assert resumed.state("dev-best.ckpt")["Step"] == best["Step"]
