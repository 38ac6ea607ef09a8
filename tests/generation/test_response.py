import json
import random
from collections.abc import Callable

import pytest

from generation.response import CODES, ResponseError, Turn, parse
from zero_shot_emotion.corpus import EMOTIONS

SPEAKERS, LABELS = {"A": "female", "B": "male"}, ("ang", "hap", "neu", "sad")
TWO = (Turn(0, "A", "ang", "Out!"), Turn(1, "B", "sad", "I know."))
JSON = '{"turns": [{"speaker": "A", "emotion": "angry", "text": "Out!"}, '
JSON += '{"speaker": "B", "emotion": "sad", "text": "I know."}]}'
LIST = json.dumps(json.loads(JSON)["turns"])


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
        (turn(speaker=["A"]), "unknown speaker"),
        (turn(emotion="furious"), "label outside the set"),
        (turn(emotion="frustrated"), "label outside the set"),
        (turn(emotion="angry/sad"), "label outside the set"),
        (turn(emotion=["angry"]), "label outside the set"),
        (turn(emotion=None), "label outside the set"),
        (turn(text="  "), "no text"),
        (turn(text="(sighs)"), "no text"),
        (turn(text="...!"), "no text"),
        (turn(text=3), "no text"),
        ("a line", "not an object"),
    ],
)
def test_a_bad_turn_is_counted_and_the_others_stay(bad: object, reason: str) -> None:
    dialogue = parse({"turns": [turn(), bad, turn("B")]}, SPEAKERS, LABELS)

    assert dialogue.drops == {reason: 1}
    assert [t.index for t in dialogue.turns] == [0, 2]


@pytest.mark.parametrize("code", EMOTIONS)
def test_labels_are_understood_by_code_adjective_and_noun_in_any_case(code: str) -> None:
    for word in [word for word, meaning in CODES.items() if meaning == code]:
        for written in (word, word.upper(), f" **{word.capitalize()}**. ", f"Emotion: {word}"):
            dialogue = parse({"turns": [turn(emotion=written)]}, SPEAKERS, tuple(EMOTIONS))
            assert [t.label for t in dialogue.turns] == [code]


