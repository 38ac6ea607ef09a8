"""M5SER's toy experiment gives rows that the leaderboard takes."""

import importlib.util
import json
import re
from dataclasses import replace
from itertools import product
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
    assert {(row.modality, row.head, row.source_kind) for row in rows} == {("speech", "EmotionQFormer", "synthetic")}
    assert {(row.source, *row.protocol.values()) for row in rows} == {
        ("english", "UAR", 0.0, 0.0),
        ("english", "UAR", 0.5, 0.0),
        ("english-then-many", "UAR", 0.0, 0.0),
        ("english-then-many", "UAR", 0.5, 0.0),
        ("english-then-many", "UAR", 0.5, 0.1),
    }
    assert {(row.source, *row.fingerprints) for row in rows if row.target == "real"} == {
        ("english", "english", "real"),
        ("english-then-many", "english", "many", "real"),
    }
    for row in rows:
        expdir = m5ser.folder_of(tmp_path, row.config["system"], row.seed)
        assert (tmp_path / row.predictions).read_bytes() == predictions_path(expdir, row.target).read_bytes()
    assert m5ser.write_results(tmp_path, [0, 1], {"real": str(real.root)}, "another") == rows  # lines are kept
    board = load_board(tmp_path, baseline="english")
    assert [(table.name, len(table.lines)) for table in board.tables] == [(m5ser.PROBED, 5), ("real", 5)]
    for table in board.tables:
        assert {line.entry.seeds for line in table.lines} == {(0, 1)}
        assert all(score.low <= score.value <= score.high for line in table.lines for score in line.scores.values())
        compared = {(c.entry.first.config["system"], c.baseline.first.config["system"]) for c in table.comparisons}
        assert compared == {
            ("stages 1+2, no contrast", "stage 1, no contrast"),
            ("stages 1+2", "stage 1"),
            ("stages 1+2, adversaries", "stage 1"),
        }
    trained_again = m5ser.folder_of(tmp_path, "stage 1", 0)
    leave_results(trained_again, "real", real, seed=9)
    after = m5ser.write_results(tmp_path, [0, 1], {"real": str(real.root)}, "another")
    assert [row.command for row in after if row not in rows] == ["another"]


def test_spaces_are_compared_before_and_after_each_stage(m5ser: ModuleType, tmp_path: Path) -> None:
    made = tiny_corpus(tmp_path / "corpora" / "many" / "emotional")
    languages = ("en", "fr")
    parts = [
        u.with_(split="test", language=languages[i // 4 % 2], speaker=f"{languages[i // 4 % 2]}-{i % 3}")
        for i, u in enumerate(made)
    ]
    replace(made, utterances=tuple(parts)).save(made.root)
    labels = sorted({u.label for u in parts})
    for system, seed in product((m5ser.BEFORE, *m5ser.SYSTEMS), (0, 1)):
        expdir = m5ser.folder_of(tmp_path, system, seed)
        expdir.mkdir(parents=True)
        leave_results(expdir, m5ser.PROBED, made, seed)
        known = [languages.index(u.language) if system == m5ser.BEFORE else labels.index(u.label) for u in parts]
        noise = np.random.default_rng(seed).normal(scale=0.01, size=(len(parts), 6))
        write_embeddings(expdir, m5ser.PROBED, [u.id for u in parts], np.eye(6)[known] + noise)

    header, _, *lines = m5ser.table(tmp_path, [0, 1], []).splitlines()

    assert [cell.split(" (")[0].strip() for cell in header.split("|")[3:-1]] == [
        f"{what} probe" for what in ("emotion", "language", "speaker")
    ]
    of = {cells[1].strip(): cells[3:5] for cells in (line.split("|") for line in lines)}
    assert tuple(of) == (m5ser.BEFORE, *m5ser.SYSTEMS)
    knows_language, knows_emotion = of[m5ser.BEFORE], of["stages 1+2"]
    assert knows_language[1] == knows_emotion[0] == " 1.000 ± 0.000 "
    assert float(knows_language[0].split()[0]) < 0.9 > float(knows_emotion[1].split()[0])
    found = json.loads((tmp_path / "probes.json").read_text())
    assert len(found) == 2 * len(of)
    assert found["before stage 1, seed 1"]["language"]["UAR"]["value"] == 1
    assert "before stage 1, by language" in picture_text(m5ser.draw(tmp_path, 0, made))


def picture_text(path: Path) -> str:
    return " ".join(re.findall(r"<!-- (.*?) -->", path.read_text()))


def test_what_is_drawn_before_stage_1_is_where_stage_1_starts(m5ser: ModuleType, tmp_path: Path) -> None:
    """One step at a learning rate of 0, of the same model."""
    before, stage_1 = (m5ser.config(tmp_path, name, {}, tmp_path / "llama") for name in (m5ser.BEFORE, "stage 1"))
    assert before["downstream_expert"] == stage_1["downstream_expert"]
    assert (before["optimizer"]["lr"], before["runner"]["total_steps"], before["runner"]["save_step"]) == (0, 1, 1)
    assert m5ser.tested_on(m5ser.BEFORE, {"real": "r"}) == (m5ser.PROBED,)


def test_a_target_that_was_not_tested_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no test on 'real'; there are those on none$"):
        as_tested(tmp_path, "real")
