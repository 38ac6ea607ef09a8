"""What a corpus has cost so far, and whether another request fits into the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .completion import Completion, estimated_tokens
from .endpoint import Budget, Prices

LONGEST_ANSWER = 2048
"""Tokens to reckon with where the endpoint sets the limit."""


@dataclass
class Tokens:
    """Read and written by a model."""

    prompt: int = 0
    completion: int = 0

    def add(self, other: Tokens, sign: int = 1) -> None:
        """Count others in, or out again with sign -1."""
        self.prompt += sign * other.prompt
        self.completion += sign * other.completion


@dataclass
class Spending:
    """Counts what requests cost; for those that are under way, the most that they may cost.

    Budgets are checked before a request is planned, so none is exceeded, save by the error of the estimate of a
    prompt's length and by attempts that an endpoint bills without answering them.

    Attributes:
        budget: of the corpus.
        prices: of tokens.
        max_tokens: of an answer.
        requests: planned so far.
        spent: tokens of the answers that came.
        pledged: tokens of those that may come.
        estimated: answers whose tokens the endpoint did not tell.
    """

    budget: Budget
    prices: Prices
    max_tokens: int | None
    requests: int = 0
    spent: Tokens = field(default_factory=Tokens)
    pledged: Tokens = field(default_factory=Tokens)
    estimated: int = 0

    def pledge(self, prompt: str) -> None:
        """Reckon with a request that is about to be made."""
        self.requests += 1
        self.pledged.add(self._most(prompt))

    def withdraw(self, prompt: str) -> None:
        """Reckon no more with a request that need not be made."""
        self.requests -= 1
        self.pledged.add(self._most(prompt), sign=-1)

    def settle(self, prompt: str, answer: Completion | None) -> None:
        """Count what a request did cost: nothing, if it was not answered."""
        self.pledged.add(self._most(prompt), sign=-1)
        if answer is None:
            return
        told = answer.prompt_tokens is not None and answer.completion_tokens is not None
        self.estimated += not told
        prompt_tokens = estimated_tokens(prompt) if answer.prompt_tokens is None else answer.prompt_tokens
        written = estimated_tokens(answer.text) if answer.completion_tokens is None else answer.completion_tokens
        self.spent.add(Tokens(prompt_tokens, written))

    def limit_met_by(self, *prompts: str) -> str | None:
        """The limit that another request, or several, might exceed, in words; None if they fit."""
        most = Tokens()
        for prompt in prompts:
            most.add(self._most(prompt))
        prompt_tokens = self.spent.prompt + self.pledged.prompt + most.prompt
        completion_tokens = self.spent.completion + self.pledged.completion + most.completion
        needs = {
            "requests": self.requests + len(prompts),
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "money": self.prices.of(prompt_tokens, completion_tokens),
        }
        return next((f"{name} ({limit:g})" for name, limit in self._limits() if needs[name] > limit), None)

    def cost(self) -> float | None:
        """Of the answers that came, None without prices."""
        if not (self.prices.prompt or self.prices.completion):
            return None
        return round(self.prices.of(self.spent.prompt, self.spent.completion), 6)

    def _limits(self) -> Iterator[tuple[str, float]]:
        return ((name, limit) for name, limit in self.budget.model_dump().items() if limit is not None)

    def _most(self, prompt: str) -> Tokens:
        """The most that a request is expected to cost."""
        return Tokens(estimated_tokens(prompt), self.max_tokens or LONGEST_ANSWER)
