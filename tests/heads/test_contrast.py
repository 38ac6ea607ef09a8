"""Contrastive losses against loops over pairs; the adversary against its own gradient without reversal."""

import math

import pytest
import torch
from torch import Tensor, nn

from zero_shot_emotion.heads.contrast import Adversary, supervised_contrast, text_contrast


def unit(seed: int, size: int = 6) -> Tensor:
    vectors = torch.randn(size, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return nn.functional.normalize(vectors, dim=1)


LABELS = [0, 1, 0, 2, 1, 0]
ALIKE = torch.tensor([[a == b for b in LABELS] for a in LABELS])


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_supervised_contrast_is_equation_2(temperature: float) -> None:
    z = unit(0)
    losses = []
    for i, label in enumerate(LABELS):
        pairs = [p for p in range(6) if p != i and LABELS[p] == label]
        if pairs:
            below = sum(math.exp(float(z[i] @ z[a]) / temperature) for a in range(6) if a != i)
            shares = [math.log(math.exp(float(z[i] @ z[p]) / temperature) / below) for p in pairs]
            losses.append(-sum(shares) / len(pairs))
    assert len(losses) == 5  # one has no pair
    assert supervised_contrast(z, ALIKE, temperature).item() == pytest.approx(sum(losses) / 5)


@pytest.mark.parametrize("size", [1, 3])
def test_without_pairs_there_is_nothing_to_learn(size: int) -> None:
    z = unit(1, size).requires_grad_()
    loss = supervised_contrast(z, torch.eye(size, dtype=torch.bool), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert z.grad is not None
    assert z.grad.abs().sum() == 0


def test_gradients_of_supervised_contrast_are_finite_and_right() -> None:
    assert torch.autograd.gradcheck(lambda z: supervised_contrast(z, ALIKE, 0.5), unit(2).requires_grad_())


def test_text_contrast_is_cross_entropy_both_ways() -> None:
    speech, text, temperature = unit(3), unit(4), 0.3
    logits = speech @ text.T / temperature
    target = torch.arange(6)
    expected = (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)) / 2
    torch.testing.assert_close(text_contrast(speech, text, torch.eye(6, dtype=torch.bool), temperature), expected)


def test_texts_that_say_the_same_share_the_target() -> None:
    speech, text, temperature = unit(5), unit(6), 0.2
    expected = 0.0
    for one, other in ((speech, text), (text, speech)):
        for i in range(6):
            below = sum(math.exp(float(one[i] @ other[j]) / temperature) for j in range(6))
            alike = [j for j in range(6) if LABELS[j] == LABELS[i]]
            shares = [math.log(math.exp(float(one[i] @ other[j]) / temperature) / below) for j in alike]
            expected -= sum(shares) / len(alike) / 6 / 2
    assert text_contrast(speech, text, ALIKE, temperature).item() == pytest.approx(expected, abs=1e-5)


def test_an_adversary_learns_while_what_feeds_it_unlearns() -> None:
    torch.manual_seed(0)
    adversary, embeddings = Adversary(4, ("de", "en")), torch.randn(5, 4, requires_grad=True)
    names = ["de", None, "en", "fr", "de"]
    adversary(embeddings, names).backward()
    plain = embeddings.detach().clone().requires_grad_()
    loss = nn.functional.cross_entropy(adversary.network(plain[[0, 2, 4]]), torch.tensor([0, 1, 0]))
    own = torch.autograd.grad(loss, [plain, *adversary.parameters()])
    torch.testing.assert_close(embeddings.grad, -own[0])
    assert embeddings.grad is not None
    assert embeddings.grad[[1, 3]].abs().sum() == 0  # of unknown class
    for parameter, gradient in zip(adversary.parameters(), own[1:], strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_an_adversary_that_knows_nobody_asks_for_nothing() -> None:
    embeddings = torch.randn(2, 4, requires_grad=True)
    loss = Adversary(4, ("de",))(embeddings, [None, "xx"])
    loss.backward()
    assert loss.item() == 0


def test_an_adversary_loads_where_nothing_is_trained() -> None:
    trained, idle = Adversary(4, ("a", "b", "c")), Adversary(4, ())
    idle.load_state_dict(trained.state_dict())
    assert idle.network[2].out_features == 3
    with pytest.raises(RuntimeError, match="size mismatch"):
        Adversary(4, ("a", "b")).load_state_dict(trained.state_dict())
