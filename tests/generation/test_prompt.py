import re
from pathlib import Path

import pytest

from generation.datasheet import load_datasheet
from generation.errors import GenerationError
from generation.plan import first_prompt
from generation.prompt import PlannedTurn, Request, answer_schema, render
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus import EMOTIONS, FOUR


def turns(*emotions: str | None, length: int = 8) -> tuple[PlannedTurn, ...]:
    """A plan of two speakers in turn."""
    return tuple(PlannedTurn("AB"[k % 2], emotion, length + k) for k, emotion in enumerate(emotions))


NINE = turns("neu", "ang", "neu", "hap", "sad", "sad", "hap", "ang", "neu")


@pytest.fixture(name="sheet", scope="module")
def _sheet():
    return load_datasheet("iemocap")


def test_the_prompt_tells_situations_genders_labels_and_lengths(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenario("impro05"), ("male", "female"), NINE[:7]))

    assert "Speaker A, male. The airline has lost your bag." in prompt
    assert "Speaker B, female. You work for the airline" in prompt
    assert "Write 7 turns" in prompt
    assert (
        "it came to carry, planned or not: "
        "angry, happy, neutral, sad, frustrated, excited, surprised, fearful, disgusted;" in prompt
    )
    assert '{"turns": [{"speaker": "A", "emotion": "angry", "text": "..."}]}' in prompt


def test_the_plan_lists_who_speaks_with_which_emotion_and_how_long(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenarios[0], ("female", "male"), (*NINE[:2], PlannedTurn("A", "fru", 1))))

    assert "by this plan of emotion and length; who speaks is a suggestion" in prompt
    assert "\n1. A, neutral, about 8 words\n2. B, angry, about 9 words\n3. A, frustrated, about 1 word\n\n" in prompt


def test_without_wanted_emotions_the_plan_tells_lengths_alone(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenarios[0], ("female", "male"), turns(None, None)))

    assert "by this plan of lengths; who speaks" in prompt
    assert "\n1. A, about 8 words\n2. B, about 9 words\n\n" in prompt


def test_one_person_needs_no_names_in_the_plan() -> None:
    sheet = load_datasheet("msp-podcast")
    prompt = render(sheet, Request(sheet.scenario("travel"), ("male",), NINE))

    assert "by this plan of emotion and length:\n1. neutral, about 8 words\n2. angry, about 9 words\n" in prompt


def test_where_words_are_not_parted_signs_are_counted() -> None:
    sheet = load_datasheet("multilingual").in_language("cmn")

    assert "\n1. A, neutral, about 8 characters\n" in render(
        sheet, Request(sheet.scenarios[0], ("female", "male"), NINE)
    )


@pytest.mark.parametrize("name", ["iemocap", "msp-podcast", "msp-improv", "meld", "multilingual"])
def test_a_prompt_says_of_lengths_what_its_plan_says_and_nothing_else(name: str) -> None:
    """A corpus's seconds beside the plan's words would contradict them."""
    prompt = first_prompt(load_datasheet(name), FOUR)

    assert not re.search(r"\bseconds\b|\bon average\b|\bmedian\b", prompt)
    assert len(re.findall(r"\d words", prompt)) == len(re.findall(r"^\d+\. ", prompt, re.MULTILINE)) >= 6


def test_existing_lines_appear_only_when_given(sheet) -> None:
    plain = render(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE))
    full = render(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE, avoid=["Not <again> & again."]))

    assert "exist already" not in plain
    assert "- Not <again> & again." in full


def test_the_control_prompt_asks_for_classes_and_tells_nothing_else(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenarios[0], ("female", "male"), turns("sad", "sad", "hap")), "label-only")

    assert "Write 3 short lines in American English, spoken by speaker A (female) and speaker B (male)." in prompt
    assert "Aim at 2 sad, 1 happy lines." in prompt
    assert "queued" not in prompt


def test_a_template_of_ones_own_is_read_by_path(sheet, tmp_path: Path) -> None:
    path = tmp_path / "mine.j2"
    path.write_text(
        "{{ turns }} turns in {{ language }}, {{ words_min }} to {{ words_max }} {{ unit }}, "
        "about {{ words_median }}: {{ wanted }}, such as "
        "{{ plan[1].speaker }}, {{ plan[1].emotion }}, {{ plan[1].length }}"
    )

    assert render(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE), path) == (
        "9 turns in American English, 2 to 94 words, about 10: {'neutral': 3, 'angry': 2, 'happy': 2, 'sad': 2}, "
        "such as B, angry, 9"
    )


def test_an_unknown_template_lists_the_known_ones(sheet) -> None:
    with pytest.raises(
        MissingConfigError, match=r"prompts: got 'x', expected the path of a .j2 file or one of dialogue"
    ):
        render(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE), "x")


def test_the_seed_works_prompt_tells_persona_subjects_and_the_form_of_a_line(sheet) -> None:
    prompt = render(sheet, Request(sheet.scenario("impro05"), ("male", "female"), NINE), "seed")

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
    prompt = render(sheet, Request(sheet.scenario("travel"), ("male",), NINE), "seed")

    assert "This is one person (male) who speaks American English." in prompt
    assert "Subject 2" not in prompt


def test_the_schema_names_speakers_and_emotions(sheet) -> None:
    schema = answer_schema(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE))
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
        render(sheet, Request(sheet.scenarios[0], ("female", "male"), NINE), path)
