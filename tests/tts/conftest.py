from pathlib import Path

import pytest

from zero_shot_emotion.corpus import Corpus


@pytest.fixture
def tiny() -> Corpus:
    """Six lines of text in two dialogues."""
    return Corpus.load(Path(__file__).parent / "tiny")
