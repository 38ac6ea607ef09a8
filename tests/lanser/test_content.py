import pytest

from generation.weak_labels.settings import WeakLabelSettings
from zero_shot_emotion.benchmark.fingerprint import PathHashes
from zero_shot_emotion.lanser.content import by_content, models_of, weak_settings


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder that is named as settings name it: from the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/weights").write_text("1")
    return "mine"


def test_what_is_on_disk_is_its_content_and_all_else_its_name(model, tmp_path):
    told = {"model": model, "language": model, "words": ["happy", str(tmp_path / model)], "ckpt": "facebook/hubert"}
    hashed = PathHashes().of(model)
    assert by_content(told, PathHashes()) == {
        "model": hashed,
        "language": model,  # a word, that happens to be a folder's name
        "words": ["happy", hashed],
        "ckpt": "facebook/hubert",
    }
    assert models_of("whisper", told, PathHashes()) == {"model of whisper": hashed}
    (tmp_path / "mine/weights").write_text("2")
    assert by_content(told, PathHashes())["model"] != hashed


def test_labels_do_not_follow_from_how_an_endpoint_is_asked(model):
    def config(**more):
        endpoint = {"base_url": "http://localhost:1", "model": "m", **more}
        labellers = [{"kind": "llm", "endpoint": endpoint}, {"kind": "similarity", "model": model}]
        return weak_settings(WeakLabelSettings.model_validate({"labellers": labellers}), PathHashes())

    told, models = config()
    assert config(budget={"requests": 9}, concurrency=2, timeout=3)[0] == told
    assert config(temperature=0.5)[0] != told
    assert models == {"model of similarity": PathHashes().of(model)}
