from dataclasses import replace

import numpy as np
import pytest

from tests.benchmark.toy_results import SOURCES, SYSTEMS, Toy, write_toy
from zero_shot_emotion.benchmark import RowError, read_rows, write_rows
from zero_shot_emotion.benchmark.leaderboard import LeaderboardError, load_board
from zero_shot_emotion.benchmark.leaderboard.predictions import PredictionsError
from zero_shot_emotion.benchmark.leaderboard.scoring import Comparison
from zero_shot_emotion.benchmark.statistics import Difference

ONE = Toy(
    systems={"fbank": SYSTEMS["fbank"]},
    sources={name: SOURCES[name] for name in ("real-meld", "acted")},
    targets={"emodb": 80},
    seeds=(0, 1),
)


def test_rows_are_put_together_over_seeds(board):
    assert [table.name for table in board.tables] == ["emodb", "nemo"]
    assert all(line.entry.seeds == (0, 1, 2) for line in board.lines)
    assert sum(len(line.entry.rows) for line in board.lines) == len(board.rows) == 60


@pytest.mark.parametrize("metric", ["UAR", "WA", "macro-F1"])
def test_means_are_those_of_the_rows(board, metric):
    for line in board.lines:
        values = [row.test.metrics[metric].value for row in line.entry.rows]
        score = line.scores[metric]
        assert score.value == pytest.approx(np.mean(values))
        assert score.sd == pytest.approx(np.std(values, ddof=1), abs=1e-12)
        assert score.low <= score.value <= score.high


def test_recall_and_confusion_are_of_all_seeds(board):
    line = board.lines[0]
    recalls = [row.test.recall["hap"] for row in line.entry.rows]
    assert line.entry.recall["hap"] == pytest.approx(np.mean(recalls))
    assert line.entry.confusion.sum() == sum(row.test.utterances for row in line.entry.rows)


def test_competitors_come_first_then_the_bound_then_controls_each_by_uar(board):
    for table in board.tables:
        kinds = [line.row.source_kind for line in table.lines]
        assert set(kinds[:4]) == {"real", "synthetic"}
        assert kinds[4:] == ["in-domain"] * 2 + ["synthetic-neutral"] * 2 + ["majority"] * 2
        competing = [line.scores["UAR"].value for line in table.lines[:4]]
        assert competing == sorted(competing, reverse=True)


def test_the_best_is_the_best_that_competes(board):
    for table in board.tables:
        best = [line for line in table.lines if table.is_best(line, "UAR")]
        assert best == [table.lines[0]]
        bound = max(line.scores["UAR"].value for line in table.lines)
        assert bound > best[0].scores["UAR"].value  # in-domain is better, and is not called so


def test_the_majority_class_scores_what_the_table_says_of_it(board):
    for table in board.tables:
        majority = next(line for line in table.lines if line.row.source_kind == "majority")
        assert {name: score.value for name, score in majority.scores.items()} == pytest.approx(table.majority)
        assert table.chance["UAR"] == 0.25


def test_a_baseline_is_compared_within_a_system(board):
    found = [comparison for table in board.tables for comparison in table.comparisons]
    assert {(one.entry.first.system, one.entry.first.source) for one in found} == {
        (system, source)
        for system in ("data2vec", "bert-base-uncased")
        for source in ("acted", "neutral", "in-domain", "majority")
    }
    for one in found:
        assert one.entry.first.system == one.baseline.first.system
        assert one.family == len(found) == 16
        means = [np.mean([row.test.metrics["UAR"].value for row in e.rows]) for e in (one.entry, one.baseline)]
        assert one.difference.value == pytest.approx(means[0] - means[1])


@pytest.mark.parametrize(
    ("value", "p", "said"),
    [
        (0.05, 0.01, "fbank, UtteranceLevel: acted beats real-meld on emodb: +0.050 [+0.010, +0.090], p = 0.010"),
        (-0.05, 0.0004, "fbank, UtteranceLevel: acted loses to real-meld on emodb: −0.050 [+0.010, +0.090], p < .001"),
        (
            0.05,
            0.05,
            "fbank, UtteranceLevel: acted cannot be told from real-meld on emodb: +0.050 [+0.010, +0.090], p = 0.050",
        ),
    ],
)
def test_a_comparison_is_a_sentence(tmp_path, value, p, said):
    write_toy(tmp_path, ONE)
    (one,) = load_board(tmp_path, "real-meld").tables[0].comparisons
    difference = Difference(value, 0.01, 0.09, p=p / 2, seeds=(2, 2))
    assert str(Comparison(one.entry, one.baseline, difference, p, 2)) == said


def test_a_clear_difference_is_found_and_an_absent_one_is_not(tmp_path):
    sources = {"real-meld": ("real", 0.1), "acted": ("synthetic", 0.9), "again": ("synthetic", 0.1)}
    write_toy(tmp_path, replace(ONE, sources=sources))
    found = {one.entry.first.source: one for one in load_board(tmp_path, "real-meld").tables[0].comparisons}
    assert found["acted"].verdict == "beats"
    assert found["again"].verdict == "cannot be told from"


