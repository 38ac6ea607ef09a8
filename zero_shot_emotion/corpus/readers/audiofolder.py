"""Any folder in Hugging Face's audiofolder convention, such as a corpus of this project.

https://huggingface.co/docs/datasets/audio_dataset: a ``metadata.jsonl``, which the corpora of this project have, a
``metadata.csv`` with a column ``file_name``, or one folder a class; these two may lie under folders named as splits::

    metadata.csv                    train/metadata.csv
    angry/anna_01.wav               train/angry/anna_01.wav
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..corpus import MANIFEST, Corpus, CorpusError, id_of
from ..unfinished import refuse_unfinished
from ..utterance import Utterance
from .source import build, native
from .table import LABELS, utterances

METADATA = "metadata.csv"
SPLITS = ("train", "validation", "valid", "val", "dev", "test")
AUDIO = {".wav", ".flac", ".mp3", ".ogg", ".opus"}
"""What libsndfile reads."""

ROOT = f"a folder of audio: with {MANIFEST} or {METADATA}, or of folders named as emotions or as splits"

__all__ = ["LABELS", "ROOT", "read"]


def read(root: Path) -> Corpus:
    """Read a folder by its metadata, or by its classes, named by a canonical code or its English word (``anger``).

    Args:
        root: the folder of the classes, of the splits, or of the metadata.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected.
    """
    if not root.is_dir():
        raise CorpusError(f"{root}: expected a folder; a table is read as csv:{root}")
    refuse_unfinished(root)
    if (root / MANIFEST).is_file():
        return Corpus.load(root)
    if corpora := sorted(str(path.parent) for path in root.glob(f"*/{MANIFEST}")):
        raise CorpusError(f"{root}: is no corpus, but a folder of corpora; expected one of {', '.join(corpora)}")
    splits = [] if (root / METADATA).is_file() else _splits(root)
    if splits:
        found = [member.with_(split=split.name) for split in splits for member in _members(root, split)]
    else:
        found = list(_members(root, root))
    return build("audiofolder", root, found, name=root.resolve().name)


def _splits(root: Path) -> list[Path]:
    """The folders named as splits, none if folders are named as classes."""
    folders = _folders(root)
    splits = [folder for folder in folders if folder.name in SPLITS]
    if not folders or 0 < len(splits) < len(folders):
        raise CorpusError(
            f"{root}: got the folders {', '.join(folder.name for folder in folders) or 'none'}, expected {METADATA}, "
            f"folders named as emotions, or only folders named as splits ({', '.join(SPLITS)})"
        )
    return splits


def _folders(root: Path) -> list[Path]:
    """The folders that hold audio, in order."""
    return sorted(path for path in root.iterdir() if path.is_dir() and any(_audio(path)))


def _audio(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix.lower() in AUDIO and not path.name.startswith("."))


def _members(root: Path, folder: Path) -> Iterator[Utterance]:
    if (folder / METADATA).is_file():
        yield from utterances(folder / METADATA, ("file_name",), folder.relative_to(root).as_posix())
        return
    for group in _folders(folder):
        label = native(LABELS, group.name, str(group), "label", str.lower)
        for path in sorted(_audio(group)):
            file_name = path.relative_to(root).as_posix()
            yield Utterance(file_name=file_name, id=id_of(file_name), label=label)
