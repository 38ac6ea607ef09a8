"""Words, as the report counts them."""

from __future__ import annotations

import re

from ..near_duplicates import SIGN

_WORD = re.compile(rf"[{SIGN}]|[^\W_{SIGN}]+(?:'[^\W_{SIGN}]+)*")


def words(text: str) -> list[str]:
    """The words of a text in lower case; a Han, kana or Hangul sign counts as one.

    >>> words("Well - I don’t know, 你好!")
    ['well', 'i', "don't", 'know', '你', '好']
    """
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def is_sign(word: str) -> bool:
    """Whether a word of `words` is a single sign of a script without blanks."""
    return re.fullmatch(f"[{SIGN}]", word) is not None
