import pytest
import torch

from tests.experiment import Experiment, small_config
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.heads.resnet import ResNet50
from zero_shot_emotion.model import EmotionClassifier
from zero_shot_emotion.results import read_predictions
from zero_shot_emotion.settings import ModelSettings
from zero_shot_emotion.testing import tiny_corpus

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


def experiment(folder, corpus, **changes):
    """One step on log-mel frames; plain gradient descent keeps the checkpoint at a hundred megabytes."""
    config = small_config(corpus, {"unseen": corpus}, **changes)
    config["runner"] |= {"total_steps": 1, "eval_step": 1, "save_step": 1, "log_step": 1}
    config["optimizer"]["torch_optim_name"] = "SGD"
    config["downstream_expert"]["modelrc"] = {"select": "ResNet50"}
    return Experiment.make(folder, config, upstream=("mel",))


def test_it_is_trained_carried_over_to_other_classes_and_tested(tmp_path, capsys):
    corpus: Corpus = tiny_corpus(tmp_path / "corpus", dialogues=3, seconds=0.25)
    first = experiment(tmp_path / "first", corpus.root).train()
    two = {"name": "two", "classes": ["neu", "hap"], "drop": ["ang", "sad"]}
    capsys.readouterr()
    second = experiment(tmp_path / "second", corpus.root, downstream_expert__datarc__labels=two, optimizer__lr=0.0)
    second.train("-i", first.folder / "dev-best.ckpt")
    layer = "classifier.model.network.fc"
    told = f"2 start anew, for other classes or shapes: {layer}.weight, {layer}.bias"
    assert told in capsys.readouterr().out
    before, after = (one.state("dev-best.ckpt")["Downstream"] for one in (first, second))
    assert before[f"{layer}.weight"].shape[0] == 4
    assert after[f"{layer}.weight"].shape[0] == 2
    convolutions = [name for name in before if name.startswith("classifier.") and before[name].dim() == 4]
    assert len(convolutions) == 53
    for name in convolutions:  # a step of length 0 leaves them as they were taken
        assert torch.equal(before[name], after[name])
    second.evaluate("unseen")
    found = read_predictions(second.folder, "unseen").predictions
    assert list(found.classes) == ["neu", "hap"]
    assert len(found.ids) == sum(u.label in ("neu", "hap") for u in corpus)
