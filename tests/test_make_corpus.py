import json
from pathlib import Path

import pytest

from zero_shot_emotion.config_files import MissingConfigError, configs_folder
from zero_shot_emotion.corpus import Corpus
from zero_shot_emotion.make_corpus import RecipeError, make_corpus, read_recipe

RECIPE = """
generate: {parallel: [fr, cmn], labels: four, utterances: 8}
speak: {engine: espeak-ng}
inject: {rules: varied}
control: true
"""


@pytest.fixture(name="recipe")
def _recipe(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(RECIPE)
    return path


def test_every_stage_writes_its_corpus_and_the_last_one_is_drawn(recipe: Path, tmp_path: Path) -> None:
    said = list(make_corpus(recipe, tmp_path / "out", seed=3))

    assert [line.split()[0] for line in said] == ["generate:", "speak:", "inject:", "inject:", "picture"]
    text, neutral, emotional, control = (
        Corpus.load(tmp_path / "out" / name) for name in ("text", "neutral", "emotional", "control")
    )
    assert [u.id for u in emotional] == [u.id for u in control] == [u.id for u in neutral] == [u.id for u in text]
    assert {(u.language, u.label) for u in emotional} == {
        (t, e) for t in ("fr", "cmn") for e in ("neu", "hap", "ang", "sad")
    }
    assert all(u.extra["voice"].startswith(u.language) for u in emotional)
    assert len({u.extra["parallel"] for u in emotional}) == 4
    assert emotional.card["language"] == ["fr", "cmn"]
    assert json.loads((tmp_path / "out/emotional/corpus.json").read_text())["languages"]["fr"]["sad"] == 1
    assert "<svg" in (tmp_path / "out/emotional/distributions.svg").read_text()


def test_a_second_run_finds_everything_there(recipe: Path, tmp_path: Path) -> None:
    list(make_corpus(recipe, tmp_path / "out"))
    again = list(make_corpus(recipe, tmp_path / "out"))
    assert all("8 items were there already" in summary for summary in again[:-1])


def test_a_number_of_utterances_goes_before_the_configs(recipe: Path, tmp_path: Path) -> None:
    made = make_corpus(recipe, tmp_path / "out", utterances=16)
    assert next(made).startswith("generate: 16 utterances")


@pytest.mark.parametrize("name", [path.stem for path in sorted((configs_folder() / "corpora").glob("*.yaml"))])
def test_configs_that_ship_are_in_order(name: str) -> None:
    recipe = read_recipe(name)
    if recipe.translate is not None:
        assert recipe.generate.asks
        assert recipe.translate.endpoint().model == recipe.generate.endpoint().model


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("engine:", "engin:", "mine.yaml: speak.engin: unknown key; did you mean 'engine'. known keys: engine, "),
        (
            "utterances: 8",
            "utterances: 0",
            "mine.yaml: generate.utterances: got 0, expected at least 1",
        ),
        ("parallel: [fr, cmn]", "language: fr", "mine.yaml: generate: .*either 'parallel' or 'datasheet'"),
        ("labels:", "model: m, labels:", "mine.yaml: generate: .*'parallel' alone"),
        ("four", "fuor", "mine.yaml: generate.labels: unknown label set 'fuor': expected one of four"),
        ("generate:", "generate: [", "mine.yaml: expected YAML"),
    ],
)
def test_refuses(recipe: Path, old: str, new: str, message: str) -> None:
    recipe.write_text(RECIPE.replace(old, new))
    with pytest.raises(RecipeError, match=message):
        read_recipe(recipe)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(MissingConfigError, match=r"corpora: got 'm6ser', expected .* one of m5ser, m5ser-llm"):
        read_recipe("m6ser")
