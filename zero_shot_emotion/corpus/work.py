"""Handing out work, so that neither a failing item nor one that kills its worker stops the rest."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

from .executors import Processes, deaths
from .manifest import Entry

CHUNK = 8
"""Items that a worker gets at once, fewer when there are few."""
CHUNKS_A_WORKER = 16
"""At least so many, where there are items enough, so that all workers end at about the same time."""
IN_FLIGHT = 1024
"""Chunks handed out and not yet collected, whatever the number of items: enough for a cluster of some hundreds."""
IN_FLIGHT_A_WORKER = 4
"""The same for each process of a pool: when one dies, all that is in flight is done once more."""
DEATHS = 20
"""So many items in a row that kill their worker, each alone, and it is not the items: nothing works here."""
DIED = "WorkerDied: the item ends its worker process, alone too"


class WorkersLost(RuntimeError):  # noqa: N818  (what has happened, not whose error it is)
    """Workers that cannot go on."""


class Item(Protocol):
    """What a stage works on: an utterance, or a pydantic model with an id."""

    @property
    def id(self) -> str: ...

    def model_dump_json(self, *, exclude_none: bool = False) -> str: ...


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True)
class Placed(Generic[ItemT]):
    """An item and its place among all."""

    place: int
    item: ItemT


@dataclass(frozen=True)
class Outcome:
    """What became of an item."""

    place: int
    item: str
    made: tuple[Entry, ...] = ()
    error: str | None = None


Chunk = list[Placed[ItemT]]
Work = Callable[[Chunk[ItemT]], list[Outcome]]


def outcomes(
    items: Iterable[Placed[ItemT]], count: int, work: Work[ItemT], executor: Executor
) -> Iterator[list[Outcome]]:
    """Hand items out in chunks, a bounded number at a time, and yield what became of each as soon as it is known.

    When a worker dies, what was lost is done again item by item. What is lost again is done with nothing
    beside it; an item that kills its worker even then is at fault, and reported as failed.

    Args:
        items: to be done.
        count: how many there are.
        work: what a worker does with a chunk; it keeps each failure to its item.
        executor: whose workers do it.

    Raises:
        WorkersLost: if an executor that cannot be renewed broke, if the workers cannot do the work at all, or
            if one after another dies whatever it is given.
    """
    crew = _Crew(executor, work)
    workers = executor.workers if isinstance(executor, Processes) else None
    many = IN_FLIGHT_A_WORKER * workers if workers else IN_FLIGHT
    size = max(1, min(CHUNK, count // (CHUNKS_A_WORKER * (workers or 1))))
    chunks = _chunks(iter(items), size)
    while lost := (yield from crew.flow(chunks, many)):
        singles = iter([[placed] for placed in lost])
        while suspects := (yield from crew.flow(singles, workers or IN_FLIGHT)):
            for suspect in suspects:
                if (yield from crew.flow(iter([[suspect]]), 1)):
                    yield [Outcome(suspect.place, suspect.item.id, error=DIED)]
                    crew.count_death(suspect.item.id)


def _chunks(items: Iterator[Placed[ItemT]], size: int) -> Iterator[Chunk[ItemT]]:
    while chunk := list(islice(items, size)):
        yield chunk


class _Crew(Generic[ItemT]):
    """An executor's workers, and what they have in hand."""

    def __init__(self, executor: Executor, work: Work[ItemT]) -> None:
        self._executor = executor
        self._work = work
        self._died = deaths()
        self._done: SimpleQueue[Future[list[Outcome]]] = SimpleQueue()
        self._in_hand: dict[Future[list[Outcome]], Chunk[ItemT]] = {}
        self._lost: Chunk[ItemT] = []
        self._deaths = 0

    def flow(self, chunks: Iterator[Chunk[ItemT]], most: int) -> Generator[list[Outcome], None, Chunk[ItemT]]:
        """Keep up to ``most`` chunks in hand, until there are no more or a worker has died.

        Returns:
            the items that were lost with workers; none if all chunks are done.
        """
        self._lost = []
        for chunk in chunks:
            self._hand_out(chunk)
            while self._in_hand and (len(self._in_hand) == most or not self._done.empty()):
                yield self._collect()
            if self._lost:
                break
        while self._in_hand:
            yield self._collect()
        if self._lost and isinstance(self._executor, Processes):
            self._executor.renew()
        return self._lost

    def _hand_out(self, chunk: Chunk[ItemT]) -> None:
        try:
            future = self._executor.submit(self._work, chunk)
        except self._died as error:
            self._lose(chunk, error)
        else:
            self._in_hand[future] = chunk
            future.add_done_callback(self._done.put)

    def _collect(self) -> list[Outcome]:
        future = self._done.get()
        chunk = self._in_hand.pop(future)
        try:
            found = future.result()
        except self._died as error:
            self._lose(chunk, error)
            return []
        except Exception as error:  # the work keeps the items' own errors, so this is no item's
            raise WorkersLost(f"the workers cannot do the work ({type(error).__name__}: {error})") from error
        self._deaths = 0
        return found

    def _lose(self, chunk: Chunk[ItemT], error: Exception) -> None:
        if isinstance(error, BrokenExecutor) and not isinstance(self._executor, Processes):
            raise WorkersLost(f"a worker process died ({error})") from error
        self._lost += chunk

    def count_death(self, item: str) -> None:
        """Give up where nothing is done between one death and the next.

        Raises:
            WorkersLost: then.
        """
        self._deaths += 1
        if self._deaths == DEATHS:
            raise WorkersLost(f"{DEATHS} worker processes died one after the other, whatever they did (last: {item!r})")
