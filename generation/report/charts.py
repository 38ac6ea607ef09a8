"""From numbers to shapes: SVG paths in a box of 100 by 100, and places in per cent. The page draws what it is told."""

from __future__ import annotations

import math
from collections.abc import Sequence


def steps(heights: Sequence[float], top: float) -> str:
    """The path of a histogram, its highest possible bar ``top``.

    >>> steps([1, 2], top=2)
    'M0 100V50.0H50.0V0.0H100.0V100Z'
    """
    bars = "".join(
        f"V{100 - 100 * height / top:.1f}H{100 * (k + 1) / len(heights):.1f}" for k, height in enumerate(heights)
    )
    return f"M0 100{bars}V100Z"


def curve(points: Sequence[tuple[float, float]], right: float, top: float) -> str:
    """The path of a line from the origin through points.

    >>> curve([(5, 1), (10, 2)], right=10, top=2)
    'M0 100L50.0 50.0L100.0 0.0'
    """
    return "M0 100" + "".join(f"L{100 * x / right:.1f} {100 - 100 * y / top:.1f}" for x, y in points)


def ticks(end: float, most: int = 6) -> list[float]:
    """Round numbers from 0 up to an axis's end, at most so many.

    >>> ticks(32)
    [0, 10, 20, 30]
    """
    if end <= 0:
        return [0]
    rough = end / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
    return [k * step for k in range(int(end / step) + 1)]
