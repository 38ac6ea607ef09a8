from importlib.metadata import EntryPoint

import pytest
from pydantic import BaseModel, ConfigDict

from zero_shot_emotion import registry
from zero_shot_emotion.errors import UserError
from zero_shot_emotion.registry import Registry, checked_settings


class PartError(UserError):
    pass


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = 1


class Sized:
    Settings = Settings

    def __init__(self, settings):
        self.size = settings.size


class Plain:
    pass


@pytest.fixture(name="parts")
def _parts(monkeypatch):
    """One of our own; one offered beside it, and one that bears its name."""
    offers = [EntryPoint("plain", f"{__name__}:Plain", "mine"), EntryPoint("sized", "nowhere:Nothing", "mine")]
    monkeypatch.setattr(registry, "entry_points", lambda group: [offer for offer in offers if offer.group == group])
    monkeypatch.setattr(EntryPoint, "load", lambda self: {"Plain": Plain, "Sized": Sized}[self.attr])
    return Registry("part", "mine", {"sized": f"{__name__}:Sized"}, PartError, also=("none",))


def test_parts_are_found_by_name_and_our_own_come_first(parts):
    assert parts.find("sized") is Sized
    assert parts.find("plain") is Plain
    assert list(parts.offered) == ["plain"]


def test_parts_are_made_with_their_settings(parts):
    assert parts.make("sized", {"size": 3}).size == 3
    assert parts.make("sized", {}).size == 1
    assert isinstance(parts.make("plain", {}), Plain)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("other", {}, r"part: got 'other', expected one of none, plain, sized"),
        (
            "sized",
            {"size": "x"},
            r"part sized: size: got 'x', expected a whole number.* \(settings: size\)",
        ),
        ("sized", {"colour": 1}, r"part sized: colour: unknown key, expected one of size"),
        ("plain", {"size": 3}, r"part plain: got the setting 'size', expected none"),
    ],
)
def test_what_is_wrong_is_named(parts, name, settings, message):
    with pytest.raises(PartError, match=f"^{message}$"):
        parts.make(name, settings)


def test_settings_can_be_checked_without_the_part():
    assert checked_settings(Sized, {"size": 2}, "here", PartError) == Settings(size=2)
    assert checked_settings(Plain, {}, "here", PartError) is None
