import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.labeller import LabellerSpec, _load
from generation.weak_labels.recordings import open_source
from generation.weak_labels.settings import WeakLabelSettings, read_settings
from generation.weak_labels.similarity import Similarity
from generation.weak_labels.steps import STEPS
from generation.weak_labels.weak_label import weak_label
from tests.generation.weak_labels.conftest import TEXTS
from zero_shot_emotion.audio import RATE, Audio, write_audio
from zero_shot_emotion.config_files import MissingConfigError
from zero_shot_emotion.corpus import CARD, MANIFEST, Corpus, CorpusError, Utterance, label_set
from zero_shot_emotion.corpus.stage import JOURNAL, StageError
from zero_shot_emotion.settings import DataSettings
from zero_shot_emotion.sources import Sources
from zero_shot_emotion.testing import tiny_corpus

HERE = Path(__file__).parent


def settings(labellers, **more):
    return WeakLabelSettings.model_validate({"taxonomy": "seven", "labellers": labellers, **more})


@pytest.fixture(name="entailment")
def _entailment(overlap):
    return {"kind": "entailment", "model": overlap, "device": "cpu"}


@pytest.fixture(name="similarity")
def _similarity(encoder):
    return {"kind": "similarity", "model": encoder, "device": "cpu"}


def bytes_of(folder):
    return {name: (folder / name).read_bytes() for name in (MANIFEST, CARD)}


def test_a_text_corpus_is_labelled(tmp_path, dialogue, entailment):
    report = weak_label(dialogue, tmp_path / "out", settings([entailment]))
    made = report.corpus
    first, *_, last = made.utterances
    assert [u.label for u in made] == ["hap", "neu", "neu", "neu", "ang", "sad"]
    assert (first.extra["human_label"], "human_label" in last.extra) == ("hap", False)
    assert list(first.extra["scores"]) == list(made.card["labels"]) == ["neu", "hap", "ang", "sad", "fea", "dis", "sur"]
    assert sum(first.extra["scores"].values()) == pytest.approx(1, abs=1e-5)
    ordered = sorted(first.extra["scores"].values())
    assert first.extra["margin"] == pytest.approx(ordered[-1] - ordered[-2], abs=2e-6)
    p = np.array(ordered)
    assert first.extra["entropy"] == pytest.approx(-(p * np.log(p)).sum(), abs=1e-4)
    assert (first.extra["labeller"], first.extra["transcript_source"]) == ("entailment", "given")
    assert made.card["taxonomy"]["source"].startswith("The classes of the label set seven")
    assert str(tmp_path / "out") in report.summary()


def test_its_scores_can_be_trained_on(tmp_path, dialogue, entailment):
    made = weak_label(dialogue, tmp_path / "out", settings([entailment])).corpus
    kept, dropped = made.with_labels(label_set("seven"))
    assert len(kept) == len(made)
    assert not dropped


def test_speech_with_weak_labels_is_trained_on_as_any_other(tmp_path, similarity):
    tiny_corpus(tmp_path / "c")
    told = settings([similarity], taxonomy="goemotions")
    weak_label(open_source(str(tmp_path / "c")), tmp_path / "out", told)
    datarc = DataSettings(train=(str(tmp_path / "out"),), labels="taxonomy:goemotions", valid_ratio=0.5)
    train, dev = Sources(datarc, seed=0, soft_labels="scores").train_and_dev
    assert len(train.entries) + len(dev.entries) == 24
    assert all(entry.path.is_file() and sum(entry.soft) == pytest.approx(1) for entry in train.entries)


def test_human_labels_are_compared_with_and_decide_nothing(tmp_path, dialogue, entailment):
    card = weak_label(dialogue, tmp_path / "a", settings([entailment])).card
    assert card["human"]["labelled"] == {"utterances": 4, "UAR": 0.5, "WA": 0.5, "kappa": 0.3333} | {
        "UAR_95": card["human"]["labelled"]["UAR_95"]
    }
    assert sum(tenth["utterances"] for tenth in card["human"]["by_confidence"]) == 4
    blind = Corpus("dialogue", Path(), tuple(u.with_(label=None) for u in dialogue))
    unlabelled = weak_label(blind, tmp_path / "b", settings([entailment])).corpus
    seen = Corpus.load(tmp_path / "a")
    assert [(u.label, u.extra["scores"]) for u in seen] == [(u.label, u.extra["scores"]) for u in unlabelled]
    assert "human" not in unlabelled.card


