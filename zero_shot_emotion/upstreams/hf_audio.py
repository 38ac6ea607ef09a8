"""Any audio encoder of Hugging Face's transformers as an upstream: ``-u hf_audio -k NAME_OR_FOLDER``.

For whatever ``AutoModel`` and ``AutoFeatureExtractor`` load and that gives hidden states over time at 16 kHz:
wav2vec 2.0, HuBERT, WavLM, data2vec-audio, UniSpeech, SEW, wav2vec2-bert and their like. All hidden states come out,
whatever an
utterance is batched with: encoders whose features change with padding get each length by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UserError, in_short
from ..features.padding import FrameCount, probe
from ..hub_models import check_model
from .framing import batch, frame, hidden_states

SECOND = 16_000


class HfAudioError(UserError, ValueError):
    """A checkpoint that is no encoder of sound."""


class UpstreamExpert(nn.Module):
    """An encoder with its feature extractor.

    Args:
        ckpt: name or folder of a checkpoint.

    Raises:
        HfAudioError: if it is none for waves at 16 kHz, or gives no hidden states over time.
    """

    def __init__(self, ckpt: str | None) -> None:
        from transformers import AutoConfig, AutoFeatureExtractor, AutoModel

        super().__init__()
        if ckpt is None:
            raise HfAudioError("-u hf_audio: -k is missing, expected a name such as facebook/wav2vec2-base")
        config = _load(AutoConfig, ckpt)
        if config.model_type == "whisper":
            raise HfAudioError(f"-u hf_audio: {ckpt} is a Whisper checkpoint, expected -u whisper for it")
        self.extractor = _load(AutoFeatureExtractor, ckpt)
        rate = getattr(self.extractor, "sampling_rate", None)
        if rate != SECOND:
            raise HfAudioError(f"-u hf_audio: {ckpt}: sampling rate: got {rate}, expected {SECOND}")
        self.model = _load(AutoModel, ckpt).eval()
        self._rate = self._measured_rate(ckpt)
        self._frames: FrameCount | None = None
        with torch.no_grad():
            self._frames = probe(self._encode, self._rate)

    def get_downsample_rates(self, key: str | None = None) -> int:
        """Samples a frame."""
        return self._rate

    def _measured_rate(self, ckpt: str) -> int:
        """Samples a frame, to the next 80 (5 ms): a few seconds more have so many frames more."""
        with torch.no_grad():
            layers = [self._encode([torch.randn(seconds * SECOND)]) for seconds in (2, 10)]
        if layers[0][0].dim() != 3 or layers[1][0].shape[1] <= layers[0][0].shape[1]:
            raise HfAudioError(f"-u hf_audio: {ckpt}: gives no hidden states over time")
        return 80 * round(8 * SECOND / (layers[1][0].shape[1] - layers[0][0].shape[1]) / 80)

    def _encode(self, waves: Sequence[Tensor]) -> list[Tensor]:
        """Hidden states of (utterances, frames, width), in a batch with padding and mask."""
        device = next(self.model.parameters()).device
        inputs = self.extractor(
            [wave.detach().cpu().numpy() for wave in waves],
            sampling_rate=SECOND,
            padding=True,
            return_attention_mask=True,
            return_tensors="pt",
        ).to(device)
        return list(self.model(**inputs, output_hidden_states=True).hidden_states)

    def forward(self, wavs: Sequence[Tensor]) -> dict[str, Any]:
        """Encode waves at 16 kHz."""
        groups: dict[int, list[int]] = defaultdict(list)
        for index, wave in enumerate(wavs):
            groups[0 if self._frames is not None else len(wave)].append(index)
        utterances: dict[int, list[Tensor]] = {}
        for indices in groups.values():
            layers = self._encode([wavs[index] for index in indices])
            for place, index in enumerate(indices):
                samples = len(wavs[index])
                count = layers[0].shape[1] if self._frames is None else max(1, self._frames(samples))
                utterances[index] = frame([layer[place, :count] for layer in layers], samples, self._rate)
        return hidden_states(batch([utterances[index] for index in range(len(wavs))]))


def _load(auto: Any, ckpt: str) -> Any:
    """A part of a checkpoint, by one of transformers' auto classes.

    Raises:
        HfAudioError: if it is not there.
    """
    try:
        check_model(ckpt)
        return auto.from_pretrained(ckpt)
    except (OSError, ValueError, KeyError) as error:
        raise HfAudioError(
            f"-u hf_audio: got -k {ckpt}, expected an audio encoder of the Hugging Face hub, or a folder that holds "
            f"one: {in_short(error)}"
        ) from None
