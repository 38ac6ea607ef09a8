import pytest
import torch

from zero_shot_emotion.heads.resnet import ResNet50
from zero_shot_emotion.model import EmotionClassifier
from zero_shot_emotion.settings import ModelSettings

LENGTHS = (33, 64, 97, 130)


@pytest.fixture(scope="module")
def head():
    torch.manual_seed(0)
    return ResNet50(40, 4).eval()


def frames(length, bands=40):
    return torch.randn(length, bands, generator=torch.Generator().manual_seed(length))


@torch.inference_mode()
def test_alone_it_is_torchvisions_network(head):
    from torchvision.models import resnet50

    oracle = resnet50(num_classes=4)
    oracle.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    oracle.load_state_dict(head.network.state_dict())
    x = frames(97)
    logits, _ = head(x.unsqueeze(0), torch.tensor([97]))
    torch.testing.assert_close(logits, oracle.eval()(x.T[None, None]))


@torch.inference_mode()
def test_predictions_do_not_depend_on_padding(head):
    batch = [frames(length) for length in LENGTHS]
    padded = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True)
    together, _ = head(padded, torch.tensor(LENGTHS))
    for i, x in enumerate(batch):
        alone, _ = head(x.unsqueeze(0), torch.tensor([len(x)]))
        torch.testing.assert_close(together[i], alone[0], atol=1e-4, rtol=1e-4)


def test_too_few_bands_are_refused():
    with pytest.raises(ValueError, match="ResNet50: got 13 bands, expected at least 32, such as log-mel has"):
        ResNet50(13, 4)


def test_the_classifier_sees_the_features_as_they_are():
    classifier = EmotionClassifier(40, 4, ModelSettings(select="ResNet50")).eval()
    with torch.inference_mode():
        logits = classifier([frames(40), frames(70)])
    assert logits.shape == (2, 4)
    assert not any(name.startswith("projector") for name, _ in classifier.named_parameters())
