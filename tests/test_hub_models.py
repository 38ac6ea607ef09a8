import pytest
from huggingface_hub import constants

from generation.weak_labels.settings import WeakLabelSettings
from generation.weak_labels.steps import STEPS
from generation.weak_labels.weak_label import weak_label
from zero_shot_emotion import hub_models
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.unfinished import MARK
from zero_shot_emotion.hub_models import AbsentModelError, check_model
from zero_shot_emotion.pretrained import PretrainedError
from zero_shot_emotion.text.encoder import EncoderError, load_tokenizer
from zero_shot_emotion.text.settings import EncoderSettings

ADVICE = "elsewhere: hf download a/b --local-dir FOLDER, then give FOLDER"


@pytest.fixture(autouse=True)
def _a_hub_of_its_own(monkeypatch, tmp_path):
    """No proxy, an empty cache, and a hub that takes no connections."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    hub_models.reachable.cache_clear()


def refused(name):
    with pytest.raises(AbsentModelError) as error:
        check_model(name)
    return str(error.value)


@pytest.mark.parametrize("name", ["/no/such", "./no", "../no", "~/no", "a/b/c", r"models\b"])
def test_a_path_that_is_not_there_is_told_as_one(name):
    assert refused(name) == "no such folder"


@pytest.mark.parametrize("name", ["my model", "a/b c", "-a"])
def test_a_name_that_the_hub_does_not_allow_is_told_as_one(name):
    assert refused(name) == "no folder here, and no name that the hub allows"


def test_a_folder_that_is_there_is_left_to_whoever_loads_it(tmp_path):
    check_model(str(tmp_path))


def test_a_hub_that_takes_no_connection_is_told_with_what_to_do():
    assert refused("a/b") == f"no folder here, not downloaded before, and 127.0.0.1 is out of reach; {ADVICE}"


def test_offline_by_will_is_told_so(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert f"and HF_HUB_OFFLINE is set; {ADVICE}" in refused("a/b")


def test_a_proxy_may_know_the_way(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setattr(constants, "ENDPOINT", "http://hub.example")

    check_model("a/b")


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
def test_what_was_downloaded_before_needs_no_hub(tmp_path, file):
    model = tmp_path / "cache" / "models--a--b"
    (model / "snapshots" / "1234").mkdir(parents=True)
    (model / "snapshots" / "1234" / file).write_text("{}")
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("1234")

    check_model("a/b")
    with pytest.raises(AbsentModelError):
        check_model("a/b", "another")


def test_weak_labels_tell_it_before_any_work(tmp_path):
    corpus = Corpus("c", tmp_path, (Utterance(id="a", text="so sad"),))
    lexicon_first = [{"kind": "lexicon"}, {"kind": "entailment", "model": "a/b"}]

    for settings, key in (
        ({"labellers": lexicon_first}, "labeller entailment: model"),
        (
            {"labellers": lexicon_first[:1], "transcripts": {"engine": "whisper", "settings": {"model": "a/b"}}},
            "recogniser whisper: model",
        ),
    ):
        with pytest.raises(PretrainedError) as error:
            weak_label(corpus, tmp_path / "out", WeakLabelSettings.model_validate(settings))
        assert str(error.value).startswith(
            f"{key}: got 'a/b', expected a model of the Hugging Face hub, or a folder that holds one: no folder here"
        )
    assert not (tmp_path / "out").exists()


def test_weak_labels_tell_it_too_where_their_steps_have_a_place_but_none_was_begun(tmp_path):
    corpus = Corpus("c", tmp_path, (Utterance(id="a", text="so sad"),))
    settings = WeakLabelSettings.model_validate({"labellers": [{"kind": "entailment", "model": "a/b"}]})
    (tmp_path / "out" / STEPS).mkdir(parents=True)
    with pytest.raises(PretrainedError, match="labeller entailment: model: got 'a/b'"):
        weak_label(corpus, tmp_path / "out", settings)
    assert not (tmp_path / "out" / MARK).exists()


def test_a_text_encoder_tells_it_too():
    with pytest.raises(EncoderError, match=f"encoder.name: got 'a/b', expected a text .*127.0.0.1 is .*{ADVICE}$"):
        load_tokenizer(EncoderSettings(name="a/b"))
