"""Speech from Qwen3-TTS as a library, ``qwen-tts`` on PyPI (Apache-2.0): nine voices, ten languages, instructions."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from zero_shot_emotion.audio import Audio

from .method import InjectionError
from .torch_models import noise_of, on_gpu, place

LANGUAGES = {
    **{"zh": "Chinese", "cmn": "Chinese", "en": "English", "ja": "Japanese", "ko": "Korean", "de": "German"},
    **{"fr": "French", "ru": "Russian", "pt": "Portuguese", "es": "Spanish", "it": "Italian"},
}
"""What the model calls each language."""


def versions() -> dict[str, str]:
    """Of the library.

    Raises:
        InjectionError: if it is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {name: version(name) for name in ("qwen-tts", "torch", "transformers")}
    except PackageNotFoundError:
        raise InjectionError(
            "expressive: engine qwen3-tts needs the package qwen-tts: pip install 'zero-shot-emotion[qwen]'"
        ) from None


def speak(
    model: str, device: str, text: str, voice: str, language: str, instructions: str, rng: np.random.Generator
) -> Audio:
    """Have a text spoken; what the model samples depends on the generator alone.

    Raises:
        InjectionError: if the model cannot be loaded, does not know voice or language, or gives no sound.
    """
    tag = language.lower().partition("-")[0]
    if tag not in LANGUAGES:
        raise InjectionError(
            f"expressive: qwen3-tts does not speak {language!r}: expected one of {', '.join(LANGUAGES)}"
        )
    loaded = _load(model, place(device), on_gpu(device))
    with noise_of(rng):
        try:
            waves, rate = loaded.generate_custom_voice(
                text=text, speaker=voice, language=LANGUAGES[tag], instruct=instructions
            )
        except ValueError as error:  # an unknown voice, or a model that takes no instructions
            raise InjectionError(f"expressive: qwen3-tts, model {model}: {error}") from None
    wave = np.asarray(waves[0], dtype=np.float64)
    if not len(wave) or not np.any(wave):
        raise InjectionError(f"expressive: qwen3-tts has no sound for {text!r}")
    return Audio(wave, int(rate))


@cache
def _load(model: str, device: str, gpu: bool) -> Any:
    """The model, once a process."""
    import torch
    from qwen_tts import Qwen3TTSModel

    try:
        return Qwen3TTSModel.from_pretrained(model, device_map=device, dtype=torch.bfloat16 if gpu else torch.float32)
    except Exception as error:  # whatever a download or a foreign folder raises
        raise InjectionError(
            f"expressive: the model {model} cannot be loaded: {type(error).__name__}: {error}; expected a CustomVoice "
            "model of Qwen3-TTS at the hub or on disk"
        ) from error
