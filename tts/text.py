"""What of a written line is spoken.

A first, small clean-up, so that no stage direction, markup or emoji is read aloud. Numbers and
abbreviations are left to the engine. Exclamation marks become full stops: engines answer them with a
livelier contour, and writers put them into angry and happy lines, so that "neutral" speech would tell
the emotion of its text.
"""

from __future__ import annotations

import re
import unicodedata

_BRACKETS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>|\{[^{}]*\}")
"""Stage directions in brackets. A true parenthesis goes too: dialogues hardly have any."""
_ACTION = re.compile(r"(?:^|(?<=[.!?…]))\s*\*[a-z][^*]*\*(?=\s|$)")
"""``*sighs*`` at the beginning of a sentence; anywhere else asterisks stress a word, which stays."""
_EMOJI_GLUE = re.compile(r"\ufe0f|(?<!\S)\u200d|\u200d(?!\S)")
"""What holds an emoji together; inside a word the joiner belongs to the script."""
_MARKUP = str.maketrans("*_#~`|", "      ")
_EXCLAIMED = re.compile("[!?\uff01\uff1f]*[!\uff01][!?\uff01\uff1f]*")
"""Exclamation marks, full-width ones too, with the question marks beside them."""
_QUESTIONS = {"?", "\uff1f"}


def spoken(text: str) -> str:
    """The words of a line.

    >>> spoken("[laughs] I *really* mean it. *sighs* Okay 😂 (beat) **Fine**!")
    'I really mean it. Okay Fine.'
    >>> spoken("What?! No! ¡Claro que sí!")
    'What? No. Claro que sí.'
    """
    text = _ACTION.sub(" ", _BRACKETS.sub(" ", text)).translate(_MARKUP)
    text = "".join(" " if unicodedata.category(c) in ("So", "Sk", "Cc") else c for c in text)
    text = _EMOJI_GLUE.sub("", text)
    text = _EXCLAIMED.sub(lambda marks: "?" if _QUESTIONS & set(marks[0]) else ".", text.replace("¡", ""))
    return re.sub(r"\s+(?=[.,!?;:…](\s|$))", "", " ".join(text.split()))
