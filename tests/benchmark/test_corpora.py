"""What a grid's sources become on disk: each its own, however alike their names."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from generation.shipped import FOLDER
from zero_shot_emotion.benchmark.corpora import Corpora
from zero_shot_emotion.benchmark.grid import Paths, load_grid
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.readers import open_corpus


@pytest.fixture
def corpora_of(tmp_path, unseen):
    """The corpora of a grid with some sources."""

    def make(sources: dict) -> Corpora:
        path = tmp_path / "small.yaml"
        content = {"sources": sources, "targets": {"unseen": str(unseen)}, "upstreams": {"fbank": "fbank"}}
        path.write_text(yaml.safe_dump({**content, "heads": {"demo": "demo"}}), encoding="utf-8")
        grid = load_grid(path)
        return Corpora(grid, Paths(grid), tmp_path / "out")

    return make


def ids(specs: tuple[str, ...]) -> Iterator[set[str]]:
    return ({u.id for u in open_corpus(spec)} for spec in specs)


def text(folder: Path, words: str) -> str:
    utterances = (Utterance(id=f"u{n}", text=f"{words} number {n}", label="neu", speaker=f"s{n}") for n in range(2))
    Corpus("text", folder, tuple(utterances), {"labels": ["neu"]}).save(folder)
    return str(folder)


def spoken(corpora: Corpora, source: str) -> set[str | None]:
    (spec,) = corpora.specs(source, seed=0)
    return {u.text for u in open_corpus(spec)}


def test_two_texts_in_folders_of_one_name_are_both_spoken(corpora_of, tmp_path):
    texts = {name: text(tmp_path / name / "text", name) for name in ("first", "second")}
    corpora = corpora_of({name: {"kind": "synthetic", "text": place} for name, place in texts.items()})
    for name in texts:
        assert spoken(corpora, name) == {f"{name} number 0", f"{name} number 1"}


def test_a_text_that_has_changed_is_spoken_anew(corpora_of, tmp_path):
    source = {"mine": {"kind": "synthetic", "text": text(tmp_path / "text", "before")}}
    assert spoken(corpora_of(source), "mine") == {"before number 0", "before number 1"}
    text(tmp_path / "text", "after")
    assert spoken(corpora_of(source), "mine") == {"after number 0", "after number 1"}


def test_text_of_dialogues_that_have_changed_is_made_anew(corpora_of, tmp_path, monkeypatch):
    shutil.copytree(FOLDER, tmp_path / "dialogues")
    monkeypatch.setattr("generation.shipped.FOLDER", tmp_path / "dialogues")
    source = {"made": {"kind": "synthetic", "utterances": 40}}

    def texts():
        (spec,) = corpora_of(source).specs("made", 0, "text")
        return {u.text for u in open_corpus(spec)}

    before = texts()
    file = tmp_path / "dialogues/iemocap.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("the", "yonder"), encoding="utf-8")
    after = texts()
    assert not any("yonder" in text for text in before)
    assert any("yonder" in text for text in after)


def test_cross_validations_of_one_target_keep_their_folds_apart(corpora_of, unseen):
    """Of other numbers of folds: both are made before either is trained on."""
    corpora = corpora_of({"two": {"kind": "in-domain", "folds": 2}, "four": {"kind": "in-domain", "folds": 4}})
    found = {count: corpora.folds("unseen", count, seed=0)[0] for count in (2, 4)}
    for count, pairs in found.items():
        assert len(pairs) == count
        tested = [test for pair in pairs for test in list(ids(pair))[1]]
        assert sorted(tested) == sorted(u.id for u in Corpus.load(unseen))
