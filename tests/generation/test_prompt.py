from pathlib import Path

import pytest

from generation.datasheet import load_datasheet
from generation.errors import GenerationError
from generation.prompt import Request, answer_schema, render
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus import EMOTIONS


@pytest.fixture(name="sheet", scope="module")
def _sheet():
    return load_datasheet("iemocap")


def test_the_prompt_tells_situations_genders_labels_and_lengths(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenario("impro05"), ("male", "female"), turns=7))

    assert "Speaker A, male. The airline has lost your bag." in prompt
    assert "Speaker B, female. You work for the airline" in prompt
    assert "Write 7 turns" in prompt
    assert (
        "one of these emotions: angry, happy, neutral, sad, frustrated, excited, surprised, fearful, disgusted;"
        in prompt
    )
    assert "2 to 30 words, about 10 on average" in prompt
    assert '{"turns": [{"speaker": "A", "emotion": "angry", "text": "..."}]}' in prompt


def test_wanted_counts_and_existing_lines_appear_only_when_given(sheet) -> None:
    plain = render(sheet, Request(sheet.scenarios[0], ("female", "male")))
    full = render(
        sheet,
        Request(sheet.scenarios[0], ("female", "male"), wanted={"sad": 3, "hap": 2}, avoid=["Not <again> & again."]),
    )

    assert "aim at" not in plain
    assert "exist already" not in plain
    assert "aim at 3 sad, 2 happy turns" in full
    assert "- Not <again> & again." in full


def test_a_template_of_ones_own_is_read_by_path(sheet, tmp_path: Path) -> None:
    path = tmp_path / "mine.j2"
    path.write_text("{{ turns }} turns in {{ language }}")

    assert render(sheet, Request(sheet.scenarios[0], ("female", "male")), path) == "9 turns in American English"


def test_an_unknown_template_lists_the_known_ones(sheet) -> None:
    with pytest.raises(
        MissingConfigError, match=r"prompts: got 'x', expected the path of a .j2 file or one of dialogue"
    ):
        render(sheet, Request(sheet.scenarios[0], ("female", "male")), "x")


def test_the_seed_works_prompt_tells_persona_subjects_and_the_form_of_a_line(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenario("impro05"), ("male", "female")), "seed")

    assert prompt.startswith("You are a human being with human emotions")
    assert "between 2 people (male, female) who speak American English" in prompt
    assert "Subject 1 (A, male): The airline has lost your bag." in prompt
    assert "Subject 2 (B, female): You work for the airline" in prompt
    assert "A: ... [Angry]\nB: ... [Angry]\n" in prompt
    assert (
        "Use only these emotions: Angry, Happy, Neutral, Sad, Frustrated, Excited, Surprised, Fearful, Disgusted."
        in prompt
    )
    assert "json" not in prompt.lower()


def test_the_seed_works_prompt_does_for_one_person_too() -> None:
    sheet = load_datasheet("msp-podcast")
    prompt = render(sheet, Request(sheet.scenario("travel"), ("male",)), "seed")

    assert "This is one person (male) who speaks American English." in prompt
    assert "Subject 2" not in prompt


def test_the_schema_names_speakers_and_emotions(sheet) -> None:
    schema = answer_schema(sheet, Request(sheet.scenarios[0], ("female", "male")))
    turn = schema["properties"]["turns"]["items"]

    assert turn["properties"]["speaker"]["enum"] == ["A", "B"]
    assert turn["properties"]["emotion"]["enum"] == [EMOTIONS[label] for label in sheet.labels]
    assert "excited" in turn["properties"]["emotion"]["enum"]
    assert turn["required"] == ["speaker", "emotion", "text"]
    assert schema["additionalProperties"] is turn["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ turns", r"prompt, line 1: unexpected end of template"),
        ("\n{% if %}", r"prompt, line 2: Expected an expression"),
        ("{{ colour }}", r"prompt: 'colour' is undefined"),
    ],
)
def test_a_template_that_cannot_be_filled_is_an_error(sheet, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.j2"
    path.write_text(text)

    with pytest.raises(GenerationError, match=message):
        render(sheet, Request(sheet.scenarios[0], ("female", "male")), path)
