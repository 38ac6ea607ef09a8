"""ESD: 350 parallel sentences by ten Mandarin and ten English speakers in five emotions.

Zhou et al., "Emotional voice conversion: theory, databases and ESD", Speech Communication 137, 2022;
https://github.com/HLTSingapore/Emotional-Speech-Data. The layout::

    0001/0001.txt
    0001/Angry/0001_000351.wav          (in the original one folder deeper: train, evaluation or test)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import AbsentError, build, files, lines, native, one_line

ROOT = "the folder that holds 0001 and the other speakers"

LABELS = {
    "Neutral": "neu",
    "Happy": "hap",
    "Angry": "ang",
    "Sad": "sad",
    "Surprise": "sur",
}
"""The names of the folders."""

SPLITS = {"train", "evaluation", "test"}

WOMEN = {"0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019"}
"""The corpus's ReadMe.txt: five of each language, the others are men."""

FIRST_ENGLISH = "0011"
"""Speakers from here on speak English, those before Mandarin."""


def read(root: Path) -> Corpus:
    """Read the corpus by its folders, and the words of each speaker where a transcript is there.

    A line of a transcript that has not its three columns, as some fifteen have, gives no words.

    Args:
        root: the folder of the speakers' folders.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    speakers = sorted(root.glob("00[0-2][0-9]"))
    if not speakers:
        raise AbsentError(f"{root / '0001'}: no such folder")
    return build("esd", root, [u for speaker in speakers for u in _utterances(root, speaker)])


def _utterances(root: Path, speaker: Path) -> Iterator[Utterance]:
    texts = _texts(speaker / f"{speaker.name}.txt")
    for wav in files(speaker, "*/**/*.wav"):
        emotion, *level = wav.relative_to(speaker).parts[:-1]
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=texts.get(wav.stem),
            label=native(LABELS, emotion, str(wav)),
            speaker=speaker.name,
            gender="female" if speaker.name in WOMEN else "male",
            language="en" if speaker.name >= FIRST_ENGLISH else "cmn",
            split=next((name for name in level if name in SPLITS), None),
        )


def _texts(transcript: Path) -> dict[str, str | None]:
    """The words by utterance. Speakers' files differ: UTF-16, UTF-8, GB 2312 (Mandarin) or Latin-1 (English)."""
    if not transcript.is_file():
        return {}
    legacy = "cp1252" if transcript.stem >= FIRST_ENGLISH else "gb18030"
    cells = (line.split("\t") for _, line in lines(transcript, legacy))
    return {line[0]: one_line(line[1]) for line in cells if len(line) == 3}
