"""Whisper through transformers: any of its checkpoints, by name or folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import numpy as np

from .. import pretrained
from ..audio import RATE, Audio
from ..batches import Batcher
from . import recogniser

WINDOW = 30 * RATE
"""Samples that Whisper hears at once."""


class Whisper:
    """Speech recognition in about a hundred languages. Longer audio is heard in windows of 30 s.

    Args:
        settings: its own.
    """

    hub_models = ("model",)

    class Settings(recogniser.Settings):
        """What it can be told.

        Attributes:
            model: by name or folder.
            revision: of the hub.
            language: spoken, such as ``en``; by default each utterance's is detected. An English-only checkpoint
                takes none.
            task: ``translate`` writes English, whatever is spoken: for labellers that read English alone.
            device: of torch; by default a GPU if there is one.
            batch: windows at once; halved for the rest of the run where memory does not suffice.
            max_tokens: of a window.
            half: compute in 16 bits on a GPU.
        """

        model: str = "openai/whisper-base.en"
        revision: str | None = None
        language: str | None = None
        task: Literal["transcribe", "translate"] = "transcribe"
        device: str | None = None
        batch: int = 16
        max_tokens: int = 200
        half: bool = True

    def __init__(self, settings: Whisper.Settings) -> None:
        import torch
        from transformers import WhisperForConditionalGeneration, WhisperProcessor

        self.settings = settings
        self._device = pretrained.device_of(settings.device)
        self._dtype = torch.float16 if settings.half and self._device.startswith("cuda") else torch.float32
        key, name, revision = "recogniser whisper: model", settings.model, settings.revision
        self._processor = pretrained.load(WhisperProcessor, key, name, revision)
        model = pretrained.load(WhisperForConditionalGeneration, key, name, revision, dtype=self._dtype)
        self._model = model.to(self._device).eval()
        told = model.generation_config
        self._multilingual = bool(getattr(told, "is_multilingual", False))
        names = (token.strip("<|>") for token in getattr(told, "lang_to_id", None) or {})
        self.languages = frozenset(names) if self._multilingual else frozenset({"en"})
        self._batcher = Batcher(settings.batch)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return pretrained.versions()

    def transcribe(self, audios: Sequence[Audio], language: str | None = None) -> list[str]:
        windows = [
            (number, audio.wave[start : start + WINDOW])
            for number, audio in enumerate(audios)
            for start in range(0, len(audio.wave), WINDOW)
        ]
        texts = self._batcher.run(
            [wave for _, wave in windows], [1] * len(windows), partial(self._forward, language=language)
        )
        heard: list[list[str]] = [[] for _ in audios]
        for (number, _), text in zip(windows, texts, strict=True):
            heard[number].append(text.strip())
        return [" ".join(parts) for parts in heard]

    def _forward(self, waves: Sequence[np.ndarray], language: str | None) -> list[str]:
        import torch

        spoken = {"language": self.settings.language or language, "task": self.settings.task}
        inputs = self._processor(
            [np.asarray(wave, dtype=np.float32) for wave in waves],
            sampling_rate=RATE,
            return_tensors="pt",
            return_attention_mask=True,
        )
        with torch.inference_mode():
            tokens = self._model.generate(
                input_features=inputs.input_features.to(self._device, self._dtype),
                attention_mask=inputs.attention_mask.to(self._device),
                max_new_tokens=self.settings.max_tokens,
                do_sample=False,
                **(spoken if self._multilingual else {}),
            )
        texts: list[str] = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return texts
