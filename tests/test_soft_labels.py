import pytest
import torch

from tests.experiment import Experiment, small_config
from zero_shot_emotion.corpus import Corpus, CorpusError
from zero_shot_emotion.expert import DownstreamExpert
from zero_shot_emotion.testing import tiny_corpus


def scored(folder, scores):
    """The tiny corpus with a column of scores, by label."""
    corpus = tiny_corpus(folder)
    utterances = tuple(u.with_(scores=scores(u.label)) for u in corpus)
    Corpus(corpus.name, folder, utterances, corpus.card).save(folder)
    return folder


def sure(label):
    return {name: float(name == label) for name in ("neu", "hap", "ang", "sad")}


def unsure(label):
    return {"neu": 0.1, "exc": 0.2, "hap": 0.1, "ang": 0.1, "sad": 0.1, "fea": 0.4}


def expert(corpus, tmp_path, **changes):
    config = small_config(corpus, downstream_expert__datarc__soft_labels="scores", **changes)
    torch.manual_seed(0)
    return DownstreamExpert(4, 160, expdir=str(tmp_path), mode="train", **config).train()


def loss(made):
    _, labels, ids = next(iter(made.get_dataloader("train", epoch=0)))
    features = [torch.randn(5, 4, generator=torch.Generator().manual_seed(i)) for i in range(len(ids))]
    records = {key: [] for key in ("loss", "id", "truth", "probabilities")}
    value = made("train", features, labels, ids, records=records).item()
    return value, torch.tensor(records["probabilities"]), torch.tensor(labels)


def test_sure_labels_give_the_usual_loss(tmp_path):
    value, probabilities, labels = loss(expert(scored(tmp_path / "c", sure), tmp_path))
    assert value == pytest.approx(torch.nn.functional.nll_loss(probabilities.log(), labels).item(), abs=1e-5)


def test_the_loss_is_taken_against_the_whole_distribution_in_the_label_set(tmp_path):
    value, probabilities, _ = loss(expert(scored(tmp_path / "c", unsure), tmp_path))
    aim = torch.tensor([1, 3, 1, 1]) / 6  # excitement counts as happiness, fear is no class
    assert value == pytest.approx(-(aim * probabilities.log()).sum(dim=1).mean().item(), abs=1e-5)


@pytest.mark.parametrize("scores", [None, {"neu": "much"}, {"neu": -1.0}])
def test_a_line_without_probabilities_is_named(tmp_path, scores):
    corpus = scored(tmp_path / "c", lambda label: scores)
    with pytest.raises(CorpusError, match=r"corpus 'c': d0\d-0\d: scores: got .*, expected a probability for each emo"):
        expert(corpus, tmp_path).get_dataloader("train", epoch=0)


def test_a_distribution_without_any_class_is_named(tmp_path):
    corpus = scored(tmp_path / "c", lambda label: {"fea": 1.0})
    with pytest.raises(CorpusError, match=r"corpus 'c': d0\d-0\d: scores: gives no class anything"):
        expert(corpus, tmp_path).get_dataloader("train", epoch=0)


def test_it_trains_and_tests(tmp_path):
    corpus = scored(tmp_path / "c", unsure)
    config = small_config(corpus, {"a": corpus}, downstream_expert__datarc__soft_labels="scores")
    Experiment.make(tmp_path / "exp", config).train().evaluate("a")
    assert (tmp_path / "exp/results.json").exists()
