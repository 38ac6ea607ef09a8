"""EmoDB: ten German sentences acted by ten speakers in seven emotions.

Burkhardt et al., "A database of German emotional speech", Interspeech 2005; http://emodb.bilderbar.info.
The layout::

    wav/03a01Fa.wav              speaker 03, sentence a01, emotion F, version a
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, named, native

ROOT = "the folder that holds wav"

LABELS = {
    "W": "ang",
    "L": "bor",
    "E": "dis",
    "A": "fea",
    "F": "hap",
    "T": "sad",
    "N": "neu",
}
"""Initials of the German words: Wut, Langeweile, Ekel, Angst, Freude, Trauer, neutral."""

SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute Abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
"""From the corpus's page."""

SPEAKERS: dict[str, tuple[Literal["female", "male"], int]] = {
    "03": ("male", 31),
    "08": ("female", 34),
    "09": ("female", 21),
    "10": ("male", 32),
    "11": ("male", 26),
    "12": ("male", 30),
    "13": ("female", 32),
    "14": ("female", 35),
    "15": ("male", 25),
    "16": ("female", 31),
}
"""Gender and age of the speakers, from the corpus's page."""

_NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")


def read(root: Path) -> Corpus:
    """Read the corpus by its file names.

    Args:
        root: the folder that holds ``wav``.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("emodb", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    for wav, name in named(files(root / "wav"), _NAME, "03a01Fa"):
        gender, age = native(SPEAKERS, name["speaker"], wav, "speaker")
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=native(SENTENCES, name["sentence"], wav, "sentence"),
            label=native(LABELS, name["emotion"], wav),
            speaker=name["speaker"],
            gender=gender,
            language="de",
            age=age,
        )
