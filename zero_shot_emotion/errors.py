"""The root of the errors that a user can mend, and how pydantic's errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """Bad input. The message says what came, where, and what was expected; a traceback would add nothing."""


def explain(error: ValidationError, number: int = 0) -> str:
    """A pydantic error in one line: column, value, expectation; what a whole model lacks is an expectation alone.

    Args:
        error: that may name several things.
        number: which of them, from 0.
    """
    found = error.errors(include_url=False)[number]
    told = found["msg"].removeprefix("Value error, ")
    if found["type"] == "value_error" and not found["loc"]:
        return f"expected {told}"
    column = ".".join(str(part) for part in found["loc"]) or "value"
    if found["type"] == "missing":
        return f"{column}: missing"
    return f"{column}: got {found['input']!r}, expected: {told}"
