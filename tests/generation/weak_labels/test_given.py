from pathlib import Path

import numpy as np
import pytest

from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.labeller import LabellerSpec, label
from generation.weak_labels.settings import read_settings
from generation.weak_labels.similarity import Similarity
from generation.weak_labels.turn import Turn, turns_of
from generation.weak_labels.weak_label import weak_label
from tests.generation.weak_labels.test_weak_label import settings
from zero_shot_emotion.corpus import LABEL_SETS, Corpus, Utterance
from zero_shot_emotion.taxonomy import load_taxonomy


@pytest.fixture(name="similarity")
def _similarity(encoder):
    return {"kind": "similarity", "model": encoder, "device": "cpu"}


@pytest.mark.parametrize(
    ("told", "taxonomy", "expected"),
    [
        ("hap", "four", "hap"),
        ("happy", "four", "hap"),
        ("furious", "four", "ang"),
        ("hap", "goemotions", "joy"),
        ("gratitude", "goemotions", "gratitude"),
        ("fea", "four", None),
        ("no such thing", "four", None),
        (None, "four", None),
    ],
)
def test_the_label_is_a_one_among_zeros(told, taxonomy, expected):
    classes = load_taxonomy(taxonomy)
    (row,) = LabellerSpec(kind="given").load(classes).label([Turn(text="so", label=told)])
    if expected is None:
        assert np.isnan(row).all()
    else:
        assert row.tolist() == [float(name == expected) for name in classes.names]


def test_labels_are_hidden_from_those_who_do_not_ask(tmp_path, dialogue, similarity, monkeypatch):
    assert {turn.label for turn in turns_of(dialogue).values()} == {None}
    assert "label" not in Turn(text="so").model_dump()
    shown = []
    real = Similarity.label
    monkeypatch.setattr(Similarity, "label", lambda self, turns: shown.extend(turns) or real(self, turns))
    weak_label(dialogue, tmp_path / "out", settings([{"kind": "given"}, similarity]))
    assert shown
    assert {turn.label for turn in shown} == {None}


def test_what_the_words_do_not_say_goes(tmp_path, dialogue, similarity):
    alone = {u.id: u.label for u in weak_label(dialogue, tmp_path / "a", settings([similarity])).corpus}
    report = weak_label(dialogue, tmp_path / "b", settings([{"kind": "given"}, similarity], noise={"agreement": True}))
    given = {u.id: u.label for u in dialogue if u.label in load_taxonomy("seven").names}
    kept = {name: told for name, told in given.items() if alone[name] == told}
    assert {u.id: u.label for u in report.corpus} == kept
    assert report.card["drops"] == {
        "no words": 0,
        "no answer of given": 2,  # one has no label, one a label of no class
        "similarity disagrees": len(given) - len(kept),
    }
    assert (report.card["labelled"], report.card["utterances"]) == (len(given), len(kept))
    assert report.card["name"] == "dialogue-checked"
    assert report.card["description"].startswith("Labels that the source had")
    assert "human" not in report.card  # what was chosen by the labels agrees with them
    assert report.card["agreement"]["given, similarity"]["utterances"] == len(given)
    turned = weak_label(dialogue, tmp_path / "c", settings([similarity, {"kind": "given"}], noise={"agreement": True}))
    assert {u.id: u.label for u in turned.corpus} == kept
    assert not any(1.0 in u.extra["scores"].values() for u in turned.corpus)


def test_lines_of_one_text_keep_labels_of_their_own(tmp_path, similarity):
    twice = tuple(Utterance(id=f"u{i}", text="so", label=told) for i, told in enumerate(("hap", "ang")))
    made = weak_label(Corpus("c", Path(), twice), tmp_path / "out", settings([{"kind": "given"}, similarity])).corpus
    assert [(u.label, u.extra["entropy"]) for u in made] == [("hap", 0.0), ("ang", 0.0)]


def test_it_cannot_be_alone(tmp_path, dialogue):
    for labellers in ([{"kind": "given"}], [{"kind": "given"}, {"kind": "given", "name": "again"}]):
        with pytest.raises(
            WeakLabelError, match=r"labellers: got given.* alone, expected one beside it that reads the w"
        ):
            weak_label(dialogue, tmp_path / "out", settings(labellers))


def test_it_is_no_untrained_baseline(dialogue):
    with pytest.raises(WeakLabelError, match="labeller given: reads the labels that are there, expected one that read"):
        label(dialogue, LabellerSpec(kind="given"), load_taxonomy("four"))


def test_the_check_of_a_generated_corpus_leaves_what_can_be_spoken(tmp_path, encoder):
    from generation.generate import generate
    from injection.inject import inject
    from tts.speak import speak

    source = generate(tmp_path / "text", datasheet="iemocap", labels=LABEL_SETS["four"], utterances=24).corpus
    given, examples = (spec.model_dump() for spec in read_settings("check").labellers)
    told = read_settings("check", {"labellers": [given, {**examples, "model": encoder, "device": "cpu"}]})
    report = weak_label(source, tmp_path / "clear", told)
    clear, before = report.corpus, {u.id: u for u in source}
    assert 0 < len(clear) < len(source)
    assert report.card["drops"]["examples disagrees"] == len(source) - len(clear)
    assert f"{len(source) - len(clear)} examples disagrees" in report.summary()
    same = {"text", "label", "speaker", "gender", "language", "dialogue", "turn", "split"}
    for line in clear:
        assert line.model_dump(include=same) == before[line.id].model_dump(include=same)
        assert line.extra["scenario"] == before[line.id].extra["scenario"]
        assert line.extra["labels"] == {"given": line.label, "examples": line.label}
    assert {key: clear.card[key] for key in ("datasheet", "language")} == {"datasheet": "iemocap", "language": "en"}
    spoken = speak(clear, tmp_path / "neutral").corpus
    emotional = inject(spoken, tmp_path / "emotional").corpus
    assert [u.id for u in emotional] == [u.id for u in clear]
    assert all(emotional.audio_path(u).is_file() for u in emotional)
