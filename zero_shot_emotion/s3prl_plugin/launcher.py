"""s3prl's own command, for where no .pth file is processed, and for several commands at the price of one import.

``zero-shot-emotion run-downstream OPTIONS`` runs one. ``python -m zero_shot_emotion.s3prl_plugin.launcher OPTIONS
-- OPTIONS ...`` runs several in one process: importing s3prl takes many seconds.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from itertools import groupby

from . import startup

SEPARATOR = "--"


def run_downstream(arguments: Sequence[str]) -> None:
    """Call s3prl's ``run_downstream`` with its own arguments in this process.

    Args:
        arguments: what follows ``run_downstream.py`` on its command line.
    """
    startup.install()
    from s3prl import run_downstream as script

    argv, isinstance_ = sys.argv, builtins.isinstance
    sys.argv = ["run_downstream.py", *arguments]
    try:
        script.main()
    finally:
        sys.argv = argv
        builtins.isinstance = isinstance_  # main() wraps it, once more at every call


def main() -> None:
    """Run the commands of the command line one after another."""
    for is_separator, words in groupby(sys.argv[1:], lambda word: word == SEPARATOR):
        if not is_separator:
            run_downstream(list(words))


if __name__ == "__main__":
    main()
