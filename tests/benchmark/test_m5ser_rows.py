"""M5SER's toy experiment gives rows that the leaderboard takes."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.row import read_rows
from zero_shot_emotion.benchmark.tested import as_tested
from zero_shot_emotion.corpus import FOUR, Corpus
from zero_shot_emotion.results import (
    Predictions,
    ResultsError,
    predictions_path,
    write_embeddings,
    write_predictions,
    write_report,
)
from zero_shot_emotion.sources import Entry, Source
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture(name="m5ser", scope="module")
def _m5ser() -> ModuleType:
    spec = importlib.util.spec_from_file_location("m5ser_script", Path(__file__).parents[2] / "benchmarks" / "m5ser.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def leave_results(expdir: Path, target: str, corpus: Corpus, seed: int) -> None:
    """What an experiment's test leaves, of guesses."""
    entries = [
        Entry(u.id, None, FOUR.classes.index(u.label), corpus.name, u.speaker, u.dialogue)
        for u in corpus.with_labels(FOUR)[0]
    ]
    shares = np.random.default_rng(seed).dirichlet(np.ones(4), len(entries))
    predictions = Predictions([e.id for e in entries], np.array([e.label for e in entries]), shares, FOUR.classes)
    source = Source(tuple(entries), {})
    write_predictions(expdir, target, source, predictions)
    write_report(expdir, target, source, predictions, {"bad_audio": {}})


def test_systems_that_are_tested_have_rows(m5ser: ModuleType, tmp_path: Path) -> None:
    real = tiny_corpus(tmp_path / "real")
    for name in ("english", "many"):
        made = tiny_corpus(tmp_path / "corpora" / name / "emotional", seed=len(name))
        parts = tuple(u.with_(split="test" if u.dialogue < "d03" else "train") for u in made)
        replace(made, utterances=parts).save(made.root)
    held_out = replace(made, utterances=parts).where(lambda u: u.split == "test")
    done = [name for name in m5ser.SYSTEMS if "weight 1" not in name]
    for system in done:
        for seed in (0, 1):
            expdir = m5ser.folder_of(tmp_path, system, seed)
            expdir.mkdir(parents=True)
            leave_results(expdir, "real", real, seed)
            leave_results(expdir, m5ser.PROBED, held_out, seed)

    rows = m5ser.write_results(tmp_path, [0, 1], {"real": str(real.root)}, "python benchmarks/m5ser.py")

    assert read_rows(tmp_path) == rows
    assert len({row.id for row in rows}) == len(rows) == len(done) * 2 * 2
    assert {row.head for row in rows} == {f"EmotionQFormer, {name}" for name in done}
    assert {(row.source, *row.fingerprints) for row in rows if row.target == "real"} == {
        ("english", "english", "real"),
        ("english-then-many", "english", "many", "real"),
    }
    for row in rows:
        expdir = m5ser.folder_of(tmp_path, row.head.removeprefix("EmotionQFormer, "), row.seed)
        assert (tmp_path / row.predictions).read_bytes() == predictions_path(expdir, row.target).read_bytes()
    assert m5ser.write_results(tmp_path, [0, 1], {"real": str(real.root)}, "another") == rows  # lines are kept
    board = load_board(tmp_path)
    assert [(table.name, len(table.lines)) for table in board.tables] == [(m5ser.PROBED, 5), ("real", 5)]
    trained_again = m5ser.folder_of(tmp_path, "stage 1", 0)
    leave_results(trained_again, "real", real, seed=9)
    after = m5ser.write_results(tmp_path, [0, 1], {"real": str(real.root)}, "another")
    assert [row.command for row in after if row not in rows] == ["another"]


def test_a_space_is_probed_across_speakers(m5ser: ModuleType, tmp_path: Path) -> None:
    corpus = tiny_corpus(tmp_path / "corpus")
    labels = sorted({u.label for u in corpus})
    vectors = np.eye(len(labels))[[labels.index(u.label) for u in corpus]]
    write_embeddings(tmp_path, m5ser.PROBED, [u.id for u in corpus], vectors)
    assert m5ser.probed(tmp_path, corpus, "emotion") == 1
    assert np.isnan(m5ser.probed(tmp_path, corpus, "language"))  # there is one


def test_a_target_that_was_not_tested_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no test on 'real'; there are those on none$"):
        as_tested(tmp_path, "real")
