"""The root of the errors that a user can mend, and how pydantic's errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """Bad input. The message says what came, where, and what was expected; a traceback would add nothing."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C where it is known what is kept. The message says so, and how to go on."""


def explain(error: ValidationError) -> str:
    """A pydantic error in one line: column, value, expectation; what a whole model lacks is an expectation alone."""
    first = error.errors(include_url=False)[0]
    told = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error" and not first["loc"]:
        return f"expected {told}"
    column = ".".join(str(part) for part in first["loc"]) or "value"
    if first["type"] == "missing":
        return f"{column}: missing"
    return f"{column}: got {first['input']!r}, expected: {told}"
