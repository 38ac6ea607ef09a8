"""Measure a corpus once, resumably: a stage like any other, whose corpus holds numbers instead of sound."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..acoustics import cepstrum, measure
from ..audio import check_audio, read_audio
from ..corpus import Corpus, LabelSet, UserError, Utterance
from ..corpus.stage import Made, local_executor, run_stage
from .features import CEPSTRUM, FEATURES, SETS

Array = npt.NDArray[np.float64]

MOST = 10_000
"""Of a larger corpus so many utterances are drawn."""
DIGITS = 5
FORM = 1
"""Counts up when what is measured changes, so that what was measured before is not taken for it."""


class SpeechReportError(UserError, ValueError):
    """A corpus that there is nothing to say of."""


@dataclass(frozen=True)
class MeasureTask:
    """Measures an utterance."""

    root: Path

    def __call__(self, utterance: Utterance) -> list[Made]:
        audio = read_audio(self.root / (utterance.file_name or ""), rate=None)
        check_audio(audio, utterance.id)
        acoustics = {key: None if value is None else _short(value) for key, value in asdict(measure(audio)).items()}
        return [
            Made(
                Utterance.model_validate(
                    {"id": utterance.id, "acoustics": acoustics, "cepstrum": [_short(c) for c in cepstrum(audio)]}
                )
            )
        ]


@dataclass(frozen=True)
class Measured:
    """A corpus in numbers.

    Args:
        name: of the corpus, made unique in the report.
        neutral: whether its speech was made without emotion, whatever its labels say.
        utterances: those that were measured.
        matrix: of measures, shape (utterances, FEATURES), on a log scale where they are compared so; nan where unknown.
        cepstra: shape (utterances, 2 * coefficients).
        drops: what was left out, by reason.
    """

    name: str
    neutral: bool
    utterances: tuple[Utterance, ...]
    matrix: Array
    cepstra: Array
    drops: dict[str, int]

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Of each utterance."""
        return np.array([u.label for u in self.utterances])

    @property
    def groups(self) -> tuple[list[str], str]:
        """Whose voice each utterance has, and by what column that is told."""
        return voices(self.utterances)

    def column(self, feature: str) -> Array:
        """A measure of all utterances, nan where unknown."""
        return self.matrix[:, list(FEATURES).index(feature)]

    def columns(self, name: str) -> Array:
        """A set of `SETS`, shape (utterances, k), without what does not vary; what is unknown is the median."""
        return usable(self.cepstra if name == CEPSTRUM else np.stack([self.column(f) for f in SETS[name]], axis=1))


def usable(matrix: Array) -> Array:
    """A matrix with medians for what is unknown, without columns in which nothing varies."""
    known = matrix[:, ~np.isnan(matrix).all(axis=0)]
    filled = np.where(np.isnan(known), np.nanmedian(known, axis=0), known)
    return filled[:, filled.std(axis=0) > 1e-9]


def voices(utterances: tuple[Utterance, ...]) -> tuple[list[str], str]:
    """Whose voice each utterance has: a synthetic voice, else the speaker, else the dialogue, else it stands alone."""
    columns = {
        "voice": [u.extra.get("voice") for u in utterances],
        "speaker": [u.speaker for u in utterances],
        "dialogue": [u.dialogue for u in utterances],
    }
    for name, values in columns.items():
        if all(values):
            return [str(value) for value in values], name
    return [u.extra.get("copy_of") or u.id for u in utterances], "utterance"


def measure_corpus(
    corpus: Corpus, labels: LabelSet, folder: Path, *, name: str, seed: int = 0, workers: int = 1
) -> Measured:
    """Measure the labelled utterances of a corpus that have audio; what the folder holds already is not done again.

    Args:
        corpus: with audio.
        labels: the classes to compare.
        folder: where the numbers are kept.
        name: of the corpus in the report.
        seed: of the draw from a large corpus.
        workers: processes.

    Raises:
        SpeechReportError: if no labelled audio is left.
    """
    labelled, dropped = corpus.with_labels(labels)
    drops = Counter({f"label: {label}": count for label, count in dropped.items()})
    spoken = [u for u in labelled if u.file_name is not None]
    drops["no audio"] = len(labelled) - len(spoken)
    if len(spoken) > MOST:
        drops["not drawn"] = len(spoken) - MOST
        drawn = np.sort(np.random.default_rng(seed).choice(len(spoken), MOST, replace=False))
        spoken = [spoken[k] for k in drawn]
    found = _found(corpus, spoken, folder, name, workers)
    kept = tuple(u for u in spoken if u.id in found)
    drops["audio that cannot be used"] = len(spoken) - len(kept)
    if not kept:
        raise SpeechReportError(
            f"corpus {corpus.name!r}: holds no audio that can be measured in the classes {', '.join(labels.classes)}; "
            f"of {len(corpus)} utterances left out: {', '.join(f'{r} {c}' for r, c in drops.items() if c)}"
        )
    rows = [[found[u.id]["acoustics"][feature] for feature in FEATURES] for u in kept]
    matrix = np.array(rows, dtype=np.float64)  # None becomes nan
    for k, feature in enumerate(FEATURES.values()):
        if feature.log:
            matrix[:, k] = np.log(matrix[:, k])
    cepstra = np.array([found[u.id]["cepstrum"] for u in kept], dtype=np.float64)
    return Measured(name, is_neutral(kept), kept, matrix, cepstra, {r: c for r, c in drops.items() if c})


def is_neutral(utterances: tuple[Utterance, ...]) -> bool:
    """Whether all are spoken by a synthetic voice and none was given an emotion."""
    given = (dict(u.extra.get("injection") or {}).get("emotion", "neu") for u in utterances)
    return all("voice" in u.extra for u in utterances) and set(given) == {"neu"}


def _found(corpus: Corpus, spoken: list[Utterance], folder: Path, name: str, workers: int) -> dict[str, Any]:
    """What was measured, by utterance."""
    audio = digest_of_files([corpus.audio_path(u) for u in spoken])
    card = {"stage": "measure", "form": FORM, "files": audio, "parselmouth": version("praat-parselmouth")}
    bare = [Utterance(id=u.id, file_name=u.file_name) for u in spoken]  # other columns change nothing
    out = folder / f"{''.join(c if c.isalnum() else '-' for c in name)}-{audio}"
    with local_executor(workers if len(bare) > 1 else 1) as executor:
        task = MeasureTask(corpus.root.resolve())
        report = run_stage(bare, task, out, name=f"measure {name}", card=card, executor=executor, skip_errors=True)
    return {u.id: u.extra for u in report.corpus}


def digest_of_files(paths: list[Path]) -> str:
    """Changes when a file is changed, added or taken away; what is in the files is not read."""
    digest = sha256(str(FORM).encode())
    for path in paths:
        stat = path.stat() if path.is_file() else None
        digest.update(f"{path.resolve()}\n{stat and (stat.st_size, stat.st_mtime_ns)}\n".encode())
    return digest.hexdigest()[:12]


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
