"""What the upstreams of this folder share: an utterance has as many frames as s3prl's featurizer will ask for.

The featurizer cuts an utterance of n samples to ``round(n / rate)`` frames, whatever the upstream gave; where the
upstream gave one fewer, it takes one of the batch's padding. Here an utterance's last frame stands in for it, as in
``s3prl.nn``, and nothing depends on the batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def frame_count(samples: int, rate: int) -> int:
    """Frames that s3prl's featurizer cuts an utterance to; at least one."""
    return max(1, round(samples / rate))


def frame(layers: Sequence[Tensor], samples: int, rate: int) -> list[Tensor]:
    """One utterance's layers, each (frames, width), in the number of frames that is asked for."""
    wanted = frame_count(samples, rate)
    index = torch.arange(wanted, device=layers[0].device).clamp(max=len(layers[0]) - 1)
    return [layer[index] for layer in layers]


def batch(utterances: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Layers of (utterances, frames, width) from each utterance's layers of (frames, width)."""
    return [pad_sequence(list(layer), batch_first=True) for layer in zip(*utterances, strict=True)]


def hidden_states(layers: list[Tensor]) -> dict[str, object]:
    """What s3prl expects of an upstream, with the names that ``-s`` may select."""
    named = {f"hidden_state_{index}": layer for index, layer in enumerate(layers)}
    return {"hidden_states": layers, "last_hidden_state": layers[-1], **named}
