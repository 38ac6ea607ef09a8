"""The classifier: a projection of the upstream's frames and one of s3prl's own heads, or a head of ours."""

from __future__ import annotations

import torch
from s3prl.downstream.emotion.model import DeepModel
from s3prl.downstream.model import AttentivePooling, MeanPooling, UtteranceLevel
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from .heads.resnet import ResNet50
from .settings import ModelSettings


class MaskedAttentivePooling(AttentivePooling):
    """s3prl's attentive pooling with its mask as it was meant.

    s3prl 0.4.18 adds the boolean mask to the attention's logits, so that padding takes part in the pooling and
    a prediction depends on the longest utterance of its batch. Parameters and their names are the same.
    """

    def forward(self, feature_BxTxH: Tensor, features_len: Tensor) -> tuple[Tensor, Tensor]:  # noqa: N803
        """Pool (batch, frames, features) over the valid frames to (batch, features)."""
        frames = torch.arange(feature_BxTxH.shape[1], device=feature_BxTxH.device)
        padding = frames.unsqueeze(0) >= features_len.to(frames.device).unsqueeze(1)
        additive = torch.zeros(padding.shape, device=frames.device).masked_fill(padding, float("-inf"))
        pooled, _ = self.sap_layer(feature_BxTxH, additive)
        return pooled, torch.ones(len(feature_BxTxH)).long()


class MaskedMeanPooling(MeanPooling):
    """s3prl's mean pooling without its loop over utterances, which took a third of a step on stored means."""

    def forward(self, feature_BxTxH: Tensor, features_len: Tensor, **kwargs: object) -> tuple[Tensor, Tensor]:  # noqa: N803
        """Average (batch, frames, features) over the valid frames to (batch, features)."""
        lengths = features_len.to(feature_BxTxH.device).unsqueeze(1)
        padding = torch.arange(feature_BxTxH.shape[1], device=feature_BxTxH.device) >= lengths
        pooled = feature_BxTxH.masked_fill(padding.unsqueeze(-1), 0).sum(dim=1) / lengths
        return pooled, torch.ones(len(feature_BxTxH)).long()


class EmotionClassifier(nn.Module):
    """From a list of frame sequences to class logits."""

    def __init__(self, input_dim: int, classes: int, settings: ModelSettings) -> None:
        super().__init__()
        if settings.select == "ResNet50":
            self.projector: nn.Module = nn.Identity()
            self.model: nn.Module = ResNet50(input_dim, classes)
        else:
            self.projector = nn.Linear(input_dim, settings.projector_dim)
            self.model = _head(settings.projector_dim, classes, settings)

    def forward(self, features: list[Tensor]) -> Tensor:
        """Classify.

        Args:
            features: one (frames, features) tensor an utterance.

        Returns:
            logits, shape (batch, classes).
        """
        lengths = [frames.shape[0] for frames in features]
        padded = torch.stack(features) if len(set(lengths)) == 1 else pad_sequence(features, batch_first=True)
        logits, _ = self.model(self.projector(padded), torch.tensor(lengths, device=padded.device))
        return logits


def _head(input_dim: int, classes: int, settings: ModelSettings) -> nn.Module:
    if settings.select == "DeepModel":
        return DeepModel(input_dim, classes, **settings.DeepModel.model_dump())
    options = settings.UtteranceLevel
    head = UtteranceLevel(input_dim, classes, **options.model_dump())
    if options.pooling == "AttentivePooling":
        head.pooling = MaskedAttentivePooling(input_dim, options.activation)
    else:
        head.pooling = MaskedMeanPooling()
    return head
