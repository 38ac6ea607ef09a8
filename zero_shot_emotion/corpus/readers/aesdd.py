"""AESDD: twenty Greek utterances acted by some six speakers in five emotions; there is no neutral speech.

Vryzas et al., "Speech emotion recognition for performance interaction", Journal of the Audio Engineering Society
66(6), 2018; http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition. The layout::

    anger/a03 (4).wav            emotion a, utterance 03, speaker 4

The corpus grows; the first edition has three actresses and two actors, whose numbers it does not tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, identifier, native

ROOT = "the folder that holds anger and the other emotions"

LABELS = {
    "anger": "ang",
    "disgust": "dis",
    "fear": "fea",
    "happiness": "hap",
    "sadness": "sad",
}
"""The names of the folders; the names of the files begin with their first letters."""

CORRUPT = {"s05 (3)"}
"""Cannot be decoded."""

_NAME = re.compile(r"(?P<emotion>[adfhs])(?P<utterance>\d\d) ?\((?P<speaker>\d+)\)")


def read(root: Path) -> Corpus:
    """Read the corpus by its folders and file names.

    The corrupt file, the few whose names have another form, and any whose name and folder name two emotions
    are dropped and counted.

    Args:
        root: the folder of the emotions' folders.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    drops: Counter[str] = Counter()
    return build("aesdd", root, list(_utterances(root, drops)), drops)


def _utterances(root: Path, drops: Counter[str]) -> Iterator[Utterance]:
    for wav in files(root, "*/*.wav"):
        label = native(LABELS, wav.parent.name, str(wav), key=str.lower)
        name = _NAME.fullmatch(wav.stem)
        if wav.stem in CORRUPT:
            drops["corrupt"] += 1
        elif name is None:
            drops["irregular name"] += 1
        elif name["emotion"] != wav.parent.name[0].lower():
            drops["name and folder differ"] += 1
        else:
            yield Utterance(
                file_name=wav.relative_to(root).as_posix(),
                id=identifier(wav.stem),
                label=label,
                speaker=name["speaker"],
                language="el",
                utterance=name["utterance"],
            )
