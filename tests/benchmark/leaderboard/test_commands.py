import sys

import pytest

from zero_shot_emotion import cli
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture
def run(capfd, monkeypatch):
    """Exit status, standard output and standard error of ``zero-shot-emotion leaderboard``."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["zero-shot-emotion", "leaderboard", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "140")
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capfd.readouterr()

    return call


def test_show(run, results, board):
    status, out, _ = run("show", results, "--baseline", "real-meld")
    assert status == 0
    assert str(board.tables[0].comparisons[0]) in out


def test_csv_to_the_screen_and_to_a_file(run, results, tmp_path):
    status, out, _ = run("csv", results)
    assert status == 0
    assert len(out.splitlines()) == 1 + 20
    status, said, _ = run("csv", results, "--rows", "-o", tmp_path / "rows.csv")
    assert (status, said) == (0, f"60 lines written to {tmp_path / 'rows.csv'}\n")
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1 + 60


def test_page(run, results, tmp_path):
    tiny_corpus(tmp_path / "spoken", dialogues=1)
    page = tmp_path / "page.html"
    status, out, _ = run(
        "page", results, "-o", page, "--samples", f"{tmp_path / 'spoken'}:2", "--title", "Ours & theirs"
    )
    assert status == 0
    assert "60 rows, 20 entries, 2 tables\n2 utterances of spoken to listen to; left out: nothing\n" in out
    assert "<title>Ours &amp; theirs</title>" in page.read_text(encoding="utf-8")


def test_merge(run, results, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "results.jsonl").write_bytes((results / "results.jsonl").read_bytes())
    (other / "predictions").symlink_to(results / "predictions")
    status, out, _ = run("merge", results, other, "-o", tmp_path / "all", "--contributor", f"Ann={results}")
    assert status == 0
    assert "Ann: 60 rows" in out
    assert "other: 0 rows, and 60 that another folder has with the same numbers" in out
    assert "all rows agree in protocol, versions and the state of each target" in out


def test_what_a_user_can_mend_ends_in_one_line(run, tmp_path):
    status, _, err = run("show", tmp_path)
    assert (status, err) == (1, f"error: {tmp_path}: holds no results, expected results.jsonl with a row a line\n")
