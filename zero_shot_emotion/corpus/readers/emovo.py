"""EMOVO: fourteen Italian sentences acted by six speakers in seven emotions.

Costantini et al., "EMOVO corpus: an Italian emotional speech database", LREC 2014. The layout::

    f2/gio-f2-b2.wav             emotion gio, speaker f2, sentence b2
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ..corpus import Corpus
from ..utterance import Utterance
from .source import build, files, named, native

ROOT = "the folder that holds f1 and the other speakers, or the one above"

LABELS = {
    "neu": "neu",
    "gio": "hap",
    "rab": "ang",
    "tri": "sad",
    "pau": "fea",
    "dis": "dis",
    "sor": "sur",
}
"""The beginnings of the Italian words: neutro, gioia, rabbia, tristezza, paura, disgusto, sorpresa."""

SENTENCES = {
    "b1": "Gli operai si alzano presto.",
    "b2": "I vigili sono muniti di pistola.",
    "b3": "La cascata fa molto rumore.",
    "l1": "L'autunno prossimo Tony partirà per la Spagna nella prima metà di ottobre.",
    "l2": "Ora prendo la felpa di là ed esco per fare una passeggiata.",
    "l3": "Un attimo dopo s'è incamminato ... ed è inciampato.",
    "l4": "Vorrei il numero telefonico del Signor Piatti.",
    "n1": "La casa forte vuole col pane.",
    "n2": "La forza trova il passo e l'aglio rosso.",
    "n3": "Il gatto sta scorrendo nella pera.",
    "n4": "Insalata pastasciutta coscia d'agnello limoncello.",
    "n5": "Uno quarantatré dieci mille cinquantasette venti.",
    "d1": "Sabato sera cosa farà?",
    "d2": "Porti con te quella cosa?",
}
"""From the paper. The sentences n1 to n5 mean nothing. Emozionalmente has b1, b3 and l4 too, word for word."""

SPEAKERS: dict[str, tuple[Literal["female", "male"], int]] = {
    "f1": ("female", 28),
    "f2": ("female", 23),
    "f3": ("female", 25),
    "m1": ("male", 30),
    "m2": ("male", 27),
    "m3": ("male", 30),
}
"""Gender and age of the speakers, from the paper."""

_NAME = re.compile(r"(?P<emotion>[a-z]{3})-(?P<speaker>[fm]\d)-(?P<sentence>[bdln]\d)")


def read(root: Path) -> Corpus:
    """Read the corpus by its file names.

    Args:
        root: the folder of the speakers' folders, or the one above.

    Raises:
        CorpusError: naming the path, the value and what was expected.
    """
    return build("emovo", root, _utterances(root))


def _utterances(root: Path) -> Iterator[Utterance]:
    for wav, name in named(files(root, "**/*.wav"), _NAME, "gio-f2-b2"):
        gender, age = native(SPEAKERS, name["speaker"], wav, "speaker")
        yield Utterance(
            file_name=wav.relative_to(root).as_posix(),
            id=wav.stem,
            text=native(SENTENCES, name["sentence"], wav, "sentence"),
            label=native(LABELS, name["emotion"], wav),
            speaker=name["speaker"],
            gender=gender,
            language="it",
            age=age,
        )
