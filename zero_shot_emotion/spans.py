"""Spans that values are drawn from, as configs tell them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def rising(span: tuple[float, float]) -> tuple[float, float]:
    """Refuse a span that ends before it begins."""
    if span[0] > span[1]:
        raise ValueError("the lower number first")
    return span


Span = Annotated[tuple[float, float], AfterValidator(rising)]
"""From where to where a value is drawn, all alike likely."""
