"""RAVDESS: two sentences acted by 24 speakers in eight emotions.

Livingstone and Russo, "The Ryerson audio-visual database of emotional speech and song (RAVDESS)", PLoS ONE
13(5), 2018; https://zenodo.org/records/1188976. The layout::

    Actor_01/03-01-01-01-01-01-01.wav            (or one folder deeper, as in Audio_Speech_Actors_01-24/)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import AbsentError, build, files, integer, named, native

ROOT = "the folder that holds Actor_01 and the others, or the one above"

LABELS = {
    "01": "neu",
    "02": "cal",
    "03": "hap",
    "04": "sad",
    "05": "ang",
    "06": "fea",
    "07": "dis",
    "08": "sur",
}
"""The third field of the file name; these and the others are explained on the Zenodo page."""

INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
CHANNELS = {"01": "speech", "02": "song"}

_NAME = re.compile(
    r"03-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)-(?P<statement>\d\d)"
    r"-(?P<repetition>\d\d)-(?P<actor>\d\d)"
)
"""03 is audio without video."""


def read(root: Path) -> Corpus:
    """Read the speech; song, where it lies beside, is dropped and counted.

    Args:
        root: the folder of the actors' folders, or the one above.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    actors = sorted(root.glob("Actor_*")) or sorted(root.glob("*/Actor_*"))
    if not actors:
        raise AbsentError(f"{root / 'Actor_01'}: no such folder")
    drops: Counter[str] = Counter()
    return build("ravdess", root, list(_utterances(root, actors, drops)), drops)


def _utterances(root: Path, actors: list[Path], drops: Counter[str]) -> Iterator[Utterance]:
    for wav, name in named((wav for actor in actors for wav in files(actor)), _NAME, "03-01-06-01-02-01-12"):
        if native(CHANNELS, name["channel"], wav, "vocal channel") == "song":
            drops["song"] += 1
            continue
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=native(STATEMENTS, name["statement"], wav, "statement"),
            label=native(LABELS, name["emotion"], wav),
            speaker=name["actor"],
            gender="male" if int(name["actor"]) % 2 else "female",
            language="en",
            intensity=native(INTENSITIES, name["intensity"], wav, "intensity"),
            repetition=integer(name["repetition"], wav, "repetition"),
        )
