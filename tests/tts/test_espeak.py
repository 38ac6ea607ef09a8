import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from tts import SpeechError, load_engine

SENTENCE = "Please sit down, we need to talk."
VOICE = "en-us+f3/p50/r175"


@pytest.fixture(scope="module")
def espeak():
    return load_engine("espeak-ng")


def digest(audio):
    return sha256(audio.wave.tobytes()).hexdigest()


def english(engine):
    return [voice for voice in engine.voices() if voice.language.startswith("en")]


def test_voices_have_ids_languages_and_genders(espeak):
    voices = espeak.voices()
    assert len({voice.id for voice in voices}) == len(voices)
    assert {voice.gender for voice in english(espeak)} == {"female", "male"}
    assert len(english(espeak)) > 500
    assert {"en-us", "en-gb", "en-gb-scotland", "cmn", "de", "fr-fr", "es", "it", "pl"} <= {v.language for v in voices}
    assert not any("latn" in voice.language for voice in voices)


def test_genders_are_those_of_the_data(espeak):
    folder = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
    for voice in english(espeak):
        variant = voice.id.partition("+")[2].partition("/")[0]
        stated = re.search(r"^gender\s+(\w+)", (folder / variant).read_text(encoding="utf-8"), re.MULTILINE)
        assert stated[1].lower() == voice.gender, voice


def test_every_english_voice_speaks_and_no_two_alike(espeak):
    seen = set()
    for voice in english(espeak):
        audio = espeak.speak("Hello there.", voice.id)
        assert audio.rate == 22050
        assert 0.3 < audio.seconds < 1.5, voice
        assert 0.02 < np.abs(audio.wave).max() < 0.99, voice
        seen.add(digest(audio))
    assert len(seen) == len(english(espeak))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("cmn", "你今天怎么样?"),
        ("de", "Guten Tag, wie geht es?"),
        ("es", "Hola, ¿qué tal?"),
        ("fr-fr", "Bonjour, ça va?"),
        ("it", "Ciao, come stai?"),
        ("pl", "Dzień dobry, jak się masz?"),
    ],
)
def test_other_languages_speak(espeak, language, text):
    voice = next(v for v in espeak.voices() if v.language == language)
    assert 0.5 < espeak.speak(text, voice.id).seconds < 4


def test_a_sentence_lasts_as_long_as_people_take(espeak):
    assert 1.2 < espeak.speak(SENTENCE, VOICE).seconds < 2.5


@pytest.mark.parametrize("voice", [VOICE, "en-gb+Alicia/p40/r160", "cmn+m8/p70/r175"])
def test_sound_depends_on_text_and_voice_alone(espeak, voice):
    first = digest(espeak.speak(SENTENCE, voice))
    espeak.speak("Something else was spoken before.", "en-029+f2/p60/r190")
    assert digest(espeak.speak(SENTENCE, voice)) == first
    script = (
        "from hashlib import sha256; from tts import load_engine; "
        f"print(sha256(load_engine('espeak-ng').speak({SENTENCE!r}, {voice!r}).wave.tobytes()).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert fresh.stdout.strip() == first


def test_threads_do_not_disturb_each_other(espeak):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(lambda _: digest(espeak.speak(SENTENCE, VOICE)), range(12)))
    assert len(digests) == 1


def test_a_new_process_goes_on_where_one_has_aged(espeak, monkeypatch):
    first = digest(espeak.speak(SENTENCE, VOICE))
    monkeypatch.setattr("tts.espeak.LIFE", 1)
    assert [digest(espeak.speak(SENTENCE, VOICE)) for _ in range(3)] == [first] * 3


def test_a_crash_is_an_error_of_one_text(espeak):
    first = digest(espeak.speak(SENTENCE, VOICE))
    espeak._speaker._process.kill()
    with pytest.raises(SpeechError, match=re.escape("espeak-ng: voice 'gmw/en-US+f3': crashed on 'Please sit down")):
        espeak.speak(SENTENCE, VOICE)
    assert digest(espeak.speak(SENTENCE, VOICE)) == first


@pytest.mark.filterwarnings("ignore:pkg_resources")
def test_pace_and_pitch_are_part_of_the_voice(espeak):
    import pyworld

    def seconds(rate):
        return espeak.speak(SENTENCE, f"en-us+f3/p50/r{rate}").seconds

    def median_f0(pitch):
        audio = espeak.speak(SENTENCE, f"en-us+f1/p{pitch}/r175")
        f0, _ = pyworld.dio(audio.wave.astype(np.float64), audio.rate)
        return np.median(f0[f0 > 0])

    assert seconds(140) > 1.2 * seconds(190)
    assert median_f0(60) > 1.1 * median_f0(40)


@pytest.mark.parametrize(
    ("text", "voice", "message"),
    [
        ("", VOICE, "espeak-ng: the text is empty, expected words to speak"),
        ("  \n", VOICE, "espeak-ng: the text is empty, expected words to speak"),
        ("?!", VOICE, "espeak-ng: voice 'en-us+f3/p50/r175' has no sound for the text '?!'"),
        ("hi", "f3", "espeak-ng: voice 'f3': expected a form like 'en-us+f3/p50/r175'"),
        ("hi", "en-us+whisper/p50/r175", "espeak-ng: voice 'en-us+whisper/p50/r175': unknown variant, expected one of"),
        ("hi", "xx+f3/p50/r175", "espeak-ng: voice 'xx+f3/p50/r175': unknown language, expected one of af, am"),
        ("hi", "en-us+f3/p50/r999", "espeak-ng: voice 'en-us+f3/p50/r999': got 999 words a minute, expected 80 to 450"),
    ],
)
def test_errors(espeak, text, voice, message):
    with pytest.raises(SpeechError, match=re.escape(message)):
        espeak.speak(text, voice)
