"""What a stage has finished, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .manifest import Entry
from .work import Outcome

JOURNAL = ".journal.jsonl"


class OtherRun(Exception):  # noqa: N818  (no error of the journal's)
    """The journal is of another run."""


class Journal:
    """Finished items, appended as they come; a half-written last line is what a kill leaves, and ignored.

    In memory it is eight bytes an item: where each item's line begins.

    Args:
        path: of the file, made if it is not there.
        fingerprint: of the run.
        count: of its items.

    Raises:
        OtherRun: if the file's fingerprint is another.
    """

    def __init__(self, path: Path, fingerprint: str, count: int) -> None:
        self._offsets = array("q", [-1]) * count
        self._finished = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.seek(0)
        header = self._file.readline()
        self._end = len(header)
        if not header.endswith(b"\n"):
            self._file.truncate(0)
            self._end = 0
            self._write([{"fingerprint": fingerprint}])
        elif json.loads(header)["fingerprint"] != fingerprint:
            self._file.close()
            raise OtherRun
        else:
            self._read()

    def _read(self) -> None:
        while (line := self._file.readline()).endswith(b"\n"):
            self._note(json.loads(line)["place"], self._end)
            self._end += len(line)
        self._file.truncate(self._end)

    def _note(self, place: int, offset: int) -> None:
        self._finished += self._offsets[place] < 0
        self._offsets[place] = offset

    def _write(self, records: Iterable[dict[str, Any]]) -> list[int]:
        """Append records; returns where each begins."""
        offsets = []
        for record in records:
            line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
            self._file.write(line)
            offsets.append(self._end)
            self._end += len(line)
        self._file.flush()
        return offsets

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Append what was finished."""
        finished = [outcome for outcome in outcomes if outcome.error is None]
        lines = [
            {"place": done.place, "item": done.item, "made": [[e.id, e.label, e.line] for e in done.made]}
            for done in finished
        ]
        for done, offset in zip(finished, self._write(lines), strict=True):
            self._note(done.place, offset)

    def __iter__(self) -> Iterator[Entry]:
        """The utterances that were made, in the order of the items."""
        for offset in self._offsets:
            if offset >= 0:
                self._file.seek(offset)
                for entry in json.loads(self._file.readline())["made"]:
                    yield Entry(*entry)

    def __contains__(self, place: int) -> bool:
        return self._offsets[place] >= 0

    def __len__(self) -> int:
        return self._finished

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
