"""PocketSphinx (an optional package): English speech recognition whose model comes in the wheel.

Far from Whisper in what it gets right; it is there where nothing can be downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np

from ..audio import RATE, Audio
from . import recogniser


class PocketSphinx:
    """Speech recognition of the years before neural networks.

    Args:
        settings: its own.
    """

    class Settings(recogniser.Settings):
        """There is nothing that it can be told."""

    languages = frozenset({"en"})

    def __init__(self, settings: PocketSphinx.Settings) -> None:
        self.settings = settings

    @staticmethod
    def versions() -> Mapping[str, str]:
        return {"pocketsphinx": version("pocketsphinx")}

    def transcribe(self, audios: Sequence[Audio], language: str | None = None) -> list[str]:
        return [self._hear(audio) for audio in audios]

    def _hear(self, audio: Audio) -> str:
        from pocketsphinx import Decoder

        # one for each utterance: a decoder adapts its cepstral mean to what it heard before
        decoder = Decoder(samprate=RATE, loglevel="FATAL")
        decoder.start_utt()
        samples = np.clip(audio.wave * 32767, -32768, 32767).astype("<i2")
        decoder.process_raw(samples.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        return "" if heard is None else str(heard.hypstr)
