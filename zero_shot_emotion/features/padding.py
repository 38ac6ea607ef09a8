"""Whether an upstream's features of an utterance depend on what it is batched with.

Many do: a group norm over time counts the padding in (wav2vec 2.0, HuBERT and WavLM of base size), stacked
positional convolutions see it (data2vec), a spectrogram reflects its end where there is no padding. What an
utterance gives by itself is the one well-defined answer, so the probe compares with that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Encode = Callable[[Sequence["Tensor"]], Sequence["Tensor"]]
"""From waves to layers, each of shape (utterances, frames, width)."""

BASE = 16_000
CHECKED = (9_600, 16_161, 23_456, 12_345)
"""Lengths in samples, of no common remainder by any stride in use."""
TOLERANCE = 2e-5
"""Largest difference, as a share of the layer's root mean square, that counts as rounding."""


@dataclass(frozen=True)
class FrameCount:
    """How many frames an utterance by itself has: ``(samples + offset) // stride``."""

    stride: int
    offset: int

    def __call__(self, samples: int) -> int:
        return (samples + self.offset) // self.stride


def probe(encode: Encode, stride: int) -> FrameCount | None:
    """Learn how an upstream counts frames, if padding does not change them.

    Args:
        encode: the upstream.
        stride: samples a frame, as the upstream says.

    Returns:
        None where a padded utterance has other features than the same by itself.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(max(CHECKED) + stride, generator=generator)

    def alone(samples: int) -> int:
        return int(encode([noise[:samples]])[0].shape[1])

    first = alone(BASE)
    steps = range(BASE + 1, BASE + stride + 1)
    step = bisect_left(steps, first + 1, key=alone)  # where the next frame begins
    if step == len(steps):
        return None
    count = FrameCount(stride, (first + 1) * stride - steps[step])
    waves = [noise[-samples:] for samples in CHECKED]
    single = [encode([wave]) for wave in waves]
    if any(layers[0].shape[1] != count(len(wave)) for wave, layers in zip(waves, single, strict=True)):
        return None
    together = encode(waves)
    for index, layers in enumerate(single):
        for layer, batched in zip(layers, together, strict=True):
            difference = (layer[0] - batched[index, : layer.shape[1]]).abs().max()
            if difference > TOLERANCE * layer.square().mean().sqrt():
                return None
    return count
