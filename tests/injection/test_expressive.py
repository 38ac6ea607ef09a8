import re
import sys
from types import ModuleType

import numpy as np
import pytest

from injection import InjectionError, inject, load_method, qwen_speech
from injection.instructions import load_instructions
from injection.loudness import REFERENCE_DB
from tests.injection.tiny_qwen import write_tiny_qwen
from tests.tts.speech_server import serve, wav
from zero_shot_emotion.acoustics import active_level
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.labels import SEVEN
from zero_shot_emotion.corpus.stage import StageError
from zero_shot_emotion.speech_server import KEY

WAV = {"content-type": "audio/wav"}
SOON = {"retry-after-ms": "20", "content-type": "application/json"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv(KEY, "sk-secret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def text(tmp_path):
    """Two speakers, text alone."""
    lines = [
        Utterance(id="a-0", text="Go away.", label="ang", speaker="a", gender="female", language="en"),
        Utterance(id="b-1", text="It is Monday.", label="neu", speaker="b", gender="male", language="en"),
        Utterance(id="a-2", text="I miss him.", label="sad", speaker="a", gender="female", language="en"),
    ]
    return Corpus("text", tmp_path, tuple(lines))


def test_each_line_is_asked_for_with_the_instruction_of_its_emotion(text, tmp_path):
    with serve((200, WAV, wav(0.5))) as (url, requests):
        settings = {"base_url": url, "model": "speaks", "concurrency": 1}
        report = inject(text, tmp_path / "out", method="expressive", settings=settings)
    bodies = {body["input"]: body for _, _, body in requests}
    instructions = load_instructions("acted")
    assert [path for path, *_ in requests] == ["/v1/audio/speech"] * 3
    for utterance in report.corpus:
        injection, body = utterance.extra["injection"], bodies[utterance.text]
        expected = instructions.say(utterance.label, 1)
        assert body == {
            "input": utterance.text,
            "model": "speaks",
            "voice": injection["parameters"]["voice"],
            "instructions": expected,
            "response_format": "wav",
        }
        assert injection == {
            "method": "expressive",
            "emotion": utterance.label,
            "intensity": 1.0,
            "parameters": {"instructions": expected, "voice": body["voice"], "model": "speaks"},
        }
        audio = read_audio(report.corpus.audio_path(utterance), rate=None)
        assert audio.rate == 24_000
        assert active_level(audio.wave, audio.rate) == pytest.approx(REFERENCE_DB, abs=0.2)
    voices = {u.id: u.extra["injection"]["parameters"]["voice"] for u in report.corpus}
    assert voices["a-0"] == voices["a-2"]
    assert voices["a-0"] in {"coral", "nova", "sage", "shimmer"}
    assert voices["b-1"] in {"ash", "ballad", "echo", "fable", "onyx", "verse"}
    card = (tmp_path / "out" / "corpus.json").read_text()
    assert "sk-secret" not in card
    assert report.card["config"]["instructions"]["name"] == "acted"
    assert set(report.card["config"]["versions"]) == {"openai"}


def test_lines_tell_of_the_voice_that_is_heard_and_not_of_speech_that_was_there_before(text, tmp_path):
    before = {"voice": "en-us+f3/p50/r175", "engine": "espeak-ng", "seconds": 1.2, "takes": 2, "spoken": "Go off."}
    corpus = Corpus("spoken", text.root, tuple(u.with_(**before) for u in text))
    with serve((200, WAV, wav(0.5))) as (url, _):
        settings = {"base_url": url, "voice": "coral", "concurrency": 1}
        made = list(inject(corpus, tmp_path / "out", method="expressive", settings=settings).corpus)
    for utterance in made:
        assert {key: value for key, value in utterance.extra.items() if key != "injection"} == {
            "voice": "coral",
            "spoken": "Go off.",
        }


def test_the_neutral_control_is_spoken_neutrally_in_the_same_voice(text, tmp_path):
    with serve((200, WAV, wav(0.5))) as (url, _):
        settings = {"base_url": url, "concurrency": 1}
        made, control = (
            {
                u.id: u.extra["injection"]["parameters"]
                for u in inject(
                    text, tmp_path / str(neutral), method="expressive", settings=settings, neutral=neutral
                ).corpus
            }
            for neutral in (False, True)
        )
    assert {p["instructions"] for p in control.values()} == {load_instructions("acted").neutral}
    assert {i: p["voice"] for i, p in made.items()} == {i: p["voice"] for i, p in control.items()}


def test_trouble_that_passes_is_waited_for(text, tmp_path):
    alone = Corpus("one", text.root, text.utterances[:1])
    with serve((429, SOON, b"{}"), (500, SOON, b"{}"), (200, WAV, wav())) as (url, requests):
        inject(alone, tmp_path / "out", method="expressive", settings={"base_url": url, "concurrency": 1})
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            (401, {"content-type": "application/json"}, b'{"error": {"message": "Incorrect API key: sk-secret"}}'),
            r"the server answers 401: .*Incorrect API key: \*\*\*.* for 'Go away.', voice",
        ),
        (
            (200, {"content-type": "application/json"}, b'{"no": "wav"}'),
            r"got 13 bytes of application/json for 'Go away.', expected WAV: b'\{\"no\": \"wav\"\}'",
        ),
    ],
)
def test_trouble_that_stays_is_told_without_the_key(text, tmp_path, answer, message):
    alone = Corpus("one", text.root, text.utterances[:1])
    settings = {"retries": 0, "concurrency": 1}
    with serve(answer) as (url, _), pytest.raises(StageError, match=message) as caught:
        inject(alone, tmp_path / "out", method="expressive", settings={"base_url": url, **settings})
    assert "sk-secret" not in str(caught.value)


