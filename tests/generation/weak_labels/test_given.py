import json
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
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.corpus import LABEL_SETS, Corpus, Utterance
from zero_shot_emotion.recognition import load_recogniser
from zero_shot_emotion.taxonomy import load_taxonomy
from zero_shot_emotion.testing import tiny_corpus


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


@pytest.mark.parametrize(
    ("labellers", "more"),
    [
        ([{"kind": "given"}, {"kind": "given", "name": "again"}], {}),
        ([{"kind": "given"}], {"noise": {"min_margin": 0.1}}),
        ([{"kind": "given"}], {"noise": {"per_class": 3}}),
        ([{"kind": "given"}], {"segments": {}}),
    ],
)
def test_alone_it_can_neither_cut_nor_drop(tmp_path, dialogue, labellers, more):
    with pytest.raises(WeakLabelError, match=r"labellers: got given.* alone, expected one beside it that reads the w"):
        weak_label(dialogue, tmp_path / "out", settings(labellers, **more))


def test_alone_it_leaves_labels_and_utterances_and_changes_words(tmp_path, whisper):
    source = tiny_corpus(tmp_path / "c", dialogues=1, turns=4)
    told = ("hap", "fru", "some name", None)  # in the taxonomy, or not, or none
    lines = tuple(u.with_(label=label, text="written") for u, label in zip(source, told, strict=True))
    source = Corpus("c", source.root, lines, {"labels": ["hap", "fru", "some name"], "language": "en"})
    engine = {"engine": "whisper", "settings": {"model": whisper, "device": "cpu", "max_tokens": 4}}
    report = weak_label(source, tmp_path / "heard", read_settings("transcribe", {"transcripts": engine}))
    made = report.corpus
    recogniser = load_recogniser("whisper", json.dumps(engine["settings"]))
    heard = recogniser.transcribe([read_audio(source.audio_path(u)) for u in source])
    assert [u.text for u in made] == heard
    assert "written" not in heard
    assert {u.extra["transcript_source"] for u in made} == {"whisper"}
    same = {"id", "label", "speaker", "dialogue", "turn", "split"}
    assert [u.model_dump(include=same) for u in made] == [u.model_dump(include=same) for u in source]
    assert not {"scores", "human_label", "labeller"} & {key for u in made for key in u.extra}
    assert all(
        made.audio_path(u).read_bytes() == source.audio_path(s).read_bytes() for u, s in zip(made, source, strict=True)
    )
    card = report.card
    assert (card["name"], card["labels"], card["drops"], card["without_words"]) == (
        "c-transcribed",
        ["hap", "fru", "some name"],
        {},
        sum(not text.strip() for text in heard),
    )
    assert card["description"].startswith("Labels and utterances are the source's own, all of them; only the words are")
    assert "4 utterances with labels of their own" in report.summary()


def test_utterances_without_words_stay(tmp_path, dialogue):
    (tmp_path / "t.csv").write_text("id,text\nu0,so\nu1,\n", encoding="utf-8")
    told = settings([{"kind": "given"}], transcripts={"file": tmp_path / "t.csv"})
    silent = Corpus("c", Path(), tuple(u.with_(text=None) for u in dialogue))
    report = weak_label(silent, tmp_path / "out", told)
    assert [(u.id, u.label) for u in report.corpus] == [(u.id, u.label) for u in dialogue]
    assert report.card["without_words"] == 5
    with pytest.raises(WeakLabelError, match="corpus 'c': no utterance has words, expected a transcript of some"):
        weak_label(silent, tmp_path / "none", settings([{"kind": "given"}]))


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
