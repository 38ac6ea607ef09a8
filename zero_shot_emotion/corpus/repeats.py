"""Whether names are unique, at eight bytes a name."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np


class Repeats:
    """Remembers names by their hashes; only where two hashes coincide are the names themselves looked at."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, name: str) -> None:
        self._hashes.append(hash(name))

    def find(self, names: Iterable[str]) -> dict[str, list[int]]:
        """The names that occurred more than once, each with its places, in the order of the first ones.

        Args:
            names: the same that were added, in the same order; left alone where no hashes coincide.
        """
        hashes = np.sort(np.frombuffer(self._hashes, dtype=np.int64)) if self._hashes else np.empty(0, dtype=np.int64)
        twice = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        if not twice:
            return {}
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            if hash(name) in twice:
                places.setdefault(name, []).append(place)
        return {name: found for name, found in places.items() if len(found) > 1}
