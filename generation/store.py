"""Every answer that an endpoint gave, as it gave it: paid for once, read as often as one likes.

``raw/responses.jsonl`` in the corpus folder holds a line for each request that has come to an end. Lines are only ever
appended; half a line, which a kill leaves behind, does not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESPONSES = Path("raw") / "responses.jsonl"


@dataclass(frozen=True)
class Response:
    """How a request ended.

    Attributes:
        key: of the request.
        round: the request's place in the plan, from 0.
        prompt: the text that was sent.
        body: the chat completion that came back.
        failure: why none came.
    """

    key: str
    round: int
    prompt: str
    body: dict[str, Any] | None = None
    failure: str | None = None


class ResponseStore:
    """The answers in a corpus folder. Only their places are held in memory.

    Args:
        folder: of the corpus; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / RESPONSES
        path.parent.mkdir(parents=True, exist_ok=True)
        self._offsets: dict[str, int] = {}
        self._file = path.open("a+b")
        self._file.seek(0)
        offset = 0
        while (line := self._file.readline()).endswith(b"\n"):
            self._offsets.setdefault(json.loads(line)["key"], offset)
            offset = self._file.tell()
        self._file.truncate(offset)

    def get(self, key: str) -> Response | None:
        """The answer to a request, if it has one."""
        if key not in self._offsets:
            return None
        self._file.seek(self._offsets[key])
        return Response(**json.loads(self._file.readline()))

    def all(self) -> Iterator[Response]:
        """All answers, in the order in which they came."""
        for key in list(self._offsets):
            if (response := self.get(key)) is not None:
                yield response

    def add(self, response: Response) -> None:
        """Append an answer; a kill cannot take it away once this returns."""
        offset = self._file.seek(0, 2)
        # ASCII, because half a pair of surrogates is valid in JSON and in no other encoding
        self._file.write(json.dumps(vars(response)).encode("ascii") + b"\n")
        self._file.flush()
        self._offsets[response.key] = offset

    def __len__(self) -> int:
        return len(self._offsets)

    def __enter__(self) -> ResponseStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
