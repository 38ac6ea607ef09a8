from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def channel(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a channel's file."""

    def write(steps: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(f"description: own\n{steps}\n")
        return path

    return write
