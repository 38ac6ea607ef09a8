import numpy as np
import pytest

from generation.weak_labels.acoustic_view import acoustic_view
from generation.weak_labels.sound import FEATURES, MeasureTask, in_words, relative
from generation.weak_labels.sound_item import SoundItem, sound_items
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.testing import tiny_corpus


def spoken(count, speaker="s"):
    return [Utterance(id=f"{speaker}{i}", speaker=speaker) for i in range(count)]


def test_words_are_relative_to_the_speaker():
    high, low = spoken(6, "high"), spoken(6, "low")
    measures = {u.id: {"f0_hz": 200.0 + 5 * i, "level_db": -20.0} for i, u in enumerate(high)}
    measures |= {u.id: {"f0_hz": 100.0 + 2.5 * i, "level_db": -20.0} for i, u in enumerate(low)}
    measures["high5"] = {"f0_hz": 300.0, "level_db": -10.0}
    told = in_words([*high, *low], measures)
    assert told["high5"] == "much higher pitched than usual, very loud"
    assert told["high2"] == "as usual"
    assert told["low5"] == "higher pitched than usual"


def test_what_was_not_measured_is_not_told():
    utterances = spoken(3)
    told = in_words(utterances, {"s0": {"f0_hz": None}, "s1": {"f0_hz": None}})
    assert told == {"s0": "as usual", "s1": "as usual"}


def test_speech_is_measured(tmp_path):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1)
    lines = {item.id: MeasureTask()(item)[0].utterance for item in sound_items(corpus)}
    pitch = {u.label: lines[u.id].extra["f0_hz"] for u in corpus}
    assert pitch["hap"] == pytest.approx(330, rel=0.03)
    assert pitch["neu"] == pytest.approx(150, rel=0.03)
    assert set(FEATURES) <= set(next(iter(lines.values())).extra) | set(FEATURES)


def test_measures_without_a_value_count_as_usual():
    utterances = spoken(4)
    table = relative(utterances, {u.id: {"f0_hz": None, "level_db": float(i)} for i, u in enumerate(utterances)})
    assert np.isfinite(table).all()
    assert table[:, FEATURES.index("f0_hz")].tolist() == [0] * 4


def test_the_sound_is_judged_by_a_classifier_that_did_not_hear_the_speaker():
    rng = np.random.default_rng(0)
    utterances = [Utterance(id=f"s{s}-{i}", speaker=f"s{s}") for s in range(10) for i in range(12)]
    labels = rng.integers(0, 2, len(utterances))
    measures = {
        u.id: {"level_db": -20 + 6.0 * label + rng.normal()} for u, label in zip(utterances, labels, strict=True)
    }
    wrong = labels.copy()
    wrong[::10] = 1 - wrong[::10]
    view = acoustic_view(utterances, wrong.tolist(), 3, measures, seed=0)
    assert ((view[:, :2].argmax(axis=1) == labels).mean()) > 0.9
    assert not view[:, 2].any()


def test_classes_of_few_speakers_and_what_was_not_heard_are_not_judged():
    utterances = [Utterance(id=f"s{s}-{i}", speaker=f"s{s}") for s in range(6) for i in range(4)]
    labels = [i % 2 for i in range(23)] + [2]
    measures = {u.id: {"level_db": float(i)} for i, u in enumerate(utterances) if i}
    unjudged = np.isnan(acoustic_view(utterances, labels, 3, measures, seed=0)).any(axis=1)
    assert unjudged.tolist() == [True] + [False] * 22 + [True]


def test_items_know_where_their_audio_lies(tmp_path):
    corpus = tiny_corpus(tmp_path / "c", dialogues=1, turns=1)
    (item,) = sound_items(corpus)
    assert item == SoundItem(utterance=corpus.utterances[0], path=str((tmp_path / "c/audio/d00-00.wav").resolve()))
