"""Find the shipped configs by name: datasheets, prompts, injection rules, downstream configs."""

from __future__ import annotations

from pathlib import Path

from .errors import UserError

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
