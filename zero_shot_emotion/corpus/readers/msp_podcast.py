"""MSP-PODCAST: spontaneous speech from podcasts, rated by crowd workers.

Lotfian and Busso, "Building naturalistic emotionally balanced speech corpus by retrieving emotional speech
from existing podcast recordings", IEEE Transactions on Affective Computing 10(4), 2019;
https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html. The layout::

    Audios/MSP-PODCAST_0001_0008.wav                     (or Audio/, or Audios/Audios/)
    Labels/labels_consensus.csv                          (labels_concensus.csv up to v1.8)
    Transcripts/MSP-PODCAST_0001_0008.txt
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from os import scandir
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import GENDERS, build, existing, native, number, rows, words

ROOT = "the folder of a release, which holds Labels"

LABELS = {
    "N": "neu",
    "H": "hap",
    "A": "ang",
    "S": "sad",
    "F": "fea",
    "D": "dis",
    "U": "sur",
    "C": "con",
    "O": "oth",
    "X": "xxx",
}
"""Codes of the consensus in the corpus's readme: C is contempt, U surprise, O other, X no agreement."""

SPLITS = {
    "Train": "Train",
    "Development": "Development",
    "Validation": "Development",
    "Test1": "Test1",
    "Test2": "Test2",
    "Test3": "Test3",
}
"""v1.8 calls the development set Validation."""

ATTRIBUTES = {"valence": "EmoVal", "activation": "EmoAct", "dominance": "EmoDom"}
"""The attributes, from 1 to 7, and their columns."""


def read(root: Path) -> Corpus:
    """Read a release by its consensus labels.

    ``dialogue`` is the podcast, so that turns of one recording can be kept together where the speaker is
    unknown. Labelled turns without a wav are dropped and counted. Reading the transcripts takes a moment:
    each is a file of its own.

    Args:
        root: the folder that holds ``Labels``.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected.
    """
    drops: Counter[str] = Counter()
    return build("msp-podcast", root, list(_utterances(root, drops)), drops)


def _utterances(root: Path, drops: Counter[str]) -> Iterator[Utterance]:
    labels = existing(root / "Labels" / "labels_consensus.csv", root / "Labels" / "labels_concensus.csv")
    audio = existing(root / "Audios" / "Audios", root / "Audios", root / "Audio")
    present = {entry.name for entry in scandir(audio)}
    columns = ("FileName", "EmoClass", "SpkrID", "Gender", "Split_Set", *ATTRIBUTES.values())
    for where, row in rows(labels, columns):
        stem = Path(row["FileName"]).stem
        emotion = native(LABELS, row["EmoClass"], where, "EmoClass")
        if row["FileName"] not in present:
            drops["no wav"] += 1
            continue
        yield Utterance(
            file_name=(audio / row["FileName"]).relative_to(root).as_posix(),
            id=stem,
            text=words(root / "Transcripts" / f"{stem}.txt"),
            label=emotion,
            speaker=None if row["SpkrID"].lower() == "unknown" else row["SpkrID"],
            gender=native(GENDERS, row["Gender"], where, "Gender", str.lower),
            language="en",
            dialogue="_".join(stem.split("_")[:2]),
            split=native(SPLITS, row["Split_Set"], where, "Split_Set"),
            **{name: number(row[column], where, column) for name, column in ATTRIBUTES.items()},
        )
