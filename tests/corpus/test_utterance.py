import json

import pytest
from pydantic import ValidationError

from zero_shot_emotion.corpus import Utterance, explain

FULL = {
    "file_name": "audio/a.wav",
    "id": "a",
    "text": "Grüße,\u2028„friend“!",
    "label": "hap",
    "speaker": "s1",
    "gender": "female",
    "language": "de",
    "dialogue": "d1",
    "turn": 0,
    "split": "Session 1",
    "voice": {"name": "p225", "speed": 1.1, "tags": ["a", 1, True]},
}


def test_a_line_keeps_every_column_and_reads_back_the_same():
    utterance = Utterance.model_validate(FULL)

    assert json.loads(utterance.to_line()) == FULL
    assert "\n" not in utterance.to_line()
    assert Utterance.model_validate_json(utterance.to_line()) == utterance
    assert utterance.extra == {"voice": FULL["voice"]}


def test_absent_values_are_left_out_of_the_line():
    assert Utterance(id="a", text="hi").to_line() == '{"id":"a","text":"hi"}'


def test_a_changed_copy_keeps_the_rest_and_is_checked():
    utterance = Utterance.model_validate(FULL)

    changed = utterance.with_(label="sad", pitch=2)

    assert json.loads(changed.to_line()) == {**FULL, "label": "sad", "pitch": 2}
    assert utterance.label == "hap"
    with pytest.raises(ValidationError):
        utterance.with_(gender="f")
    with pytest.raises(ValidationError):
        utterance.label = "sad"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "id: got None, expected text"),
        ({"id": "a b"}, r"id: got 'a b', expected text that matches ^[^\s/\\]+$"),
        ({"id": "a/b"}, r"id: got 'a/b', expected text that matches ^[^\s/\\]+$"),
        ({"id": "a\n"}, r"id: got 'a\n', expected text that matches ^[^\s/\\]+$"),
        ({"id": "a" * 201}, f"id: got '{'a' * 201}', expected text of length at most 200"),
        ({"file_name": ""}, "file_name: got '', expected text of length at least 1"),
        ({"label": ""}, "label: got '', expected text of length at least 1"),
        ({"label": 3}, "label: got 3, expected text"),
        ({"gender": "F"}, "gender: got 'F', expected 'female' or 'male'"),
        ({"turn": -1}, "turn: got -1, expected at least 0"),
    ],
)
def test_a_bad_value_is_refused_with_column_value_and_expectation(changes, message):
    with pytest.raises(ValidationError) as error:
        Utterance.model_validate({**FULL, **changes})

    assert explain(error.value) == message


def test_an_utterance_without_id_is_refused():
    with pytest.raises(ValidationError) as error:
        Utterance.model_validate({"text": "hi"})

    assert explain(error.value) == "id: missing"
