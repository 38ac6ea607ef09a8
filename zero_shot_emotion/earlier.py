"""What an earlier training left in an experiment's folder, and where it goes when another one begins there.

s3prl overwrites what has the same name and leaves the rest: results of one model beside the checkpoint of another.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path

from .results import RESULTS, SPLITS

OF_A_MODEL = (
    "*.ckpt",
    RESULTS,
    "predictions-*.csv",
    "*_predict.txt",
    "*_truth.txt",
    "embeddings-*.npz",
    "inference-*.json",
)
"""Files that tell of a model that was trained."""
OF_ITS_TRAINING = (SPLITS, "features.json", "log.log", "events.out.tfevents.*")
"""Files that go with them."""
FOLDER = "earlier"


def find_earlier(expdir: Path) -> list[Path]:
    """The files of a model that was trained in a folder, and of its training; none if there is no model."""
    found = _matching(expdir, OF_A_MODEL)
    return found and found + _matching(expdir, OF_ITS_TRAINING)


def set_aside(expdir: Path, files: list[Path]) -> str:
    """Move files into a folder of their own in the experiment's folder.

    Returns:
        a sentence that says so.
    """
    aside = next(path for number in count(1) if not (path := expdir / f"{FOLDER}-{number}").exists())
    aside.mkdir()
    for path in files:
        path.rename(aside / path.name)
    names = ", ".join(path.name for path in files[:3])
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return f"{expdir} holds an earlier training: its files ({names}{more}) are in {aside} from now on"


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]
