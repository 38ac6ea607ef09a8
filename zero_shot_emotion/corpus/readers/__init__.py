"""Readers of corpora as they lie on disk after download: one file a corpus, listed here.

A reader is a function ``read(root: Path) -> Corpus``. It yields every labelled utterance with the
corpus's own emotion in a canonical code (see `zero_shot_emotion.corpus.labels.EMOTIONS`); what a task
makes of it is the label set's business. ``split`` holds the corpus's own partition. Beside it ``ROOT`` tells
people which folder it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from ..corpus import Corpus, CorpusError
from . import audiofolder
from .source import AbsentError

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
    "emovo": "emovo",
    "cafe": "cafe",
    "shemo": "shemo",
    "aesdd": "aesdd",
    "mesd": "mesd",
    "urdu": "urdu",
    "audiofolder": "audiofolder",
    "csv": "table",
}
"""The name of each reader and the module it lives in."""


def open_corpus(spec: str | Path) -> Corpus:
    """Open whatever names a corpus.

    Args:
        spec: a corpus folder of this project or any audiofolder (``path``), or a downloaded corpus
            (``reader:path``); either may end in ``#split`` or ``#split1,split2`` to take some of the
            corpus's own partitions, in ``#@fr`` or ``#@de,fr`` to take some of its languages, in ``#@-de`` or
            ``#@-de,-fr`` to take all but these, and in ``#split@fr`` to do both. A tag takes in the more
            specific ones: ``fr`` is ``fr-CA`` too.

    Raises:
        CorpusError: naming the spec and what was expected.
    """
    text, _, part = str(spec).partition("#")
    splits, at, languages = part.partition("@")
    reader, colon, path = text.partition(":")
    if colon and reader in READERS:
        corpus = _downloaded(reader, path, spec)
    elif colon and len(reader) > 1 and not Path(text).exists():  # a single letter is a Windows drive
        raise CorpusError(f"corpus {str(spec)!r}: unknown reader {reader!r}, expected one of {', '.join(READERS)}")
    else:
        corpus = audiofolder.read(_existing(text, spec))
    corpus = _take_splits(corpus, _listed(splits), spec)
    return _take_languages(corpus, _listed(languages), spec) if at else corpus


def _downloaded(reader: str, path: str, spec: str | Path) -> Corpus:
    """A corpus as it lies on disk after download."""
    module = import_module(f".{READERS[reader]}", __name__)
    try:
        corpus: Corpus = module.read(_existing(path, spec))
    except AbsentError as error:
        raise CorpusError(f"{error}; {reader}:PATH takes {module.ROOT}") from None
    return corpus


def _existing(path: str, spec: str | Path) -> Path:
    if not path:
        raise AbsentError(f"corpus {str(spec)!r}: names no path")
    if not Path(path).exists():
        raise AbsentError(f"corpus {str(spec)!r}: {path}: no such file or folder")
    return Path(path)


def _listed(names: str) -> list[str]:
    return [name for name in names.split(",") if name]


def _take_splits(corpus: Corpus, splits: list[str], spec: str | Path) -> Corpus:
    if not splits:
        return corpus
    known = sorted({u.split for u in corpus if u.split is not None})
    for split in splits:
        if split not in known:
            expected = f"one of {', '.join(known)}" if known else "no split: this corpus has none"
            raise CorpusError(f"corpus {str(spec)!r}: split: got {split!r}, expected {expected}")
    return corpus.where(lambda u: u.split in splits)


def _take_languages(corpus: Corpus, tags: list[str], spec: str | Path) -> Corpus:
    """The utterances in some languages, or in all but some; utterances of no language are in none of them."""
    where = f"corpus {str(spec)!r}: language"
    excluding = [tag.startswith("-") for tag in tags]
    if not tags or any(excluding) != all(excluding):
        raise CorpusError(
            f"{where}: got {','.join(tags)!r}, expected tags such as @de,fr, or @-de,-fr for all but these"
        )
    known = sorted({u.language for u in corpus if u.language is not None})
    for tag in tags:
        if not any(_is_in(language, tag.lstrip("-")) for language in known):
            expected = f"one of {', '.join(known)}" if known else "none: this corpus names no languages"
            raise CorpusError(f"{where}: got {tag.lstrip('-')!r}, expected {expected}")
    named = {language for language in known for tag in tags if _is_in(language, tag.lstrip("-"))}
    wanted = set(known) - named if all(excluding) else named
    if not wanted:
        raise CorpusError(f"{where}: nothing is left without {', '.join(sorted(named))}")
    return corpus.where(lambda u: u.language in wanted)


def _is_in(language: str, tag: str) -> bool:
    return f"{language.lower()}-".startswith(f"{tag.lower()}-")
