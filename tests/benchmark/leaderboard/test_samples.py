import base64
import io

import numpy as np
import pytest
import soundfile

from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.benchmark.leaderboard.samples import LONGEST, SampleError, read_samples
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.testing import tiny_corpus


def test_recordings_are_in_the_page_short_and_mono(tmp_path):
    tiny_corpus(tmp_path / "spoken", rate=22050)
    samples = read_samples([f"{tmp_path / 'spoken'}:3"])
    assert len(samples.utterances) == 3
    for sample in samples.utterances:
        kind, data = sample.clips["spoken"].url.split(";base64,")
        sound, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert kind in ("data:audio/mpeg", "data:audio/wav")
        assert (rate, sound.ndim) == (16000, 1)
        assert len(sound) / rate == pytest.approx(sample.clips["spoken"].seconds, abs=0.15)


def test_labels_take_turns(tmp_path):
    tiny_corpus(tmp_path / "spoken")
    samples = read_samples([str(tmp_path / "spoken")])
    assert sorted(sample.label for sample in samples.utterances) == ["ang", "hap", "neu", "sad"]


def test_a_stage_shows_the_utterances_of_the_stage_before(tmp_path):
    for name in ("neutral", "emotional"):
        tiny_corpus(tmp_path / name)
    samples = read_samples([f"{tmp_path / 'neutral'}:2", f"{tmp_path / 'emotional'}:2"])
    assert samples.corpora == ("neutral", "emotional")
    assert [list(sample.clips) for sample in samples.utterances] == [["neutral", "emotional"]] * 2


def test_text_alone_is_shown_without_a_recording(tmp_path):
    Corpus("text", tmp_path / "text", (Utterance(id="a", text="Hello.", label="neu"),)).save(tmp_path / "text")
    (sample,) = read_samples([str(tmp_path / "text")]).utterances
    assert sample.text == "Hello."
    assert sample.clips["text"].url is None


def test_long_recordings_are_cut(tmp_path):
    corpus = tiny_corpus(tmp_path / "long", dialogues=1, turns=1)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 12)
    write_audio(corpus.audio_path(corpus.utterances[0]), Audio(noise, 16000))
    clip = read_samples([str(tmp_path / "long")]).utterances[0].clips["long"]
    assert clip.cut
    assert clip.seconds == LONGEST


def test_what_does_not_fit_or_cannot_be_read_is_counted(tmp_path):
    corpus = tiny_corpus(tmp_path / "spoken")
    assert read_samples([str(tmp_path / "spoken")], most_bytes=10).left_out == {"no room left": 4}
    for utterance in corpus:
        corpus.audio_path(utterance).write_bytes(b"")
    assert read_samples([str(tmp_path / "spoken")]).left_out == {"unreadable": 4}


def test_no_utterances_are_refused(tmp_path):
    tiny_corpus(tmp_path / "spoken")
    with pytest.raises(SampleError, match=r"spoken:0: got 0, expected at least 1 utterance"):
        read_samples([f"{tmp_path / 'spoken'}:0"])
