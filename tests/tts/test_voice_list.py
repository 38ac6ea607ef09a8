import re

import pytest

from tts import SpeechError, Voice
from tts.voice_list import VoiceFacts, in_languages, in_one_language, read_voices
from zero_shot_emotion.config_files import MissingConfigError


def test_shipped_and_own_and_inline_lists(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text("source: me\nvoices:\n  a: {gender: male, language: EN-GB}\n")
    assert read_voices(str(own)) == {"a": VoiceFacts(gender="male", language="en-gb")}
    assert "p225" in read_voices("vctk")
    assert read_voices({"b": VoiceFacts()}) == {"b": VoiceFacts()}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("voices:\n  a: {gender: mail}\n", "voices.a.gender: got 'mail', expected 'female' or 'male'"),
        ("voices:\n  a: {sex: male}\n", "voices.a.sex: unknown key, expected one of gender"),
        ("people: {}\n", "voices: missing"),
        ("voices: [\n", "expected YAML: "),
    ],
)
def test_wrong_lists(tmp_path, content, message):
    path = tmp_path / "wrong.yaml"
    path.write_text(content)
    with pytest.raises(SpeechError, match=re.escape(f"{path}: {message}")):
        read_voices(str(path))


def test_unknown_list():
    with pytest.raises(MissingConfigError, match=r"voices: got 'nobody', expected the path of a .yaml file or one of "):
        read_voices("nobody")


def test_tags():
    facts = {"a": VoiceFacts(gender="female"), "b": VoiceFacts(language="pt-br")}
    assert in_languages("ab", facts, ["zh-cn"]) == [Voice("a/zh-cn", "cmn", "female"), Voice("b/zh-cn", "cmn")]
    assert in_one_language("ab", facts, "en_GB") == [Voice("a", "en-gb", "female"), Voice("b", "pt-br")]