@pytest.mark.parametrize(
    "answer",
    [
        JSON,
        f"```json\n{JSON}\n```",
        f"```\n{JSON}\n```\nI hope this helps!",
        f"Sure! Here is {{the}} dialogue you asked for:\n\n{JSON}\n\nLet me know.",
        f"<think>They want [Happy] lines, so {{...</think>{JSON}",
        LIST,
        f"```json\n{LIST}\n```",
        LIST[1:-1].replace("}, {", "}\n{"),
        json.dumps({"dialogue": json.loads(LIST)}),
        json.dumps({"title": "x", "result": json.loads(LIST), "n": 2}),
        JSON.replace('"I know."', '"I\n know."'),
        JSON.replace('"A"', '"Speaker A"').replace('"B"', '"Speaker B"'),
        JSON.replace('"A"', '"Subject 1"').replace('"B"', "2"),
        JSON.replace('"A"', '"female"').replace('"B"', '"M"'),
        JSON.replace('"A"', '"Anna"').replace('"B"', '"Tom"'),
        JSON.replace("angry", "Anger").replace('"sad"', '"SADNESS"'),
        JSON.replace('"Out!', '"A: Out!').replace('"I know', '"**B:** I know'),
        JSON.replace('"Out!', '"Anna: Out!').replace('"A"', '"Anna"').replace('"B"', '"Tom"'),
        JSON.replace('"Out!', '"(shouting) “Out!”').replace("I know.", "*sighs* I know. [Sad]"),
        "A: Out! [Angry]\nB: I know. [Sad]",
        "A: Out! [angry]\n\n\nB: I know. [SADNESS].",
        "Here is the dialogue:\n\nA: Out! [Angry]\nB: I know. [Sad]\n\n---\nI hope this helps.",
        "**A:** Out! **[Angry]**\n**B:** I know. **[Sad]**",
        "*A:* Out! *[Angry]*\n*B:* I know. [*Sad*]",
        "**F:** Out! [Angry]\n**M:** I know. [Sad]",
        "Subject 1: Out! [Angry]\nSubject 2: I know. [Sad]",
        "Subject 1 (female): Out! [Angry]\nSubject 2 (male): I know. [Sad]",
        "Anna: Out! [Angry]\nTom: I know. [Sad]",
        "Anna (furious): Out! [Angry]\nTom: I know. [Sad]",
        "1. A: Out! [Angry]\n2. B: I know. [Sad]",
        "1) A: Out! [Angry]\n2) B: I know. [Sad]",
        "- A: Out! [Angry]\n* B: I know. [Sad]",
        "> A: Out! [Angry]\n> B: I know. [Sad]",
        "### A: Out! [Angry]\n• B: I know. [Sad]",
        'A: "Out!" [Angry]\nB: “I know.” [Sad]',
        'A: "Out! [Angry]"\nB: «I know. [Sad]»',
        "A: „Out!“ [Angry]\nB: »I know.« [Sad]",
        "A: (slams the door) Out! [Angry]\nB: *quietly* I [pauses] know. [Sad]",
        "A: [Angry] Out!\nB: [Sad] I know.",
        "A [Angry]: Out!\nB [Sad]: I know.",
        "A: Out! (Angry)\nB: (sighs) I know. (sad)",
        "A (angry): Out!\nB (sad): I know.",
        "A：Out!【Angry】\nB：I know.［Sad］",
        "A: Out! [Emotion: Angry]\nB: I know. [emotion=sad]",
        "A: Out! [ang]\nB: I know. [sad]",
        "<thinking>hm</thinking>\nA: Out! [Angry]\r\nB: I know. [Sad]\r\n",
    ],
)
def test_a_dialogue_is_found_in_whatever_form_it_comes(answer: str) -> None:
    dialogue = parse(answer, SPEAKERS, LABELS)

    assert dialogue.turns == TWO
    assert dialogue.drops == {}


def called(speaker: str, emotion: str, text: str, /, **more: object) -> list[dict]:
    """The two turns of `TWO` under other keys."""
    return [
        {speaker: "A", emotion: "angry", text: "Out!", **more},
        {speaker: "B", emotion: "sad", text: "I know.", **more},
    ]


@pytest.mark.parametrize("speaker", ["speaker", "Speaker", "role", "name", "speaker_id", "SpeakerName", "who"])
@pytest.mark.parametrize("emotion", ["emotion", "label", "class", "Category", "emotion label"])
@pytest.mark.parametrize("text", ["text", "Text", "utterance", "line", "content", "sentence", "dialogue", "speech"])
def test_turns_are_read_whatever_their_keys_are_called(speaker: str, emotion: str, text: str) -> None:
    turns = called(speaker, emotion, text)
    forms = [{"turns": turns}, {"dialogue": turns}, {"conversation": turns, "title": "x"}, turns]

    for answer in [*map(json.dumps, forms), "\n".join(map(json.dumps, turns))]:
        dialogue = parse(answer, SPEAKERS, LABELS)
        assert (dialogue.turns, dialogue.drops) == (TWO, {}), answer


