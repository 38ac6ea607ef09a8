"""Who speaks: from whatever a model writes before a colon to a role of the prompt."""
# ruff: noqa: RUF001 - colons and quotation marks of several languages are meant as they are

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .datasheet import Gender

_PREFIX = re.compile(r"""^[\s*_"'“„«>]*(?P<name>[^\W_][^:：*"“”«»\[\]{}]{0,39}?)[\s*_]*[:：](?!\d)[*_]*\s*""")
_BEHIND = re.compile(r"\s*[(（].*")
_MOST_WORDS = 4
"""Of a name, with all that may stand beside it, as in "Subject 1 (male)"."""
_TITLES = frozenset({"speaker", "subject", "person", "role", "character", "participant", "actor", "voice"})
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_GENDERS: Mapping[str, Gender] = {
    **dict.fromkeys(("f", "female", "woman", "girl", "lady"), "female"),
    **dict.fromkeys(("m", "male", "man", "boy", "gentleman"), "male"),
}


def split_name(line: str) -> tuple[str | None, str]:
    """The name that a line begins with, and what is said; None if it begins with none.

    >>> split_name("**Subject 1 (male):** Hello.")
    ('Subject 1 (male)', 'Hello.')
    >>> split_name("It is 10:30 now.")
    (None, 'It is 10:30 now.')
    """
    match = _PREFIX.match(line)
    if match is None or len(match["name"].split()) > _MOST_WORDS:
        return None, line
    return match["name"].strip(), line[match.end() :]


def bare(name: object) -> str:
    """A name as it is compared: without what stands in round brackets behind it.

    >>> bare("Anna (crying)")
    'anna'
    """
    return _BEHIND.sub("", str(name or "")).casefold()


def role_of(name: object, genders: Mapping[str, Gender]) -> str | None:
    """The role that a name means by itself: its letter, its number, or the only one of a gender.

    Args:
        name: as a model wrote it.
        genders: of the roles, by the names that the prompt gave them.

    >>> roles = {"A": "female", "B": "male"}
    >>> [role_of(name, roles) for name in ("b", "Speaker A", "Subject 2", "M", "Anna (female)", "Anna")]
    ['B', 'A', 'B', 'B', 'A', None]
    """
    if not isinstance(name, str | int):
        return None
    everything = re.findall(r"\w+", str(name).casefold())
    words = re.findall(r"\w+", bare(name))
    plain = [word for word in words if word not in _TITLES]
    if len(plain) == 1:
        by_letter = {role.casefold(): role for role in genders}
        number = _NUMBERS.get(plain[0]) if len(words) > 1 else None
        number = int(plain[0]) if plain[0].isdecimal() else number
        if plain[0] in by_letter:
            return by_letter[plain[0]]
        if number is not None:
            return list(genders)[number - 1] if 1 <= number <= len(genders) else None
    named = {_GENDERS[word] for word in everything if word in _GENDERS}
    matching = [role for role, gender in genders.items() if gender in named]
    return matching[0] if len(named) == len(matching) == 1 else None


def cast(names: Iterable[object], genders: Mapping[str, Gender]) -> dict[str, str]:
    """The role of each bare name in an answer.

    Where a model calls nobody as the prompt did, its own names get the roles in the order in which they speak.

    >>> cast(["Tom", "Anna", "Tom"], {"A": "female", "B": "male"})
    {'tom': 'A', 'anna': 'B'}
    """
    given = list(dict.fromkeys(name for name in names if isinstance(name, str | int)))
    known = {bare(name): role for name in given if (role := role_of(name, genders)) is not None}
    own = list(dict.fromkeys(map(bare, given)))
    return dict(zip(own, genders, strict=False)) if not known and len(own) <= len(genders) else known
