"""A folder of results that the tests of the leaderboard look at, and leave as it is."""

from pathlib import Path

import pytest

from tests.benchmark.toy_results import SOURCES, SYSTEMS, Toy, write_toy
from zero_shot_emotion.benchmark.leaderboard import Board, load_board

SMALL = Toy(
    systems={name: SYSTEMS[name] for name in ("data2vec", "bert-base-uncased")},
    sources={name: SOURCES[name] for name in ("real-meld", "acted", "neutral", "in-domain", "majority")},
    seeds=(0, 1, 2),
)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two systems, five sources, two targets, three seeds."""
    folder = tmp_path_factory.mktemp("results")
    write_toy(folder, SMALL)
    return folder


@pytest.fixture(scope="session")
def board(results: Path) -> Board:
    """Of these results, with a baseline."""
    return load_board(results, "real-meld")
