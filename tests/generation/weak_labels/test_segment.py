import numpy as np
import pytest
import torch

from generation.weak_labels.segment import SegmentTask, speech
from generation.weak_labels.settings import Segments
from generation.weak_labels.sound_item import SoundItem
from tts.engine import load_engine
from zero_shot_emotion.audio import RATE, Audio, resample, write_audio
from zero_shot_emotion.corpus import Utterance

SILENCE = np.zeros(int(0.9 * RATE), dtype=np.float32)


@pytest.fixture(name="recording", scope="module")
def _recording():
    """Three sentences, with where each is."""
    sentences = ("We have lost everything again.", "Leave me alone.", "What a beautiful day it was today.")
    parts, where, at = [SILENCE], [], len(SILENCE)
    for sentence in sentences:
        wave = resample(load_engine("espeak-ng").speak(sentence, "en-us+f3/p50/r150"), RATE).wave.astype(np.float32)
        where.append((at, at + len(wave)))
        parts += [wave, SILENCE]
        at += len(wave) + len(SILENCE)
    return Audio(np.concatenate(parts), RATE), where


def test_sentences_are_found_where_they_are(recording):
    audio, where = recording
    found = speech(audio, Segments())
    assert len(found) == len(where)
    for (start, end), (first, last) in zip(found, where, strict=True):
        assert abs(start - first) < 0.35 * RATE
        assert abs(end - last) < 0.35 * RATE


def test_the_same_recording_gives_the_same_segments_whatever_came_before(recording):
    audio, _ = recording
    first = speech(audio, Segments())
    speech(Audio(audio.wave[::-1].copy(), RATE), Segments())
    assert speech(audio, Segments()) == first


def test_no_segment_is_longer_than_it_may(recording):
    audio, _ = recording
    assert all(end - start <= 1.1 * RATE for start, end in speech(audio, Segments(max_seconds=1.0, pad=0.0)))


def test_lines_say_where_a_segment_lies(tmp_path, recording):
    audio, _ = recording
    write_audio(tmp_path / "talk.wav", audio)
    whole = Utterance(id="talk", file_name="talk.wav", speaker="s", label="ang")
    made = SegmentTask(Segments())(SoundItem(utterance=whole, path=str(tmp_path / "talk.wav")))
    assert [m.utterance.id for m in made] == ["talk-0000", "talk-0001", "talk-0002"]
    for turn, (utterance, sound) in enumerate((m.utterance, m.audio) for m in made):
        extra = utterance.extra
        assert sound.seconds == pytest.approx(extra["end"] - extra["start"], abs=2e-3)
        assert (utterance.dialogue, utterance.turn, utterance.speaker) == ("talk", turn, "s")
        assert (utterance.label, extra["recording"]) == ("ang", "talk")


def test_a_line_that_names_its_dialogue_or_recording_is_segmented(tmp_path, recording):
    write_audio(tmp_path / "talk.wav", recording[0])
    whole = Utterance(id="talk", file_name="talk.wav", dialogue="d", turn=7, recording="before", start=1.0, end=9.0)
    made = [m.utterance for m in SegmentTask(Segments())(SoundItem(utterance=whole, path=str(tmp_path / "talk.wav")))]
    assert [(u.dialogue, u.turn, u.extra["recording"]) for u in made] == [("d", 70_000 + n, "talk") for n in range(3)]
    assert made[0].extra["start"] < 1.0


def test_silence_has_no_segments():
    assert speech(Audio(np.random.default_rng(0).normal(0, 1e-4, RATE).astype(np.float32), RATE), Segments()) == []


def test_the_detector_leaves_torchs_threads_alone(recording):
    torch.set_num_threads(2)
    try:
        speech(recording[0], Segments())
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
