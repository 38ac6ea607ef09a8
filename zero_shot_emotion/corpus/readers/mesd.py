"""MESD: single Mexican Spanish words acted by eleven women, men and children in six emotions.

Duville, Alonso-Valerdi and Ibarra-Zarate, "Mexican emotional speech database based on semantic, frequency,
familiarity, concreteness, and cultural shaping of affective prosody", Data 6(12), 2021;
https://data.mendeley.com/datasets/cy34mh68j9. The layout::

    Anger_F_A_tarde.wav          emotion, voice (F, M, C), list of words (A, B), word

No file says which of the three women, two men and six children speaks: results cannot be grouped by speaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, identifier, named, native, one_line

ROOT = "the folder that holds files such as Anger_F_A_tarde.wav, or the one above"

LABELS = {
    "Anger": "ang",
    "Disgust": "dis",
    "Fear": "fea",
    "Happiness": "hap",
    "Neutral": "neu",
    "Sadness": "sad",
}
"""As the names of the files begin."""

VOICES: dict[str, tuple[Literal["female", "male"] | None, str]] = {
    "F": ("female", "adult"),
    "M": ("male", "adult"),
    "C": (None, "child"),
}
"""Gender and age group; of the children no gender is told."""

_NAME = re.compile(r"(?P<emotion>[A-Za-z]+)_(?P<voice>[A-Z])_(?P<list>[AB])_(?P<word>.+)")


def read(root: Path) -> Corpus:
    """Read the corpus by its file names.

    The words of list A were spoken in every emotion; those of list B were chosen for one each, so that there
    the text tells the label: the column ``words`` says which list.

    Args:
        root: the folder of the files, or one above.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("mesd", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    for wav, name in named(files(root, "**/*.wav"), _NAME, "Anger_F_A_tarde"):
        gender, age_group = native(VOICES, name["voice"], wav, "voice")
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=identifier(wav.stem),
            text=one_line(name["word"].replace("_", " ")),
            label=native(LABELS, name["emotion"], wav, key=str.capitalize),
            gender=gender,
            language="es-MX",
            age_group=age_group,
            words=name["list"],
        )