@pytest.mark.parametrize(
    "answer",
    [
        {"dialogue": called("role", "label", "utterance")},
        {"conversation": called("speaker", "emotion", "text"), "speakers": [{"name": "A"}, {"name": "B"}]},
        {"speakers": ["A", "B"], "labels": ["angry", "sad"], "lines": called("who", "mood", "line")},
        {"response": {"scene": {"turns": called("name", "class", "content")}}},
        {"turns": {"1": called("speaker", "label", "text")[0], "2": called("speaker", "label", "text")[1]}},
        {"messages": called("role", "emotion", "content", line=3)},
        {"turns": called("speaker", "emotion", "text", role="guest", label="furious", line="said twice")},
        {"turns": called("speaker", "emotion", "utterance", text=None)},
        {"turns": called("speaker", "label", "text", emotion=None)},
        {"turns": called("role", "label", "text", name="Anna")},
        {"dialogue": ["A: Out! [Angry]", "B: I know. [Sad]"]},
        {"dialogue": "A: Out! [Angry]\nB: I know. [Sad]"},
        {"example": [turn(text="...")], "turns": called("speaker", "emotion", "text")},
        {"turns": called("speaker", "emotion", "text"), "plan": called("speaker", "emotion", "sentence")[:1]},
        [{"turns": called("speaker", "emotion", "text")}, {"turns": called("speaker", "emotion", "text")}],
        [{"turns": [turn(text="...")]}, {"turns": called("speaker", "emotion", "text")}],
        [{"notes": "a talk", "text": {"n": 1}}, *called("role", "label", "line")],
    ],
)
def test_a_dialogue_is_found_wherever_it_stands_in_the_json(answer: object) -> None:
    dialogue = parse(json.dumps(answer), SPEAKERS, LABELS)

    assert (dialogue.turns, dialogue.drops) == (TWO, {})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"role": "A", "name": "B", "emotion": "sad", "text": "No."}, "more than one speaker"),
        ({"role": "customer", "name": "Anna", "emotion": "sad", "text": "No."}, "more than one speaker"),
        ({"emotion": "sad", "text": "No."}, "unknown speaker"),
        ({"speaker": "A", "emotion": "sad", "label": "angry", "text": "No."}, "more than one label"),
        ({"speaker": "A", "label": "sad", "category": "angry", "text": "No."}, "more than one label"),
        ({"speaker": "A", "label": "sad", "category": "negative", "text": "No."}, "more than one label"),
        ({"speaker": "A", "label": "wistful", "category": "neutral", "text": "No."}, "more than one label"),
        ({"speaker": "A", "emotion": "wistful", "category": "neutral", "text": "No."}, "more than one label"),
        ({"speaker": "A", "Emotion": "sad", "emotion": "angry", "text": "No."}, "more than one label"),
        ({"speaker": "A", "label": "wistful", "text": "No."}, "label outside the set"),
        ({"speaker": "A", "text": "No."}, "no label"),
        ({"speaker": "A", "emotion": "sad", "line": "No.", "content": "Yes."}, "more than one text"),
        ({"speaker": "A", "emotion": "sad", "line": 3}, "no text"),
        ({"speaker": "A", "emotion": "sad", "translation": "Nein."}, "no text"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda turns: {"turns": turns}, lambda turns: {"dialogue": turns}])
def test_a_turn_that_can_mean_two_things_is_counted_and_never_guessed(
    bad: dict, reason: str, wrap: Callable[[list], object]
) -> None:
    dialogue = parse(json.dumps(wrap([TWO_TURNS[0], bad, TWO_TURNS[1]])), SPEAKERS, LABELS)

    assert dialogue.drops == {reason: 1}
    assert [(t.index, t.text) for t in dialogue.turns] == [(0, "Out!"), (2, "I know.")]


TWO_TURNS = called("speaker", "emotion", "text")


def test_what_says_the_same_twice_means_one_thing() -> None:
    twice = {
        "role": "A",
        "name": "Speaker A",
        "label": "angry",
        "category": "Anger",
        "line": "Out!",
        "content": "Out! ",
    }

    assert parse(json.dumps([twice]), SPEAKERS, LABELS).turns == TWO[:1]


def test_an_answer_with_another_dialogue_does_not_say_which_is_meant() -> None:
    drafts = {"draft": called("speaker", "emotion", "text"), "final": called("speaker", "emotion", "text")[:1]}
    for answer in (json.dumps(drafts), f"{JSON}\nOr rather:\n{JSON.replace('Out', 'Away')}"):
        with pytest.raises(ResponseError, match="expected one dialogue, got 2: ") as error:
            parse(answer, SPEAKERS, LABELS)
        assert error.value.reason == "more than one dialogue"