def test_a_second_labeller_is_compared_and_can_veto(tmp_path, dialogue, entailment, similarity):
    card = weak_label(dialogue, tmp_path / "a", settings([entailment, similarity])).card
    agreement = card["agreement"]["entailment, similarity"]
    equal = sum(len(set(u.extra["labels"].values())) == 1 for u in Corpus.load(tmp_path / "a"))
    assert agreement["equal"] == pytest.approx(equal / 6, abs=1e-4)
    vetoed = weak_label(dialogue, tmp_path / "b", settings([entailment, similarity], noise={"agreement": True})).card
    assert vetoed["drops"]["similarity disagrees"] == 6 - equal
    assert vetoed["utterances"] == equal


@pytest.mark.parametrize("prior", ["mean", "null"])
def test_a_prior_is_taken_off_and_told(tmp_path, dialogue, similarity, prior):
    plain = weak_label(dialogue, tmp_path / "a", settings([similarity])).corpus
    corrected = weak_label(dialogue, tmp_path / "b", settings([similarity], noise={"prior": prior})).corpus
    shares = np.array(list(corrected.card["prior"].values()))
    before = np.array([list(u.extra["scores"].values()) for u in plain])
    if prior == "mean":
        np.testing.assert_allclose(shares, before.mean(axis=0), atol=1e-5)
    expected = before / shares
    expected /= expected.sum(axis=1, keepdims=True)
    found = np.array([list(u.extra["scores"].values()) for u in corrected])
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_drops_are_counted(tmp_path, dialogue, entailment):
    silent = Utterance(id="silent", text="  ")
    corpus = Corpus("c", Path(), (*dialogue.utterances, silent))
    card = weak_label(corpus, tmp_path / "out", settings([entailment], noise={"min_margin": 0.1, "per_class": 1})).card
    assert card["drops"] == {
        "no words": 1,
        "no answer of entailment": 0,
        "margin below 0.1": 3,
        "more than 1 of a class": 0,
    }
    assert (card["labelled"], card["utterances"]) == (6, 3)


def test_a_folder_of_recordings_goes_all_the_way(tmp_path, whisper, similarity):
    from tts.engine import load_engine

    voice = load_engine("espeak-ng")
    gap = np.zeros(22050)
    for name in ("one", "two"):
        says = [voice.speak(text, "en-us+f3/p50/r150") for text in TEXTS[:2]]
        wave = np.concatenate([gap, says[0].wave, gap, says[1].wave, gap])
        write_audio(tmp_path / f"wavs/angry/{name}.wav", Audio(wave, says[0].rate))
    transcripts = {"engine": "whisper", "settings": {"model": whisper, "device": "cpu", "max_tokens": 6}}
    told = settings(
        [{**similarity, "sound": True}], segments={}, transcripts=transcripts, noise={"confident_learning": "acoustics"}
    )
    report = weak_label(open_source(str(tmp_path / "wavs")), tmp_path / "out", told)
    made = report.corpus
    assert [u.id for u in made] == ["angry-one-0000", "angry-one-0001", "angry-two-0000", "angry-two-0001"]
    assert all(made.audio_path(u).is_file() for u in made)
    assert all(u.extra["start"] < u.extra["end"] and u.text and u.extra["sound"] for u in made)
    assert not any("human_label" in u.extra for u in made)  # the folder's name is no label
    assert report.card["audio_hours"] == pytest.approx(
        sum(u.extra["end"] - u.extra["start"] for u in made) / 3600, rel=0.01
    )
    hours = f"  audio     {report.card['audio_hours']:.3g} hours, "
    rate = 3600 * report.card["audio_hours"] / report.seconds
    assert f"{hours}{rate:.3g} hours of audio an hour\n" in report.summary()


def test_speed_is_told_of_what_a_run_did_itself(tmp_path, whisper, similarity):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=2)
    transcripts = {"engine": "whisper", "settings": {"model": whisper, "device": "cpu", "max_tokens": 4}}
    weak_label(corpus, tmp_path / "out", settings([similarity], transcripts=transcripts))
    warmer = settings([{**similarity, "temperature": 0.5}], transcripts=transcripts)
    report = weak_label(corpus, tmp_path / "out", warmer, overwrite=True)
    assert report.resumed == {"transcribe"}  # nothing is said of its speed: its seconds are those of another run
    rate = 3600 * report.card["audio_hours"] / report.step_seconds["similarity"]
    told = f"hours of audio an hour: similarity {rate:.3g}; of the other steps something was there already\n"
    assert told in report.summary()
    again = weak_label(corpus, tmp_path / "out", warmer)
    assert f"  audio     {report.card['audio_hours']:.3g} hours\n" in again.summary()


