from pathlib import Path

import pytest

from generation.store import RESPONSES, Response, ResponseStore

FIRST = Response("a", 0, "Grüße?", {"choices": [None], "text": "half a smile: \ud83d", "none": None})
SECOND = Response("b", 1, "Hm?", failure="HTTP 500: no")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    with ResponseStore(tmp_path) as store:
        store.add(FIRST)
        store.add(SECOND)
    return tmp_path


def test_answers_are_kept_as_they_came(folder: Path) -> None:
    with ResponseStore(folder) as store:
        assert (store.get("a"), store.get("b"), store.get("c")) == (FIRST, SECOND, None)
        assert len(store) == 2


def test_half_a_line_does_not_count_and_does_no_harm(folder: Path) -> None:
    path = folder / RESPONSES
    whole = path.read_bytes()
    for end in range(len(whole) - 1, len(whole) - 40, -13):
        path.write_bytes(whole[:end])
        with ResponseStore(folder) as store:
            assert store.get("b") is None
            store.add(SECOND)
        with ResponseStore(folder) as store:
            assert (store.get("a"), store.get("b")) == (FIRST, SECOND)
    assert path.read_bytes() == whole


def test_the_first_answer_to_a_request_counts(folder: Path) -> None:
    with ResponseStore(folder) as store:
        store.add(Response("a", 0, "again"))
    with ResponseStore(folder) as store:
        assert store.get("a") == FIRST
