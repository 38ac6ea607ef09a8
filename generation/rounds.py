"""Rounds of a plan, asked for and gathered: many at a time on the wire, one after the other in the corpus.

Which round comes next follows from the rounds that were gathered, and they are gathered in the order of the plan. So it
depends on what was answered, never on when; and a run that was killed comes to the same rounds again.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass
from typing import IO, Any

from tqdm import tqdm

from zero_shot_emotion.errors import UserError

from .client import Client, UnansweredError
from .completion import Completion, completion_of
from .datasheet import Datasheet
from .endpoint import Endpoint, key_from_environment
from .harvest import Harvest
from .plan import Plan, Round
from .prompt import answer_schema, fill
from .spending import Spending
from .store import Response, ResponseStore

COMPLETE = "complete"
AHEAD = 2
"""Rounds under way for each request at a time: more wait less for a slow answer, fewer know more of the others."""
MOST_BARREN = 50
"""Rounds in succession that may bring nothing before a run ends."""


@dataclass
class Rounds:
    """All that a run holds together.

    Attributes:
        sheet: of the corpus to be imitated.
        endpoint: of the language model.
        template: the text of the prompt's template.
        plan: says what each round asks for.
        harvest: takes what the answers bring.
        spending: knows what they cost.
        store: keeps them.
        accepted: gets the lines of the utterances that are taken.
        limit: the part of the budget that forbids another round, if one does.
        replayed: answers that were stored before.
    """

    sheet: Datasheet
    endpoint: Endpoint
    template: str
    plan: Plan
    harvest: Harvest
    spending: Spending
    store: ResponseStore
    accepted: IO[str]
    limit: str | None = None
    replayed: int = 0

    async def run(self) -> dict[str, int]:
        """Ask and gather until nothing more is called for.

        Returns:
            How many attempts had to be repeated, by reason.

        Raises:
            EndpointError: at once, whichever request meets it.
            GenerationError: if the template cannot be filled.
        """
        wanted = sum(self.harvest.missing.values())
        mininterval = 0.2 if sys.stderr.isatty() else 10
        try:
            with tqdm(total=wanted, desc="generate", unit="utterance", mininterval=mininterval) as bar:
                async with Client(self.endpoint, key_from_environment(), lambda: self._show(bar, client)) as client:
                    client.answered = len(self.store)  # an endpoint that answered before is not set up wrongly
                    await self._ask_and_gather(client, bar)
                    return dict(client.retries)
        except* UserError as errors:  # the endpoint's, or of a template that cannot be filled
            raise first_error(errors) from None

    async def _ask_and_gather(self, client: Client, bar: tqdm) -> None:
        index = 0
        under_way: deque[tuple[Round, str, asyncio.Task[Response]]] = deque()
        async with asyncio.TaskGroup() as tasks:
            while True:
                while (following := self._following(index, len(under_way))) is not None:
                    asked, prompt = following
                    self.spending.pledge(prompt)
                    under_way.append((asked, prompt, tasks.create_task(self._response(client, asked, prompt))))
                    index += 1
                    await asyncio.sleep(0)  # the first requests need not wait until the last of them is planned
                if not under_way:
                    return
                asked, prompt, task = under_way.popleft()
                bar.update(self._gather(asked, prompt, await task))
                self._show(bar, client)
                await asyncio.sleep(0)  # waiting for a task that is done lets nothing else happen

    def _following(self, index: int, under_way: int) -> tuple[Round, str] | None:
        """The next round and its prompt, None if none is called for now. It follows from what was gathered alone."""
        if self.harvest.barren >= MOST_BARREN or under_way >= AHEAD * self.endpoint.concurrency:
            return None
        if not self.harvest.calls_for_more(under_way):
            return None
        asked = self.plan.round(index, self.harvest.missing, self.harvest.lines)
        prompt = fill(self.template, self.sheet, asked.request)
        self.limit = self.spending.limit_met_by(prompt)
        return None if self.limit else (asked, prompt)

    async def _response(self, client: Client, asked: Round, prompt: str) -> Response:
        """The stored answer to a round, or a new one, stored."""
        stored = self.store.get(asked.key)
        if stored is not None:
            self.replayed += 1
            return stored
        seed = None if self.endpoint.seed is None else int(asked.key[:7], 16)
        try:
            schema = answer_schema(self.sheet, asked.request)
            body = await client.ask(prompt, name="dialogue", schema=schema, seed=seed)
            response = Response(asked.key, asked.index, prompt, body)
        except UnansweredError as error:
            response = Response(asked.key, asked.index, prompt, failure=str(error))
        self.store.add(response)
        return response

    def _gather(self, asked: Round, prompt: str, response: Response) -> int:
        """Count what a round cost and keep what it brought; returns how many utterances."""
        answer: Completion | None = None if response.body is None else completion_of(response.body)
        self.spending.settle(prompt, answer)
        taken = self.harvest.gather(asked, answer)
        self.accepted.writelines(utterance.to_line() + "\n" for utterance in taken)
        return len(taken)

    def _show(self, bar: tqdm, client: Client) -> None:
        """What the run has come to so far, beside the bar."""
        harvest, tokens = self.harvest, self.spending.spent.prompt + self.spending.spent.completion
        facts = {
            "answers": harvest.answers.total(),
            "unusable": harvest.unusable(),
            "failed": harvest.answers["failed"],
            "retries": client.retries.total(),
            "tokens": tokens and tqdm.format_sizeof(tokens),
        }
        bar.set_postfix({name: value for name, value in facts.items() if value}, refresh=False)
        bar.update(0)  # draws the bar if it is time to, in a run that gets no answers too

    def statistics(self) -> dict[str, Any]:
        """What the card tells of the run: the same, however often it was interrupted."""
        harvest, spent = self.harvest, self.spending.spent
        return {
            "stopped_by": self._stopped_by(),
            "answers": {"asked": harvest.answers.total(), **dict(sorted(harvest.answers.items()))},
            "turns": harvest.turns,
            "yield": round(harvest.accepted / harvest.turns, 4) if harvest.turns else 0.0,
            "drops": dict(sorted(harvest.drops.items())),
            "tokens": {
                "prompt": spent.prompt,
                "completion": spent.completion,
                "per_utterance": round((spent.prompt + spent.completion) / max(1, harvest.accepted), 1),
                "answers_estimated": self.spending.estimated,
            },
            "cost": self.spending.cost(),
        }

    def _stopped_by(self) -> str:
        if not sum(self.harvest.missing.values()):
            return COMPLETE
        if self.harvest.barren >= MOST_BARREN:
            return f"no progress: {MOST_BARREN} rounds in succession brought nothing"
        return f"budget: {self.limit}"


def first_error(errors: BaseExceptionGroup) -> BaseException:
    """The first error in a group that may hold groups."""
    error = errors.exceptions[0]
    return first_error(error) if isinstance(error, BaseExceptionGroup) else error
