"""A language model's answer, taken apart: JSON if there is any, or else lines that end in an emotion in brackets."""
# ruff: noqa: RUF001 - brackets and dashes of several languages are meant as they are

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zero_shot_emotion.corpus import EMOTIONS

from .datasheet import Gender
from .json_turns import ASKED, EMOTION, SPEAKER, dialogues, strings, texts_of, under
from .speakers import bare, cast, role_of, split_name
from .spoken import spoken

NOUNS = {
    "neutrality": "neu",
    "happiness": "hap",
    "anger": "ang",
    "sadness": "sad",
    "fear": "fea",
    "disgust": "dis",
    "surprise": "sur",
    "excitement": "exc",
    "frustration": "fru",
    "calmness": "cal",
    "boredom": "bor",
    "contempt": "con",
}
CODES = {**{code: code for code in EMOTIONS}, **{name: code for code, name in EMOTIONS.items()}, **NOUNS}
"""Canonical code of every way to write an emotion that is understood: code, adjective, noun."""

_SQUARE = re.compile(r"[\[【［]([^\[\]【】［］]*)[\]】］]")
_SQUARE_AT_END = re.compile(_SQUARE.pattern + r"\W*$")
_ROUND_AT_END = re.compile(r"[(（]([^()（）]*)[)）]\W*$")
_ITEM = re.compile(r"^\s*(?:#+\s+|>\s*|[-*•–—]\s+|\(?\d+[.)]\s+)+")
_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_REFUSAL = re.compile(
    r"\bI(?: am|['’]m)? (?:very |so )?(?:sorry|afraid|unable)\b|\bI (?:can(?:['’]t|not)|won['’]t|must decline)\b"
    r"|\bas an AI\b|\bnot able to (?:help|assist|create|write)\b|\bagainst (?:my|the) (?:guidelines|policy|policies)\b"
    r"|\btut mir leid\b|\bkann ich nicht\b|\bje suis désolée?\b|\bje ne peux pas\b|\blo siento\b|\bno puedo\b"
    r"|\bmi dispiace\b|\bnon posso\b|抱歉|对不起|對不起|无法|無法",
    re.IGNORECASE,
)
_OF_CHATTER_TOO = ("no label", "label outside the set")
"""Problems of lines that may be no turns at all."""
_REFUSES_WITHIN = 300
"""Characters: a refusal comes at once."""


class ResponseError(ValueError):
    """An answer that holds no dialogue. ``reason`` says why in a few words, to count by."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Turn:
    """One labelled line of a dialogue. ``index`` is its place among all turns of the answer, from 0."""

    index: int
    speaker: str
    label: str
    text: str


@dataclass(frozen=True)
class Dialogue:
    """What is usable of an answer, and why the rest is not."""

    turns: tuple[Turn, ...]
    drops: dict[str, int]


@dataclass(frozen=True)
class _Line:
    """A turn as it was written: who says it, with which emotion (or why there is none), and the words."""

    name: object
    emotion: object
    text: object
    problem: str | None = None


def parse(answer: str | dict[str, Any], speakers: Mapping[str, Gender], labels: Collection[str]) -> Dialogue:
    """Take an answer apart.

    A turn with an unknown speaker, a label outside the set or no text is dropped and counted by reason, and so is one
    that says two things where one is asked for. Nothing is ever guessed.

    Args:
        answer: as text, or ``{"turns": [{"speaker", "emotion", "text"}]}``, whatever the keys are called.
        speakers: the names that the prompt gave, with their genders.
        labels: the canonical codes that the prompt allowed.

    Raises:
        ResponseError: if there is no dialogue in it (a refusal, nothing, something else), or more than one.
    """
    lines = _lines(answer, speakers)
    roles = cast((line.name for line in lines if line.problem is None), speakers)
    kept: list[Turn] = []
    drops: Counter[str] = Counter()
    for index, line in enumerate(lines):
        checked = _check(index, line, roles, labels)
        if isinstance(checked, Turn):
            kept.append(checked)
        else:
            drops[checked] += 1
    return Dialogue(tuple(kept), dict(drops))


def _check(index: int, line: _Line, roles: Mapping[str, str], labels: Collection[str]) -> Turn | str:
    """The turn, or the reason why it is none."""
    if line.problem is not None:
        return line.problem
    speaker = roles.get(bare(line.name))
    if speaker is None:
        return "unknown speaker"
    label = _code(line.emotion)
    if label not in labels:
        return "label outside the set"
    text = spoken(line.text) if isinstance(line.text, str) else ""
    if not any(char.isalnum() for char in text):
        return "no text"
    return Turn(index, speaker, str(label), text)


def _code(emotion: object) -> str | None:
    """The canonical code of an emotion that is written in one of the ways that are understood.

    >>> [_code(emotion) for emotion in ("Angry", "**anger**", "Emotion: ang", "furious", "angry/sad", None)]
    ['ang', 'ang', 'ang', None, None, None]
    """
    words = re.sub(r"^\s*(?:emotion|mood|label)\s*[:=]", "", str(emotion).casefold())
    return CODES.get(words.strip(" \t\n*_.!\"'"))


def _lines(answer: str | dict[str, Any], speakers: Mapping[str, Gender]) -> list[_Line]:
    """The turns of an answer, as they were written.

    Raises:
        ResponseError: if there are none.
    """
    text = _THOUGHTS.sub("", answer).strip() if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    found = list(_objects(text)) if isinstance(answer, str) else [answer]
    told = dialogues(found)
    if len(told) > 1:
        raise ResponseError(f"expected one dialogue, got {len(told)}: {text[:80]!r}", "more than one dialogue")
    if told:
        return _from_json(told[0], speakers)
    lines = _from_lines("\n".join(strings(found)) if found else text, speakers)
    if lines:
        return lines
    if not text:
        raise ResponseError("expected a dialogue, got an empty answer", "empty answer")
    if _REFUSAL.search(text[:_REFUSES_WITHIN]):
        raise ResponseError(f"expected a dialogue, got a refusal: {text[:80]!r}", "refusal")
    raise ResponseError(
        f"expected JSON with a list 'turns', or lines that end in an emotion in brackets, got {text[:80]!r}",
        "no dialogue",
    )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, whatever stands around them; of one that is cut off, those that are whole."""
    decoder = json.JSONDecoder(strict=False)
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
            yield found
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)


