"""CREMA-D: twelve sentences acted by 91 speakers in six emotions.

Cao et al., "CREMA-D: crowd-sourced emotional multimodal actors dataset", IEEE Transactions on Affective
Computing 5(4), 2014; https://github.com/CheyneyComputerScience/CREMA-D. The layout::

    AudioWAV/1001_IEO_NEU_XX.wav
    VideoDemographics.csv
    processedResults/summaryTable.csv
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..corpus import Corpus, CorpusError
from ..utterance import Utterance
from .source import GENDERS, build, fields, files, integer, native, rows

ROOT = "the folder that holds AudioWAV"

LABELS = {"NEU": "neu", "HAP": "hap", "ANG": "ang", "SAD": "sad", "FEA": "fea", "DIS": "dis"}
"""The emotion that the actor was asked for, as the file name has it."""

VOTES = {"N": "neu", "H": "hap", "A": "ang", "S": "sad", "F": "fea", "D": "dis"}
"""The emotion that most listeners heard, as the summary table has it."""

INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": None}
"""Only the sentence IEO was acted at three levels; XX is unspecified."""

SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
"""From the repository's README."""

SILENT = {"1076_MTI_SAD_XX"}
"""Holds no sound, says the repository's README."""

_NAME = re.compile(r"(?P<actor>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<intensity>[A-Z]{1,2})")
_POINTER = b"version https://git-lfs"
"""How the small text file begins that git keeps in place of a large one."""
_POINTER_BYTES = 200


def read(root: Path) -> Corpus:
    """Read the audio by its file names: ``label`` is the intended emotion.

    Where the summary table is there, ``voice_vote`` is what most listeners heard; of a tie it has all
    emotions, such as ``ang:dis``. Gender, age, race and ethnicity come from the table of actors, if there.

    Args:
        root: the folder that holds ``AudioWAV``.

    Raises:
        CorpusError: naming the file, the value and what was expected; also for a file that is a pointer
            of git's large file storage.
    """
    drops: Counter[str] = Counter()
    return build("crema-d", root, list(_utterances(root, drops)), drops, label="intended emotion")


def _utterances(root: Path, drops: Counter[str]) -> Iterator[Utterance]:
    actors = _actors(root / "VideoDemographics.csv")
    votes = _votes(root / "processedResults" / "summaryTable.csv")
    for wav in files(root / "AudioWAV"):
        if wav.stem in SILENT:
            drops["no sound"] += 1
            continue
        _refuse_pointer(wav)
        where = str(wav)
        name = fields(_NAME, wav.stem, where, "1001_IEO_NEU_XX")
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=native(SENTENCES, name["sentence"], where, "sentence"),
            label=native(LABELS, name["emotion"], where),
            speaker=name["actor"],
            language="en",
            intensity=native(INTENSITIES, name["intensity"], where, "intensity"),
            voice_vote=votes.get(wav.stem),
            **actors.get(name["actor"], {}),
        )


def _refuse_pointer(wav: Path) -> None:
    if wav.stat().st_size <= _POINTER_BYTES and wav.read_bytes().startswith(_POINTER):
        raise CorpusError(
            f"{wav}: is a pointer of git's large file storage, expected audio: "
            "a ZIP download of the repository has no audio, clone it with git-lfs installed"
        )


def _actors(path: Path) -> dict[str, dict[str, str | int | None]]:
    if not path.is_file():
        return {}
    return {
        row["ActorID"]: {
            "gender": native(GENDERS, row["Sex"], where, "Sex", str.lower),
            "age": integer(row["Age"], where, "Age"),
            "race": row["Race"],
            "ethnicity": row["Ethnicity"],
        }
        for where, row in rows(path, ("ActorID", "Age", "Sex", "Race", "Ethnicity"))
    }


def _votes(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    return {
        row["FileName"]: ":".join(native(VOTES, vote, where, "VoiceVote") for vote in row["VoiceVote"].split(":"))
        for where, row in rows(path, ("FileName", "VoiceVote"))
        if row["VoiceVote"] not in ("", "NA")  # what R writes where there was no vote
    }
