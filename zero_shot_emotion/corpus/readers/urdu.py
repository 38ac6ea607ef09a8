"""URDU: 400 utterances of 38 speakers from Urdu talk shows, in four emotions.

Latif et al., "Cross lingual speech emotion recognition: Urdu vs. Western languages", FIT 2018;
https://github.com/siddiquelatif/URDU-Dataset. The layout::

    Angry/SM1_F10_A010.wav       man 1, file 10, emotion A, utterance 010
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, named, native

ROOT = "the folder that holds Angry and the other emotions"

LABELS = {"A": "ang", "H": "hap", "N": "neu", "S": "sad"}
"""Initials of the names of the folders: Angry, Happy, Neutral, Sad."""

_NAME = re.compile(r"S(?P<gender>[FM])(?P<speaker>\d+)_F(?P<file>\d+)_(?P<emotion>[A-Z])(?P<utterance>\d+)")


def read(root: Path) -> Corpus:
    """Read the corpus by its file names.

    Args:
        root: the folder of the emotions' folders.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("urdu", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    for wav, name in named(files(root, "*/*.wav"), _NAME, "SM1_F10_A010"):
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            label=native(LABELS, name["emotion"], wav),
            speaker=f"S{name['gender']}{name['speaker']}",
            gender="female" if name["gender"] == "F" else "male",
            language="ur",
        )
