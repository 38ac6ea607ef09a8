"""Name the emotions of texts: what is read of a file or a corpus, and what a classifier says of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .corpus import MANIFEST
from .corpus.readers import READERS, open_corpus
from .errors import UserError
from .sources import previous_turns

if TYPE_CHECKING:
    from .text.classifier import TextClassifier

CONFIG = "classifier.json"
"""What tells the folder of a classifier."""
SUFFIXES = (".txt", ".csv", ".jsonl")


class TextFileError(UserError, ValueError):
    """A file that holds no texts."""


@dataclass(frozen=True)
class Text:
    """A text to be read; ``text`` is None where there is none, and ``problem`` says why."""

    id: str
    file: str
    text: str | None
    before: tuple[str, ...] = ()
    problem: str = "no text"


def holds_classifier(checkpoint: Path) -> bool:
    """Whether a folder is what ``train-text`` saves as a classifier."""
    return (checkpoint / CONFIG).is_file()


def fingerprint(folder: Path) -> str:
    """Of a classifier: a hash over all its files."""
    digest = sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def find_texts(source: str, context: int = 0) -> Iterator[Text]:
    """The texts of a source, in an order that is always the same.

    Args:
        source: a corpus, or a file: a text a line, or a column ``text`` and perhaps ``id``.
        context: how many previous turns of its dialogue come with a corpus's text; files have no dialogues.

    Raises:
        TextFileError: if there is no such file or corpus, or if it is not what was expected.
        CorpusError: on a corpus that is not what it should be.
    """
    reader, colon, _ = source.partition(":")
    path = Path(source.partition("#")[0])
    if (colon and reader in READERS) or (path / MANIFEST).is_file():
        return _of_corpus(source, context)
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise TextFileError(f"{source}: expected a corpus, or a file that ends in {', '.join(SUFFIXES)}")
    return _of_file(path)


def _of_corpus(source: str, context: int) -> Iterator[Text]:
    corpus = open_corpus(source)
    before = previous_turns(corpus, context)
    return (Text(u.id, u.file_name or source, _said(u.text), before.get(u.id, ())) for u in corpus)


def _of_file(path: Path) -> Iterator[Text]:
    lines = {".txt": _lines, ".csv": _rows, ".jsonl": _objects}[path.suffix.lower()]
    with path.open(encoding="utf-8-sig", newline="" if path.suffix.lower() == ".csv" else None) as file:
        try:
            yield from lines(path, file)
        except UnicodeDecodeError as error:
            raise TextFileError(f"{path}: expected UTF-8: {error}") from None


def _lines(path: Path, file: Iterable[str]) -> Iterator[Text]:
    for number, line in enumerate(file, 1):
        yield Text(str(number), str(path), _said(line))


def _rows(path: Path, file: Iterable[str]) -> Iterator[Text]:
    table = csv.DictReader(file)
    if "text" not in (table.fieldnames or ()):
        raise TextFileError(f"{path}: got the columns {', '.join(table.fieldnames or ()) or 'none'}, expected 'text'")
    for number, row in enumerate(table, 1):
        yield Text(row.get("id") or str(number), str(path), _said(row["text"]))


def _objects(path: Path, file: Iterable[str]) -> Iterator[Text]:
    for number, line in enumerate(file, 1):
        try:
            found = json.loads(line)
            yield Text(str(found.get("id") or number), str(path), _said(found.get("text")))
        except (ValueError, AttributeError):
            yield Text(str(number), str(path), None, problem="no JSON object")


def _said(text: Any) -> str | None:
    return text.strip() or None if isinstance(text, str) else None


def read_off(
    texts: Iterator[Text], classifier: TextClassifier, window: int, done: int = 0
) -> Iterator[list[dict[str, Any]]]:
    """Predict some texts at a time; a line each, in their order.

    Args:
        texts: to be read.
        classifier: that reads them.
        window: how many at a time.
        done: how many were read before, for the progress bar.
    """
    from tqdm import tqdm

    with tqdm(desc="predict", unit="text", initial=done) as bar:
        while read := list(islice(texts, window)):
            shares = iter(classifier.predict([(t.text, t.before) for t in read if t.text is not None]).tolist())
            yield [_line(t, classifier.about.classes, None if t.text is None else next(shares)) for t in read]
            bar.update(len(read))


def _line(text: Text, classes: tuple[str, ...], shares: list[float] | None) -> dict[str, Any]:
    line: dict[str, Any] = {"id": text.id, "file": text.file}
    if shares is None:
        return {**line, "reason": text.problem, "error": f"{text.file}: {text.id}: {text.problem}"}
    emotion = classes[shares.index(max(shares))]
    return {**line, "emotion": emotion, "probabilities": {c: round(s, 6) for c, s in zip(classes, shares, strict=True)}}
