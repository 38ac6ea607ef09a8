"""openSMILE's eGeMAPSv02 as upstreams: a classic baseline that needs no weights.

``-u egemaps`` gives the 88 functionals of a whole clip (Eyben et al., IEEE Transactions on Affective Computing 7(2), 2016),
``-u egemaps_lld`` its 25 low-level descriptors every 10 ms. An upstream gives frames, so the functionals stand in each
frame of 10 ms: their mean over the clip is the functionals themselves.

Needs the package ``opensmile`` (``pip install zero-shot-emotion[egemaps]``), whose licence allows research and private
use; commercial products need a licence of audEERING. The values are in their own units (semitones, Hz, dB): a
linear head learns little from them as they are, so ``-g`` takes a JSON file ``{"mean": [...], "std": [...]}`` by which
they are standardised. It must come from other speech than the target's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..errors import UserError
from .framing import frame_count, hidden_states

RATE = 160
SECOND = 16_000
Level = Literal["functionals", "lld"]


class EgemapsError(UserError, RuntimeError):
    """openSMILE that is not there, or standardisation that does not fit."""


class UpstreamExpert(nn.Module):
    """openSMILE's features of each wave.

    Args:
        level: ``functionals`` of the clip, or ``lld`` every 10 ms.
        model_config: a JSON file of means and standard deviations, to standardise by.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, level: Level, model_config: str | None = None) -> None:
        super().__init__()
        try:
            import opensmile
        except ImportError:
            raise EgemapsError(
                "-u egemaps: needs the package opensmile (research and private use): "
                "pip install 'zero-shot-emotion[egemaps]'"
            ) from None
        feature_level = {"functionals": "Functionals", "lld": "LowLevelDescriptors"}[level]
        self._level = level
        self._smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel[feature_level]
        )
        width = len(self._smile.feature_names)
        mean, std = _standardisation(model_config, width) if model_config else (np.zeros(width), np.ones(width))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    @property
    def names(self) -> list[str]:
        """The features, in openSMILE's names."""
        return list(self._smile.feature_names)

    def get_downsample_rates(self, key: str | None = None) -> int:
        """Samples a frame."""
        return RATE

    def forward(self, wavs: Sequence[Tensor]) -> dict[str, Any]:
        """Features of waves at 16 kHz."""
        frames = pad_sequence([self._frames(wave) for wave in wavs], batch_first=True)
        return hidden_states([(frames - self.mean) / self.std])

    def _frames(self, wave: Tensor) -> Tensor:
        values = self._smile.process_signal(wave.detach().cpu().numpy(), SECOND).to_numpy(dtype=np.float32)
        wanted = frame_count(len(wave), RATE)
        index = np.minimum(np.arange(wanted), len(values) - 1)
        return torch.from_numpy(values[index]).to(wave.device)


def _standardisation(path: str, width: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        mean, std = (np.asarray(content[name], dtype=float) for name in ("mean", "std"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EgemapsError(f"-g {path}: expected a JSON file with lists 'mean' and 'std': {error!r}") from None
    if mean.shape != (width,) or std.shape != (width,) or not (std > 0).all():
        raise EgemapsError(f"-g {path}: expected {width} means and {width} standard deviations above 0")
    return mean, std
