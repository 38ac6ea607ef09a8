import json

import pytest

from generation.response import ResponseError, Turn, parse

SPEAKERS, LABELS = ("A", "B"), ("ang", "hap", "neu", "sad")


def turn(speaker: object = "A", emotion: object = "angry", text: object = "Out!") -> dict:
    return {"speaker": speaker, "emotion": emotion, "text": text}


def test_good_turns_keep_their_place_and_get_canonical_labels() -> None:
    dialogue = parse(json.dumps({"turns": [turn(), turn("B", " Happy ", " a \n b ")]}), SPEAKERS, LABELS)

    assert dialogue.turns == (Turn(0, "A", "ang", "Out!"), Turn(1, "B", "hap", "a b"))
    assert dialogue.drops == {}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (turn(speaker="C"), "unknown speaker"),
        (turn(speaker=None), "unknown speaker"),
        (turn(emotion="furious"), "label outside the set"),
        (turn(emotion="frustrated"), "label outside the set"),
        (turn(emotion=None), "label outside the set"),
        (turn(text="  "), "no text"),
        (turn(text=3), "no text"),
        ("a line", "not an object"),
    ],
)
def test_a_bad_turn_is_counted_and_the_others_stay(bad: object, reason: str) -> None:
    dialogue = parse({"turns": [turn(), bad, turn("B")]}, SPEAKERS, LABELS)

    assert dialogue.drops == {reason: 1}
    assert [t.index for t in dialogue.turns] == [0, 2]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ('{"turns": [', "expected JSON"),
        ("[]", "expected an object with a list 'turns'"),
        ('{"turns": 3}', "expected an object with a list 'turns', got"),
        ("I cannot help with that.", "expected JSON"),
    ],
)
def test_an_answer_without_a_dialogue_is_an_error(answer: str, message: str) -> None:
    with pytest.raises(ResponseError, match=message):
        parse(answer, SPEAKERS, LABELS)
