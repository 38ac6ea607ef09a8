"""Parts that are found by name: those of a package, and those that other packages offer as entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from .config_files import validated
from .errors import UserError, explain, has_unknown_key

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class Registry:
    """The parts of a kind, such as speech engines: classes that are imported when they are asked for.

    Args:
        kind: what one is called in errors, such as ``engine`` or the key of a config.
        group: the entry-point group under which a package of one's own offers some.
        own: those of this project, ``MODULE:CLASS`` by name; no other package can take their names.
        error: the class of what is raised.
        also: names that stand for no class, and are expected too.
    """

    def __init__(
        self, kind: str, group: str, own: Mapping[str, str], error: type[UserError], also: tuple[str, ...] = ()
    ) -> None:
        self._kind, self._group, self._also = kind, group, also
        self.own = own
        self.error = error

    @property
    def offered(self) -> dict[str, EntryPoint]:
        """Those of other packages, by name."""
        return {point.name: point for point in entry_points(group=self._group) if point.name not in self.own}

    def find(self, name: str) -> Any:
        """The class of a name.

        Raises:
            UserError: of the registry's class, naming those there are.
        """
        own = {each: EntryPoint(each, target, self._group) for each, target in self.own.items()}
        known = {**self.offered, **own}
        if name not in known:
            expected = ", ".join((*self._also, *sorted(known)))
            raise self.error(f"{self._kind}: got {name!r}, expected one of {expected}")
        return known[name].load()

    def make(self, name: str, settings: Mapping[str, Any]) -> Any:
        """The part of a name, called with its settings, or without an argument if it has none.

        Raises:
            UserError: of the registry's class, if there is none, or a setting is not one of its own.
        """
        part = self.find(name)
        checked = checked_settings(part, settings, f"{self._kind} {name}", self.error)
        return part() if checked is None else part(checked)


def checked_settings(part: Any, given: Mapping[str, Any], where: str, error: type[UserError]) -> Any:
    """The settings that a part is called with, as its pydantic model ``Settings`` has them; None if it has none.

    Raises:
        UserError: of the class that is given, naming where, setting, value, what was expected and what can be set.
    """
    model = getattr(part, "Settings", None)
    if model is None:
        if given:
            raise error(f"{where}: got the setting {next(iter(given))!r}, expected none")
        return None
    names = ", ".join(model.model_fields) or "none"

    def tell(found: ValidationError, model: type[BaseModel]) -> str:
        return explain(found, model) if has_unknown_key(found) else f"{explain(found, model)} (settings: {names})"

    return validated(model, given, where, error, tell=tell)
