"""Experiments of s3prl's own command as rows: one language left out after the other, and two stages."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tests.experiment import Experiment, run_downstream, small_config
from tests.heads import tiny_llama
from zero_shot_emotion.benchmark.experiments import Told, add_experiments
from zero_shot_emotion.benchmark.leaderboard import load_board
from zero_shot_emotion.benchmark.leave_one_out import write_leave_one_language_out
from zero_shot_emotion.benchmark.row import RowError, read_rows
from zero_shot_emotion.benchmark.tested import as_tested
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.results import predictions_path
from zero_shot_emotion.testing import tiny_corpus

SYNTHETIC = Told("synthetic")
HEAD = {
    "qformer": {"queries": 2, "layers": 1, "width": 16, "heads": 2},
    "loss": {"dimensions": 8, "positives": "emotion-or-sentence", "language_adversary": 0.1},
}


@pytest.fixture(name="languages", scope="module")
def _languages(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three languages, so that an adversary has two to tell apart when one is left out."""
    corpus = tiny_corpus(tmp_path_factory.mktemp("corpora") / "many", dialogues=9)
    spoken = (u.with_(language=("de", "en", "fr")[i // 4 % 3]) for i, u in enumerate(corpus))
    corpus = replace(corpus, utterances=tuple(spoken))
    corpus.save(corpus.root)
    return corpus


@pytest.fixture(name="left_out", scope="module")
def _left_out(tmp_path_factory: pytest.TempPathFactory, languages: Corpus) -> list[Path]:
    """As the documents have it: configs by language, then s3prl's command to train and to test each."""
    folder = tmp_path_factory.mktemp("left-out")
    head = {**HEAD, "language_model": {"name": str(tiny_llama.build(folder / "llama")), "dtype": "float32"}}
    model = {"select": "EmotionQFormer", "EmotionQFormer": head}
    template = folder / "mine.yaml"
    template.write_text(yaml.safe_dump(small_config(downstream_expert__modelrc=model)), encoding="utf-8")
    experiments = []
    for path in write_leave_one_language_out(template, str(languages.root), folder / "configs"):
        experiment = Experiment(folder / f"loo-{path.stem}", path)
        experiment.train().evaluate(path.stem)
        experiments.append(experiment.folder)
    return experiments


def test_each_language_that_is_left_out_has_a_row(left_out: list[Path], languages: Corpus, tmp_path: Path) -> None:
    rows = add_experiments(left_out, tmp_path, SYNTHETIC)
    assert read_rows(tmp_path) == rows
    assert [(row.source, row.target) for row in rows] == [(f"many#@-{tag}", tag) for tag in ("de", "en", "fr")]
    for row, expdir in zip(rows, left_out, strict=True):
        assert (row.modality, row.system, row.head, row.source_kind) == (
            "speech",
            "fbank",
            "EmotionQFormer",
            "synthetic",
        )
        assert row.test == as_tested(expdir, row.target)
        assert row.test.utterances == sum(u.language == row.target for u in languages)
        assert (tmp_path / row.predictions).read_bytes() == predictions_path(expdir, row.target).read_bytes()
        assert set(row.fingerprints) == {row.source, row.target}
        assert (row.protocol["language model"], row.protocol["language adversary"]) == ("llama", 0.1)
        assert str(languages.root) not in row.model_dump_json()
    board = load_board(tmp_path)
    assert [(table.name, len(table.lines)) for table in board.tables] == [("de", 1), ("en", 1), ("fr", 1)]


def test_what_is_there_stays(left_out: list[Path], tmp_path: Path) -> None:
    first = add_experiments(left_out[:1], tmp_path, SYNTHETIC)
    before = (tmp_path / "results.jsonl").read_bytes()
    assert add_experiments(left_out[:1], tmp_path, SYNTHETIC) == first
    assert (tmp_path / "results.jsonl").read_bytes() == before
    both = [*first, *add_experiments(left_out[1:2], tmp_path, SYNTHETIC)]
    assert read_rows(tmp_path) == both
    named = add_experiments(left_out[:1], tmp_path, Told("synthetic", "mine", "ours", "Ann"))
    assert [(row.source, row.benchmark, row.contributor) for row in named] == [("mine", "ours", "Ann")]
    assert read_rows(tmp_path) == [*both, *named]


def test_the_command_says_what_it_took(left_out: list[Path], tmp_path: Path) -> None:
    from zero_shot_emotion.cli import app

    out = tmp_path / "results"
    result = CliRunner().invoke(app, ["leaderboard", "add", str(left_out[2]), "-o", str(out), "--kind", "synthetic"])
    assert result.exit_code == 0, result.output
    assert "fbank, EmotionQFormer: many#@-fr to fr, seed 1337: UAR " in result.output
    assert f"1 rows in {out}: zero-shot-emotion leaderboard show {out}" in result.output


@pytest.fixture(name="stages", scope="module")
def _stages(tmp_path_factory: pytest.TempPathFactory, synthetic: Path, unseen: Path) -> tuple[Experiment, Experiment]:
    """One corpus, then another of the same name by ``-i``, killed after its first step and resumed."""
    folder = tmp_path_factory.mktemp("stages")
    again = folder / "synthetic"
    shutil.copytree(synthetic, again)
    first = Experiment.make(folder / "first", small_config(synthetic)).train()
    made = small_config(again, {"unseen": unseen}, runner__save_step=1, runner__eval_step=1)
    second = Experiment.make(folder / "second", made).train("-i", first.folder / "dev-best.ckpt")
    (second.folder / "states-2.ckpt").unlink()
    run_downstream("-m", "train", "-e", second.folder / "states-1.ckpt", "--device", "cpu")
    second.evaluate("unseen", checkpoint="states-2.ckpt")
    return first, second


def test_a_source_is_named_by_its_stages(stages: tuple[Experiment, Experiment], tmp_path: Path) -> None:
    (row,) = add_experiments([stages[1].folder], tmp_path, SYNTHETIC)
    assert row.source == "synthetic-then-synthetic-2"
    assert set(row.fingerprints) == {"synthetic", "synthetic-2", "unseen"}
    assert row.protocol == {"dev metric": "UAR"}
    assert row.command.startswith("zero-shot-emotion run-downstream -m evaluate -e ")


def test_a_moved_experiment_is_read_where_it_lies(stages: tuple[Experiment, Experiment], tmp_path: Path) -> None:
    expected = add_experiments([stages[1].folder], tmp_path / "one", SYNTHETIC)
    moved = tmp_path / "moved"
    shutil.copytree(stages[1].folder, moved)
    assert [row.id for row in add_experiments([moved], tmp_path / "two", SYNTHETIC)] == [row.id for row in expected]


def test_what_a_row_needs_is_asked_for(
    stages: tuple[Experiment, Experiment], left_out: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(RowError, match=r"^--kind: got 'made', expected one of real, synthetic, "):
        add_experiments(left_out, tmp_path, Told("made"))
    with pytest.raises(RowError, match=rf"^{stages[0].folder}: holds no test of a target, expected results.json as -m"):
        add_experiments([stages[0].folder], tmp_path, SYNTHETIC)
    lost = tmp_path / "lost"
    shutil.copytree(left_out[0], lost)
    for name in ("results.json", "dev-best.ckpt"):
        text = (lost / "results.json").read_text(encoding="utf-8")
        (lost / "results.json").write_text(text.replace(str(left_out[0]), str(lost)), encoding="utf-8")
        if name != "results.json":
            (lost / name).unlink()
    with pytest.raises(RowError, match=rf"^{lost}: was tested with the checkpoint {lost}/dev-best.ckpt, which is not "):
        add_experiments([lost], tmp_path, SYNTHETIC)
    assert not (tmp_path / "results.jsonl").exists()


def test_where_it_started_from_must_be_there(stages: tuple[Experiment, Experiment], tmp_path: Path) -> None:
    base = stages[0].folder / "dev-best.ckpt"
    base.rename(base.with_suffix(".gone"))
    try:
        with pytest.raises(RowError, match=rf"started from {base}, which is not there any more: what was that trained"):
            add_experiments([stages[1].folder], tmp_path, SYNTHETIC)
    finally:
        base.with_suffix(".gone").rename(base)


def test_a_target_has_its_own_name(stages: tuple[Experiment, Experiment], tmp_path: Path) -> None:
    folder = tmp_path / "second"
    shutil.copytree(stages[1].folder, folder)
    results = (folder / "results.json").read_text(encoding="utf-8")
    (folder / "results.json").write_text(results.replace('"unseen": {', '"test": {'), encoding="utf-8")
    with pytest.raises(RowError, match=r"was tested on 'test', expected a target that its config names: unseen$"):
        add_experiments([folder], tmp_path, SYNTHETIC)
