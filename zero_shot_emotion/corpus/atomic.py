"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

PART = ".part"
"""Ends the name under which a file is written; hidden, too."""


@contextmanager
def atomic_write(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Open a file that takes its name only when it is complete.

    Text is UTF-8 with Unix line ends on every system, so that outputs are the same bytes everywhere.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{token_hex(4)}{PART}")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with part.open(mode.replace("w", "x"), **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)  # after it is closed: Windows renames no open file
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_parts(folder: str | Path) -> None:
    """Remove what a kill in the middle of `atomic_write` left in a folder."""
    for part in Path(folder).glob(f".*{PART}"):
        part.unlink(missing_ok=True)
