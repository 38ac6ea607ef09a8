"""CaFE: six Canadian French sentences acted by twelve speakers in seven emotions.

Gournay, Lahaie and Lefebvre, "A Canadian French emotional speech dataset", ACM MMSys 2018;
https://zenodo.org/records/1478765. The layout::

    CaFE_48k/Peur/Fort/12-P-2-5.wav      speaker 12, emotion P, intensity 2, sentence 5
    CaFE_48k/Neutre/12-N-1-5.wav

Only file names are read: unpacking may spoil the accents in the folders' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, named, native

ROOT = "the folder that holds Neutre and the other emotions, or the one above"

LABELS = {
    "C": "ang",
    "D": "dis",
    "J": "hap",
    "N": "neu",
    "P": "fea",
    "S": "sur",
    "T": "sad",
}
"""Initials of the French words: colère, dégoût, joie, neutre, peur, surprise, tristesse."""

INTENSITIES = {"1": "low", "2": "high"}
"""The folders Faible and Fort; neutral speech has 1 and no such folder."""

SENTENCES = {
    "1": "Un cheval fou dans mon jardin",
    "2": "Deux ânes aigris au pelage brun",
    "3": "Trois cygnes aveugles au bord du lac",
    "4": "Quatre vieilles truies éléphantesques",
    "5": "Cinq pumas fiers et passionnés",
    "6": "Six ours aimants domestiqués",
}
"""From the corpus's Readme."""

AGES = {
    "01": 46,
    "02": 64,
    "03": 18,
    "04": 50,
    "05": 22,
    "06": 34,
    "07": 15,
    "08": 25,
    "09": 42,
    "10": 20,
    "11": 35,
    "12": 37,
}
"""Of the speakers; those with odd numbers are men."""

_NAME = re.compile(r"(?P<speaker>\d\d)-(?P<emotion>[A-Z])-(?P<intensity>\d)-(?P<sentence>\d)")


def read(root: Path) -> Corpus:
    """Read the corpus by its file names.

    Args:
        root: the folder of the emotions' folders, or the one above. Of a download in two sampling rates, one.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("cafe", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    for wav, name in named(files(root, "**/*.wav"), _NAME, "12-P-2-5"):
        label = native(LABELS, name["emotion"], wav)
        intensity = native(INTENSITIES, name["intensity"], wav, "intensity")
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=native(SENTENCES, name["sentence"], wav, "sentence"),
            label=label,
            speaker=name["speaker"],
            gender="male" if int(name["speaker"]) % 2 else "female",
            language="fr-CA",
            age=native(AGES, name["speaker"], wav, "speaker"),
            intensity=None if label == "neu" else intensity,
        )
