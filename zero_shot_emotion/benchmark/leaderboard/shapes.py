"""From numbers to places: where the page draws things. The template draws what it is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A stretch of numbers laid on a stretch of the page.

    Attributes:
        low: number at the start.
        high: number at the end.
        start: place of ``low``.
        end: place of ``high``.
        logarithmic: whether equal ratios take equal room.
    """

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a number, rounded: the page need not be exact to a thousandth of a pixel.

        >>> Scale(0.2, 0.6, 0, 200).at(0.3)
        50.0
        >>> Scale(1, 100, 0, 10, logarithmic=True).at(10)
        5.0
        """
        turn = math.log if self.logarithmic else float
        share = (turn(value) - turn(self.low)) / (turn(self.high) - turn(self.low))
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    @property
    def ticks(self) -> list[float]:
        """Round numbers within the stretch, at most seven.

        >>> Scale(0.2, 0.5).ticks
        [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]
        >>> Scale(3, 2000, logarithmic=True).ticks
        [10, 100, 1000]
        >>> Scale(20, 90, logarithmic=True).ticks
        [20, 50]
        """
        return self._powers() if self.logarithmic else self._steps()

    def _steps(self) -> list[float]:
        rough = (self.high - self.low) / 6.001
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(k * step, 10) for k in range(first, last + 1)]

    def _powers(self) -> list[float]:
        exponents = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for digits in ((1,), (1, 3), (1, 2, 5)):
            found = [d * 10.0**e for e in exponents for d in digits if self.low <= d * 10.0**e <= self.high]
            if len(found) > 2 or digits == (1, 2, 5):
                return [int(value) if value == int(value) else value for value in found]
        raise AssertionError


def share_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """A scale of tenths, within 0 and 1, around some shares.

    >>> share_scale([0.25, 0.61], 0, 100)
    Scale(low=0.2, high=0.7, start=0, end=100, logarithmic=False)
    """
    found = list(values)
    low = max(math.floor(10 * min(found) + 1e-9), 0) / 10
    high = min(math.ceil(10 * max(found) - 1e-9), 10) / 10
    return Scale(low, high if high > low else low + 0.1, start, end)


def seconds_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """A logarithmic scale with some air around some durations."""
    found = list(values)
    return Scale(min(found) / 1.3, max(found) * 1.3, start, end, logarithmic=True)


def difference_scale(values: Iterable[float], start: float, end: float) -> Scale:
    """A scale with the same room at both sides of nothing.

    >>> difference_scale([-0.03, 0.11], 0, 100)
    Scale(low=-0.15, high=0.15, start=0, end=100, logarithmic=False)
    """
    most = max((abs(value) for value in values), default=0.05)
    reach = max(math.ceil(most / 0.05 - 1e-9), 1) * 0.05
    return Scale(-round(reach, 2), round(reach, 2), start, end)
