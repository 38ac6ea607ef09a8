"""Pages that the tests of the page look at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmark.toy_results import SOURCES, Toy, write_toy
from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.leaderboard.page import write_page
from zero_shot_emotion.benchmark.leaderboard.samples import read_samples
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.testing import tiny_corpus

HOSTILE = "\"'><img src=x onerror=boom()></script><script>boom()</script>{{ 7*7 }}<!--"


def write_hostile_page(folder: Path) -> Path:
    """A page of whose every text someone else is the author."""
    results = folder / "results"
    changes = {
        "contributor": HOSTILE,
        "benchmark": HOSTILE,
        "command": f"run {HOSTILE}",
        "protocol": {HOSTILE: HOSTILE},
        "versions": {"torch": HOSTILE},
        "made": HOSTILE,
        "config": {"evil": HOSTILE},
    }
    toy = Toy({HOSTILE: ("speech", HOSTILE, 1.0)}, {HOSTILE: SOURCES["acted"]}, {HOSTILE: 40}, (0, 1))
    write_toy(results, Toy(toy.systems, toy.sources, toy.targets, toy.seeds, ("neu", HOSTILE), changes))
    shared = {"source": HOSTILE, "target": HOSTILE, "same_corpus": True, "speakers": 1, "dialogues": 0, "texts": 1}
    shared |= {"audio": 0, "utterances": 40, "examples": {"texts": [HOSTILE]}}
    trained = {"upstream": HOSTILE, "target": HOSTILE, "how": "labelled", "source": HOSTILE}
    (results / "audit.json").write_text(json.dumps({"shared": [shared], "upstreams": [trained]}))
    corpus = tiny_corpus(folder / "spoken", dialogues=1)
    told = tuple(utterance.with_(text=HOSTILE) for utterance in corpus)
    Corpus(HOSTILE, corpus.root, told, {}).save(corpus.root)
    page = folder / "hostile.html"
    write_page(load_board(results, HOSTILE), page, HOSTILE, read_samples([str(corpus.root)]))
    return page
