"""Turns in JSON, whatever their keys are called. A model is asked for ``{"turns": [{"speaker", "emotion", "text"}]}``.

What was asked for goes before what was not. Of other keys, those that mean the same must say the same: nobody chooses
between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import UnionType
from typing import Any

TURNS = "turns"
SPEAKER = ("speaker", "role", "name", "speakerid", "speakername", "character", "who")
EMOTION = ("emotion", "label", "class", "category", "mood", "emotionlabel")
TEXT = ("text", "utterance", "line", "content", "sentence", "dialogue", "speech", "message", "words")
"""Keys that mean the same, the one that was asked for first; without case, blanks, hyphens and underscores."""
ASKED = {SPEAKER[0], EMOTION[0], TEXT[0]}
DEPTH = 4
"""Levels of lists and objects that are looked into."""

Turn = Mapping[str, Any]


def under(turn: Turn, keys: Sequence[str], kinds: type | UnionType = object) -> list[Any]:
    """The values that a turn has under some keys, of some types.

    >>> under({"Speaker ID": 1, "line": 3, "Content": "Well."}, TEXT, str)
    ['Well.']
    """
    return [value for key, value in turn.items() if _plain(key) in keys and isinstance(value, kinds)]


def texts_of(turn: Turn) -> list[str]:
    """What a turn may be saying: what was asked for, or else everything that is called text; each once."""
    for keys in (TEXT[:1], TEXT[1:]):
        said = [text.strip() for text in under(turn, keys, str) if any(char.isalnum() for char in text)]
        if said:
            return list(dict.fromkeys(said))
    return []


def dialogues(objects: Iterable[Any]) -> list[list[Any]]:
    """The dialogues in the JSON of an answer, each a list of turns; more than one if it does not say which is meant.

    Lists under the key that was asked for go before others, and those that say something before those that do not, such
    as a repeated example. Objects that stand by themselves are turns of one dialogue if any of them has a label.
    """
    objects = list(objects)
    found = [place for value in objects for place in _lists(value, "", DEPTH)]
    said = [(key, turns) for key, turns in found if any(isinstance(turn, dict) and texts_of(turn) for turn in turns)]
    found = said or found
    asked = [turns for key, turns in found if key == TURNS]
    several = asked or [turns for _, turns in found]
    if several:
        return [turns for place, turns in enumerate(several) if turns not in several[:place]]
    single = [value for value in objects if isinstance(value, dict) and texts_of(value)]
    return [single] if any(under(turn, EMOTION) for turn in single) else []


def strings(value: Any, depth: int = DEPTH) -> Iterator[str]:
    """All texts within a value, in their order."""
    if isinstance(value, str):
        yield value
    elif depth > 0 and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner, depth - 1)


def _lists(value: Any, key: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """The lists of turns within a value, each with the key that it stands under."""
    if depth == 0 or not isinstance(value, dict | list):
        return
    inner = list(value.values()) if isinstance(value, dict) else value
    numbered = isinstance(value, dict) and inner and all(map(_is_turn, inner))
    listed = isinstance(value, list) and (
        any(map(_is_turn, inner)) or (key == TURNS and any(isinstance(turn, dict) for turn in inner))
    )
    if numbered or listed:
        yield key, inner
        return
    for name, held in value.items() if isinstance(value, dict) else ((key, held) for held in value):
        yield from _lists(held, _plain(name), depth - 1)


def _is_turn(value: Any) -> bool:
    """Whether an object says something, and by whom or how."""
    return isinstance(value, dict) and bool(under(value, TEXT, str)) and bool(under(value, SPEAKER + EMOTION))


@lru_cache(maxsize=1024)
def _plain(key: str) -> str:
    return "".join(filter(str.isalnum, key.casefold()))