@pytest.mark.parametrize("keys", [("speaker", "emotion", "text"), ("role", "label", "utterance")])
def test_of_json_under_other_keys_that_is_cut_off_the_whole_turns_are_kept(keys: tuple[str, str, str]) -> None:
    answer = json.dumps({"dialogue": called(*keys)})

    for end in range(answer.index("}") + 1, answer.rindex("}") - 1):
        assert parse(answer[:end], SPEAKERS, LABELS).turns == TWO[:1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A: Well.", "no label"),
        ("A: Well. [Nostalgic]", "label outside the set"),
        ("A: Well. [Frustrated]", "label outside the set"),
        ("A: Well. [very angry]", "label outside the set"),
        ("A: Well. [Angry] B: What? [Sad]", "more than one label"),
        ("A: Well. [Angry] And so on. [Angry]", "more than one label"),
        ("Nobody knows: Well. [Angry]", "unknown speaker"),
        ("Well. [Angry]", "unknown speaker"),
        ("C: Well. [Angry]", "unknown speaker"),
        ("A: (sighs) [Angry]", "no text"),
    ],
)
def test_a_bad_line_is_counted_and_the_others_stay(line: str, reason: str) -> None:
    dialogue = parse(f"A: Out! [Angry]\n{line}\nB: I know. [Sad]", SPEAKERS, LABELS)

    assert dialogue.drops == {reason: 1}
    assert [(t.index, t.text) for t in dialogue.turns] == [(0, "Out!"), (2, "I know.")]


def test_of_an_answer_that_is_cut_off_the_whole_turns_are_kept() -> None:
    for end in range(JSON.index("}") + 1, JSON.index("I know")):
        assert parse(JSON[:end], SPEAKERS, LABELS).turns == TWO[:1]
    assert parse("A: Out! [Angry]\nB: I kn", SPEAKERS, LABELS).turns == TWO[:1]


def test_a_name_that_begins_several_texts_is_no_speech() -> None:
    turns = [turn("A", "angry", "Anna: Out!"), turn("B", "sad", "Tom: No."), turn("A", "sad", "Anna: Listen: no.")]

    texts = [t.text for t in parse({"turns": turns}, SPEAKERS, LABELS).turns]
    assert texts == ["Out!", "Tom: No.", "Listen: no."]


def test_speech_with_a_colon_stays_whole() -> None:
    turns = [turn("A", "angry", "Listen: I said no."), turn("B", "sad", "It is 1:30, and my rule is: never.")]

    texts = [t.text for t in parse({"turns": turns}, SPEAKERS, LABELS).turns]
    assert texts == ["Listen: I said no.", "It is 1:30, and my rule is: never."]


