"""nEMO: Polish sentences acted by nine speakers in six emotions.

Christop, "nEMO: dataset of emotional speech in Polish", LREC-COLING 2024;
https://github.com/amu-cai/nEMO. The layout::

    data.tsv
    samples/EB0_anger_16.wav
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from os import scandir
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import GENDERS, build, existing, integer, native, one_line, rows

ROOT = "the folder that holds data.tsv and samples"

LABELS = {
    "neutral": "neu",
    "happiness": "hap",
    "anger": "ang",
    "sadness": "sad",
    "fear": "fea",
    "surprised": "sur",
}
"""As the column ``emotion`` has them."""


def read(root: Path) -> Corpus:
    """Read the corpus by its table; rows without a wav are dropped and counted.

    Args:
        root: the folder that holds ``data.tsv``.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected.
    """
    drops: Counter[str] = Counter()
    return build("nemo", root, list(_utterances(root, drops)), drops)


def _utterances(root: Path, drops: Counter[str]) -> Iterator[Utterance]:
    present = {entry.name for entry in scandir(existing(root / "samples"))}
    columns = ("file_id", "emotion", "raw_text", "speaker_id", "gender", "age")
    for where, row in rows(root / "data.tsv", columns, delimiter="\t"):
        emotion = native(LABELS, row["emotion"], where)
        if row["file_id"] not in present:
            drops["no wav"] += 1
            continue
        yield Utterance(
            file_name=f"samples/{row['file_id']}",
            id=Path(row["file_id"]).stem,
            text=one_line(row["raw_text"]),
            label=emotion,
            speaker=row["speaker_id"],
            gender=native(GENDERS, row["gender"], where, "gender"),
            language="pl",
            age=integer(row["age"], where, "age"),
        )
