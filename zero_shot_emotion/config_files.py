"""Find the shipped configs by name (datasheets, prompts, injection rules, downstream configs), read and check them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import UserError, explain

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from yaml import YAMLError

ModelT = TypeVar("ModelT", bound="BaseModel")

_HERE = Path(__file__).parent


class MissingConfigError(UserError, FileNotFoundError):
    """A config that is asked for by a name or path which does not exist."""


def configs_folder() -> Path:
    """The folder of the shipped configs: inside the package in a wheel, beside it in a checkout."""
    inside = _HERE / "configs"
    return inside if inside.is_dir() else _HERE.parent / "configs"


def find_config(kind: str, name: str | Path, suffix: str = ".yaml") -> Path:
    """The file of a config.

    Args:
        kind: its folder in ``configs/``, such as ``datasheets``.
        name: of a shipped config, or the path of one's own.
        suffix: of the files of this kind.

    Raises:
        MissingConfigError: naming what was asked for and the names there are.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = configs_folder() / kind / f"{name}{suffix}"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(path.stem for path in shipped.parent.glob(f"*{suffix}")))
    raise MissingConfigError(f"{kind}: got {str(name)!r}, expected the path of a {suffix} file or one of {known}")


def read_yaml(path: Path, error: type[UserError]) -> Any:
    """What a YAML file holds.

    Raises:
        UserError: of the class that is given, naming the file, what is wrong and where.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as found:
        raise error(f"{path}: expected YAML: {told_yaml(found)}") from None


def read_mapping(path: Path, error: type[UserError]) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        UserError: of the class that is given, naming the file and what it holds instead.
    """
    content = read_yaml(path, error)
    if not isinstance(content, dict):
        raise error(f"{path}: expected a mapping, got {'nothing' if content is None else type(content).__name__}")
    return content


def validated(
    model: type[ModelT],
    content: Any,
    where: object,
    error: type[UserError],
    *,
    context: Mapping[str, Any] | None = None,
    tell: Callable[[ValidationError, type[BaseModel]], str] = explain,
) -> ModelT:
    """Content as a pydantic model has it.

    Args:
        model: its class.
        content: such as `read_mapping` reads it.
        where: it comes from, such as a path.
        error: the class of what is raised.
        context: for the model's validators.
        tell: puts pydantic's error into a line.

    Raises:
        UserError: of the class that is given, naming where, key, value and what was expected.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(content, context=context)
    except ValidationError as found:
        raise error(f"{where}: {tell(found, model)}") from None


def told_yaml(error: YAMLError) -> str:
    """What is wrong, and in which place, in one line."""
    from yaml import MarkedYAMLError

    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    told = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{told} (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
