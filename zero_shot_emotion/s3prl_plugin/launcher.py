"""``zero-shot-emotion run-downstream``: s3prl's own command, for where no .pth file is processed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import startup


def run_downstream(arguments: Sequence[str]) -> None:
    """Call s3prl's ``run_downstream`` with its own arguments in this process.

    Args:
        arguments: what follows ``run_downstream.py`` on its command line.
    """
    startup.install()
    from s3prl import run_downstream as script

    before = sys.argv
    sys.argv = ["run_downstream.py", *arguments]
    try:
        script.main()
    finally:
        sys.argv = before
