"""Whisper through CTranslate2 (faster-whisper, an optional package)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np

from ..audio import Audio
from ..errors import in_short
from . import recogniser
from .recogniser import RecognitionError

COPIED = ("tokenizer.json", "preprocessor_config.json")
"""Of transformers' checkpoint: without them a tokenizer is looked for on the net, and 80 mel bands are supposed."""
FILES = ("model.bin", "tokenizer.json")


class FasterWhisper:
    """Speech recognition with a Whisper model that was converted to CTranslate2.

    Args:
        settings: its own.
    """

    class Settings(recogniser.Settings):
        """What it can be told.

        Attributes:
            model: of the hub by its size or name, or the folder of a converted one.
            language: spoken; by default each utterance's is detected.
            task: ``translate`` writes English, whatever is spoken.
            device: ``cpu``, ``cuda`` or ``auto``.
            compute_type: of CTranslate2.
            beam_size: of the search.
        """

        model: str = "base.en"
        language: str | None = None
        task: Literal["transcribe", "translate"] = "transcribe"
        device: str = "auto"
        compute_type: str = "default"
        beam_size: int = 5

    def __init__(self, settings: FasterWhisper.Settings) -> None:
        from faster_whisper import WhisperModel

        self.settings = settings
        if (folder := Path(settings.model)).is_dir() and (lacking := [n for n in FILES if not (folder / n).exists()]):
            raise RecognitionError(
                f"recogniser faster-whisper: model: {folder} lacks {', '.join(lacking)}, expected what "
                f"ct2-transformers-converter --copy_files {' '.join(COPIED)} writes"
            )
        try:
            self._model = WhisperModel(settings.model, device=settings.device, compute_type=settings.compute_type)
        except (OSError, ValueError, RuntimeError) as error:
            raise RecognitionError(
                f"recogniser faster-whisper: model: got {settings.model!r}, expected a Whisper model in CTranslate2's "
                f"format: {in_short(error)}"
            ) from None
        self.languages = frozenset(self._model.supported_languages)

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {package: version(package) for package in ("faster-whisper", "ctranslate2")}

    def transcribe(self, audios: Sequence[Audio], language: str | None = None) -> list[str]:
        options = {
            "language": self.settings.language or language,
            "task": self.settings.task,
            "beam_size": self.settings.beam_size,
            "temperature": 0.0,  # its fallback to sampling would make transcripts random
            "condition_on_previous_text": False,
        }
        texts = []
        for audio in audios:
            segments, _ = self._model.transcribe(audio.wave.astype(np.float32), **options)
            texts.append(" ".join(segment.text.strip() for segment in segments))
        return texts
