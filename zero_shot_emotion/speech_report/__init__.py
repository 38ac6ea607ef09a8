"""The speech report: what gives the class away in each stage of a corpus, and how far it lies from real speech."""

from .write import write_speech_report

__all__ = ["write_speech_report"]
