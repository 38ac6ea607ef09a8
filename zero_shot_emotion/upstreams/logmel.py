"""Mean and standard deviation of log-mel bands over a clip: a classic baseline that needs no weights and no licence.

``-u logmel_functionals`` gives 80 numbers: of 40 bands each the mean, then each the standard deviation, in dB. They are
of the frames that speak, so that silence at the edges counts for nothing, and the means are relative to their average,
so that the recording's level does not either. As an upstream gives frames, the numbers stand in each frame of 10 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from .framing import frame_count, hidden_states

RATE = 160
SECOND = 16_000
WINDOW, FFT, BANDS = 400, 512, 40
LOWEST, HIGHEST = 20.0, 8000.0
"""Hz."""
ACTIVE_DB = 30.0
"""A frame speaks if it lies less than this below the loudest."""
RANGE_DB = 60.0
"""A band is never further below the loudest band of the clip: digital silence has no logarithm."""
TINY = 1e-20


class UpstreamExpert(nn.Module):
    """Log-mel functionals of each wave."""

    window: Tensor
    filters: Tensor

    def __init__(self) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks

        filters = melscale_fbanks(FFT // 2 + 1, LOWEST, HIGHEST, BANDS, SECOND, norm="slaney", mel_scale="slaney")
        self.register_buffer("window", torch.hann_window(WINDOW))
        self.register_buffer("filters", filters)

    def get_downsample_rates(self, key: str | None = None) -> int:
        """Samples a frame."""
        return RATE

    def forward(self, wavs: Sequence[Tensor]) -> dict[str, Any]:
        """Functionals of waves at 16 kHz."""
        found = [self.functionals(wave).expand(frame_count(len(wave), RATE), -1) for wave in wavs]
        return hidden_states([pad_sequence(found, batch_first=True)])

    def functionals(self, wave: Tensor) -> Tensor:
        """Means and deviations of the bands, shape (80,)."""
        padded = nn.functional.pad(wave, (0, max(0, FFT - len(wave))))
        spectrum = torch.stft(
            padded, FFT, RATE, WINDOW, self.window, center=True, pad_mode="constant", return_complex=True
        )
        power = self.filters.T @ spectrum.abs().square()  # (bands, frames)
        level = 10 * torch.log10(power.sum(dim=0) + TINY)
        bands = 10 * torch.log10(power + TINY)
        bands = bands.clamp(min=bands.max() - RANGE_DB)[:, level > level.max() - ACTIVE_DB]
        means = bands.mean(dim=1)
        return torch.cat([means - means.mean(), bands.std(dim=1, correction=0)])
