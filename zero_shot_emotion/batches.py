"""Batches that fit: as large as asked for, and half as large from then on whenever the memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from .errors import UserError

T = TypeVar("T")
R = TypeVar("R")


class MemoryShortError(UserError, RuntimeError):
    """A single item that does not fit into memory."""


class Batcher:
    """Runs a function over batches of items.

    Args:
        most: cost of a batch, such as its tokens with padding.
    """

    def __init__(self, most: int) -> None:
        self.most = most

    def run(self, items: Sequence[T], costs: Sequence[int], forward: Callable[[Sequence[T]], Iterable[R]]) -> list[R]:
        """The function's results, in the order of the items.

        Args:
            items: of any order; like costs are batched together.
            costs: of each; a batch costs its dearest times its size, because it is padded to it.
            forward: gives one result an item.

        Raises:
            MemoryShortError: if a single item does not fit.
        """
        order = sorted(range(len(items)), key=lambda i: costs[i])
        results: dict[int, R] = {}
        for batch in self._cut(order, costs):
            found = self._fit([items[i] for i in batch], [costs[i] for i in batch], forward)
            results.update(zip(batch, found, strict=True))
        return [results[i] for i in range(len(items))]

    def _cut(self, order: Sequence[int], costs: Sequence[int]) -> Iterator[list[int]]:
        batch: list[int] = []
        for i in order:
            if batch and costs[i] * (len(batch) + 1) > self.most:
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    def _fit(self, batch: Sequence[T], costs: Sequence[int], forward: Callable[[Sequence[T]], Iterable[R]]) -> list[R]:
        import torch

        try:
            return list(forward(batch))
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise MemoryShortError("out of memory at a batch of one, expected a smaller model") from None
        torch.cuda.empty_cache()
        self.most = max(1, min(self.most, max(costs) * len(batch)) // 2)
        middle = len(batch) // 2
        first, second = slice(None, middle), slice(middle, None)
        return [
            *self._fit(batch[first], costs[first], forward),
            *self._fit(batch[second], costs[second], forward),
        ]
