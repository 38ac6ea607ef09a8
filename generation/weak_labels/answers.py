"""Questions to a language model, many at a time; answers are stored, and a budget holds for a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..client import Client, UnansweredError
from ..completion import completion_of
from ..endpoint import Endpoint, key_from_environment
from ..errors import EndpointError
from ..spending import Spending
from ..store import Response, ResponseStore

NAME = "weak-label"
"""What the schemas are called at the endpoint."""


@dataclass(frozen=True)
class Question:
    """What to ask, and the JSON schema of its answer."""

    prompt: str
    schema: dict[str, Any]
    sample: int = 0

    def key(self, endpoint: Endpoint) -> str:
        """Tells it from any other question to any other model."""
        told = f"{endpoint.base_url} {endpoint.sampling()} {self.sample} {self.schema} {self.prompt}"
        return sha256(told.encode()).hexdigest()[:24]


class Answers:
    """An endpoint's answers, those stored before included.

    Args:
        endpoint: of the language model.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._folder: Path | None = None
        self._refused: BaseException | None = None
        self._spending = Spending(endpoint.budget, endpoint.prices, endpoint.max_tokens)

    def keep_in(self, folder: Path) -> None:
        """Store answers in a folder, and count what is stored there as spent."""
        if folder == self._folder:
            return
        self._folder = folder
        self._spending = Spending(self._endpoint.budget, self._endpoint.prices, self._endpoint.max_tokens)
        with ResponseStore(folder) as store:
            for response in store.all():
                self._settle(response)

    def ask(self, questions: Sequence[Question]) -> list[dict[str, Any] | None]:
        """The answer to each question, None where there is none.

        Raises:
            EndpointError: if the endpoint refuses or does not answer, or the budget does not suffice. What was answered
                is stored.
        """
        if self._refused is not None:  # asking on for thousands of turns would only take longer
            raise self._refused
        if self._folder is None:
            return asyncio.run(self._ask_all(questions, None))
        with ResponseStore(self._folder) as store:
            return asyncio.run(self._ask_all(questions, store))

    async def _ask_all(self, questions: Sequence[Question], store: ResponseStore | None) -> list[dict[str, Any] | None]:
        keys = [question.key(self._endpoint) for question in questions]
        known = {key: stored.body for key in keys if store is not None and (stored := store.get(key)) is not None}
        new = {key: question for key, question in zip(keys, questions, strict=True) if key not in known}
        found: dict[str, dict[str, Any] | None] = {**known}
        try:
            async with Client(self._endpoint, key_from_environment()) as client:
                while new:
                    allowed = self._pledged(new)
                    async with asyncio.TaskGroup() as group:
                        tasks = {key: group.create_task(self._ask(client, store, key, new.pop(key))) for key in allowed}
                    found |= {key: task.result() for key, task in tasks.items()}
        except* EndpointError as errors:
            self._refused = _first(errors)
            raise self._refused from None
        return [found[key] for key in keys]

    def _pledged(self, questions: dict[str, Question]) -> list[str]:
        """The keys of the first questions, as many as the budget allows: what it forbids must not cost their answers.

        Raises:
            EndpointError: if it allows none.
        """
        allowed: list[str] = []
        for key, question in questions.items():
            if limit := self._spending.limit_met_by(question.prompt):
                if allowed:
                    break
                raise EndpointError(
                    f"the budget of {limit} does not allow another request; run again with a larger one"
                )
            self._spending.pledge(question.prompt)
            allowed.append(key)
        return allowed

    async def _ask(
        self, client: Client, store: ResponseStore | None, key: str, question: Question
    ) -> dict[str, Any] | None:
        seed = None if self._endpoint.seed is None else int(key[:7], 16)
        try:
            body = await client.ask(question.prompt, name=NAME, schema=question.schema, seed=seed)
            response = Response(key, question.sample, question.prompt, body)
        except UnansweredError as error:
            response = Response(key, question.sample, question.prompt, failure=str(error))
        self._spending.settle(question.prompt, None if response.body is None else completion_of(response.body))
        if store is not None:
            store.add(response)
        return response.body

    def _settle(self, response: Response) -> None:
        self._spending.pledge(response.prompt)
        self._spending.settle(response.prompt, None if response.body is None else completion_of(response.body))


def _first(errors: BaseExceptionGroup) -> BaseException:
    """The first error in a group that may hold groups."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
