"""How a run ends early: what a user can mend, and Ctrl-C, in one line each. The traceback comes on demand.

s3prl's script is not ours, so there it is done by ``sys.excepthook``, for this project's own errors alone.
"""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

from .startup import PACKAGE

TRACEBACK = "ZERO_SHOT_EMOTION_TRACEBACK"
"""The environment variable that asks for tracebacks."""
INTERRUPTED = 130
"""The exit status of what Ctrl-C ended."""
UNCHANGED = "nothing was written; the same command begins anew"


def install() -> None:
    """Let this project's errors end s3prl's script in one line; once a process."""
    if not isinstance(sys.excepthook, _Hook):
        sys.excepthook = _Hook()


def traceback_wanted() -> bool:
    """Whether the environment asks for tracebacks."""
    return os.environ.get(TRACEBACK, "0").lower() not in {"", "0", "off", "no", "false"}


def say_error(error: BaseException) -> None:
    """Print what a user can mend."""
    _say("error", error)


def say_stopped(stop: KeyboardInterrupt) -> None:
    """Print what is kept after Ctrl-C."""
    _say("stopped", stop)


def _say(kind: str, error: BaseException) -> None:
    """Print one line. The frames let go of their progress bars first, which would end in its middle or after it."""
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__context__
    print(f"{kind}: {str(error) or UNCHANGED}", file=sys.stderr)


class _Hook:
    """Stands before the hook that was there."""

    def __init__(self) -> None:
        self._before = sys.excepthook

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        from ..errors import UserError

        if traceback_wanted() or not (issubclass(kind, UserError) or (issubclass(kind, KeyboardInterrupt) and _ours())):
            return self._before(kind, error, trace)
        if issubclass(kind, UserError):
            return say_error(error)
        assert isinstance(error, KeyboardInterrupt)
        say_stopped(error)
        raise SystemExit(INTERRUPTED)


def _ours() -> bool:
    """Whether s3prl runs with this project's downstream."""
    return f"{PACKAGE}.expert" in sys.modules or PACKAGE in sys.argv
