"""A folder in which a stage is at work, or was until it was killed, says so: half a corpus is never read as a whole."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .atomic import atomic_write
from .manifest import CorpusError

CARD = "corpus.json"
MARK = ".unfinished.json"


@contextmanager
def unfinished(folder: Path, stage: str) -> Iterator[None]:
    """Mark a folder as half-made until the block has ended without an error.

    Args:
        folder: of the corpus to be written.
        stage: what it is called on the command line.
    """
    with atomic_write(folder / MARK) as file:
        json.dump({"stage": stage, "command": _command()}, file, ensure_ascii=False)
        file.write("\n")
    yield
    (folder / MARK).unlink(missing_ok=True)


def refuse_unfinished(folder: Path) -> None:
    """Raise where a folder is half-made.

    Raises:
        CorpusError: naming the stage, and the command that goes on with it.
    """
    if (folder / CARD).exists() or not (folder / MARK).is_file():  # the card goes last: with it, all is there
        return
    told = json.loads((folder / MARK).read_text(encoding="utf-8"))
    raise CorpusError(
        f"{folder}: the stage {told['stage']!r} has not finished here. If it is not running, the same command goes on "
        f"where it stopped: {told['command']}"
    )


def _command() -> str:
    """The command of this process as one would type it again."""
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    started = sys.orig_argv[: len(sys.orig_argv) - len(arguments)]
    by_name = name and not name.startswith("-") and not name.endswith(".py")
    return shlex.join([*([name] if by_name else started), *arguments])
