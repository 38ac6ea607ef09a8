"""Whisper's encoder as an upstream, without the 30 seconds of padding.

``-u whisper -k openai/whisper-small`` (a name on the Hugging Face hub, or a folder) gives the embeddings, the output of
each layer but the last, and the normalised output of the last, as transformers' ``WhisperEncoder`` does.

Whisper was trained on windows of exactly 30 s, zeros after the speech; of a clip of 4 s seven parts in eight of the
work are silence. Here the convolutions see the clip and a little of the silence behind it, so that each frame is the
padded original's, the positions are cut to the clip, and attention looks at the clip alone. The padded original's
attention looks at the silence as well, so its layers differ somewhat from the first on; on a full window the two
are the same. Longer clips are encoded in windows of 30 s, one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..hub_models import check_model
from .framing import batch, frame_count, hidden_states

RATE = 320
"""Samples a frame: a hop of 160, and a stride of two."""
HOP = 160
MARGIN = 1600
"""Samples of silence behind a clip: more than the window and the convolutions reach."""


class WhisperUpstreamError(UserError, ValueError):
    """A checkpoint that is not Whisper's."""


class UpstreamExpert(nn.Module):
    """Whisper's encoder.

    Args:
        ckpt: name or folder of a Whisper checkpoint.
    """

    def __init__(self, ckpt: str | None) -> None:
        from transformers import WhisperFeatureExtractor, WhisperModel

        super().__init__()
        if ckpt is None:
            raise WhisperUpstreamError("-u whisper: -k is missing, expected a name such as openai/whisper-small")
        try:
            check_model(ckpt)
        except OSError as error:
            raise WhisperUpstreamError(
                f"-u whisper: got -k {ckpt}, expected a Whisper model of the Hugging Face hub, or a folder that holds "
                f"one: {error}"
            ) from None
        self.extractor = WhisperFeatureExtractor.from_pretrained(ckpt)
        self.encoder = WhisperModel.from_pretrained(ckpt).get_encoder()
        self.window = self.encoder.config.max_source_positions * RATE

    def get_downsample_rates(self, key: str | None = None) -> int:
        """Samples a frame."""
        return RATE

    def forward(self, wavs: Sequence[Tensor]) -> dict[str, Any]:
        """Encode waves at 16 kHz."""
        pieces = [self._pieces(wave) for wave in wavs]
        encoded = iter(self.encode([piece for of_one in pieces for piece in of_one]))
        utterances = []
        for of_one in pieces:
            windows = [next(encoded) for _ in of_one]
            utterances.append([torch.cat(layer) for layer in zip(*windows, strict=True)])
        return hidden_states(batch(utterances))

    def _pieces(self, wave: Tensor) -> list[Tensor]:
        """Windows; what is left over joins no window and is no frame if it is shorter than half of one."""
        pieces = list(wave.split(self.window))
        if len(pieces) > 1 and round(len(pieces[-1]) / RATE) == 0:
            pieces.pop()
        return pieces

    def encode(self, pieces: Sequence[Tensor]) -> list[list[Tensor]]:
        """Encode waves of at most one window.

        Returns:
            Each wave's layers, of shape (frames, width).
        """
        encoder = self.encoder
        counts = [frame_count(len(piece), RATE) for piece in pieces]
        hidden = nn.functional.gelu(encoder.conv1(self._mel(pieces)))
        hidden = nn.functional.gelu(encoder.conv2(hidden)).transpose(1, 2)[:, : max(counts)]
        positions = torch.arange(hidden.shape[1], device=hidden.device)
        hidden = hidden + encoder.embed_positions(positions)
        mask = _mask(counts, hidden)
        states = []
        for layer in encoder.layers:
            states.append(hidden)
            hidden = layer(hidden, mask, layer_head_mask=None)[0]
        states.append(encoder.layer_norm(hidden))
        return [[state[index, :count] for state in states] for index, count in enumerate(counts)]

    def _mel(self, pieces: Sequence[Tensor]) -> Tensor:
        """Log-mel of (waves, bands, hops), each wave with a margin of silence, and no longer than the window."""
        longest = min(max(map(len, pieces)) + MARGIN, self.window)
        longest += -longest % (2 * HOP)
        extracted = self.extractor(
            [piece.detach().cpu().numpy() for piece in pieces],
            sampling_rate=self.extractor.sampling_rate,
            padding="max_length",
            max_length=longest,
            return_tensors="pt",
        )
        return extracted["input_features"].to(pieces[0].device)


def _mask(counts: Sequence[int], hidden: Tensor) -> Tensor | None:
    """What attention adds to padding, of shape (utterances, 1, 1, frames); none where there is no padding."""
    if min(counts) == hidden.shape[1]:
        return None
    frames = torch.arange(hidden.shape[1], device=hidden.device)
    padding = frames >= torch.tensor(counts, device=hidden.device).unsqueeze(1)
    mask = torch.zeros(padding.shape, dtype=hidden.dtype, device=hidden.device)
    mask.masked_fill_(padding, torch.finfo(hidden.dtype).min)
    return mask[:, None, None, :]
