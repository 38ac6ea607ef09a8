"""ShEMO: 3,000 utterances of 87 speakers from Persian radio plays, in six emotions.

Mohamad Nezami, Jamshid Lou and Karami, "ShEMO: a large-scale validated database for Persian speech emotion
detection", Language Resources and Evaluation 53, 2019; https://github.com/pariajm/sharif-emotional-speech-dataset.
The layout::

    male/M36S02.wav              man 36, emotion S, utterance 02
    shemo.json                   transcripts by file name
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus, CorpusError
from ..utterance import Utterance
from .source import build, decode, files, named, native, one_line

ROOT = "the folder that holds female and male"

LABELS = {
    "A": "ang",
    "F": "fea",
    "H": "hap",
    "N": "neu",
    "S": "sad",
    "W": "sur",
}
"""Anger, fear, happiness, neutral, sadness; W is surprise. What most of twelve annotators heard."""

TRANSCRIPTS = "shemo.json"

_NAME = re.compile(r"(?P<gender>[FM])(?P<speaker>\d\d)(?P<emotion>[A-Z])(?P<utterance>\d\d)")
"""The first F is a woman, one in the middle is fear."""


def read(root: Path) -> Corpus:
    """Read the corpus by its file names, and the words where the table of transcripts is there.

    Args:
        root: the folder that holds ``female`` and ``male``.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("shemo", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    texts = _texts(root / TRANSCRIPTS)
    for wav, name in named(files(root, "*male/**/*.wav"), _NAME, "M36S02"):
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=texts.get(wav.stem),
            label=native(LABELS, name["emotion"], wav),
            speaker=name["gender"] + name["speaker"],
            gender="female" if name["gender"] == "F" else "male",
            language="fa",
        )


def _texts(path: Path) -> dict[str, str | None]:
    """The words by utterance; none without the table."""
    if not path.is_file():
        return {}
    try:
        table = json.loads(decode(path))
        return {name: one_line(entry["transcript"]) for name, entry in table.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(
            f"{path}: got {type(error).__name__}: {error}, expected a JSON object such as "
            '{"F21N37": {"transcript": ...}}'
        ) from None