def test_bad_recordings_cost_nothing_but_themselves(tmp_path, similarity):
    tiny_corpus(tmp_path / "c", dialogues=1, turns=2)
    (tmp_path / "c/audio/d00-01.wav").write_bytes(b"no audio")
    corpus = Corpus.load(tmp_path / "c")
    told = settings([{**similarity, "sound": True}])
    with pytest.raises(WeakLabelError, match=r"bad audio: 1 of 2 utterances: .*d00-01.wav: expected an audio file"):
        weak_label(corpus, tmp_path / "out", told)
    made = weak_label(corpus, tmp_path / "out", told, skip_errors=True).corpus
    assert [u.id for u in made] == ["d00-00"]
    assert made.card["drops"]["bad audio"] == 1


def test_workers_and_chunks_do_not_change_the_bytes(tmp_path, dialogue, entailment):
    weak_label(dialogue, tmp_path / "one", settings([entailment], chunk=2))
    with ThreadPoolExecutor(3) as executor:
        weak_label(dialogue, tmp_path / "many", settings([entailment], chunk=2), executor=executor)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "many")
    weak_label(dialogue, tmp_path / "large", settings([entailment], chunk=99))
    assert bytes_of(tmp_path / "one")[MANIFEST] == bytes_of(tmp_path / "large")[MANIFEST]


