"""What is trained on frozen token states. No prediction depends on the padding of its batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .encoder import States
from .settings import CNNSettings, LinearSettings


class CNNHead(nn.Module):
    """The seed work's head: three convolutions over the tokens, their mean, a linear layer.

    The seed work lets padding through: here every layer sees zeros beyond an utterance's end, as it would if the
    utterance came alone. With BERT's width and four classes it has 172,388 parameters, as there.

    Args:
        width: of the states.
        classes: how many.
        settings: sizes.
    """

    def __init__(self, width: int, classes: int, settings: CNNSettings) -> None:
        super().__init__()
        widths = (width, *settings.channels)
        self._kernels = settings.kernels
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, padding=kernel // 2)
            for before, after, kernel in zip(widths, settings.channels, settings.kernels, strict=False)
        )
        self.output = nn.Linear(widths[-1], classes)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of padded states (batch, tokens, width) and lengths (batch,)."""
        x = _masked(states.transpose(1, 2), lengths)
        for convolution, kernel in zip(self.convolutions, self._kernels, strict=True):
            lengths = lengths + 2 * (kernel // 2) - kernel + 1
            x = _masked(convolution(x).relu(), lengths)
        mean = x.sum(dim=2) / lengths.clamp(min=1).unsqueeze(1)
        logits: Tensor = self.output(mean)
        return logits


class LinearHead(nn.Module):
    """A linear layer on the mean of the tokens.

    Args:
        width: of the states.
        classes: how many.
        settings: whether means are brought to length 1.
    """

    def __init__(self, width: int, classes: int, settings: LinearSettings) -> None:
        super().__init__()
        self._unit = settings.normalise == "l2"
        self.output = nn.Linear(width, classes)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Logits, shape (batch, classes), of padded states (batch, tokens, width) and lengths (batch,)."""
        logits: Tensor = self.output(self.pool(states, lengths))
        return logits

    def pool(self, states: Tensor, lengths: Tensor) -> Tensor:
        """What the linear layer sees, shape (batch, width)."""
        mean = _masked(states.transpose(1, 2), lengths).sum(dim=2) / lengths.unsqueeze(1)
        return nn.functional.normalize(mean, dim=1) if self._unit else mean


def _masked(x: Tensor, lengths: Tensor) -> Tensor:
    """Zeros beyond each length, in the last dimension."""
    inside = torch.arange(x.shape[-1], device=x.device) < lengths.unsqueeze(1)
    return x * inside.unsqueeze(1)


def pad(states: Sequence[States]) -> tuple[Tensor, Tensor]:
    """A batch of states, shape (batch, tokens, width), and their lengths."""
    from torch.nn.utils.rnn import pad_sequence

    tensors = [torch.tensor(s) for s in states]
    return pad_sequence(tensors, batch_first=True), torch.tensor([len(s) for s in states])
