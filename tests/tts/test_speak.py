import json

import pytest

from tts import SpeechError, load_engine, speak
from zero_shot_emotion.corpus import Corpus, stage
from zero_shot_emotion.corpus.stage import StageError


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_speech_of_the_tiny_corpus(tiny, tmp_path):
    report = speak(tiny, tmp_path / "out", seed=1)
    made = report.corpus
    assert [u.label for u in made] == [u.label for u in tiny]
    assert all(made.audio_path(u).is_file() for u in made)
    assert {u.extra["engine"] for u in made} == {"espeak-ng"}
    voices = {u.speaker: u.extra["voice"] for u in made}
    genders = {voice.id: voice.gender for voice in load_engine("espeak-ng").voices()}
    assert len(set(voices.values())) == 4
    assert all(genders[u.extra["voice"]] == u.gender and voices[u.speaker] == u.extra["voice"] for u in made)
    card = json.loads((tmp_path / "out" / "corpus.json").read_text())
    assert (card["stage"], card["engine"], card["seed"]) == ("speak", "espeak-ng", 1)
    assert card["source"] == {"name": "tiny", "fingerprint": "0123456789abcdef"}
    assert card["labels"] == ["neu", "hap", "ang", "sad"]
    assert set(card["versions"]) == {"zero_shot_emotion", "espeak-ng", "numpy"}


def test_the_bytes_do_not_depend_on_the_workers(tiny, tmp_path):
    speak(tiny, tmp_path / "one", workers=1)
    speak(tiny, tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_run_that_was_cut_goes_on_to_the_same_bytes(tiny, tmp_path, monkeypatch):
    speak(tiny, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(stage, "write_corpus", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            speak(tiny, tmp_path / "cut")
    journal = tmp_path / "cut" / stage.JOURNAL
    journal.write_bytes(journal.read_bytes()[:-100])
    report = speak(tiny, tmp_path / "cut")
    assert report.resumed == len(tiny) - 1
    assert files(tmp_path / "whole") == files(tmp_path / "cut")


def test_the_seed_changes_the_cast(tiny, tmp_path):
    casts = [[u.extra["voice"] for u in speak(tiny, tmp_path / str(s), seed=s).corpus] for s in (0, 1)]
    assert casts[0] != casts[1]


def test_what_cannot_be_spoken_is_named(tiny, tmp_path):
    muted = tuple(u.with_(text="[nods]") if u.id == "news-0" else u for u in tiny)
    broken = Corpus("broken", tiny.root, muted)
    with pytest.raises(StageError, match=r"1 of 6 items failed: .*nothing to speak in the text '\[nods\]'.*news-0"):
        speak(broken, tmp_path / "strict")
    report = speak(broken, tmp_path / "lenient", skip_errors=True)
    assert list(report.failures) == ["news-0"]
    assert len(report.corpus) == 5


def test_unknown_engine(tiny, tmp_path):
    with pytest.raises(SpeechError, match="unknown engine 'harp'"):
        speak(tiny, tmp_path / "out", engine="harp")
    assert not (tmp_path / "out").exists()
