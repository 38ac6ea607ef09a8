"""Neutral speech: from a corpus of texts to a corpus of speech, each speaker in a voice of their own."""

from .casting import CastingError, cast, speaker_key
from .engine import Engine, SpeechError, Voice, load_engine
from .quality import Quality
from .speak import speak

__all__ = ["CastingError", "Engine", "Quality", "SpeechError", "Voice", "cast", "load_engine", "speak", "speaker_key"]
