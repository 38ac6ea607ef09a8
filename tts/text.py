"""What of a written line is spoken.

No stage direction, markup, emoji or written laughter is read aloud; numbers and abbreviations are
`tts.normalise`'s. Exclamation marks become full stops: engines answer them with a livelier contour, and
writers put them into angry and happy lines, so that "neutral" speech would tell the emotion of its text.
Written laughter would tell it too.
"""

from __future__ import annotations

import re
import unicodedata

_BRACKETS = re.compile(r"\[+[^\[\]]*\]+|\(+[^()]*\)+|<+[^<>]*>+|\{+[^{}]*\}+")
"""Stage directions in brackets. A true parenthesis goes too: dialogues hardly have any."""
_ACTION = re.compile(r"(?:^|(?<=[.!?…]))\s*\*[a-z][^*]*\*(?=\s|$)")
"""``*sighs*`` at the beginning of a sentence; anywhere else asterisks stress a word, which stays."""
_NOISE = re.compile(
    r"\*(?:laugh|chuckl|giggl|snicker|sigh|sob|cry|cries|weep|sniff|gasp|groan|grunt|growl|scoff|snort|cough|gulp"
    r"|yawn|smil|grin|frown|nod|shrug|paus|whisper|yell|shout|scream|clears)\w*\b[^*]*\*",
    re.IGNORECASE,
)
"""``*laughs softly*`` anywhere, by its verb."""
_LAUGHTER = re.compile(
    r"(?<![\w'\u2019-])(?:b?w?a?h?(?:ha){2,}h?|(?:a?ha[ -])+ha+h?|h?e?(?:he){2,}h?|(?:hi){2,}|(?:ho[ -]?){3,}"
    r"|(?:ja){2,}|lol|lmao|rofl|x+d+|(?:哈){2,}|(?:呵){2,}|ㅋ{2,}|ㅎ{2,})(?![\w'\u2019-])[\s,.;:!?…\uff0c\u3002\uff01\uff1f\u3001]*",
    re.IGNORECASE,
)
"""Written laughter in the spellings of several languages, with the punctuation that follows it."""
_EMOJI_GLUE = re.compile(r"\ufe0f|(?<!\S)\u200d|\u200d(?!\S)")
"""What holds an emoji together; inside a word the joiner belongs to the script."""
_MARKUP = str.maketrans("*_#~`|", "      ")
_EXCLAIMED = re.compile("[!?\uff01\uff1f]*[!\uff01][!?\uff01\uff1f]*")
"""Exclamation marks, full-width ones too, with the question marks beside them."""
_DEGREES = "°\u2103\u2109"
"""Symbols like emoji to Unicode, but ones that are said: degrees, and those with Celsius and Fahrenheit."""
_QUESTIONS = {"?", "\uff1f"}


def spoken(text: str) -> str:
    """The words of a line.

    >>> spoken("[laughs] I *really* mean it. *sighs* Okay 😂 (beat) **Fine**!")
    'I really mean it. Okay Fine.'
    >>> spoken("What?! No! ¡Claro que sí!")
    'What? No. Claro que sí.'
    >>> spoken("Haha, you *laughs* got me! Ha ha ha. Aha, I see.")
    'you got me. Aha, I see.'
    """
    text = _NOISE.sub(" ", _ACTION.sub(" ", _BRACKETS.sub(" ", text))).translate(_MARKUP)
    text = _LAUGHTER.sub(" ", text)
    text = "".join(" " if c not in _DEGREES and unicodedata.category(c) in ("So", "Sk", "Cc") else c for c in text)
    text = _EMOJI_GLUE.sub("", text)
    text = _EXCLAIMED.sub(lambda marks: "?" if _QUESTIONS & set(marks[0]) else ".", text.replace("¡", ""))
    return re.sub(r"\s+(?=[.,!?;:…](\s|$))", "", " ".join(text.split()))
