"""Miniature corpora in their true layouts, and the real ones where they are at hand."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Tree = Callable[[Mapping[str, str | bytes]], Path]

DATA = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Writes files, given by path and content, and returns their root; may be called again to add some."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Returns a real corpus by name, or skips the test."""

    def find(name: str) -> Path:
        if not (DATA / name).is_dir():
            pytest.skip(f"the corpus {name} is not at hand")
        return DATA / name

    return find
