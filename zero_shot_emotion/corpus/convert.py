"""Write any corpus as a folder of this project, its audio linked or copied."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from .corpus import Corpus, CorpusError
from .stage import AUDIO
from .unfinished import unfinished
from .utterance import Utterance

AudioMode = Literal["link", "copy"]


def convert(corpus: Corpus, out: str | Path, audio: AudioMode = "link") -> Corpus:
    """Write a corpus as an audiofolder: manifest, card, and ``audio/<id>``.

    Args:
        corpus: as a reader yields it.
        out: folder of the new corpus.
        audio: ``link`` makes symbolic links to the original files, ``copy`` copies them.

    Raises:
        CorpusError: if an utterance's audio is missing, naming it and its file; or if the folder is the corpus itself.
    """
    out = Path(out)
    if corpus.root.resolve() == out.resolve():
        raise CorpusError(f"-o {out}: is the input itself, expected another folder")
    with unfinished(out, "corpus convert"):
        placed = tuple(_placed(corpus, utterance, out, audio) for utterance in corpus)
        Corpus(corpus.name, out, placed, corpus.card).save(out)
    return Corpus.load(out)


def _placed(corpus: Corpus, utterance: Utterance, out: Path, audio: AudioMode) -> Utterance:
    """An utterance with its audio in the new folder."""
    if utterance.file_name is None:
        return utterance
    source = corpus.audio_path(utterance)
    if not source.is_file():
        raise CorpusError(f"corpus {corpus.name!r}, utterance {utterance.id!r}: {source}: no such file")
    file_name = f"{AUDIO}/{utterance.id}{source.suffix}"
    place(source, out / file_name, audio)
    return utterance.with_(file_name=file_name)


def place(source: Path, target: Path, audio: AudioMode) -> None:
    """Link or copy a file to a place where another may be, at once; a file that is there already stays."""
    if target.exists() and not target.is_symlink() and target.samefile(source):
        return  # a link in its place would lead to itself
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    beside.unlink(missing_ok=True)
    if audio == "link":
        beside.symlink_to(source.resolve())
    else:
        shutil.copyfile(source, beside)
    beside.replace(target)
