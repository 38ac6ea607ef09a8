"""A training that is killed goes on to the same bytes, wherever it was."""

import pytest
import yaml

from zero_shot_emotion.text import train as module
from zero_shot_emotion.text.experiment import run_text_experiment
from zero_shot_emotion.text.settings import read_text_settings

EPOCHS = 4
WEIGHTS = {"CNN": "classifier/head.safetensors", "finetune": "classifier/model/model.safetensors"}


@pytest.fixture
def config(tmp_path, bert, text_corpus):
    def write(head):
        content = {
            "data": {"train": str(text_corpus), "targets": {"other": str(text_corpus)}},
            "encoder": {"name": str(bert)},
            "head": {"select": head, "CNN": {"channels": [16, 16, 8]}},
            "training": {"lr": 0.003, "batch_size": 16, "epochs": EPOCHS, "schedule": "linear", "warmup_ratio": 0.1},
        }
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return read_text_settings(path)

    return write


def half_written(newest):
    (newest / "trainer_state.json").unlink()
    (newest / "optimizer.pt").write_bytes(b"PK")


def cut_short(newest):
    (newest / "trainer_state.json").write_text('{"epoch": 2', encoding="utf-8")


@pytest.mark.parametrize("head", WEIGHTS)
@pytest.mark.parametrize("damage", [None, half_written, cut_short])
def test_a_training_goes_on_after_a_kill(config, tmp_path, monkeypatch, head, damage):
    whole = run_text_experiment(config(head), tmp_path / "whole").folder
    epochs, score = [], module._scores

    def breaks(output, classes):
        epochs.append(len(output.label_ids))
        if len(epochs) == 3:
            raise KeyboardInterrupt
        return score(output, classes)

    monkeypatch.setattr(module, "_scores", breaks)
    with pytest.raises(KeyboardInterrupt):
        run_text_experiment(config(head), tmp_path / "exp")
    newest = max((tmp_path / "exp/checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    if damage:
        damage(newest)
    run_text_experiment(config(head), tmp_path / "exp")
    again = len(epochs) - 3
    assert again == EPOCHS - 2 if damage is None else again in (EPOCHS - 1, EPOCHS)
    for file in (WEIGHTS[head], "predictions-other.csv", "predictions-dev.csv"):
        assert (tmp_path / "exp" / file).read_bytes() == (whole / file).read_bytes()
    assert not (tmp_path / "exp/checkpoints").exists()
