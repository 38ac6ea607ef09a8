"""Ask an endpoint: many requests at a time, each until it is answered or there is no hope."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .completion import BodyError, read_body
from .endpoint import KEY_VARIABLE, Endpoint
from .errors import EndpointError
from .failures import excuse, may_pass, reason, wait_asked_for

if TYPE_CHECKING:
    from tenacity import RetryCallState

HELLO_ATTEMPTS = 3
"""Of a request to an endpoint that has never answered: it is likelier to be set up wrongly than to have a bad day."""
NOT_SET_UP = frozenset({"no connection", "timeout", "broken answer", "HTTP 500", "HTTP 501", "HTTP 502"})
"""Failures that say so. A 503 does not: servers answer with it while they load a model."""
SPACING = 0.5
"""Of requests that leave, as a share of how they would be spaced if they kept the endpoint evenly busy. Those that
leave all at once come back all at once, and then wait for one another."""
FIRST_LATENCY = 0.2
"""Seconds that an answer is thought to take before one has come."""
OUTAGE = 3
"""Requests given up in succession, with no answer between them, that mean an endpoint that answers no more. Fewer may
be requests that it cannot answer, at the end of a run, where no others are there to be answered."""
REMEDIES = {
    **{field: f"{field}: null" for field in ("temperature", "top_p", "seed", "max_tokens")},
    "response_format": "json_mode: none",
    "stream": "extra_body: {stream: true}",
}
"""Settings for endpoints that refuse a request because of a field: most leave it out; some servers can only stream."""
SHORTEST_SECRET = 12
"""Characters; shorter keys are words like "ollama" and "EMPTY" that servers without keys are given."""
_MORE_TIME = ", and a timeout and a concurrency in which it can answer"


class UnansweredError(Exception):
    """A request that the endpoint fails to answer while it answers others."""


class Client:
    """An endpoint, asked by at most ``concurrency`` requests at a time.

    Args:
        endpoint: its settings.
        key: sent with each request, and cut out of everything that comes back.
        on_retry: called whenever an attempt failed that another will follow.

    Attributes:
        answered: how many requests were, in earlier runs too if one says so.
        retries: attempts that failed and were followed by another, by reason.
    """

    def __init__(self, endpoint: Endpoint, key: str | None = None, on_retry: Callable[[], object] = object) -> None:
        from openai import AsyncOpenAI, DefaultAioHttpClient

        # openai would retry in its own way, which knows neither our patience nor a body that was cut off
        self._openai = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=key or "none",
            timeout=endpoint.timeout,
            max_retries=0,
            http_client=DefaultAioHttpClient(),  # takes half the time of the other one
        )
        self._on_retry = on_retry
        self._on_the_wire = self._about_to_leave = self._given_up = 0
        self._endpoint = endpoint
        self._fields = {k: value for k, value in endpoint.sampling().items() if k not in ("seed", "extra_body")}
        self._key = key
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._last_left = 0.0
        self._latency = FIRST_LATENCY
        self._modes = ["schema", "object", "none"] if endpoint.json_mode == "auto" else [endpoint.json_mode]
        self.answered = 0
        self.retries: Counter[str] = Counter()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._openai.close()

    async def ask(self, prompt: str, *, name: str, schema: dict[str, Any], seed: int | None = None) -> dict[str, Any]:
        """The chat completion that answers a prompt.

        Args:
            prompt: the user's message.
            name: of what is asked for, in letters, digits, hyphens and underscores; it goes with the schema.
            schema: of an answer in JSON; used if the prompt speaks of JSON.
            seed: for sampling.

        Raises:
            UnansweredError: if all attempts failed, of one or two requests in succession.
            EndpointError: if the endpoint refuses, has never answered, or answers no more.
        """
        from openai import OpenAIError

        async with self._slots:
            self._about_to_leave += 1
            try:
                await self._leave()
            finally:
                self._about_to_leave -= 1
            answered = self.answered
            try:
                answer = await self._ask(self._body(prompt, seed), name, schema)
            except (OpenAIError, BodyError, TimeoutError) as error:
                self._given_up = 0 if self.answered > answered else self._given_up + 1
                raise self._end(error) from None
            self.answered += 1
            self._given_up = 0
            return answer

    async def _leave(self) -> None:
        """Wait for this request's turn to leave."""
        now = asyncio.get_running_loop().time()
        self._last_left = max(now, self._last_left + SPACING * self._latency / self._endpoint.concurrency)
        await asyncio.sleep(self._last_left - now)

    def _body(self, prompt: str, seed: int | None) -> dict[str, Any]:
        seeded = {} if seed is None else {"seed": seed}
        return {
            **self._fields,
            **seeded,
            "messages": [{"role": "user", "content": prompt}],
            **self._endpoint.extra_body,
        }

    async def _ask(self, body: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
        """Ask in a JSON mode that the endpoint accepts; the first answer settles which, for the run."""
        from openai import BadRequestError, UnprocessableEntityError

        if "json" not in body["messages"][0]["content"].lower():  # where JSON is asked for, the prompt must say so
            return await self._persist(body)
        while True:
            mode = self._modes[0]
            try:
                answer = await self._persist({**body, **_format(mode, name, schema)})
            except (BadRequestError, UnprocessableEntityError):
                if self._modes == [mode]:
                    raise
                if self._modes[0] == mode:  # another request may have been refused, and moved on, before
                    del self._modes[0]
            else:
                self._modes = [mode]
                return answer

    async def _persist(self, body: dict[str, Any]) -> dict[str, Any]:
        """Attempt until there is an answer, or no hope of one."""
        from tenacity import AsyncRetrying, retry_if_exception

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: may_pass(error, self._endpoint.patience.retry_after_max)),
            stop=self._is_enough,
            wait=lambda state: self._wait(state, body.get("seed")),
            before_sleep=self._count,
            reraise=True,
        )
        return await retrying(self._attempt, body)

    async def _attempt(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask once."""
        from openai import BadRequestError

        clock = asyncio.get_running_loop().time
        start = clock()
        self._on_the_wire += 1
        try:
            async with asyncio.timeout(self._endpoint.timeout):  # of the whole; openai's own is of each read
                # not chat.completions.create, which spends more time on types than all the rest takes
                text = await self._openai.post("/chat/completions", cast_to=str, body=body)
        except BadRequestError as error:
            if error.code != "content_filter":
                raise
            message = {"content": None, "refusal": self._public(error.message)}
            return {"choices": [{"message": message, "finish_reason": "content_filter"}]}
        finally:
            self._on_the_wire -= 1
        self._latency += (clock() - start - self._latency) / self._endpoint.concurrency
        return read_body(self._public(text))

    def _is_enough(self, state: RetryCallState) -> bool:
        # while another request waits for the first answer of all, the endpoint may yet prove to be sound
        others = self._on_the_wire or self._about_to_leave
        hopeless = not self.answered and not others and reason(_error(state)) in NOT_SET_UP
        attempts = self._endpoint.patience.attempts
        return state.attempt_number >= (min(attempts, HELLO_ATTEMPTS) if hopeless else attempts)

    def _wait(self, state: RetryCallState, seed: int | None) -> float:
        """Seconds before the next attempt: as the endpoint asks, or else longer each time, with seeded jitter."""
        jitter = random.Random(f"{seed} {state.attempt_number}")
        patience = self._endpoint.patience
        backoff = min(patience.wait_max, patience.wait * 2.0 ** min(state.attempt_number - 1, 32))
        asked = wait_asked_for(_error(state))
        return max(asked or 0.0, backoff * jitter.uniform(0.5, 1))

    def _count(self, state: RetryCallState) -> None:
        self.retries[reason(_error(state))] += 1
        self._on_retry()

    def _public(self, text: str) -> str:
        """A text without the key, should the endpoint repeat it."""
        return text.replace(self._key, "[key]") if self._key and len(self._key) >= SHORTEST_SECRET else text

    def _end(self, error: Exception) -> Exception:
        """What it means that a request failed for good."""
        said = self._public(excuse(error, self._endpoint.timeout))
        where = f"{self._endpoint.base_url}, model {self._endpoint.model!r}"
        if not may_pass(error, self._endpoint.patience.retry_after_max):
            return EndpointError(f"{where}: {said}{_advice(error, said)}")
        if self.answered and self._given_up < OUTAGE:
            return UnansweredError(said)
        if not self.answered:
            return EndpointError(
                f"{where}: has not answered once, the last failure: {said}. Expected an endpoint that is up, with "
                f"its model loaded{_MORE_TIME if reason(error) == 'timeout' else ''}: see what it says itself, then "
                "run the same command again"
            )
        return EndpointError(
            f"{where}: no answer, and nothing but failures for a while, the last one: {said}. "
            "What was answered before is kept: run the same command again to go on"
        )


def _format(mode: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The field of a request that asks for JSON."""
    if mode == "schema":
        json_schema = {"name": name, "schema": schema, "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": json_schema}}
    return {"response_format": {"type": "json_object"}} if mode == "object" else {}


def _error(state: RetryCallState) -> BaseException | None:
    """Why the attempt failed that a retry is thought about for."""
    return state.outcome.exception() if state.outcome else None


def _advice(error: Exception, said: str) -> str:
    status = getattr(error, "status_code", None)
    remedies = [remedy for field, remedy in REMEDIES.items() if re.search(rf"\b{field}\b", said)]
    if status in (400, 422) and remedies:
        return f"; expected settings that it accepts, such as (in --llm-config) {', '.join(remedies)}"
    if status in (401, 403):
        return f"; expected a key that it accepts in the environment variable {KEY_VARIABLE}"
    if status == 404:
        return "; expected a model that it has, and an address that ends where /chat/completions begins"
    return ""
