"""Kinds of values that configs and settings hold: spans that are drawn from, paths that exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def rising(span: tuple[float, float]) -> tuple[float, float]:
    """Refuse a span that ends before it begins."""
    if span[0] > span[1]:
        raise ValueError("the lower number first")
    return span


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError("a file or folder that exists")
    return path


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError("a folder that exists")
    return path


Span = Annotated[tuple[float, float], AfterValidator(rising)]
"""From where to where a value is drawn, all alike likely."""
ExistingPath = Annotated[Path, AfterValidator(_existing)]
"""Of a file or a folder."""
ExistingFolder = Annotated[Path, AfterValidator(_folder)]
