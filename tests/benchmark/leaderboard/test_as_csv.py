import io

import pandas as pd
import pytest

from tests.benchmark.toy_results import SOURCES, Toy, write_toy
from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.leaderboard.as_csv import write_each, write_entries


def test_a_line_an_entry(board):
    file = io.StringIO()
    assert write_entries(board, file) == len(board.lines) == 20
    file.seek(0)
    table = pd.read_csv(file)
    assert list(table["system"]) == [line.row.system for line in board.lines]
    assert list(table["UAR"]) == pytest.approx([line.scores["UAR"].value for line in board.lines], abs=1e-6)
    assert list(table["UAR_low"]) == pytest.approx([line.scores["UAR"].low for line in board.lines], abs=1e-6)
    assert set(table["seeds"]) == {3}
    assert set(table["seed_list"]) == {"0 1 2"}
    assert set(table["interval_over"]) == {"speaker and seed"}


def test_the_interval_of_one_seed_is_said_to_hold_no_seeds(tmp_path):
    write_toy(tmp_path, Toy({"fbank": ("speech", "Utt", 1.0)}, {"a": SOURCES["acted"]}, {"emodb": 40}, (0,)))
    file = io.StringIO()
    write_entries(load_board(tmp_path), file)
    file.seek(0)
    assert list(pd.read_csv(file)["interval_over"]) == ["speaker"]


def test_a_line_a_row(board):
    file = io.StringIO()
    assert write_each(board, file) == 60
    file.seek(0)
    table = pd.read_csv(file, dtype={"id": str})
    assert list(table["id"]) == [row.id for row in board.rows]
    assert set(table["interval_over"]) == {"speaker"}
    assert list(table["macro-F1"]) == pytest.approx(
        [row.test.metrics["macro-F1"].value for row in board.rows], abs=1e-6
    )


def test_no_text_is_a_formula(tmp_path):
    changes = {"contributor": '=HYPERLINK("http://evil")'}
    write_toy(
        tmp_path, Toy({"fbank": ("speech", "Utt", 1.0)}, {"a": SOURCES["acted"]}, {"emodb": 40}, (0,), changes=changes)
    )
    file = io.StringIO()
    write_entries(load_board(tmp_path), file)
    assert "'=HYPERLINK" in file.getvalue()