@pytest.fixture
def one_thread():
    """As many threads here as in a process that is started: the order of a sum shows in a probability's last digit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    _load.cache_clear()  # a labeller of an earlier test embedded its prompts with other threads
    yield {"OMP_NUM_THREADS": "1"}
    torch.set_num_threads(threads)


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, similarity, one_thread):
    corpus = Corpus("c", tmp_path / "c", tuple(Utterance(id=f"u{i}", text=f"so {'very ' * i}sad") for i in range(30)))
    corpus.save(corpus.root)
    corpus = Corpus.load(corpus.root)
    config = {"taxonomy": "seven", "labellers": [similarity], "chunk": 1}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    weak_label(corpus, whole, read_settings(tmp_path / "c.yaml"))
    command = [
        sys.executable,
        str(HERE / "slow_run.py"),
        str(corpus.root),
        str(killed),
        str(tmp_path / "c.yaml"),
        "0.2",
    ]
    process = subprocess.Popen(command, env={**os.environ, **one_thread, "PYTHONPATH": str(HERE.parents[2])})
    try:
        finished = 0
        while finished < 3:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.05)
            journals = list(killed.glob(f"{STEPS}/*/{JOURNAL}"))
            finished = sum(journal.read_text().count("\n") - 1 for journal in journals)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (killed / CARD).exists()
    with pytest.raises(CorpusError, match="the stage 'weak-label' has not finished here"):
        open_source(str(killed))
    asked = []
    real = Similarity.label
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Similarity, "label", lambda self, turns: asked.extend(turns) or real(self, turns))
        weak_label(corpus, killed, read_settings(tmp_path / "c.yaml"))
    assert len(asked) <= 30 - finished
    assert bytes_of(killed) == bytes_of(whole)


def test_a_finished_run_is_not_done_again(tmp_path, dialogue, similarity, monkeypatch):
    weak_label(dialogue, tmp_path / "out", settings([similarity]))
    monkeypatch.setattr(Similarity, "label", None)
    report = weak_label(dialogue, tmp_path / "out", settings([similarity]))
    assert "it was there already" in report.summary()
    with pytest.raises(StageError, match="holds the output of another run"):
        weak_label(dialogue, tmp_path / "out", settings([similarity], noise={"min_margin": 0.1}))
    # other noise control costs no labelling
    again = weak_label(dialogue, tmp_path / "out", settings([similarity], noise={"min_margin": 0.1}), overwrite=True)
    assert "margin below 0.1" in again.card["drops"]
    assert again.card["fingerprint"] != report.card["fingerprint"]


def test_other_transcripts_under_the_same_name_are_another_run(tmp_path, dialogue, similarity):
    path = tmp_path / "mine.csv"
    path.write_text("id,text\nu0,so sad\n")
    told = settings([similarity], transcripts={"file": str(path)})
    weak_label(dialogue, tmp_path / "out", told)
    path.write_text("id,text\nu0,so angry\n")
    with pytest.raises(StageError, match="holds the output of another run"):
        weak_label(dialogue, tmp_path / "out", told)
    made = weak_label(dialogue, tmp_path / "out", told, overwrite=True).corpus
    assert next(iter(made)).text == "so angry"


@pytest.mark.parametrize("kind", ["llm", "open"])
def test_a_prompt_of_ones_own_is_part_of_the_run(tmp_path, kind):
    path = tmp_path / "mine.j2"
    path.write_text("{{ turn.text }}?")
    endpoint = {"base_url": "http://localhost:1/v1", "model": "m"}
    spec = LabellerSpec(kind=kind, endpoint=endpoint, prompt=str(path))
    before = spec.contents
    path.write_text("What does {{ turn.text }} say?")
    assert len(before) == 1
    assert spec.contents != before


def test_the_output_of_something_else_is_left_alone(tmp_path, dialogue, similarity):
    tiny_corpus(tmp_path / "out", dialogues=1)
    with pytest.raises(StageError, match="holds the output of another run"):
        weak_label(dialogue, tmp_path / "out", settings([similarity]))


def test_nothing_to_read_is_an_error(tmp_path, similarity):
    corpus = Corpus("c", tmp_path, (Utterance(id="a"),))
    with pytest.raises(WeakLabelError, match="corpus 'c': no utterance has words, expected a transcript of some"):
        weak_label(corpus, tmp_path / "out", settings([similarity]))
    with pytest.raises(WeakLabelError, match="corpus 'c': has no audio to cut, expected segments: null"):
        weak_label(corpus, tmp_path / "out", settings([similarity], segments={}))


def test_a_folder_without_audio_is_named(tmp_path):
    with pytest.raises(WeakLabelError, match=r"holds no audio, expected a corpus or files in \.wav"):
        open_source(str(tmp_path))


def test_hidden_files_are_no_recordings(tmp_path):
    for name in ("a b.wav", ".b.wav", ".c/d.wav"):
        write_audio(tmp_path / name, Audio(np.ones(RATE) * 0.1, RATE))
    assert [(u.id, u.file_name) for u in open_source(str(tmp_path))] == [("a_b", "a b.wav")]


@pytest.mark.parametrize("name", ["check", "lanser", "offline"])
def test_the_shipped_configs_are_read(name):
    assert read_settings(name).labellers


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"labellers": []}, "labellers: got"),
        (
            {"labellers": [{"kind": "oracle"}]},
            "labellers: kind: got 'oracle', expected one of entailment, examples, given",
        ),
        (
            {"labellers": [{"kind": "similarity", "heat": 1}]},
            r"labeller similarity: heat: unknown key, expected one of context, sound",
        ),
        (
            {"labellers": [{"kind": "similarity"}] * 2},
            "expected labellers of different names, got similarity, similarity",
        ),
        ({"noise": {"agreement": True}}, "expected a second labeller for noise.agreement"),
        ({"noise": {"confident_learning": "x"}}, "expected acoustics or another labeller than the first .*, got 'x'"),
        ({"noise": {"min_margin": 2}}, "noise.min_margin: got 2"),
        ({"colour": 1}, "colour: unknown key"),
    ],
)
def test_a_wrong_config_is_named(changes, expected):
    with pytest.raises(WeakLabelError, match=expected):
        read_settings("lanser", changes)


def test_an_unknown_config_is_named():
    with pytest.raises(
        MissingConfigError, match=r"weak_labels: got 'x', expected the path of a \.yaml file or one of check"
    ):
        read_settings("x")


def test_the_command(tmp_path, dialogue, similarity, capsys):
    from typer.testing import CliRunner

    from zero_shot_emotion.cli import app

    Corpus("c", tmp_path / "c", dialogue.utterances).save(tmp_path / "c")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"labellers": [similarity]}))
    arguments = ["weak-label", str(tmp_path / "c"), "-o", str(tmp_path / "out"), "-c", str(tmp_path / "c.yaml")]
    result = CliRunner().invoke(app, [*arguments, "--taxonomy", "goemotions"])
    assert result.exit_code == 0, result.output
    assert "6 of 6 labelled utterances kept" in result.output
    assert len(json.loads((tmp_path / "out" / CARD).read_text())["labels"]) == 28
