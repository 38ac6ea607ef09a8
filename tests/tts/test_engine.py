from importlib.metadata import EntryPoint

import pytest

from tts import SpeechError, Voice, load_engine
from zero_shot_emotion import registry


class Hum:
    """An engine of a user's own."""

    version = "1"

    def voices(self):
        return [Voice("hum", "en")]


def test_unknown_engine():
    with pytest.raises(
        SpeechError, match=r"^engine: got 'flute', expected one of coqui, espeak-ng, flite, openai, piper$"
    ):
        load_engine("flute")


def test_own_engine_by_entry_point(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [EntryPoint("hum", f"{__name__}:Hum", group)])
    monkeypatch.setattr(EntryPoint, "load", lambda self: Hum)
    load_engine.cache_clear()
    try:
        assert load_engine("hum").voices() == [Voice("hum", "en")]
    finally:
        load_engine.cache_clear()


def test_an_engine_is_made_once():
    assert load_engine("espeak-ng") is load_engine("espeak-ng")
