"""Encoded text, kept: each text goes through a frozen encoder once, whatever the seeds, heads and sources."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np

from .encoder import States, TextEncoder, Words

SCHEMA = "CREATE TABLE IF NOT EXISTS states (key BLOB PRIMARY KEY, tokens INTEGER, states BLOB) WITHOUT ROWID"
COMMIT = 256
"""Utterances between two commits: what a kill may cost."""
PATIENCE = 600.0
"""How long one process waits for another that writes, in seconds."""


class TextStore:
    """Token states by text, in one SQLite file an encoder.

    Args:
        folder: of the stores.
        encoder: whose states are kept; its weights name the file, so that another encoder's are never served.
    """

    def __init__(self, folder: str | Path, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self.path = Path(folder) / f"{encoder.fingerprint}.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._connect()) as connection, connection:
            connection.execute(SCHEMA)

    def states(self, utterances: Sequence[Words], name: str = "text") -> list[States]:
        """The token states of some utterances, in their order; what is missing is encoded now.

        Args:
            utterances: each with its context.
            name: of the set, for the progress bar.
        """
        self.add(utterances, name)
        with closing(self._connect()) as connection:
            return [self._read(connection, _key(words)) for words in utterances]

    def add(self, utterances: Sequence[Words], name: str = "text") -> int:
        """Encode what is missing of some utterances; returns how many texts those were."""
        with closing(self._connect()) as connection:
            return self._encode_missing(connection, {_key(words): words for words in utterances}, name)

    def _encode_missing(self, connection: sqlite3.Connection, utterances: dict[bytes, Words], name: str) -> int:
        from tqdm import tqdm

        known = connection.execute
        missing = [k for k in utterances if known("SELECT 1 FROM states WHERE key = ?", (k,)).fetchone() is None]
        if not missing:
            return 0
        encoded = iter(self._encoder.encode([utterances[key] for key in missing]))
        with tqdm(total=len(missing), desc=f"encode {name}", unit="text") as bar:
            while rows := [
                (missing[i], len(states), np.ascontiguousarray(states).tobytes())
                for i, states in islice(encoded, COMMIT)
            ]:
                with connection:
                    connection.executemany("INSERT OR IGNORE INTO states VALUES (?, ?, ?)", rows)
                bar.update(len(rows))
        return len(missing)

    def _read(self, connection: sqlite3.Connection, key: bytes) -> States:
        tokens, states = connection.execute("SELECT tokens, states FROM states WHERE key = ?", (key,)).fetchone()
        return np.frombuffer(states, dtype=np.float32).reshape(tokens, self._encoder.width)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=PATIENCE)


def _key(words: Words) -> bytes:
    text, before = words
    return sha256("\x1e".join((*before, text)).encode()).digest()
