"""What a failed attempt at an endpoint means: whether it may pass, how long to wait, what to call it."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .completion import BodyError, told

PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 that may be another one next time."""
NO_MONEY = "insufficient_quota"
"""The code of a 429 that no waiting mends."""
SHOWN = 300
"""Characters of an endpoint's message that are shown."""


def may_pass(error: BaseException | None, retry_after_max: float) -> bool:
    """Whether another attempt may do better, without waiting longer than some seconds."""
    from openai import APIConnectionError, APIStatusError

    if not isinstance(error, APIStatusError):
        return isinstance(error, APIConnectionError | BodyError | TimeoutError)
    if error.code == NO_MONEY or (wait_asked_for(error) or 0) > retry_after_max:
        return False
    return error.status_code in PASSING or error.status_code >= 500


def wait_asked_for(error: BaseException | None) -> float | None:
    """The seconds of a Retry-After header, which gives seconds or a date; None if there is none."""
    from openai import APIStatusError

    header = error.response.headers.get("retry-after") if isinstance(error, APIStatusError) else None
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _until(header)
    return seconds if math.isfinite(seconds) else None


def _until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()


def reason(error: BaseException | None) -> str:
    """A few words, to count by."""
    from openai import APIConnectionError, APIStatusError

    if isinstance(error, APIStatusError):
        return f"HTTP {error.status_code}"
    if _is_timeout(error):
        return "timeout"
    return "no connection" if isinstance(error, APIConnectionError) else "broken answer"


def _is_timeout(error: BaseException | None) -> bool:
    """Whether time ran out. To openai's client a connection that is refused or cut is a timeout too, over aiohttp."""
    from aiohttp import ClientConnectionError
    from openai import APITimeoutError

    if not isinstance(error, APITimeoutError):
        return isinstance(error, TimeoutError)
    told = error.__cause__.__cause__ if error.__cause__ else None
    return isinstance(told, TimeoutError) or not isinstance(told, ClientConnectionError)


def excuse(error: BaseException, timeout: float) -> str:
    """A sentence, to show.

    Args:
        error: of an attempt.
        timeout: of an attempt, in seconds.
    """
    from openai import APIConnectionError, APIStatusError

    if _is_timeout(error):
        return f"no answer in {timeout:g} s"
    if isinstance(error, APIStatusError):
        waits = wait_asked_for(error)
        asks = f" (it asks to wait for {waits:.0f} s)" if waits else ""
        return f"HTTP {error.status_code}{asks}: {(told(error.body) or error.message)[:SHOWN]}"
    if isinstance(error, APIConnectionError):
        return f"no connection: {error.__cause__ or error}"[:SHOWN]
    return str(error)[:SHOWN]
