"""Contrastive losses, and gradient reversal: pure functions over a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def text_contrast(speech: Tensor, text: Tensor, alike: Tensor, temperature: float) -> Tensor:
    """InfoNCE between speech and text in both directions (Oord et al. 2018; Radford et al. 2021).

    Texts that describe the same are no negatives of one another: all that are alike share the target.

    Args:
        speech: unit vectors, shape (batch, dimensions).
        text: unit vectors of the same utterances, shape (batch, dimensions).
        alike: whether text j is as true of utterance i as its own, shape (batch, batch).
        temperature: of the softmax.
    """
    logits = speech @ text.T / temperature
    return (_towards(logits, alike) + _towards(logits.T, alike.T)) / 2


def _towards(logits: Tensor, alike: Tensor) -> Tensor:
    """Cross-entropy against all that are alike in equal shares, the mean over rows."""
    target = alike.float() / alike.sum(dim=1, keepdim=True)
    return -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()


def supervised_contrast(vectors: Tensor, positives: Tensor, temperature: float) -> Tensor:
    """Supervised contrast, positives outside the logarithm (Khosla et al. 2020, equation 2).

    Args:
        vectors: unit vectors, shape (batch, dimensions).
        positives: which pairs are alike, shape (batch, batch); an utterance is no pair with itself.
        temperature: of the softmax.

    Returns:
        the mean over utterances that have a positive; 0 where none has.
    """
    self_pairs = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    logits = (vectors @ vectors.T / temperature).masked_fill(self_pairs, float("-inf"))
    log_shares = logits.log_softmax(dim=1).masked_fill(self_pairs, 0.0)
    pairs = positives & ~self_pairs
    counts = pairs.sum(dim=1)
    if not bool(counts.any()):
        return vectors.sum() * 0.0  # keeps the graph: every parameter has a gradient in every step
    means = (log_shares * pairs).sum(dim=1) / counts.clamp(min=1)
    return -means[counts > 0].mean()


class Reversed(torch.autograd.Function):
    """The identity, whose gradient has the other sign (Ganin & Lempitsky 2015)."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]


class Adversary(nn.Module):
    """A classifier of what an embedding should not tell; what feeds it learns to hide it.

    Args:
        width: of the embedding.
        names: of the classes, as the training set has them; none where nothing is trained.
    """

    def __init__(self, width: int, names: tuple[str, ...]) -> None:
        super().__init__()
        self._index = {name: i for i, name in enumerate(names)}
        self.network = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, max(1, len(names))))

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Take the size that was trained with, where there is no training set to count the names in."""
        weight = state.get(f"{prefix}network.2.weight")
        if not self._index and weight is not None:
            self.network[2] = nn.Linear(weight.shape[1], weight.shape[0], device=self.network[2].weight.device)
        super()._load_from_state_dict(state, prefix, *rest)

    def forward(self, embeddings: Tensor, names: list[str | None]) -> Tensor:
        """The cross-entropy over the utterances whose class is known; 0 where none is."""
        known = [i for i, name in enumerate(names) if name in self._index]
        if not known:
            return embeddings.sum() * 0.0
        truth = torch.tensor([self._index[names[i] or ""] for i in known], device=embeddings.device)
        logits = self.network(Reversed.apply(embeddings[known]))
        return nn.functional.cross_entropy(logits, truth)