def test_a_text_that_is_missing_is_named_before_any_work(text, tmp_path):
    silent = Corpus("text", text.root, (*text.utterances, Utterance(id="c-3", label="ang")))
    with pytest.raises(CorpusError, match=r"corpus 'text': the utterance 'c-3' has no text to speak"):
        inject(silent, tmp_path / "out", method="expressive")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "magic"}, "injection method expressive: engine: got 'magic', expected 'openai'"),
        ({"base_url": "http://me:secret@here/v1"}, "a URL without user, password or query"),
        (
            {"tempo": 3},
            "injection method expressive: tempo: unknown key, expected one of ",
        ),
    ],
)
def test_errors_in_settings(settings, message):
    with pytest.raises(InjectionError, match=re.escape(message)):
        load_method("expressive", settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"voices": "nobody"}, "^voices: got 'nobody', expected the path of a .yaml file or one of openai"),
        ({"instructions": "loud"}, "^injection/expressive: got 'loud', expected the path of a .yaml"),
    ],
)
def test_lists_that_are_not_there(settings, message):
    with pytest.raises(MissingConfigError, match=message):
        load_method("expressive", settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("people: {}", "voices: missing"),
        ("voices: [nova]", "voices: got ['nova'], expected a mapping"),
        ("voices: {nova: {gender: femal}}", "voices.nova.gender: got 'femal', expected 'female' or"),
        ("voices: [", "expected YAML: while parsing a flow node, expected the node content"),
    ],
)
def test_wrong_lists_of_voices(tmp_path, content, message):
    path = tmp_path / "voices.yaml"
    path.write_text(content)
    with pytest.raises(InjectionError, match=re.escape(f"{path}: {message}")):
        load_method("expressive", {"voices": str(path)})


def test_instructions_tell_degree_and_manner():
    instructions = load_instructions("acted")
    assert {*instructions.emotions, "neu"} == set(SEVEN.classes)
    said = [instructions.say("ang", intensity) for intensity in (0, 0.3, 0.5, 1, 2)]
    assert said[0] == instructions.say("neu", 1) == instructions.neutral
    assert [re.match(r"Speak in (\w+ \w+) angry voice\. Fast and loud", s)[1] for s in said[1:]] == [
        "a slightly",
        "a clearly",
        "a very",
        "an extremely",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("template: Be $mood.", "template: got 'Be $mood.', expected no other words with a dollar than"),
        ("degrees: [{up_to: 1, say: a}, {up_to: 1, say: b}]", "expected rising numbers in up_to"),
        ("degrees: []", "degrees: got [], expected "),
        ("emotions: {ang: {}}", "emotions.ang.emotion: missing"),
    ],
)
def test_errors_in_instructions(tmp_path, change, message):
    good = {
        "description": "x",
        "template": "$degree $emotion",
        "degrees": "[{up_to: 1, say: a}]",
        "neutral": "plain",
        "emotions": "{}",
    }
    key, _, value = change.partition(": ")
    path = tmp_path / "bad.yaml"
    path.write_text("".join(f"{k}: {v}\n" for k, v in {**good, key: value}.items()))
    with pytest.raises(InjectionError, match=re.escape(f"{path}: ") + ".*" + re.escape(message)):
        load_instructions(path)


