import json
import re
from dataclasses import replace

import pytest

from tests.benchmark.toy_results import SOURCES, SYSTEMS, Toy, write_toy
from zero_shot_emotion.benchmark import RowError, read_rows, write_rows
from zero_shot_emotion.benchmark.leaderboard import LeaderboardError, load_board
from zero_shot_emotion.benchmark.leaderboard.audit import read_audit
from zero_shot_emotion.benchmark.leaderboard.merging import merge, read_merge

ONE = Toy({"fbank": SYSTEMS["fbank"]}, {"acted": SOURCES["acted"]}, {"emodb": 60}, (0, 1))


@pytest.fixture
def folders(tmp_path):
    """Two people: one seed in common."""
    write_toy(tmp_path / "ann", ONE)
    write_toy(tmp_path / "bob", replace(ONE, seeds=(1, 2)))
    return tmp_path / "ann", tmp_path / "bob"


def test_rows_and_predictions_of_all_are_there_once(folders, tmp_path):
    out = tmp_path / "out"
    merged = merge(folders, out)
    rows = read_rows(out)
    assert [(row.seed, row.contributor) for row in rows] == [(0, "ann"), (1, "ann"), (1, "bob"), (2, "bob")]
    for row, folder in zip(rows, (folders[0], folders[0], folders[1], folders[1]), strict=True):
        assert (out / row.predictions).read_bytes() == (folder / row.predictions).read_bytes()
    assert (merged.duplicates, merged.conflicts) == ({}, [])
    assert read_merge(out) == merged


def test_what_a_second_person_has_and_no_more_is_counted_alone(folders, tmp_path):
    write_rows(folders[1], read_rows(folders[1])[:1])
    merged = merge(folders, tmp_path / "out")
    assert [(row.seed, row.contributor) for row in read_rows(tmp_path / "out")] == [(0, "ann"), (1, "ann")]
    assert merged.duplicates == {"bob": 1}
    assert "bob: 0 rows, and 1 that another folder has with the same numbers" in merged.summary(tmp_path / "out")


def test_who_has_no_baseline_of_their_own_is_compared_with_anothers_and_it_is_said(tmp_path):
    """As where the baseline was a duplicate: what could be said before a merge can be said after it."""
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    both = {name: SOURCES[name] for name in ("acted", "neutral")}
    write_toy(ann, replace(ONE, sources={"neutral": SOURCES["neutral"]}))
    write_toy(bob, replace(ONE, sources=both))
    (own,) = load_board(bob, "neutral").tables[0].comparisons
    merge([ann, bob], tmp_path / "out")
    (found,) = load_board(tmp_path / "out", "neutral").tables[0].comparisons
    assert (found.difference, found.p) == (own.difference, own.p)
    assert str(found) == f"{own} (baseline by ann)"


def test_contributors_are_named_and_those_in_rows_stay(folders, tmp_path):
    ann, bob = folders
    write_rows(bob, [row.model_copy(update={"contributor": "Cy"}) for row in read_rows(bob)])
    merge(folders, tmp_path / "out", [f"Ann B.={ann}", f"Bob={bob}"])
    assert [row.contributor for row in read_rows(tmp_path / "out")] == ["Ann B.", "Ann B.", "Cy", "Cy"]


def test_people_are_not_pooled(folders, tmp_path):
    merge(folders, tmp_path / "out")
    lines = load_board(tmp_path / "out").lines
    assert sorted((line.row.contributor, line.entry.seeds) for line in lines) == [("ann", (0, 1)), ("bob", (1, 2))]


def test_the_same_config_with_other_numbers_is_a_conflict(tmp_path):
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    rows = write_toy(ann, ONE)
    other = write_toy(bob, replace(ONE, salt=1, changes={"versions": {"torch": "2.9.0"}}))
    merged = merge([ann, bob], tmp_path / "out")
    assert [one.id for one in merged.conflicts] == [row.id for row in rows]
    one = merged.conflicts[0]
    numbers = [row.test.metrics["UAR"].value for row in (rows[0], other[0])]
    assert one.differs[0] == f"UAR {numbers[0]:.4f} against {numbers[1]:.4f}"
    assert "torch: 2.8.0 against 2.9.0" in one.differs
    assert (one.kept_by, one.other_by) == ("ann", "bob")
    assert "2 conflicts: the same config came out differently; the first is kept" in merged.summary(tmp_path)
    assert [row.test for row in read_rows(tmp_path / "out")] == [row.test for row in rows]


def test_what_differs_between_people_is_found(tmp_path):
    ann, bob = tmp_path / "ann", tmp_path / "bob"
    write_toy(ann, ONE)
    theirs = {"versions": {"torch": "2.9.0"}, "fingerprints": {"emodb": "cut"}, "config": {"v": 2}}
    write_toy(bob, replace(ONE, changes=theirs))
    merge([ann, bob], tmp_path / "out")
    board = load_board(tmp_path / "out")
    assert len(board.tables) == 2
    held = {one.what: {value: str(holders) for value, holders in one.values.items()} for one in board.differing}
    assert held["emodb: fingerprint"] == {"emodb-f00d": "2 rows of ann", "cut": "2 rows of bob"}
    assert held["versions, speech: torch"] == {"2.8.0": "2 rows of ann", "2.9.0": "2 rows of bob"}


def test_audits_are_merged(folders, tmp_path):
    shared = {"source": "acted", "target": "emodb", "same_corpus": False, "speakers": 0, "dialogues": 0}
    shared |= {"texts": 1, "audio": 0, "utterances": 60, "examples": {}}
    for folder in folders:
        (folder / "audit.json").write_text(json.dumps({"shared": [shared], "upstreams": [], "warnings": []}))
    merge(folders, tmp_path / "out")
    audit = read_audit(tmp_path / "out")
    assert audit is not None
    assert [one.texts for one in audit.telling] == [1]


def test_one_folder_is_not_a_merge(folders, tmp_path):
    with pytest.raises(LeaderboardError, match="merge: got 1 folder, expected at least two"):
        merge(folders[:1], tmp_path / "out")


def test_a_folder_given_twice_is_refused(folders, tmp_path):
    with pytest.raises(LeaderboardError, match="expected each folder once"):
        merge([folders[0], folders[0]], tmp_path / "out")


def test_results_are_not_overwritten(folders):
    with pytest.raises(
        LeaderboardError, match=f"-o {re.escape(str(folders[0]))}: holds results, expected a new folder"
    ):
        merge(folders, folders[0])


@pytest.mark.parametrize("text", ["Ann", "=ann", "Ann=elsewhere"])
def test_a_contributor_of_no_folder_is_refused(folders, tmp_path, text):
    with pytest.raises(LeaderboardError, match=f"--contributor {text}: expected NAME=FOLDER with one of the folders"):
        merge(folders, tmp_path / "out", [text])


def test_missing_predictions_are_named_and_nothing_is_written(folders, tmp_path):
    row = read_rows(folders[1])[1]
    (folders[1] / row.predictions).unlink()
    with pytest.raises(RowError, match=f"{row.id}.csv: no such file, expected the predictions of the row"):
        merge(folders, tmp_path / "out")
    assert read_rows(tmp_path / "out") == []
