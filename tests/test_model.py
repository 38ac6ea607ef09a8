"""The heads: their size, their independence of the batch, and s3prl's own as oracles."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zero_shot_emotion.corpus import FOUR
from zero_shot_emotion.model import EmotionClassifier
from zero_shot_emotion.settings import ModelSettings

ATTENTIVE = {"select": "UtteranceLevel", "UtteranceLevel": {"pooling": "AttentivePooling"}}
DEEP_MODELS = ["CNNSelfAttention", "FCN", "DeepNet"]


def classifier(input_dim: int = 8, **settings: Any) -> EmotionClassifier:
    torch.manual_seed(0)
    return EmotionClassifier(input_dim, 4, ModelSettings.model_validate(settings)).eval()


def utterances(*lengths: int, dim: int = 8) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(length, dim, generator=generator) for length in lengths]


def count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_default_head_has_197905_parameters_with_the_weights_of_13_layers() -> None:
    from s3prl.upstream.interfaces import Featurizer

    class Base(nn.Module):
        """The shape of a base-size upstream."""

        def forward(self, waves: list[Tensor]) -> dict[str, list[Tensor]]:
            return {"hidden_states": [torch.zeros(len(waves), 50, 768)] * 13}

    featurizer = Featurizer(Base(), upstream_device="cpu")
    assert count(featurizer) == 13
    assert count(classifier(featurizer.output_dim)) == 768 * 256 + 256 + 256 * 4 + 4 == 197_892
    assert count(featurizer) + count(classifier(featurizer.output_dim)) == 197_905


@pytest.mark.parametrize(
    "settings",
    [
        {},
        ATTENTIVE,
        {"UtteranceLevel": {"pre_net": {"select": "FrameLevel", "FrameLevel": {"hiddens": [8], "activation": "GELU"}}}},
        {**ATTENTIVE, "UtteranceLevel": {"pooling": "AttentivePooling", "activation": "Tanh"}},
    ],
    ids=["mean", "attentive", "pre_net", "attentive tanh"],
)
def test_a_prediction_does_not_depend_on_the_padding_of_its_batch(settings: dict[str, Any]) -> None:
    model, features = classifier(projector_dim=6, **settings), utterances(5, 30, 17)
    alone = torch.cat([model([one]) for one in features])
    torch.testing.assert_close(model(features), alone)


def test_s3prls_own_attentive_pooling_depends_on_it() -> None:
    """The reason for ours: with this, a prediction depends on the longest utterance of the batch."""
    from s3prl.downstream.model import AttentivePooling

    ours = classifier(**ATTENTIVE)
    theirs = classifier(**ATTENTIVE)
    theirs.model.pooling = AttentivePooling(input_dim=256, activation="ReLU")
    theirs.load_state_dict(ours.state_dict())  # same parameters under the same names

    short, long = utterances(5, 30)
    assert (theirs([short, long])[0] - theirs([short])[0]).abs().max() > 1e-3
    torch.testing.assert_close(theirs([short]), ours([short]))  # and without padding both are the same


@pytest.mark.parametrize("pooling", ["MeanPooling", "AttentivePooling"])
def test_equals_s3prls_emotion_downstream_with_equal_weights(pooling: str) -> None:
    from s3prl.downstream.emotion.expert import DownstreamExpert
    from s3prl.downstream.model import UtteranceLevel

    ours = classifier(UtteranceLevel={"pooling": pooling})
    theirs = DownstreamExpert.__new__(DownstreamExpert)  # its constructor wants IEMOCAP
    nn.Module.__init__(theirs)
    theirs.projector = nn.Linear(8, 256)
    theirs.model = UtteranceLevel(input_dim=256, output_dim=4, pooling=pooling)
    theirs.objective = nn.CrossEntropyLoss()
    theirs.test_dataset = SimpleNamespace(idx2emotion=FOUR.classes)
    theirs.load_state_dict(ours.state_dict())
    logits: list[Tensor] = []
    theirs.model.register_forward_hook(lambda module, inputs, outputs: logits.append(outputs[0]))

    lengths = (12, 30, 9) if pooling == "MeanPooling" else (12, 12, 12)
    features, labels = utterances(*lengths), [0, 3, 1]
    records: dict[str, list] = defaultdict(list)
    loss = theirs("train", features, labels, ["a", "b", "c"], records)

    torch.testing.assert_close(ours(features), logits[0])
    torch.testing.assert_close(nn.functional.cross_entropy(ours(features), torch.tensor(labels)), loss)
    assert [FOUR.classes[index] for index in ours(features).argmax(dim=1)] == records["predict"]


@pytest.mark.parametrize("model_type", DEEP_MODELS)
def test_deep_models_are_s3prls_own(model_type: str) -> None:
    from s3prl.downstream.emotion.model import DeepModel

    options = {"model_type": model_type, "hidden_dim": 16, "dropout": 0.5}
    ours = classifier(projector_dim=12, select="DeepModel", DeepModel=options)
    theirs = DeepModel(
        input_dim=12, output_dim=4, model_type=model_type, hidden_dim=16, kernel_size=5, padding=2, pooling=5,
        dropout=0.5,
    ).eval()  # fmt: skip
    theirs.load_state_dict(ours.model.state_dict())

    features = utterances(90, 90)
    expected, _ = theirs(ours.projector(torch.stack(features)), torch.tensor([90, 90]))
    assert ours(features).shape == (2, 4)
    torch.testing.assert_close(ours(features), expected)


@pytest.mark.parametrize("model_type", DEEP_MODELS)
def test_deep_models_drop_out_in_training_alone(model_type: str) -> None:
    model, features = classifier(select="DeepModel", DeepModel={"model_type": model_type}), utterances(90, 90)
    assert torch.equal(model(features), model(features))
    model.train()
    assert not torch.equal(model(features), model(features))