@pytest.fixture
def qwen(monkeypatch):
    """A stub of qwen-tts's class ``Qwen3TTSModel``: the library pins another transformers than the tests."""
    import torch

    calls = []

    class Qwen3TTSModel:
        @classmethod
        def from_pretrained(cls, name, **options):
            calls.append((name, options))
            return cls()

        def generate_custom_voice(self, text, speaker, language=None, instruct=None):
            if speaker == "nobody":
                raise ValueError("Unsupported speakers: ['nobody']")
            calls.append((text, speaker, language, instruct))
            return [0.1 * torch.randn(24_000).numpy()], 24_000

    module = ModuleType("qwen_tts")
    module.Qwen3TTSModel = Qwen3TTSModel
    monkeypatch.setitem(sys.modules, "qwen_tts", module)
    monkeypatch.setattr(qwen_speech, "versions", lambda: {"qwen-tts": "stub"})
    qwen_speech._load.cache_clear()
    yield calls
    qwen_speech._load.cache_clear()


def test_qwen_is_called_as_its_class_wants(qwen, text, tmp_path):
    settings = {"engine": "qwen3-tts", "device": "cpu"}
    first, again = (
        inject(text, tmp_path / name, method="expressive", settings=settings).corpus for name in ("one", "two")
    )
    (name, options), *asked = qwen
    assert name == "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice"
    assert options["device_map"] == "cpu"
    assert [(t, language) for t, _, language, _ in asked[:3]] == [(u.text, "English") for u in text]
    assert [instruct for *_, instruct in asked[:3]] == [load_instructions("acted").say(u.label, 1) for u in text]
    assert asked[0][1] in {"Vivian", "Serena", "Ono_Anna", "Sohee"}
    for one, two in zip(first, again, strict=True):
        waves = [read_audio(c.audio_path(u)).wave for c, u in ((first, one), (again, two))]
        assert np.array_equal(*waves)


def test_qwen_itself_with_a_tiny_random_checkpoint(text, tmp_path, monkeypatch):
    reason = "qwen-tts pins another transformers than the tests; install it by hand"
    library = pytest.importorskip("qwen_tts", reason=reason).Qwen3TTSModel
    told, build = [], library._build_instruct_text
    monkeypatch.setattr(library, "_build_instruct_text", lambda self, said: told.append(said) or build(self, said))
    model = write_tiny_qwen(tmp_path / "qwen")
    settings = {"engine": "qwen3-tts", "model": str(model), "device": "cpu"}
    first, again = (inject(text, tmp_path / name, method="expressive", settings=settings) for name in ("one", "two"))
    for one, two in zip(first.corpus, again.corpus, strict=True):
        waves = [read_audio(r.corpus.audio_path(u)).wave for r, u in ((first, one), (again, two))]
        assert np.array_equal(*waves)
    # Random weights do not heed what they are told, so what reaches the prompt is looked at instead.
    assert told == 2 * [load_instructions("acted").say(u.label, 1) for u in text]
    assert first.card["config"]["versions"]["qwen-tts"]
    with pytest.raises(StageError, match=r"Unsupported speakers: \['nobody'\]"):
        inject(text, tmp_path / "no", method="expressive", settings={**settings, "voice": "nobody"})


def test_what_qwen_cannot_say(qwen, text, tmp_path):
    settings = {"engine": "qwen3-tts", "device": "cpu"}
    polish = Corpus("pl", text.root, (text.utterances[0].with_(language="pl"),))
    with pytest.raises(StageError, match=r"qwen3-tts does not speak 'pl': expected one of zh, cmn, en"):
        inject(polish, tmp_path / "pl", method="expressive", settings=settings)
    with pytest.raises(StageError, match=r"model Qwen/.*: Unsupported speakers: \['nobody'\]"):
        inject(text, tmp_path / "no", method="expressive", settings={**settings, "voice": "nobody"})


def test_without_the_library_there_is_advice(text, tmp_path):
    with pytest.raises(InjectionError, match=r"engine qwen3-tts needs the package qwen-tts: pip install"):
        inject(text, tmp_path / "out", method="expressive", settings={"engine": "qwen3-tts", "device": "cpu"})