def test_protocols_that_differ_are_neither_pooled_nor_compared_in_silence(tmp_path):
    write_toy(tmp_path, ONE)
    other = {"protocol": {"normalise": "target", "dev_metric": "UAR"}, "config": {"normalise": "target"}}
    write_toy(tmp_path, replace(ONE, sources={"acted": SOURCES["acted"]}, changes=other))
    board = load_board(tmp_path, "real-meld")
    (table,) = board.tables
    assert len(table.lines) == 3
    assert board.varied == ("normalise",)
    (one,) = board.differing
    assert one.what == "protocol, speech: normalise"
    assert {value: str(holders) for value, holders in one.values.items()} == {"source": "4 rows", "target": "2 rows"}
    assert not one.bars_comparison
    caveats = sorted(found.caveat for found in table.comparisons)
    assert caveats == ["", " (protocols differ: normalise target against source)"]
    leaders = [line.row.protocol["normalise"] for line in table.lines if table.is_best(line, "UAR")]
    assert sorted(leaders) == ["source", "target"]


def test_a_share_of_a_source_competes_with_the_others(tmp_path):
    write_toy(tmp_path, ONE)
    part = {"protocol": {"normalise": "source", "dev_metric": "UAR", "share": 0.25}}
    write_toy(tmp_path, replace(ONE, sources={"acted-25%": ("synthetic", 0.1)}, changes=part))
    (table,) = load_board(tmp_path).tables
    assert sum(table.is_best(line, "UAR") for line in table.lines) == 1


@pytest.mark.parametrize(
    ("toy", "what"),
    [
        (replace(ONE, changes={"fingerprints": {"emodb": "another"}, "config": {"v": 2}}), "emodb: fingerprint"),
        (replace(ONE, labels=("hap", "neu", "ang", "sad")), "emodb: label set"),
        (replace(ONE, targets={"emodb": 81}, changes={"config": {"v": 2}}), "emodb: utterances"),
    ],
)
def test_another_state_of_a_target_stands_in_a_table_of_its_own(tmp_path, toy, what):
    write_toy(tmp_path, ONE)
    write_toy(tmp_path, toy)
    board = load_board(tmp_path)
    assert [table.name for table in board.tables] == ["emodb (1)", "emodb (2)"]
    assert [one.what for one in board.differing if one.bars_comparison and one.what == what] == [what]


def test_a_seed_that_is_there_twice_is_named(tmp_path):
    write_toy(tmp_path, ONE)
    write_toy(tmp_path, replace(ONE, seeds=(1,), changes={"config": {"lr": 1}}))
    assert [line.entry.repeated for line in load_board(tmp_path).lines] == [(1,), (1,)]


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(LeaderboardError, match=r"holds no results, expected results.jsonl with a row a line"):
        load_board(tmp_path)


def test_an_unknown_baseline_is_refused(results):
    with pytest.raises(LeaderboardError, match="--baseline: got 'meld', expected one of acted, in-domain"):
        load_board(results, "meld")


def test_missing_predictions_are_named(tmp_path):
    row = write_toy(tmp_path, ONE)[0]
    (tmp_path / row.predictions).unlink()
    with pytest.raises(PredictionsError, match=f"{row.id}.csv: no such file, expected the predictions of the row"):
        load_board(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text + text.splitlines(keepends=True)[1], "got 81 utterances, expected 80 as the row says"),
        (lambda text: text.replace(",neu,", ",angst,"), "truth: got 'angst', expected one of neu, hap, ang, sad"),
        (lambda text: text.replace("speaker", "who", 1), "speaker: missing, expected in every line"),
    ],
)
def test_predictions_that_are_not_the_rows_are_named(tmp_path, change, message):
    row = write_toy(tmp_path, ONE)[0]
    path = tmp_path / row.predictions
    path.write_text(change(path.read_text()))
    with pytest.raises(PredictionsError, match=message):
        load_board(tmp_path)


def test_rows_of_the_same_seed_whose_source_differs_are_told(tmp_path):
    rows = write_toy(tmp_path, replace(ONE, sources={"acted": SOURCES["acted"]}))
    other = [
        row.model_copy(update={"id": f"{row.id[:-1]}x", "fingerprints": {**row.fingerprints, "acted": "else"}})
        for row in rows[:1]
    ]
    (tmp_path / other[0].predictions).write_bytes((tmp_path / rows[0].predictions).read_bytes())
    write_rows(tmp_path, [*read_rows(tmp_path), *other])
    assert "acted, seed 0: fingerprint" in [one.what for one in load_board(tmp_path).differing]


def test_a_broken_row_is_named(tmp_path):
    write_toy(tmp_path, ONE)
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(RowError, match=r"results.jsonl: line 5: id: missing"):
        load_board(tmp_path)
