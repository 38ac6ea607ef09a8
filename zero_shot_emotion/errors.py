"""The root of the errors that a user can mend, and how pydantic's errors are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
    "none_required": "nothing",
    "literal_error": "{expected}",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_too_short": "text of length at least {min_length}",
    "string_too_long": "text of length at most {max_length}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "union_tag_invalid": "a {discriminator} among {expected_tags}",
    "union_tag_not_found": "a {discriminator}",
}
"""What each of pydantic's types of error expects. Those of our own validators say it themselves."""


_TYPE = re.compile(r"str|int|float|bool|(list|dict|tuple|set)\[.*\]")


class UserError(Exception):
    """Bad input. The message says what came, where, and what was expected; a traceback would add nothing."""


class DivergedError(UserError, ArithmeticError):
    """A model whose answers are no numbers."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C where it is known what is kept. The message says so, and how to go on."""


def in_short(error: BaseException) -> str:
    """What another library's error says, in one line of at most 300 characters."""
    return " ".join(str(error).split())[:300]


def explain(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """A pydantic error in one line: column, value, expectation; what a whole model lacks is an expectation alone.

    Args:
        error: its first one is told, or beside it a key that is unknown: what is missing may only be misspelt.
        model: that was asked for, whose keys are told where one is unknown.
    """
    errors = error.errors(include_url=False)
    return _told(_first(errors), errors, model)


def explain_all(error: ValidationError, model: type[BaseModel] | None = None) -> list[str]:
    """Each thing that is open or wrong, in a line of its own: whoever fills in a form wants to see them all.

    Of a list whose items are wrong nothing is said beside them.
    """
    errors = error.errors(include_url=False)
    places = [each["loc"] for each in errors]
    own = [
        each for each in errors if not any(p != each["loc"] and p[: len(each["loc"])] == each["loc"] for p in places)
    ]
    return list(dict.fromkeys(_told(each, errors, model) for each in own))


def _told(first: ErrorDetails, errors: Sequence[ErrorDetails], model: type[BaseModel] | None) -> str:
    column = ".".join(str(part) for part in first["loc"]) or "value"
    if _unknown(first):
        return f"{column}: unknown key{_known(model, first['loc'])}"
    if first["type"] == "missing":
        return f"{column}: missing"
    if first["type"] == "value_error" and not first["loc"]:
        return f"expected {_expected(first)}"
    if _is_alternative(first):
        others = [e for e in errors if e["loc"][:-1] == first["loc"][:-1]]
        expected = " or ".join(dict.fromkeys(map(_expected, others)))
        return f"{column.rpartition('.')[0]}: got {first['input']!r}, expected {expected}"
    return f"{column}: got {first['input']!r}, expected {_expected(first)}"


def has_unknown_key(error: ValidationError) -> bool:
    """Whether an error is about a key that does not exist, for which `explain` tells those that do."""
    return any(map(_unknown, error.errors(include_url=False)))


def _first(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """The error that tells most: the first, or rather a key beside it that is unknown, or what is wrong within."""
    first = errors[0]
    if _is_alternative(first):
        first = next((e for e in errors if e["loc"][:-2] == first["loc"][:-1]), first)
    return next((e for e in errors if _unknown(e) and e["loc"][:-1] == first["loc"][:-1]), first)


def _is_alternative(error: ErrorDetails) -> bool:
    """Whether the last part of an error's place is what pydantic calls one of several types that may stand there."""
    return bool(error["loc"]) and _TYPE.fullmatch(str(error["loc"][-1])) is not None


def _unknown(error: ErrorDetails) -> bool:
    return error["type"] == "extra_forbidden"


def _expected(error: ErrorDetails) -> str:
    if error["type"] in EXPECTED:
        return EXPECTED[error["type"]].format_map(error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _known(model: type[BaseModel] | None, place: Sequence[int | str]) -> str:
    """The keys that an unknown one may be meant for, the likeliest first."""
    known = [] if model is None else _keys(model, place[:-1])
    if not known:
        return ""
    near = get_close_matches(str(place[-1]), known, n=1)
    listed = ", ".join(known)
    return f"; did you mean {near[0]!r}? known keys: {listed}" if near else f", expected one of {listed}"


def _keys(model: type[BaseModel], place: Sequence[int | str]) -> list[str]:
    """The keys of a model's part: of all that may stand there, where one of several may."""
    models = [model]
    for part in place:
        fields = [fields[str(part)] for fields in map(_fields, models) if part in fields]
        if fields:
            models = [inner for field in fields for inner in _models(field.annotation)]
        else:  # a number or a name of one's own, or what pydantic calls one of several models
            models = [one for one in models if part in _tags(one)] or models
    return list(dict.fromkeys(key for one in models for key in _fields(one)))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models in an annotation, such as those in ``dict[str, A | B] | None``."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _tags(model: type[BaseModel]) -> set[Any]:
    return {model.__name__, *(tag for field in model.model_fields.values() for tag in get_args(field.annotation))}
