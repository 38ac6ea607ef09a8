"""What the passes of frozen models over corpora took, noted beside what they stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..corpus import atomic_write


class Passes:
    """The seconds of each corpus.

    Of a pass that was killed and went on, nobody knows how long it would have taken.

    Args:
        path: of the file that holds them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def over(self, spec: str) -> Iterator[Callable[[float], None]]:
        """Note a pass as begun, and its seconds when it tells them; what a corpus gained since adds to what it took."""
        before = self._read()
        took: list[float] = []
        self._write({**before, spec: None})
        try:
            yield took.append
        except BaseException:
            self._write(before)
            raise
        known = before.get(spec, 0.0)
        self._write({**before, spec: None if known is None else round(known + sum(took), 3)})

    def seconds(self, specs: Iterable[str]) -> float | None:
        """Of all passes over some corpora; None if one is not known, or there was none."""
        all_known = self._read()
        found = [all_known[spec] for spec in dict.fromkeys(specs) if spec in all_known]
        known = [seconds for seconds in found if seconds is not None]
        return round(sum(known), 3) if found and len(known) == len(found) else None

    def _read(self) -> dict[str, float | None]:
        known: dict[str, float | None] = {}
        if self._path.exists():
            known = json.loads(self._path.read_text(encoding="utf-8"))
        return known

    def _write(self, known: dict[str, float | None]) -> None:
        with atomic_write(self._path) as file:
            json.dump(known, file, indent=2)
