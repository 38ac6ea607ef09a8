"""How long utterances are to be: a distribution fitted to what a datasheet publishes of their durations.

Durations are taken to be log-normal, because so they are in the corpora whose figures can be compared. Median and mean
of MSP-PODCAST (5.22 and 5.65 s) then put the 5th and 95th percentiles at 2.8 and 9.5 s, where its metadata have 2.8
and about 10. A triangle over IEMOCAP's range (0.58 to 34 s) would have a mean of 13 s; its utterances have 4.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

from .datasheet import Datasheet, Durations
from .speaking_rate import SpeakingRate, speaking_rate

RANGE = 6.0
"""Standard deviations of the logarithm between the shortest and the longest utterance, where median and mean do not
tell. Of IEMOCAP it is 6.1, of MSP-PODCAST, whose segments were chosen by their length, 4.6."""
NEVER = 1e-9
"""A probability below any that is drawn, to stay clear of infinity."""


@dataclass(frozen=True)
class Lengths:
    """A log-normal distribution of seconds without what lies beyond shortest and longest, and the words spoken in them.

    Attributes:
        median: of the whole distribution, in seconds.
        sigma: standard deviation of the logarithm of the seconds.
        shortest: in seconds.
        longest: in seconds.
        rate: of speech.
    """

    median: float
    sigma: float
    shortest: float
    longest: float
    rate: SpeakingRate

    def published(self) -> dict[str, Any]:
        """What a corpus's card says: shortest, median and longest, in seconds, and the rate of speech."""
        seconds = [self.shortest, round(self.median, 2), self.longest]
        return {"seconds": seconds, "per_second": self.rate.per_second, "unit": self.rate.unit}

    def words(self, quantile: float) -> int:
        """How many words, or characters, an utterance has that is longer than a share of all, from 0 to 1."""
        return max(1, round(self.seconds(quantile) * self.rate.per_second))

    def seconds(self, quantile: float) -> float:
        """How long an utterance lasts that is longer than a share of all, from 0 to 1."""
        if self.sigma == 0:
            return self.median
        low, high = self._ends
        share = min(max(low + quantile * (high - low), NEVER), 1 - NEVER)
        return min(max(math.exp(self._logarithm.inv_cdf(share)), self.shortest), self.longest)

    @cached_property
    def _logarithm(self) -> NormalDist:
        """Of the seconds, as if there were no ends."""
        return NormalDist(math.log(self.median), self.sigma)

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The shares of that distribution up to the shortest and up to the longest utterance."""
        return self._logarithm.cdf(math.log(self.shortest)), self._logarithm.cdf(math.log(self.longest))


def lengths_of(sheet: Datasheet) -> Lengths:
    """The lengths that a datasheet's corpus publishes."""
    seconds, rate = sheet.utterance_seconds, speaking_rate(sheet.language)
    if sheet.words_per_second is not None:
        rate = SpeakingRate(sheet.words_per_second, rate.unit)
    sigma = _sigma(seconds)
    return Lengths(_median(seconds, sigma), sigma, seconds.min, seconds.max, rate)


def _sigma(seconds: Durations) -> float:
    """By the mean, which lies above the median by a factor of exp(sigma² / 2), or else by the range."""
    if seconds.median is not None and seconds.mean is not None and seconds.mean > seconds.median:
        return math.sqrt(2 * math.log(seconds.mean / seconds.median))
    return math.log(seconds.max / seconds.min) / RANGE


def _median(seconds: Durations, sigma: float) -> float:
    """As it is given, or by the mean."""
    if seconds.median is not None:
        return seconds.median
    assert seconds.mean is not None, "a datasheet gives one of the two"
    return max(seconds.min, seconds.mean * math.exp(-(sigma**2) / 2))
