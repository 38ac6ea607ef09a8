from pathlib import Path

import pytest

from tests.text import tiny_bert
from zero_shot_emotion import metrics
from zero_shot_emotion.corpus import FOUR, Corpus, Utterance

SAID = {"neu": "it is fine", "hap": "i am so happy", "ang": "why are you angry", "sad": "very sad today"}


@pytest.fixture(scope="session")
def bert(tmp_path_factory) -> Path:
    return tiny_bert.build(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session")
def text_corpus(tmp_path_factory) -> Path:
    """Ten dialogues of eight turns whose words tell their emotion."""
    utterances = []
    for dialogue in range(10):
        for turn in range(8):
            label = FOUR.classes[(dialogue + turn) % 4]
            utterances.append(
                Utterance(
                    id=f"d{dialogue}-{turn}",
                    text=f"{SAID[label]} {dialogue} {turn}",
                    label=label,
                    speaker=f"d{dialogue}-{'AB'[turn % 2]}",
                    dialogue=f"d{dialogue}",
                    turn=turn,
                )
            )
    folder = tmp_path_factory.mktemp("texts") / "texts"
    Corpus("texts", folder, tuple(utterances), {"labels": list(FOUR.classes)}).save(folder)
    return folder


@pytest.fixture(autouse=True)
def few_bootstraps(monkeypatch):
    """That intervals are right is tested where they are computed."""
    monkeypatch.setattr(metrics, "BOOTSTRAPS", 20)
