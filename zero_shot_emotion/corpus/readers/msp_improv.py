"""MSP-IMPROV: dyadic improvisations built around fixed target sentences.

Busso et al., "MSP-IMPROV: an acted corpus of dyadic interactions to study emotion perception", IEEE
Transactions on Affective Computing 8(1), 2017. The layout::

    Evalution.txt                                        (sic; Evaluation.txt in other copies)
    Audio/session1/S01A/S/MSP-IMPROV-S01A-F01-S-FM01.wav (or session1/... without Audio/)
    Human_transcriptions/All_human_transcriptions/MSP-IMPROV-S01A-F01-S-FM01.txt
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Corpus
from ..utterance import Utterance
from .source import GENDERS, build, existing, fields, files, lines, native, number, words

ROOT = "the folder of the release, which holds Evalution.txt (sic)"

LABELS = {"N": "neu", "H": "hap", "A": "ang", "S": "sad", "O": "oth", "X": "xxx"}
"""The plurality of the raters; X is no agreement."""

CONDITIONS = {
    "P": "natural",
    "R": "target-read",
    "S": "other-improvised",
    "T": "target-improvised",
}
"""Codes in the file names, matched to the conditions by the counts in the paper's Table 3: P and S are not
"performed" and "scripted" but the talk between recordings and the improvised turns around the target."""

TRANSCRIPTS = ("Human_transcriptions/All_human_transcriptions", "All_human_transcriptions", "Text")

_LABEL = re.compile(r"(?:UTD|MSP)-(?P<id>IMPROV-[^;.]+)\.(?:avi|wav)\s*;\s*(?P<emotion>[^;]+?)\s*;(?P<scores>.*)")
"""``UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:3.000000; V:3.500000; D:3.000000 ; N:...;``."""
_SCORE = re.compile(r"(?P<letter>[AVDN]):\s*(?P<value>[^;\s]*)")
_ID = re.compile(
    r"MSP-IMPROV-(?P<sentence>S\d\d)(?P<intended>[AHNS])-(?P<target>[FM](?P<session>\d\d))"
    r"-(?P<condition>[A-Z])-[FM]?(?P<letter>[FM])\d+"
)
"""The last letter before the turn's number is the speaker: the two stand for listener and speaker."""


def read(root: Path) -> Corpus:
    """Read the release by the consensus of its label file.

    The release rates activation from 1 (active) to 5 (calm); here it is turned round, so that 5 is active.
    ``split`` is the session, ``dialogue`` one improvisation of a scenario. Labelled turns without a wav and
    wavs without a label are dropped and counted.

    Args:
        root: the folder that holds ``Evalution.txt``.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected.
    """
    labels = existing(root / "Evalution.txt", root / "Evaluation.txt")
    audio = root / "Audio" if (root / "Audio").is_dir() else root
    wavs = {_utd_to_msp(wav.stem): wav for wav in files(audio, "**/*.wav")}
    texts = {_utd_to_msp(path.stem): path for folder in TRANSCRIPTS for path in (root / folder).rglob("*.txt")}
    drops: Counter[str] = Counter()
    utterances: list[Utterance] = []
    for where, turn in _labels(labels):
        wav = wavs.pop(turn["id"], None)
        if wav is None:
            drops["no wav"] += 1
        else:
            utterances.append(_utterance(turn, where, wav.relative_to(root), texts.get(turn["id"])))
    drops["no label"] += len(wavs)
    return build("msp-improv", root, utterances, drops)


def _utd_to_msp(stem: str) -> str:
    """The label file names the videos, which begin with UTD-; the wavs begin with MSP-."""
    return "MSP-" + stem.partition("-")[2]


def _labels(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The line of each turn; the raters' own lines, which follow it, are left aside."""
    for where, line in lines(path):
        if line.startswith(("UTD-IMPROV", "MSP-IMPROV")):
            turn = fields(_LABEL, line, where, "UTD-IMPROV-S01A-F01-S-FM01.avi; N; A:3.0; V:3.5; D:3.0 ; N:4.0;")
            yield where, {**turn, "id": f"MSP-{turn['id']}"}


def _utterance(turn: dict[str, str], where: str, wav: Path, text: Path | None) -> Utterance:
    name = fields(_ID, turn["id"], where, "MSP-IMPROV-S01A-F01-S-FM01")
    condition = native(CONDITIONS, name["condition"], where, "condition")
    score = {
        match["letter"]: number(match["value"], where, match["letter"]) for match in _SCORE.finditer(turn["scores"])
    }
    activation = score.get("A")
    dialogue = f"{name['sentence']}{name['intended']}-{name['target']}"
    return Utterance(
        file_name=wav.as_posix(),
        id=turn["id"],
        text=words(text) if text else None,
        label=native(LABELS, turn["emotion"], where),
        speaker=name["letter"] + name["session"],
        gender=GENDERS[name["letter"].lower()],
        language="en",
        # a sentence that is read aloud was recorded apart from the improvisation
        dialogue=f"{dialogue}-read" if condition == "target-read" else dialogue,
        split=f"Session{int(name['session'])}",
        condition=condition,
        sentence=name["sentence"],
        intended=LABELS[name["intended"]],
        valence=score.get("V"),
        activation=None if activation is None else 6 - activation,
        dominance=score.get("D"),
        naturalness=score.get("N"),
    )
