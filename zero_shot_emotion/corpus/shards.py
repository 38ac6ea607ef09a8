"""Write any corpus as a few large files: WebDataset's tar shards, or Parquet with an audio column.

For file systems and trainers for which a million small files are too many.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from .atomic import atomic_write
from .corpus import CARD, Corpus, CorpusError
from .utterance import Utterance

if TYPE_CHECKING:
    import pyarrow

ShardFormat = Literal["webdataset", "parquet"]
UTTERANCES = 10_000
"""In a shard: about a gigabyte of speech at 16 kHz."""
BATCH = 256
"""Utterances whose audio is in memory at once; a row group of Parquet."""
Writer = Callable[[IO[bytes], Iterable[Utterance]], None]


def write_shards(corpus: Corpus, out: str | Path, form: ShardFormat, utterances: int = UTTERANCES) -> list[Path]:
    """Write a corpus, audio and all, into shards; the card goes beside them, last.

    ``webdataset.WebDataset(shards)`` yields ``json``, an utterance's line, and its audio under the extension of
    its file, such as ``wav``. ``datasets.load_dataset("parquet", data_files=shards)`` has the utterance's columns
    and ``audio``. The same corpus gives the same bytes.

    Args:
        corpus: with or without audio.
        out: the folder of the shards, new or empty.
        form: of the files.
        utterances: in a shard.

    Returns:
        the shards.

    Raises:
        CorpusError: if the library is not installed, the folder is not empty, or audio is missing.
    """
    out = Path(out)
    if out.is_dir() and any(out.iterdir()):
        raise CorpusError(f"-o {out}: is not empty, expected a new folder")
    try:
        write, suffix = (_tar_writer(corpus), "tar") if form == "webdataset" else (_parquet_writer(corpus), "parquet")
    except ImportError as error:
        raise CorpusError(f"--format {form}: {error}, expected: pip install 'zero-shot-emotion[shards]'") from None
    count = -(-len(corpus) // utterances)
    rest, shards = iter(corpus), [out / f"{number:05d}-of-{count:05d}.{suffix}" for number in range(count)]
    for shard in shards:
        with atomic_write(shard, "wb") as file:
            write(file, islice(rest, utterances))
    with atomic_write(out / CARD) as text:
        card = {"name": corpus.name, **corpus.card, "utterances": len(corpus), "counts": corpus.counts()}
        json.dump(card, text, indent=2, ensure_ascii=False)
        text.write("\n")
    return shards


def _audio(corpus: Corpus, utterance: Utterance) -> bytes:
    path = corpus.audio_path(utterance)
    if not path.is_file():
        raise CorpusError(f"corpus {corpus.name!r}, utterance {utterance.id!r}: {path}: no such file")
    return path.read_bytes()


def _tar_writer(corpus: Corpus) -> Writer:
    from webdataset import TarWriter

    def write(file: IO[bytes], utterances: Iterable[Utterance]) -> None:
        # Keys are numbers: WebDataset ends a key at its first dot, and an id may have one.
        with TarWriter(file, encoder=False, mtime=0) as tar:
            for number, utterance in enumerate(utterances):
                sample: dict[str, Any] = {"__key__": f"{number:08d}", "json": utterance.to_line().encode()}
                if utterance.file_name is not None:
                    extension = Path(utterance.file_name).suffix.lstrip(".").lower()
                    sample[extension or "audio"] = _audio(corpus, utterance)
                tar.write(sample)

    return write


def _parquet_writer(corpus: Corpus) -> Writer:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = _schema(corpus)

    def write(file: IO[bytes], utterances: Iterable[Utterance]) -> None:
        with ParquetWriter(file, schema) as parquet:
            rows = iter(utterances)
            while batch := [_row(utterance, corpus) for utterance in islice(rows, BATCH)]:
                parquet.write_table(pyarrow.Table.from_pylist(batch, schema=schema))

    return write


def _columns(utterance: Utterance) -> dict[str, Any]:
    return utterance.model_dump(mode="json", exclude={"file_name"}, exclude_none=True)


def _row(utterance: Utterance, corpus: Corpus) -> dict[str, Any]:
    row = _columns(utterance)
    if utterance.file_name is not None:
        row["audio"] = {"bytes": _audio(corpus, utterance), "path": utterance.file_name}
    return row


def _schema(corpus: Corpus) -> pyarrow.Schema:
    """The columns of all utterances, and of which type each is, in the terms of datasets."""
    import pyarrow
    from datasets import Audio, Features

    schema = pyarrow.schema([])
    utterances = iter(corpus)
    while batch := [_columns(utterance) for utterance in islice(utterances, BATCH)]:
        columns = dict.fromkeys(key for row in batch for key in row)  # pyarrow looks at the keys of the first row alone
        found = pyarrow.Table.from_pylist([{key: row.get(key) for key in columns} for row in batch]).schema
        schema = pyarrow.unify_schemas([schema, found], promote_options="permissive")
    features = Features.from_arrow_schema(schema)
    if any(u.file_name is not None for u in corpus):
        features["audio"] = Audio()
    return features.arrow_schema
