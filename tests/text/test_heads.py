import numpy as np
import pytest
import torch

from zero_shot_emotion.text.heads import CNNHead, LinearHead, pad
from zero_shot_emotion.text.settings import CNNSettings, LinearSettings

LENGTHS = (1, 2, 5, 9, 23)


def batch(width=12):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((length, width)).astype(np.float32) for length in LENGTHS]


@pytest.mark.parametrize(
    "head",
    [
        CNNHead(12, 4, CNNSettings()),
        CNNHead(12, 4, CNNSettings(kernels=(3, 2, 6))),
        LinearHead(12, 4, LinearSettings()),
        LinearHead(12, 4, LinearSettings(normalise="none")),
    ],
)
def test_predictions_do_not_depend_on_padding(head):
    states = batch()
    with torch.no_grad():
        together = head(*pad(states))
        for i, alone in enumerate(states):
            torch.testing.assert_close(head(*pad([alone]))[0], together[i], atol=1e-6, rtol=1e-5)


def test_the_seed_works_head_has_its_parameters():
    head = CNNHead(768, 4, CNNSettings())
    assert sum(p.numel() for p in head.parameters()) == 172_388


def test_alone_the_head_is_the_seed_works_sequence():
    torch.manual_seed(0)
    head = CNNHead(12, 4, CNNSettings())
    first, second, third = head.convolutions
    layers = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), third, torch.nn.ReLU())
    states = torch.tensor(batch()[3])
    with torch.no_grad():
        expected = head.output(layers(states.T.unsqueeze(0)).mean(dim=2))
        torch.testing.assert_close(head(*pad([states.numpy()])), expected)


def test_the_linear_head_sees_the_mean():
    head = LinearHead(12, 4, LinearSettings(normalise="none"))
    states = batch()
    np.testing.assert_allclose(head.pool(*pad(states)).numpy(), [s.mean(axis=0) for s in states], atol=1e-6)
