"""What of a written line is said aloud: no stage directions, no markup, no quotation marks around the whole."""
# ruff: noqa: RUF001 - brackets, dashes and quotation marks of several languages are meant as they are

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|（[^（）]*）|【[^【】]*】|［[^［］]*］")
_STRONG = re.compile(r"\*\*|__|`+")
_STARS = re.compile(r"\*([^*]+)\*")
_STRAY = re.compile(r"[*<>()\[\]{}（）【】［］]|(?<!\w)_+|_+(?!\w)")
_PICTURE = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]")
_AT_REST = re.compile(r"\w[\w ,.;:!?'’…–—-]*")
"""A line that needs nothing done to it; blanks apart."""
_CUT = "\0"
"""Marks where something was taken out, until the blanks around it are put right."""
_CUT_BEFORE_STOP = re.compile(rf"\s*{_CUT}[\s{_CUT}]*(?=[,.;:!?…]|$)")
_CUT_BETWEEN = re.compile(rf"(\s*){_CUT}[{_CUT}\s]*")
_LEADING = re.compile(r"^(?:\s|[,;:]|\.(?!\.)|[-–—]\s)+")

_ACTION = re.compile(
    "(?:chuckl|cough|cri|cry|exhal|gasp|giggl|grin|groan|growl|inhal|laugh|mumbl|mutter|paus|scoff|scream|shout|shrug|sigh"
    "|smil|sniff|sniffl|snort|sob|swallow|whisper|yell)(?:e?s?|n?b?ing)",
    re.IGNORECASE,
)
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_QUOTES = ('""', "''", "“”", "„“", "„”", "””", "‘’", "‚‘", "«»", "»«", "‹›", "「」", "『』", "〝〞")


def spoken(text: str) -> str:
    r"""The words of a line as a transcript has them.

    Args:
        text: as a model wrote it, without the name of the speaker.

    >>> spoken('"(sighs) I **really** can\'t, *shakes head* Tom..." [quietly]')
    "I really can't, Tom..."
    >>> spoken("« Tu *plaisantes* ? »")
    'Tu plaisantes ?'
    """
    if _AT_REST.fullmatch(text) and "_" not in text:  # of most lines, at a tenth of the time
        return " ".join(text.split())
    text = _CONTROL.sub(" ", text.encode("utf-8", "ignore").decode())
    text = _PICTURE.sub(_CUT, _TAG.sub("", text))
    text = _without_directions(_STRONG.sub("", text))
    text = " ".join(_CUT_BETWEEN.sub(_blank, _CUT_BEFORE_STOP.sub("", _STRAY.sub("", text))).split())
    return _unquoted(_LEADING.sub("", text))


def _without_directions(text: str) -> str:
    """Brackets go with what is in them, from the inside out; a word between asterisks may be stressed instead."""
    inside_out = None
    while inside_out != text:
        inside_out, text = text, _BRACKETS.sub(_CUT, text)
    return _STARS.sub(_stressed_or_cut, text)


def _stressed_or_cut(match: re.Match[str]) -> str:
    """A single word within a sentence is stressed, unless it says what the speaker does."""
    word, before = match[1], match.string[: match.start()].rstrip()
    within = before[-1:].isalnum() or before.endswith(",")
    return word if within and " " not in word and not _ACTION.fullmatch(word) else _CUT


def _blank(match: re.Match[str]) -> str:
    return " " if any(char.isspace() for char in match[0]) else ""


def _unquoted(text: str) -> str:
    """Without the marks that quote the whole of it."""
    inner = text[1:-1]
    marks_within = set(_APOSTROPHE.sub("", inner))
    if text[:1] + text[-1:] in _QUOTES and not marks_within & {text[0], text[-1]}:
        return _LEADING.sub("", inner.strip())
    return text
