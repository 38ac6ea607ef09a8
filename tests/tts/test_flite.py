import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tts import SpeechError, Voice, load_engine, speak
from tts.flite import BUILT_IN

SCRIPT = """#!/bin/sh
case "$1" in
  --version) echo "  version: stand-in-1" ;;
  -lv) echo "Voices available: slt rms awb_time" ;;
  -voice) [ "$4" = crash ] && {{ echo "no words" >&2; exit 3; }}; cp {wav} "$6" ;;
esac
"""


@pytest.fixture
def stand_in(tmp_path):
    """A program with flite's interface, which says the same whatever it is given."""
    from zero_shot_emotion.audio import write_audio

    audio = load_engine("espeak-ng").speak("Please sit down.", "en-us+f3/p50/r175")
    write_audio(tmp_path / "said.wav", audio)
    program = tmp_path / "flite-stand-in"
    program.write_text(SCRIPT.format(wav=tmp_path / "said.wav"))
    program.chmod(0o755)
    return load_engine("flite", json.dumps({"program": str(program)}))


def test_calls_of_the_program(stand_in):
    assert stand_in.version == "stand-in-1"
    assert stand_in.voices() == [Voice("rms", "en-us", "male"), Voice("slt", "en-us", "female")]
    assert stand_in.speak("Please sit down.", "slt").rate == 22050
    with pytest.raises(SpeechError, match="flite: voice 'slt': exit status 3 on 'crash': no words"):
        stand_in.speak("crash", "slt")
    with pytest.raises(SpeechError, match="flite: unknown voice 'awb_time', expected one of rms, slt"):
        stand_in.speak("hi", "awb_time")


def test_no_program():
    engine = load_engine("flite", json.dumps({"program": "no-such-flite"}))
    with pytest.raises(SpeechError, match=re.escape("flite: no program 'no-such-flite' on the path, expected flite 2")):
        engine.voices()


def test_own_voices(stand_in):
    settings = {"program": stand_in.settings.program, "voices": {"/voices/eey.flitevox": {"gender": "female"}}}
    engine = load_engine("flite", json.dumps(settings))
    assert engine.voices() == [Voice("/voices/eey.flitevox", "en", "female")]


def test_the_program_gets_ascii(stand_in, tmp_path):
    told = tmp_path / "told"
    Path(stand_in.settings.program).write_text(f'#!/bin/sh\n[ "$1" = -lv ] && echo ": slt" && exit\n'
                                               f'printf %s "$4" > {told}; cp {tmp_path}/said.wav "$6"\n')  # fmt: skip
    stand_in.speak("My fiancée’s naïve… “plans”.", "slt")
    assert told.read_text() == 'My fiancee\'s naive... "plans".'


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_letters_that_flite_does_not_know_are_said():
    engine = load_engine("flite")
    assert np.array_equal(engine.speak("My fiancée.", "slt").wave, engine.speak("My fiancee.", "slt").wave)


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_flite_itself(tiny, tmp_path):
    engine = load_engine("flite")
    assert {voice.id for voice in engine.voices()} <= set(BUILT_IN)
    digests = {}
    for voice in engine.voices():
        audio = engine.speak("Please sit down, we need to talk.", voice.id)
        assert 1.0 < audio.seconds < 4.0
        digests[voice.id] = sha256(audio.wave.tobytes()).hexdigest()
        again = engine.speak("Please sit down, we need to talk.", voice.id)
        assert sha256(again.wave.tobytes()).hexdigest() == digests[voice.id]
    assert len(set(digests.values())) == len(digests)
    assert len(speak(tiny, tmp_path / "out", engine="flite").corpus) == 6