def _from_json(turns: list[Any], speakers: Mapping[str, Gender]) -> list[_Line]:
    lines = [
        _from_object(turn, speakers) if isinstance(turn, dict) else _Line(None, None, None, "not an object")
        for turn in turns
    ]
    names = Counter(split_name(line.text)[0] for line in lines if isinstance(line.text, str))
    return [
        _Line(line.name, line.emotion, _without_name(line.text, line.name, names, speakers), line.problem)
        for line in lines
    ]


def _from_object(turn: dict[str, Any], speakers: Mapping[str, Gender]) -> _Line:
    """One turn. What is called differently than it was asked for counts if nothing contradicts it."""
    if turn.keys() == ASKED:  # most are as they should be, and read at a third of the time
        return _Line(turn["speaker"], turn["emotion"], turn["text"])
    (name, crowd), (emotion, doubt), texts = _name(turn, speakers), _emotion(turn), texts_of(turn)
    problem = crowd or doubt or ("more than one text" if len(texts) > 1 else None)
    return _Line(name, emotion, texts[0] if texts else None, problem)


def _name(turn: dict[str, Any], speakers: Mapping[str, Gender]) -> tuple[object, str | None]:
    """Who speaks: the only name, or the only one that is of the prompt; or why it cannot be told."""
    names = under(turn, SPEAKER[:1], str | int) or under(turn, SPEAKER[1:], str | int)
    of_the_prompt = {role: name for name in names if (role := role_of(name, speakers)) is not None}
    different = list((of_the_prompt or {bare(name): name for name in names}).values())
    return (different or [None])[0], "more than one speaker" if len(different) > 1 else None


def _emotion(turn: dict[str, Any]) -> tuple[object, str | None]:
    """The only emotion, or why it cannot be told. Beside the one that was asked for, no other word counts."""
    asked, others = under(turn, EMOTION[:1]), under(turn, EMOTION[1:])
    told = [*asked, *(word for word in others if not any(asked) or _code(word))]
    if not told:
        return None, "no label"
    told = [word for word in told if word is not None] or told
    return told[0], "more than one label" if len({_code(word) or str(word) for word in told}) > 1 else None


def _without_name(text: object, speaker: object, names: Counter[str | None], speakers: Mapping[str, Gender]) -> object:
    """A text without a speaker before it: one of the roles, who is said to speak, or a name that begins several."""
    if not isinstance(text, str):
        return text
    name, said = split_name(text)
    if name is None:
        return text
    several = names[name] > 1 and name.istitle()
    is_speaker = bare(name) == bare(speaker) or role_of(name, speakers) is not None
    return said if is_speaker or several else text


def _from_lines(text: str, speakers: Mapping[str, Gender]) -> list[_Line]:
    """Lines of the form ``name: words [emotion]``; what has neither a speaker nor an emotion is chatter."""
    lines = [_from_line(_ITEM.sub("", line)) for line in text.splitlines() if line.strip()]
    roles = cast((line.name for line in lines if line.problem is None), speakers)
    return [line for line in lines if line.problem not in _OF_CHATTER_TOO or bare(line.name) in roles]


def _from_line(line: str) -> _Line:
    """One line; its emotion stands in square brackets, or in round ones at its end or behind the name."""
    line = line.replace("**", "").replace("__", "")
    labels = [match for match in _SQUARE.finditer(line) if _code(match[1])]
    if not labels:
        labels = [match for match in (_ROUND_AT_END.search(line),) if match and _code(match[1])]
    name, words = split_name(line)
    if len(labels) > 1:
        return _Line(name, None, words, "more than one label")
    if labels:
        name, words = split_name(line[: labels[0].start()] + line[labels[0].end() :].lstrip(" .,;*_"))
        return _Line(name, labels[0][1], words)
    behind_name = _ROUND_AT_END.search(name or "")
    if behind_name and _code(behind_name[1]):
        return _Line(name, behind_name[1], words)
    ends_in_brackets = _SQUARE_AT_END.search(words) is not None
    return _Line(name, None, words, "label outside the set" if ends_in_brackets else "no label")
