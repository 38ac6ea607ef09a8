"""Taxonomies of emotions: the classes to choose from, the words for each, and where the list comes from."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from .config_files import find_config, read_mapping, validated
from .corpus import EMOTIONS, LabelSet
from .errors import UserError

KIND = "taxonomies"
CODES = {adjective: code for code, adjective in EMOTIONS.items()} | {code: code for code in EMOTIONS}
"""Canonical code of an emotion by its adjective or its code."""


class TaxonomyError(UserError, ValueError):
    """A taxonomy that cannot be used."""


class Taxonomy(BaseModel):
    """Emotions to choose from.

    Attributes:
        name: of its file.
        source: where the list comes from.
        classes: the words for each class, the plainest first.
        codes: the canonical emotion that a class stands for, where there is one. Classes that are named by a
            canonical code stand for it without being listed.
        unavailable: why there are no classes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str
    classes: dict[str, tuple[str, ...]] = {}
    codes: dict[str, str] = {}
    unavailable: str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Taxonomy:
        if self.unavailable:
            return self
        if len(self.classes) < 2:
            raise ValueError("at least two classes")
        if empty := [name for name, words in self.classes.items() if not words]:
            raise ValueError(f"at least one word for each class, {empty[0]!r} has none")
        if unknown := [name for name in self.codes if name not in self.classes]:
            raise ValueError(f"codes of its classes, {unknown[0]!r} is none of them")
        if wrong := [code for code in self.codes.values() if code not in EMOTIONS]:
            raise ValueError(f"canonical codes ({', '.join(EMOTIONS)}), {wrong[0]!r} is none")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, in their order."""
        return tuple(self.classes)

    def code(self, name: str) -> str | None:
        """The canonical emotion of a class, None if it has none."""
        return self.codes.get(name, name if name in EMOTIONS else None)

    def class_of(self, emotion: str) -> str | None:
        """The class of an emotion, None if it is of none.

        Args:
            emotion: the name of a class, one of its words, or else a canonical emotion by its code or adjective.
        """
        words = {word: name for name, words in self.classes.items() for word in words}
        code = CODES.get(emotion)
        canonical = None if code is None else self.label_set().of(code)
        return emotion if emotion in self.classes else words.get(emotion, canonical)

    def label_set(self) -> LabelSet:
        """Its classes as a label set, so that canonical corpora can be tested with it.

        A canonical emotion counts as the first class that stands for it; those that no class stands for are dropped.
        """
        merge: dict[str, str] = {}
        for name in self.names:
            code = self.code(name)
            if code is not None and code not in self.classes:
                merge.setdefault(code, name)
        drop = tuple(code for code in EMOTIONS if code not in merge and code not in self.classes)
        return LabelSet(self.name, self.names, merge, drop)


def load_taxonomy(name: str | Path) -> Taxonomy:
    """Read a taxonomy.

    Args:
        name: of a shipped one, or the path of one's own.

    Raises:
        MissingConfigError: if there is none.
        TaxonomyError: naming file, key and what was expected, or why it has no classes.
    """
    path = find_config(KIND, name)
    taxonomy = validated(Taxonomy, {"name": path.stem, **read_mapping(path, TaxonomyError)}, path, TaxonomyError)
    if taxonomy.unavailable:
        raise TaxonomyError(f"taxonomy {taxonomy.name!r}: {taxonomy.unavailable}")
    return taxonomy
