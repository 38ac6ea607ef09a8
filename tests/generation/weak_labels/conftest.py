from pathlib import Path

import pytest

from tests.generation.weak_labels import tiny_models
from zero_shot_emotion.corpus import Corpus, Utterance

TEXTS = (
    "I am so happy today.",
    "Leave me alone, I am furious!",
    "We lost again.",
    "What a day it was",
    "so angry",
    "sad",
)


@pytest.fixture(scope="session")
def nli(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.random_nli(tmp_path_factory.mktemp("nli")))


@pytest.fixture(scope="session")
def overlap(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.overlap_nli(tmp_path_factory.mktemp("overlap")))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.random_encoder(tmp_path_factory.mktemp("encoder")))


@pytest.fixture
def dialogue() -> Corpus:
    """Six lines of one dialogue, with human labels."""
    labels = ("hap", "ang", "sad", "neu", "fru", None)
    utterances = tuple(
        Utterance(id=f"u{i}", text=text, label=label, dialogue="d", turn=i, speaker="AB"[i % 2])
        for i, (text, label) in enumerate(zip(TEXTS, labels, strict=True))
    )
    return Corpus("dialogue", Path(), utterances)
