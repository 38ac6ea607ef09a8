import pytest
import yaml

from tests.experiment import small_config
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.lanser.settings import LanserError, read_settings
from zero_shot_emotion.lanser.weak import read_weak

PATHS = {name: f"/data/{name}" for name in ("speech", "encoder", "emodb", "nemo")}


def downstream(**changes):
    """A downstream config without corpora."""
    config = small_config(**changes)
    for key in ("train", "targets"):
        config["downstream_expert"]["datarc"].pop(key)
    return config


def write(folder, **changes):
    content = {
        "speech": "speech",
        "upstream": "fbank",
        "pretrain": downstream(),
        "finetune": downstream(),
        "targets": {"unseen": "unseen"},
        **changes,
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_what_ships_can_be_read():
    found = read_settings("open", PATHS)
    assert (found.name, found.speech, found.head) == ("lanser-open", "/data/speech", "UtteranceLevel")
    weak = read_weak(found)
    assert weak.labellers[0].settings.model == "/data/encoder"
    assert (weak.taxonomy, read_weak(found, "six").taxonomy) == ("four", "six")
    paper = read_settings("paper", {"speech": "/s", "iemocap": "/i"})
    assert (paper.head, paper.targets["iemocap"].test) == ("ResNet50", "iemocap:/i#Session5")
    assert read_weak(paper).labellers[0].title == "entailment"
    smoke = read_settings("smoke", {"speech": "/s", "encoder": "/e", "target": "emodb:/d"})
    assert (smoke.targets["target"].corpus, smoke.shares) == ("emodb:/d", (0.1, 1.0))
    assert read_weak(smoke).transcripts.engine == "pocketsphinx"


def test_labels_that_are_there_are_no_weak_labels(tmp_path):
    found = read_settings(write(tmp_path, weak_labels="transcribe"))
    with pytest.raises(LanserError, match="weak_labels: labellers: got given alone, expected one that reads the words"):
        read_weak(found)


def test_an_upstream_is_told_as_s3prl_takes_it(tmp_path):
    whole = {"upstream": "hubert_local", "ckpt": "a.pt", "trainable": True}
    assert read_settings(write(tmp_path, upstream=whole)).upstream.options == ("-u", "hubert_local", "-k", "a.pt", "-f")
    assert read_settings(write(tmp_path)).upstream.options == ("-u", "fbank")


def test_placeholders_are_filled_from_the_config_too(tmp_path, monkeypatch):
    path = write(tmp_path, speech="${here}/wavs", paths={"here": "/own"})
    assert read_settings(path).speech == "/own/wavs"
    assert read_settings(path, {"here": "/given"}).speech == "/given/wavs"
    monkeypatch.setenv("there", "/environment")
    assert read_settings(write(tmp_path, speech="${there}")).speech == "/environment"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"speech": "${nowhere}"}, r"small.yaml: \$\{nowhere\} stands for nothing: give --path nowhere=FOLDER"),
        (
            {"speech": "${b}/x", "targets": {"t": "emodb:${a}"}},
            r"small.yaml: \$\{a\}, \$\{b\} stand for nothing: give --path a=FOLDER --path b=FOLDER",
        ),
        ({"shares": [0, 1]}, r"small.yaml: shares.0: got 0, expected"),
        ({"labels": "many"}, r"small.yaml: expected a label set: unknown label set 'many'"),
        ({"targets": {"train": "x"}}, r"expected targets by other names than train, dev, test, got 'train'"),
        ({"targets": {"a": {"train": "x"}}}, r"targets.a: .*either 'corpus', which is split by speaker, or both"),
        ({"seeds": 1, "pretrainings": 2}, r"at most as many pretrainings as seeds, got 2 and 1"),
        ({"finetune": {"runner": {}}}, r"finetune: .*a section 'optimizer'"),
        ({"finetune": small_config()}, r"a datarc without 'train': the experiment fills it in"),
        ({"pretrain": downstream(downstream_expert__modelrc__select="Deep")}, r"modelrc.select: got 'Deep', expected"),
        ({"finetune": downstream(downstream_expert__modelrc={"projector_dim": 3})}, r"the modelrc of pretrain in fine"),
        ({"finetune": downstream(downstream_expert__datarc__trim=True)}, r"the level_db and trim of pretrain \(Condit"),
        ({"upstream": {"upstream": "x", "trainable": True, "stored": True}}, r"upstream: .*either trainable or stored"),
        ({"unknown": 1}, r"small.yaml: unknown: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, changes, told):
    with pytest.raises(LanserError, match=told):
        read_settings(write(tmp_path, **changes))


def test_an_unknown_path_or_config_is_named(tmp_path):
    with pytest.raises(LanserError, match=r"--path other: .*small.yaml has no such path, expected one of none"):
        read_settings(write(tmp_path), {"other": "x"})
    with pytest.raises(MissingConfigError, match=r"lanser: got 'none', expected the path of a .yaml file or one of "):
        read_settings("none")
