"""Corpora that tests of the downstream share, and the machinery to run s3prl on them."""

from pathlib import Path

import pytest

from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus to train on: six dialogues of four utterances."""
    return tiny_corpus(tmp_path_factory.mktemp("corpora") / "synthetic").root


@pytest.fixture(scope="session")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus to test on, at another rate."""
    return tiny_corpus(tmp_path_factory.mktemp("corpora") / "unseen", dialogues=4, rate=8000, seed=1).root


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a random Whisper of one layer, which hears nonsense."""
    from tests.generation.weak_labels.tiny_models import random_whisper  # what it imports takes seconds

    return str(random_whisper(tmp_path_factory.mktemp("whisper")))
