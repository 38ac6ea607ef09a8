import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.benchmark.toy_results import SOURCES, Toy, write_toy
from zero_shot_emotion.benchmark.leaderboard import Board, load_board
from zero_shot_emotion.benchmark.leaderboard.table import render_tables
from zero_shot_emotion.cli import app


def printed(board: Board, width: int = 130, **settings: bool) -> str:
    console = Console(file=io.StringIO(), width=width, **settings)
    for part in render_tables(board):
        console.print(part)
    return console.file.getvalue()


def test_each_line_has_its_numbers(board):
    text = printed(board)
    for line in board.lines:
        uar = line.scores["UAR"]
        numbers = f"{uar.value:.3f} ± {uar.sd:.3f}   [{uar.low:.3f}, {uar.high:.3f}]"
        found = [x for x in text.splitlines() if numbers in x and line.row.system in x and line.row.source in x]
        others = [f"{line.scores['WA'].value:.3f}", f"{line.scores['macro-F1'].value:.3f}"]
        assert any(all(other in x for other in others) and x.split()[-1] == "3" for x in found)


def test_targets_chance_and_comparisons_are_said(board):
    text = printed(board)
    assert "emodb: 120 utterances, neu, hap, ang, sad" in text
    assert "chance: UAR 0.250; always the commonest class: UAR 0.250, WA 0.375, macro-F1 0.136" in text
    for table in board.tables:
        for comparison in table.comparisons:
            assert str(comparison) in text
    assert "Holm's correction over all 16 comparisons" in text


def test_what_intervals_hold_is_said(board, tmp_path):
    alone = "one seed: the interval is drawn by speaker alone and does not say what other seeds would give"
    text = printed(board, width=250)
    assert "the interval is that of the mean, drawn by speaker and by seed" in text
    assert "p values: paired bootstrap over speaker and seed" in text
    assert alone not in text
    sources = {name: SOURCES[name] for name in ("acted", "real-meld", "majority")}
    write_toy(tmp_path, Toy({"fbank": ("speech", "Utt", 1.0)}, sources, {"emodb": 40}, (0,)))
    text = printed(load_board(tmp_path, "real-meld"), width=250)
    assert alone in text
    assert "(one seed of acted and real-meld: other seeds may differ)" in text


def test_a_majority_class_of_one_seed_lacks_none(tmp_path):
    write_toy(tmp_path, Toy({"m": ("speech", "none", 1.0)}, {"majority": SOURCES["majority"]}, {"emodb": 40}, (0,)))
    assert "one seed" not in printed(load_board(tmp_path))


def test_only_the_best_is_bold(board):
    text = printed(board, force_terminal=True, no_color=True)
    best = board.tables[0].lines[0].scores["UAR"]
    bold = [piece for piece in text.split("\x1b[1m")[1:] if piece.startswith("0.")]
    assert bold[0].startswith(f"{best.value:.3f} ± ")
    assert len(bold) == sum(
        table.is_best(line, metric) for table in board.tables for line in table.lines for metric in line.scores
    )


def test_what_others_wrote_is_neither_markup_nor_control(tmp_path):
    sources = {"[red]loud[/]\x1b[31m": SOURCES["acted"]}
    systems = {"fbank": ("speech", "Utt", 1.0)}
    changes = {"contributor": "Eve\x1b]0;title\x07"}
    write_toy(tmp_path, Toy(systems, sources, {"emodb": 40}, (0,), changes=changes))
    text = printed(load_board(tmp_path), force_terminal=True, no_color=True)
    assert "[red]loud[/]\N{REPLACEMENT CHARACTER}[31m" in text
    assert "\x1b]" not in text
    assert "\x1b[31m" not in text


def test_what_differs_is_said(tmp_path):
    toy = Toy({"fbank": ("speech", "Utt", 1.0)}, {"acted": SOURCES["acted"]}, {"emodb": 40}, (0,))
    write_toy(tmp_path, toy)
    assert "all rows agree in protocol" in printed(load_board(tmp_path))
    changes = {"config": {"v": 2}, "versions": {"torch": "2.9.0"}, "fingerprints": {"emodb": "new"}}
    write_toy(tmp_path, Toy(toy.systems, toy.sources, toy.targets, toy.seeds, changes=changes))
    text = printed(load_board(tmp_path))
    assert "emodb: fingerprint (not compared: tables of their own)" in text
    assert "versions, speech: torch" in text
    assert "2.9.0" in text


def wide_names(folder):
    """Systems and sources with long names, and a protocol of many keys."""
    systems = {"egemaps-functionals": ("speech", "logistic-regression", 1.0), "data2vec": ("speech", "superb", 2.0)}
    sources = {"iemocap-like-shuffled": SOURCES["neutral"], "both-like-share-50%": SOURCES["acted"]}
    varied = {"clip": 2.0, "dev metric": "UAR", "label prior": "published of emodb", "penalty": 0.07, "share": 0.5}
    write_toy(folder, Toy(systems, sources, {"emodb": 40}, (0, 1)))
    write_toy(folder, Toy(systems, sources, {"emodb": 40}, (0, 1), changes={"protocol": varied, "config": {"v": 2}}))
    return load_board(folder), varied


@pytest.mark.parametrize("width", [80, 100, 200])
def test_names_and_numbers_are_whole_at_any_width(tmp_path, width):
    board, varied = wide_names(tmp_path)
    text = printed(board, width)
    assert max(map(len, text.splitlines())) <= width
    lines = text.splitlines()
    for line in board.lines:
        uar = line.scores["UAR"]
        numbers = f"{uar.value:.3f} ± {uar.sd:.3f}   [{uar.low:.3f}, {uar.high:.3f}]"
        drawn = ["".join(lines[k : k + 2]) for k, x in enumerate(lines) if numbers in x]
        assert any(line.row.system in x and line.row.source in x for x in drawn)
    for value in varied.values():
        assert str(value).split()[0] in text
    assert ("not enough room for WA and macro-F1" in text) == (width < 200)


def test_a_pipe_gets_the_width_that_is_needed(tmp_path, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    board, varied = wide_names(tmp_path)
    lines = CliRunner().invoke(app, ["leaderboard", "show", str(board.folder)]).stdout.splitlines()
    (head, *_) = (x for x in lines if x.split()[:2] == ["system", "source"])
    assert all(key in head for key in varied)
    assert "macro-F1" in head
    assert any("both-like-share-50% (synthetic)" in x and "published of emodb" in x for x in lines)
