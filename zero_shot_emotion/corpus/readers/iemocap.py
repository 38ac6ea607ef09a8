"""IEMOCAP: dyadic acted conversations, scripted and improvised.

Busso et al., "IEMOCAP: interactive emotional dyadic motion capture database", Language Resources and
Evaluation 42, 2008; https://sail.usc.edu/iemocap/. The layout read here is that of ``IEMOCAP_full_release``::

    Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
    Session1/dialog/EmoEvaluation/Ses01F_impro01.txt
    Session1/dialog/transcriptions/Ses01F_impro01.txt

With the label set ``four``, which merges excitement into happiness, the full release gives the usual
5,531 utterances.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import GENDERS, AbsentError, build, existing, fields, files, lines, native, number, one_line

ROOT = "IEMOCAP_full_release, or the folder that holds it"

LABELS = {
    "neu": "neu",
    "hap": "hap",
    "ang": "ang",
    "sad": "sad",
    "exc": "exc",
    "fru": "fru",
    "fea": "fea",
    "dis": "dis",
    "sur": "sur",
    "oth": "oth",
    "xxx": "xxx",
}
"""IEMOCAP's codes are the canonical ones; ``xxx`` is a turn on which the raters did not agree."""

ELICITATIONS = {"impro": "improvised", "script": "scripted"}

_TURN = re.compile(
    r"\[(?P<start>\S+) - (?P<end>[^\]]+)\]\s+(?P<id>\S+)\s+(?P<emotion>\S+)\s+"
    r"\[(?P<valence>[^,]+),\s*(?P<activation>[^,]+),\s*(?P<dominance>[^\]]+)\]"
)
"""``[6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]``: the file's header has V, A, D."""
_ID = re.compile(r"(?P<dialogue>(?P<session>Ses0[1-5])[FM]_(?P<elicitation>impro|script)\w+)_(?P<letter>[FM])\w{3}")
"""The first letter tells who wore the motion capture markers, the last one who speaks."""
_NUMBERS = ("start", "end", "valence", "activation", "dominance")
"""What a turn's line says in numbers: times in seconds, attributes from 1 to 5."""
_WORDS = re.compile(r"(?P<id>Ses\S+)\s+\[[^\]]*\]:?\s*(?P<text>.*)")
_NOISE = re.compile(r"\[[^\]]*\]")
"""``[LAUGHTER]``, ``[BREATHING]`` and their like are not words."""


def read(root: Path) -> Corpus:
    """Read the full release.

    ``split`` is the session, ``turn`` the order of start times in the dialogue. Evaluated turns without a
    wav and transcribed turns without an evaluation (``..._MXX0``) are dropped and counted.

    Args:
        root: ``IEMOCAP_full_release`` or the folder that holds it.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected.
    """
    if (root / "IEMOCAP_full_release").is_dir():
        root = root / "IEMOCAP_full_release"
    sessions = sorted(root.glob("Session[1-5]"))
    if not sessions:
        raise AbsentError(f"{root / 'Session1'}: no such folder")
    drops: Counter[str] = Counter()
    utterances = [
        utterance
        for session in sessions
        for evaluation in files(existing(session / "dialog" / "EmoEvaluation"), "*.txt")
        for utterance in _dialogue(root, session, evaluation, drops)
    ]
    return build("iemocap", root, utterances, drops)


def _dialogue(root: Path, session: Path, evaluation: Path, drops: Counter[str]) -> Iterator[Utterance]:
    turns = sorted(_turns(evaluation), key=lambda turn: turn.extra["start"])
    texts = _texts(session / "dialog" / "transcriptions" / evaluation.name)
    drops["transcribed turn without evaluation"] += len(texts.keys() - {turn.id for turn in turns})
    wavs = existing(session / "sentences" / "wav")
    for place, turn in enumerate(turns):
        wav = wavs / evaluation.stem / f"{turn.id}.wav"
        if wav.is_file():
            yield turn.with_(
                file_name=wav.relative_to(root).as_posix(), split=session.name, turn=place, text=texts.get(turn.id)
            )
        else:
            drops["no wav"] += 1


def _turns(evaluation: Path) -> Iterator[Utterance]:
    """What the evaluation says of each turn; the raters' own lines, which begin with a letter, are left aside."""
    for where, line in lines(evaluation):
        if line.startswith("["):
            turn = fields(_TURN, line, where, "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]")
            name = fields(_ID, turn["id"], where, "Ses01F_impro01_F000")
            yield Utterance(
                id=turn["id"],
                label=native(LABELS, turn["emotion"], where),
                speaker=name["session"] + name["letter"],
                gender=GENDERS[name["letter"].lower()],
                language="en",
                dialogue=name["dialogue"],
                elicitation=ELICITATIONS[name["elicitation"]],
                **{column: number(turn[column], where, column) for column in _NUMBERS},
            )


def _texts(transcription: Path) -> dict[str, str | None]:
    """The words of each turn; lines of another form are notes, and copies without transcriptions exist."""
    if not transcription.is_file():
        return {}
    matches = (_WORDS.fullmatch(line) for _, line in lines(transcription))
    return {match["id"]: one_line(_NOISE.sub(" ", match["text"])) for match in matches if match}
