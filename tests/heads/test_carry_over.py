import pytest
import torch

from tests.experiment import Experiment, small_config
from zero_shot_emotion.heads.carry_over import carry_over, output_layer
from zero_shot_emotion.model import EmotionClassifier
from zero_shot_emotion.settings import ConfigError, DeepModelSettings, ModelSettings
from zero_shot_emotion.testing import tiny_corpus

TWO = {"name": "two", "classes": ["neu", "hap"], "drop": ["ang", "sad"]}


@pytest.mark.parametrize(
    "settings",
    [
        ModelSettings(),
        ModelSettings(select="DeepModel"),
        ModelSettings(select="DeepModel", DeepModel=DeepModelSettings(model_type="FCN")),
        ModelSettings(select="DeepModel", DeepModel=DeepModelSettings(model_type="DeepNet")),
        ModelSettings(select="ResNet50"),
    ],
)
def test_the_output_layer_of_every_head_is_found(settings):
    model = EmotionClassifier(40, 7, settings)
    weight, bias = (model.get_parameter(name) for name in output_layer(model))
    assert weight.shape[0] == bias.shape[0] == 7


def test_other_classes_keep_all_but_the_output_layer():
    torch.manual_seed(0)
    old, new = EmotionClassifier(8, 4, ModelSettings()), EmotionClassifier(8, 4, ModelSettings())
    done = carry_over(new, old.state_dict(), same_classes=False, own=())
    assert done.replaced == output_layer(new)
    assert not done.missing
    assert not done.left
    assert torch.equal(old.projector.weight, new.projector.weight)
    assert not torch.equal(old.state_dict()[done.replaced[0]], new.state_dict()[done.replaced[0]])
    assert f"start anew, for other classes or shapes: {', '.join(done.replaced)}" in str(done)


def test_what_is_missing_and_what_is_left_is_told():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
    weights = {"0.weight": torch.ones(3, 3), "1.weight": torch.ones(5, 3), "9.bias": torch.ones(1)}
    done = carry_over(model, weights, same_classes=True, own=("1.bias",))
    assert (done.taken, done.replaced, done.missing, done.left) == (
        ("0.weight",),
        ("1.weight",),
        ("0.bias",),
        ("9.bias",),
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return tiny_corpus(tmp_path_factory.mktemp("corpus") / "tiny").root


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory, corpus):
    config = small_config(corpus)
    return Experiment.make(tmp_path_factory.mktemp("pretrained") / "exp", config).train("-o", "runner.total_steps=3")


def weights(experiment, step):
    return experiment.state(step)["Downstream"]


def start(tmp_path, corpus, pretrained, **changes):
    """An experiment of no step at all would save nothing: one at a learning rate of 0 keeps what it starts from."""
    config = small_config(corpus, {"a": corpus}, optimizer__lr=0.0, **changes)
    config["runner"] |= {"total_steps": 1, "save_step": 1, "eval_step": 1}
    return Experiment.make(tmp_path / "exp", config).train("-i", pretrained.folder / "dev-best.ckpt")


def test_i_starts_a_new_experiment_from_the_weights_of_another(tmp_path, corpus, pretrained, capsys):
    new = start(tmp_path, corpus, pretrained)
    old = pretrained.state("dev-best.ckpt")["Downstream"]
    for name, weight in weights(new, 1).items():
        if "." in name:
            torch.testing.assert_close(weight, old[name])
    assert new.state(1)["Step"] == 1
    assert "(neu, hap, ang, sad): 8 weights taken" in capsys.readouterr().out


def test_i_replaces_the_classifier_where_the_classes_differ(tmp_path, corpus, pretrained, capsys):
    new = start(tmp_path, corpus, pretrained, downstream_expert__datarc__labels=TWO)
    state, old = weights(new, 1), pretrained.state("dev-best.ckpt")["Downstream"]
    torch.testing.assert_close(state["classifier.projector.weight"], old["classifier.projector.weight"])
    assert state["classifier.model.post_net.linear.weight"].shape[0] == 2
    assert "6 weights taken; 2 start anew, for other classes or shapes: classifier.model.post_net.linear" in (
        capsys.readouterr().out
    )
    new.evaluate("a")


def test_i_can_be_resumed(tmp_path, corpus, pretrained):
    config = small_config(corpus)
    whole = Experiment.make(tmp_path / "whole", config).train("-i", pretrained.folder / "dev-best.ckpt")
    broken = Experiment.make(tmp_path / "broken", {**config, "runner": {**config["runner"], "save_step": 1}})
    broken.train("-i", pretrained.folder / "dev-best.ckpt", "-o", "runner.total_steps=1")
    broken.train("-e", broken.folder, "-o", "runner.total_steps=2")
    for name, weight in weights(whole, 2).items():
        torch.testing.assert_close(weights(broken, 2)[name], weight)


def test_i_of_another_downstream_is_refused(tmp_path, corpus):
    config = small_config(corpus)
    torch.save({"Downstream": {"a": torch.ones(1)}, "Config": {}}, tmp_path / "other.ckpt")
    with pytest.raises(ConfigError, match=r"-i .*other.ckpt: expected a checkpoint of the downstream zero"):
        Experiment.make(tmp_path / "exp", config).train("-i", tmp_path / "other.ckpt")
