"""The upstream that serves stored features to s3prl's runner.

The runner hands it waves. Those of the downstream ``zero_shot_emotion`` are tickets then: the number of the
utterance's row, written into as many samples as the head shall see steps (one for a mean). With one sample a step,
s3prl's featurizer cuts and counts as always.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..features.store import FeatureStore, StoreError

PROBE = 16_000
"""Samples of noise with which s3prl's featurizer asks an upstream for the shape of its features."""


class UpstreamExpert(nn.Module):
    """Looks features up.

    Args:
        ckpt: folder of the store.
    """

    def __init__(self, ckpt: str | None) -> None:
        super().__init__()
        if ckpt is None:
            raise StoreError("-u stored: -k is missing, expected the folder of a store")
        self.store = FeatureStore(ckpt)
        self._probed = False

    def get_downsample_rates(self, key: str | None = None) -> int:
        """Samples a step: tickets have one."""
        return 1

    def forward(self, wavs: list[Tensor]) -> dict[str, Any]:
        """Features of tickets.

        Raises:
            StoreError: if the waves are no tickets but sound.
        """
        device = wavs[0].device
        if not self._probed and len(wavs) == 1 and len(wavs[0]) == PROBE:
            self._probed = True
            layers = torch.zeros(self.store.layers, 1, 1, self.store.width, device=device)
        else:
            layers = self._layers(self._rows(wavs)).to(device)
        states = list(layers.unbind(0))
        return {"hidden_states": states, **{name: states[i] for name, i in self.store.card["aliases"].items()}}

    def _rows(self, wavs: list[Tensor]) -> list[int]:
        """The rows that tickets name: the same in their first sample as in their last."""
        firsts = torch.stack([wave[0] for wave in wavs]).tolist()
        lasts = torch.stack([wave[-1] for wave in wavs]).tolist()
        for first, last in zip(firsts, lasts, strict=True):
            if first != last or not first.is_integer() or not 0 <= first < len(self.store):
                raise StoreError(
                    "-u stored: got sound, expected what the downstream zero_shot_emotion gives in its place; other "
                    "downstreams need the upstream itself"
                )
        return [int(first) for first in firsts]

    def _layers(self, rows: list[int]) -> Tensor:
        """Features of shape (layers, utterances, steps, width)."""
        features = [self.store.features(row) for row in rows]
        if self.store.keeps_means:
            return torch.stack(features, dim=1).unsqueeze(2)
        return pad_sequence(features, batch_first=True).float().permute(2, 0, 1, 3)
