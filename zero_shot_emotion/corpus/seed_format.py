"""The seed work's own manifests, in and out.

One JSON file a set: ``{"labels": {"neu": 0, ...}, "meta_data": [{"path", "label", "transcription"}]}``, in
``<meta_data>/<fold>/{train,dev,test}_meta_data.json``; paths are relative to a root that the config names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import explain
from .atomic import atomic_write
from .corpus import Corpus, CorpusError, id_of
from .labels import LabelSet
from .utterance import Utterance

SETS = ("train", "dev", "test")


def meta_data_path(meta_data: str | Path, fold: str, subset: str) -> Path:
    """Where a set of a fold lies. ``fold1`` may be written ``Session1`` on disk, as in SUPERB's recipe.

    Raises:
        CorpusError: if the folder is missing under both names.
    """
    names = dict.fromkeys((fold, fold.replace("fold", "Session")))
    for name in names:
        if (Path(meta_data) / name).is_dir():
            return Path(meta_data) / name / f"{subset}_meta_data.json"
    expected = " or ".join(str(Path(meta_data) / name) for name in names)
    raise CorpusError(f"test_fold: got {fold!r}, expected a folder {expected}")


def read_meta_data(path: str | Path, root: str | Path, name: str | None = None) -> tuple[Corpus, tuple[str, ...]]:
    """Read one ``*_meta_data.json``.

    Args:
        path: of the JSON file.
        root: what its paths are relative to.
        name: of the corpus; by default the file's.

    Returns:
        the corpus, and the classes in the order of their indices.

    Raises:
        CorpusError: naming the file, the entry, the value and what was expected.
    """
    path = Path(path)
    if not path.is_file():
        raise CorpusError(f"{path}: no such file")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CorpusError(f"{path}: expected JSON: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("meta_data"), list) or "labels" not in data:
        raise CorpusError(f"{path}: expected an object with 'labels' and a list 'meta_data'")
    classes = _classes(data["labels"], path)
    utterances = [_utterance(entry, classes, f"{path}: meta_data[{i}]") for i, entry in enumerate(data["meta_data"])]
    try:
        return Corpus(name or path.stem.removesuffix("_meta_data"), Path(root), tuple(utterances)), classes
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from None


def _classes(labels: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(labels, dict) or {*map(repr, labels.values())} != {*map(repr, range(len(labels)))}:
        raise CorpusError(f"{path}: labels: got {labels!r}, expected classes numbered from 0 without gaps")
    return tuple(sorted(labels, key=labels.__getitem__))


def _utterance(entry: Any, classes: tuple[str, ...], where: str) -> Utterance:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise CorpusError(f"{where}: got {entry!r}, expected an object with a 'path'")
    if entry.get("label") not in classes:
        raise CorpusError(f"{where}: label: got {entry.get('label')!r}, expected one of {', '.join(classes)}")
    try:
        return Utterance(
            file_name=entry["path"],
            id=id_of(entry["path"]),
            text=entry.get("transcription"),
            label=entry["label"],
            speaker=entry.get("speaker"),
            dialogue=entry.get("dialogue"),
        )
    except ValidationError as error:
        raise CorpusError(f"{where}: {explain(error)}") from None


def write_meta_data(corpus: Corpus, labels: LabelSet, path: str | Path) -> None:
    """Write a corpus as one ``*_meta_data.json``, its paths relative to the corpus folder.

    Speaker and dialogue go along where they are known: the seed work ignores them, our reader does not.

    Raises:
        LabelError: on a label the set does not know.
        CorpusError: on an utterance without audio.
    """
    corpus, _ = corpus.with_labels(labels)
    entries = []
    for utterance in corpus:
        corpus.audio_path(utterance)  # raises where there is none
        entry = {
            "path": utterance.file_name,
            "label": utterance.label,
            "transcription": utterance.text,
            "speaker": utterance.speaker,
            "dialogue": utterance.dialogue,
        }
        entries.append({key: value for key, value in entry.items() if value is not None})
    data = {"labels": {label: index for index, label in enumerate(labels.classes)}, "meta_data": entries}
    with atomic_write(path) as file:
        json.dump(data, file, indent=1, ensure_ascii=False)
        file.write("\n")