@pytest.mark.parametrize(
    ("answer", "message", "reason"),
    [
        ('{"turns": [', "expected JSON with a list 'turns'", "no dialogue"),
        ("[]", "expected JSON with a list 'turns'", "no dialogue"),
        ('{"turns": 3}', r"expected JSON with a list 'turns', or lines .*, got '{\"turns\": 3}'", "no dialogue"),
        ("{" * 5000, "expected JSON with a list 'turns'", "no dialogue"),
        ('{"a":' * 5000, "expected JSON with a list 'turns'", "no dialogue"),
        ("Once upon a time: there was a king.", "expected JSON with a list 'turns'", "no dialogue"),
        ("", "got an empty answer", "empty answer"),
        (" \n ", "got an empty answer", "empty answer"),
        ("<think>I should not stop thi", "got an empty answer", "empty answer"),
        ("I cannot help with that.", "got a refusal: 'I cannot help", "refusal"),
        ("I'm sorry, but I can’t create that.", "got a refusal", "refusal"),
        ("As an AI, I do not write about anger.", "got a refusal", "refusal"),
        ('{"error": "I am unable to do this."}', "got a refusal", "refusal"),
        ('{"role": "assistant", "content": "I am unable to do this."}', "got a refusal", "refusal"),
        ('{"turns": []}', "expected JSON with a list 'turns'", "no dialogue"),
        ('{"turns": ["Out!", "I know."]}', "expected JSON with a list 'turns'", "no dialogue"),
        ('{"a": ' * 500 + "1" + "}" * 500, "expected JSON with a list 'turns'", "no dialogue"),
        ("Es tut mir leid, das geht nicht.", "got a refusal", "refusal"),
        ("Je suis désolé, je ne peux pas.", "got a refusal", "refusal"),
        ("Lo siento, no puedo ayudar.", "got a refusal", "refusal"),
        ("Mi dispiace, non posso.", "got a refusal", "refusal"),
        ("很抱歉，我无法满足您的要求。", "got a refusal", "refusal"),
    ],
)
def test_an_answer_without_a_dialogue_is_an_error(answer: str, message: str, reason: str) -> None:
    with pytest.raises(ResponseError, match=message) as error:
        parse(answer, SPEAKERS, LABELS)

    assert error.value.reason == reason


def test_a_dialogue_may_be_about_refusing() -> None:
    answer = "A: I'm sorry, I can't help you. [Sad]"

    assert parse(answer, SPEAKERS, LABELS).turns == (Turn(0, "A", "sad", "I'm sorry, I can't help you."),)


Render = Callable[[tuple[Turn, ...], random.Random], str]
WORDS = [
    "well",
    "I",
    "don't",
    "know,",
    "you said:",
    "—",
    "it's",
    "10:30",
    "« quoi »",
    "naïve",
    "你好",
    "no. 5",
    "'cause",
]


def _dialogue(rng: random.Random) -> tuple[Turn, ...]:
    def text() -> str:
        return "So " + " ".join(rng.choices(WORDS, k=rng.randint(1, 12))).replace("I ", "we ") + rng.choice(".?!")

    return tuple(Turn(i, rng.choice("AB"), rng.choice(LABELS), text()) for i in range(rng.randint(1, 12)))


def _as_json(turns: tuple[Turn, ...], rng: random.Random) -> str:
    lines = [{"speaker": t.speaker, "emotion": _word(t.label, rng), "text": t.text} for t in turns]
    return json.dumps({"turns": lines}, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 2]))


def _as_lines(turns: tuple[Turn, ...], rng: random.Random) -> str:
    name = rng.choice([str, "**{}**".format, "Speaker {}".format, {"A": "F", "B": "M"}.get])
    start = rng.choice(["", "- ", "* ", "> "])
    left, right = rng.choice(["[]", "()", "【】"])
    pairs = [f"{name(t.speaker)}: {t.text} {left}{_word(t.label, rng)}{right}" for t in turns]
    numbered = rng.random() < 0.3
    return "\n".join(f"{f'{i}. ' if numbered else start}{line}" for i, line in enumerate(pairs, 1))


def _word(label: str, rng: random.Random) -> str:
    return rng.choice([str, str.upper, str.capitalize])(rng.choice([w for w, code in CODES.items() if code == label]))


@pytest.mark.parametrize("render", [_as_json, _as_lines])
def test_parsing_what_was_rendered_gives_the_dialogue_back(render: Render) -> None:
    for seed in range(300):
        rng = random.Random(seed)
        turns = _dialogue(rng)
        answer = render(turns, rng)
        if rng.random() < 0.5:
            answer = f"Sure, here you go!\n\n```\n{answer}\n```\n\nEnjoy."

        dialogue = parse(answer, SPEAKERS, LABELS)
        assert (dialogue.turns, dialogue.drops) == (turns, {}), answer
