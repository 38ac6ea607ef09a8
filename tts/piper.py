"""Piper, where the package ``piper-tts`` is installed: VITS voices as local ``.onnx`` files.

The package is under the GPL and its voices are downloads, so neither is a dependency. Piper's graphs draw
their noise inside onnxruntime, where no utterance can be given a seed, so the noise is set to zero: the
sound depends on the text and the voice alone, and lies nearer to the voice's average.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from zero_shot_emotion.audio import Audio

from .engine import Settings, SpeechError, Voice
from .voice_list import VoiceFacts, VoiceList, check_voice, in_one_language, read_voices


class PiperSettings(Settings):
    """What the engine ``piper`` can be told.

    Attributes:
        models: ``.onnx`` files, each with its ``.onnx.json`` beside it.
        voices: genders, see `tts.voice_list`, by the voices' ids: the file's name without ``.onnx``, and
            ``NAME#SPEAKER`` for each speaker of a model that has several. Only voices of the list are cast.
    """

    models: tuple[Path, ...] = Field(min_length=1)
    voices: VoiceList | None = None


class Piper:
    """The engine ``piper``."""

    Settings = PiperSettings

    def __init__(self, settings: PiperSettings) -> None:
        self.settings = settings

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        return f"piper-tts {_package_version()}; give models=FILE.onnx"

    @cached_property
    def version(self) -> str:
        digest = sha256()
        for path in self.settings.models:
            digest.update(_config_of(path).read_bytes())
            digest.update(path.read_bytes())
        return f"{_package_version()} (files {digest.hexdigest()[:12]})"

    def voices(self) -> Sequence[Voice]:
        return [
            voice
            for path in self.settings.models
            for voice in in_one_language(self._ids(path), self._facts, _language(_config(path)))
            if not self._facts or voice.id in self._facts
        ]

    def speak(self, text: str, voice_id: str) -> Audio:
        check_voice("piper", voice_id, (voice.id for voice in self.voices()))
        name, _, speaker = voice_id.partition("#")
        path = next(path for path in self.settings.models if path.stem == name)
        speaker_id = _config(path)["speaker_id_map"][speaker] if speaker else None
        return _synthesise(path, text, speaker_id)

    @cached_property
    def _facts(self) -> Mapping[str, VoiceFacts]:
        return {} if self.settings.voices is None else read_voices(self.settings.voices)

    def _ids(self, path: Path) -> list[str]:
        speakers = _config(path).get("speaker_id_map") or {}
        return [f"{path.stem}#{speaker}" for speaker in speakers] or [path.stem]


@cache
def _load(path: Path) -> Any:
    _package_version()
    from piper import PiperVoice

    return PiperVoice.load(path)


def _synthesise(path: Path, text: str, speaker_id: int | None) -> Audio:
    voice = _load(path)
    from piper import SynthesisConfig

    config = SynthesisConfig(speaker_id=speaker_id, noise_scale=0.0, noise_w_scale=0.0, normalize_audio=False)
    chunks = list(voice.synthesize(text, syn_config=config))
    if not chunks:
        raise SpeechError(f"piper: {path.name} has no sound for the text {text!r}")
    return Audio(np.concatenate([chunk.audio_float_array for chunk in chunks]), chunks[0].sample_rate)


@cache
def _config(path: Path) -> Any:
    if not path.is_file() or not _config_of(path).is_file():
        raise SpeechError(f"piper: {path}: expected an .onnx file with its .onnx.json beside it")
    return json.loads(_config_of(path).read_text(encoding="utf-8"))


def _config_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _language(config: Mapping[str, Any]) -> str:
    """The voice's language code, such as ``en_GB``, or that of the espeak-ng voice that makes its phonemes."""
    return str(config.get("language", {}).get("code") or config["espeak"]["voice"])


def _package_version() -> str:
    try:
        return version("piper-tts")
    except PackageNotFoundError:
        raise SpeechError("piper: the package is not installed (pip install piper-tts)") from None
