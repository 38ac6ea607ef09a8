"""What is to be labelled: a corpus, or any folder of audio."""

from __future__ import annotations

from pathlib import Path

from zero_shot_emotion.corpus import MANIFEST, Corpus, Utterance, id_of
from zero_shot_emotion.corpus.readers import READERS, open_corpus
from zero_shot_emotion.corpus.unfinished import refuse_unfinished

from .errors import WeakLabelError

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus")
"""What libsndfile reads."""


def open_source(spec: str) -> Corpus:
    """A corpus as it is named elsewhere, or the audio files under a folder, without labels.

    Folders that are named as emotions say nothing here: such a folder is read with its labels as ``audiofolder:PATH``.

    Raises:
        CorpusError: if it is neither, or a corpus that is half made.
        WeakLabelError: if a folder holds no audio.
    """
    folder = Path(spec)
    if not folder.is_dir() or (folder / MANIFEST).is_file() or spec.partition(":")[0] in READERS:
        return open_corpus(spec)
    refuse_unfinished(folder)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not _hidden(p.relative_to(folder)))
    if not files:
        raise WeakLabelError(f"{folder}: holds no audio, expected a corpus or files in {', '.join(SUFFIXES)}")
    names = [path.relative_to(folder).as_posix() for path in files]
    utterances = tuple(Utterance(id=id_of(name), file_name=name) for name in names)
    return Corpus(folder.resolve().name, folder, utterances)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
