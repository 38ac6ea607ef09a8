import json
import re

import pytest

from tests.tts.speech_server import serve, wav
from tts import SpeechError, Voice, load_engine, speak
from tts.endpoint import Endpoint, EndpointSettings
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.speech_server import KEY

WAV = {"content-type": "audio/wav"}
SOON = {"retry-after-ms": "20", "content-type": "application/json"}
VOICES = {"nova": {"gender": "female"}, "onyx": {"gender": "male"}, "lea": {"gender": "female", "language": "fr"}}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv(KEY, "sk-secret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def engine(url, **settings):
    return Endpoint(EndpointSettings(base_url=url, voices=VOICES, **settings))


def test_request_and_answer():
    with serve((200, WAV, wav(0.5))) as (url, requests):
        audio = engine(url, model="speaks").speak("Hello.", "nova/en")
    assert (audio.rate, audio.seconds) == (24000, 0.5)
    assert requests == [
        (
            "/v1/audio/speech",
            "Bearer sk-secret",
            {"input": "Hello.", "model": "speaks", "voice": "nova", "response_format": "wav"},
        )
    ]


def test_voices_speak_their_own_language_or_those_of_the_settings():
    assert engine(None, languages=("en", "de")).voices() == [
        Voice("lea", "fr", "female"),
        *(Voice(f"nova/{language}", language, "female") for language in ("en", "de")),
        *(Voice(f"onyx/{language}", language, "male") for language in ("en", "de")),
    ]
    assert {voice.gender for voice in load_engine("openai").voices()} == {"female", "male", None}


@pytest.mark.parametrize("trouble", [(429, SOON, b"{}"), (500, SOON, b"{}"), (503, SOON, b"{}"), None])
def test_trouble_that_passes(trouble):
    with serve(trouble, (200, WAV, wav())) as (url, requests):
        assert engine(url).speak("Hello.", "nova/en").seconds == 1.0
    assert len(requests) == 2


def test_trouble_that_stays_is_bounded():
    with serve((429, SOON, b'{"error": {"message": "slow down"}}')) as (url, requests):
        with pytest.raises(SpeechError, match=r"openai: the server answers 429: .*slow down.* for 'Hello.', voice"):
            engine(url, retries=2).speak("Hello.", "nova/en")
        assert len(requests) == 3


def test_the_key_is_in_no_message():
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-secret"}}).encode()
    with (
        serve((401, {"content-type": "application/json"}, body)) as (url, requests),
        pytest.raises(SpeechError, match=r"401: .*Incorrect API key provided: \*\*\*"),
    ):
        engine(url).speak("Hello.", "nova/en")
    assert len(requests) == 1


def test_a_header_that_leaves_the_length_open():
    content = bytearray(wav(0.5))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    with serve((200, WAV, bytes(content))) as (url, _):
        assert engine(url).speak("Hello.", "nova/en").seconds == 0.5


@pytest.mark.parametrize(
    ("headers", "content", "message"),
    [
        (
            {"content-type": "text/html"},
            b"<html>busy",
            "got 10 bytes of text/html for 'Hello.', expected WAV: b'<html>",
        ),
        (WAV, b"", "got 0 bytes of audio/wav for 'Hello.', expected WAV"),
        (WAV, wav(0.0), "got 44 bytes of audio/wav without samples for 'Hello.'"),
        (WAV, b"RIFFnoise", "got 9 bytes of audio/wav for 'Hello.', expected WAV: "),
    ],
)
def test_answers_that_are_no_speech(headers, content, message):
    with serve((200, headers, content)) as (url, _), pytest.raises(SpeechError, match=re.escape(message)):
        engine(url).speak("Hello.", "nova/en")


def test_a_server_that_is_slow_or_away():
    with pytest.raises(SpeechError, match="openai: APIConnectionError: "):
        engine("http://127.0.0.1:9/v1", retries=0, timeout=2).speak("Hello.", "nova/en")


def test_a_key_is_asked_for_where_openai_itself_is_meant(monkeypatch):
    monkeypatch.delenv(KEY)
    with pytest.raises(
        SpeechError, match=r"openai: OPENAI_API_KEY is not set, expected the key of https://api\.openai"
    ):
        engine(None).speak("Hello.", "nova/en")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"api_key": "sk-x"}, "engine openai: api_key: unknown key"),
        ({"base_url": "https://me:pw@host/v1"}, "a URL without user, password or query"),
        ({"retries": 99}, "engine openai: retries: got 99"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(SpeechError, match=re.escape(message)):
        load_engine("openai", json.dumps(wrong))


def test_corpus(tiny, tmp_path):
    with serve((200, WAV, wav(2.0))) as (url, requests):
        report = speak(
            Corpus("two", tiny.root, tiny.utterances[:3]),
            tmp_path / "out",
            engine="openai",
            settings={"base_url": url, "voices": VOICES},
        )
    assert {u.extra["voice"] for u in report.corpus} == {"nova/en", "onyx/en"}
    assert len(requests) == 3
    assert report.card["versions"]["openai"].startswith("gpt-4o-mini-tts at 127.0.0.1/v1 (openai ")
    assert all(b"sk-secret" not in p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
