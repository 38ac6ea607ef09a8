"""ResNet-50 on log-mel frames: LanSER's classifier (Gong et al., Interspeech 2023), with torchvision's network."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResNet50(nn.Module):
    """torchvision's ResNet-50 with one input channel, over (mel band, frame).

    Convolutions see zeros beyond an utterance's end at every depth, as they would if it came alone, and the mean over
    time is taken of its own frames: in evaluation no prediction depends on the padding of its batch.

    Args:
        input_dim: mel bands; any number above 31 leaves something of the frequency axis.
        output_dim: classes.
    """

    def __init__(self, input_dim: int, output_dim: int) -> None:
        super().__init__()
        from torchvision.models import resnet50

        if input_dim < MIN_BANDS:
            raise ValueError(f"ResNet50: got {input_dim} bands, expected at least {MIN_BANDS}, such as log-mel has")
        self.network = resnet50(weights=None, num_classes=output_dim)
        self.network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(self.network.conv1.weight, mode="fan_out", nonlinearity="relu")
        self._lengths: dict[int, Tensor] = {}
        for module in self.network.modules():
            if isinstance(module, nn.Conv2d | nn.MaxPool2d):
                module.register_forward_pre_hook(self._hide_padding)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """Classify.

        Args:
            features: padded log-mel frames, shape (batch, frames, bands).
            lengths: valid frames, shape (batch,).

        Returns:
            logits, shape (batch, classes), and None, as s3prl's heads return a pair.
        """
        net = self.network
        self._lengths = _lengths_by_width(features.shape[1], lengths)
        x = features.transpose(1, 2).unsqueeze(1)
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        x = net.layer4(net.layer3(net.layer2(net.layer1(x))))
        inside = self._inside(x)
        mean = (x * inside).sum(dim=(2, 3)) / (inside.sum(dim=3).squeeze(1) * x.shape[2])
        return net.fc(mean), None

    def _hide_padding(self, module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        return (inputs[0] * self._inside(inputs[0]),)

    def _inside(self, x: Tensor) -> Tensor:
        """1 within each utterance and 0 beyond, shape (batch, 1, 1, frames)."""
        frames = torch.arange(x.shape[-1], device=x.device)
        valid = self._lengths[x.shape[-1]].to(x.device)
        return (frames < valid.unsqueeze(1)).to(x.dtype)[:, None, None, :]


MIN_BANDS = 32
HALVINGS = 5


def _lengths_by_width(width: int, lengths: Tensor) -> dict[int, Tensor]:
    """The valid frames at each width that the network goes through: it halves five times, and rounds up."""
    found = {width: lengths}
    for _ in range(HALVINGS):
        width, lengths = -(-width // 2), (lengths + 1) // 2
        found.setdefault(width, lengths)
    return found
