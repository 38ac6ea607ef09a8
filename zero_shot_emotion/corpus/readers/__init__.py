"""Readers of corpora as they lie on disk after download: one file a corpus, listed here.

A reader is a function ``read(root: Path) -> Corpus``. It yields every labelled utterance with the
corpus's own emotion in a canonical code (see `zero_shot_emotion.corpus.labels.EMOTIONS`); what a task
makes of it is the label set's business. ``split`` holds the corpus's own partition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from ..corpus import MANIFEST, Corpus, CorpusError

READERS: Mapping[str, str] = {
    "iemocap": "iemocap",
    "msp-podcast": "msp_podcast",
    "msp-improv": "msp_improv",
    "meld": "meld",
    "crema-d": "crema_d",
    "ravdess": "ravdess",
    "emodb": "emodb",
    "nemo": "nemo",
    "esd": "esd",
    "audiofolder": "audiofolder",
    "csv": "table",
}
"""The name of each reader and the module it lives in."""


def open_corpus(spec: str | Path) -> Corpus:
    """Open whatever names a corpus.

    Args:
        spec: a corpus folder of this project or any audiofolder (``path``), or a downloaded corpus
            (``reader:path``); either may end in ``#split`` or ``#split1,split2`` to take some of the
            corpus's own partitions.

    Raises:
        CorpusError: naming the spec and what was expected.
    """
    text, _, splits = str(spec).partition("#")
    reader, colon, path = text.partition(":")
    if colon and reader in READERS:
        corpus = _reader(reader)(_existing(path, spec))
    elif colon and len(reader) > 1 and not Path(text).exists():  # a single letter is a Windows drive
        raise CorpusError(f"corpus {str(spec)!r}: unknown reader {reader!r}, expected one of {', '.join(READERS)}")
    else:
        folder = _existing(text, spec)
        corpus = Corpus.load(folder) if (folder / MANIFEST).is_file() else _reader("audiofolder")(folder)
    return _take_splits(corpus, [s for s in splits.split(",") if s], spec)


def _reader(name: str) -> Callable[[Path], Corpus]:
    read: Callable[[Path], Corpus] = import_module(f".{READERS[name]}", __name__).read
    return read


def _existing(path: str, spec: str | Path) -> Path:
    if not Path(path).exists():
        raise CorpusError(f"corpus {str(spec)!r}: {path}: no such file or folder")
    return Path(path)


def _take_splits(corpus: Corpus, splits: list[str], spec: str | Path) -> Corpus:
    if not splits:
        return corpus
    known = sorted({u.split for u in corpus if u.split is not None})
    for split in splits:
        if split not in known:
            expected = f"one of {', '.join(known)}" if known else "no split: this corpus has none"
            raise CorpusError(f"corpus {str(spec)!r}: split: got {split!r}, expected {expected}")
    return corpus.where(lambda u: u.split in splits)
