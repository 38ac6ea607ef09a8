"""A real transcript to hold a corpus against: lines of text, from wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zero_shot_emotion.corpus import UserError
from zero_shot_emotion.corpus.readers import open_corpus


class TranscriptError(UserError, ValueError):
    """A transcript that holds no text."""


@dataclass(frozen=True)
class Transcript:
    """The lines of a real corpus."""

    name: str
    lines: Sequence[str]


def open_transcript(spec: str | Path) -> Transcript:
    """Read the text of a corpus, or a text file of one utterance a line.

    Args:
        spec: the path of a text file, or whatever `open_corpus` opens, such as ``meld:PATH``.

    Raises:
        TranscriptError: if there is no text in it, or if the file is not UTF-8.
        CorpusError: as `open_corpus` does.
    """
    path = Path(spec)
    if not path.is_file():
        corpus = open_corpus(spec)
        return _checked(Transcript(corpus.name, [u.text for u in corpus if u.text]), spec)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise TranscriptError(f"transcript {str(spec)!r}: expected text in UTF-8: {error}") from None
    return _checked(Transcript(path.stem, [line.strip() for line in lines if line.strip()]), spec)


def _checked(transcript: Transcript, spec: str | Path) -> Transcript:
    if not transcript.lines:
        raise TranscriptError(f"transcript {str(spec)!r}: holds no text, expected at least one utterance")
    return transcript
