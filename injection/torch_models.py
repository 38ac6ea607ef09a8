"""What the methods that run a torch model share: where it runs, and noise that depends on the utterance alone."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import numpy as np
from pydantic import StringConstraints

Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
"""``auto`` takes a GPU where there is one, each worker another."""


def on_gpu(device: str) -> bool:
    """Whether a device is a GPU, of those there are."""
    import torch

    return device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())


def most_workers(device: str) -> int | None:
    """One worker a GPU; on the CPU as many as one likes, each on one thread."""
    import torch

    return torch.cuda.device_count() if on_gpu(device) else None


def place(device: str) -> str:
    """The device of this process: a worker takes the GPU of its number."""
    import torch

    if not on_gpu(device):
        return "cpu"
    if device != "auto":
        return device
    number = re.search(r"-(\d+)$", multiprocessing.current_process().name)
    return f"cuda:{(int(number[1]) - 1 if number else 0) % torch.cuda.device_count()}"


@contextmanager
def noise_of(rng: np.random.Generator) -> Iterator[None]:
    """Torch's noise from a generator, on one thread, without autotuning; what was before comes back afterwards."""
    import torch

    seed, threads = int(rng.integers(2**62)), torch.get_num_threads()
    with torch.random.fork_rng(), torch.backends.cudnn.flags(benchmark=False, deterministic=True), torch.no_grad():
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
