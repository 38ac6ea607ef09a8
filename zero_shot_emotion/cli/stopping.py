"""What Ctrl-C ends in: one line that says what is kept, and the exit status 130."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..errors import Interrupted
from ..s3prl_plugin import ending


class Resumable(TyperCommand):
    """A command that goes on where it was stopped."""

    def invoke(self, ctx: Any) -> Any:
        """Run it; an interrupt says how to go on, unless it says so itself."""
        try:
            return super().invoke(ctx)
        except Interrupted:
            raise
        except KeyboardInterrupt:
            how = " without --overwrite" if ctx.params.get("overwrite") else ""
            raise Interrupted(f"what was finished is kept; the same command{how} goes on from there") from None


class Commands(TyperGroup):
    """All commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            if ending.traceback_wanted():
                raise
            ending.say_stopped(stop)
            raise typer.Exit(ending.INTERRUPTED) from None
