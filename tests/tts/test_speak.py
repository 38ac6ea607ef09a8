import json
import re
import sys

import numpy as np
import pytest

from tts import Quality, SpeechError, load_engine, speak
from zero_shot_emotion.audio import Audio
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
    assert set(card["versions"]) == {"zero_shot_emotion", "espeak-ng", "numpy", "num2words"}


def test_the_card_keeps_what_stays_true_of_the_corpus(tiny, tmp_path):
    known = {"labels": ["neu", "hap", "ang", "sad"], "datasheet": "iemocap", "language": "en"}
    card = speak(
        Corpus(tiny.name, tiny.root, tiny.utterances, {**known, "drops": {"duplicate": 1}}), tmp_path / "o"
    ).card
    assert {key: card.get(key) for key in (*known, "drops")} == {**known, "drops": None}


def test_the_bytes_do_not_depend_on_the_workers(tiny, tmp_path):
    speak(tiny, tmp_path / "one", workers=1)
    speak(tiny, tmp_path / "two", workers=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_run_that_was_cut_goes_on_to_the_same_bytes(tiny, tmp_path, monkeypatch):
    speak(tiny, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(stage, "write_entries", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
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


@pytest.mark.parametrize("text", ["…", "?!", "$ — %"])
def test_marks_alone_are_no_words(tiny, tmp_path, text):
    with pytest.raises(StageError, match=re.escape(f"nothing to speak in the text {text!r}")):
        speak(Corpus("marks", tiny.root, (tiny.utterances[0].with_(text=text),)), tmp_path / "out")


def test_unknown_engine(tiny, tmp_path):
    with pytest.raises(SpeechError, match=r"^engine: got 'harp', expected one of coqui, espeak-ng"):
        speak(tiny, tmp_path / "out", engine="harp")
    assert not (tmp_path / "out").exists()


class Fickle:
    """espeak-ng, but the voices that are told cannot say the texts that are told: {voice: part of the text}."""

    version = "1"

    def __init__(self, fails, how):
        self.inner, self.fails, self.how = load_engine("espeak-ng"), fails, how

    def voices(self):
        return self.inner.voices()

    def speak(self, text, voice_id):
        audio = self.inner.speak(text, voice_id)
        return self.how(audio) if voice_id in self.fails and self.fails[voice_id] in text else audio


def silent(audio):
    return Audio(np.zeros_like(audio.wave), audio.rate)


def refused(audio):
    raise SpeechError("fickle: refused")


@pytest.mark.parametrize("how", [silent, refused])
def test_what_fails_is_spoken_by_another_voice(tiny, tmp_path, monkeypatch, how):
    voices = {u.id: u.extra["voice"] for u in speak(tiny, tmp_path / "plain").corpus}
    fickle = Fickle({voices["shop-0"]: "Monday"}, how)
    monkeypatch.setattr(sys.modules["tts.speak"], "load_engine", lambda name, settings="{}": fickle)
    report = speak(tiny, tmp_path / "out")
    made = {u.id: u for u in report.corpus}
    assert made["shop-0"].extra["takes"] == 2
    assert made["shop-0"].extra["voice"] not in voices.values()
    assert {i: u.extra["voice"] for i, u in made.items() if i != "shop-0"} == {
        i: voice for i, voice in voices.items() if i != "shop-0"
    }
    genders = {voice.id: voice.gender for voice in fickle.voices()}
    assert genders[made["shop-0"].extra["voice"]] == "female"
    assert report.card["gate"] == {"respoken": 1, "failed": 0, "out_of_pace": 0}
    assert "respoken  1 by another voice" in report.summary()


def test_what_no_voice_can_say_is_a_failure(tiny, tmp_path, monkeypatch):
    class Never(dict):
        def __contains__(self, voice):
            return True

        def __getitem__(self, voice):
            return "Monday"

    fickle = Fickle(Never(), silent)
    monkeypatch.setattr(sys.modules["tts.speak"], "load_engine", lambda name, settings="{}": fickle)
    report = speak(tiny, tmp_path / "out", skip_errors=True, quality=Quality(takes=1))
    (failure,) = report.failures.values()
    assert list(report.failures) == ["shop-0"]
    assert failure.startswith(
        "SpeechError: espeak-ng: no voice passes for 'You told me that it would be ready by Monday.'"
    )
    assert failure.count(" is silent") == 2
    assert report.card["gate"] == {"respoken": 0, "failed": 1, "out_of_pace": 0}


def test_the_card_tells_how_voices_lie_over_labels(tiny, tmp_path):
    report = speak(tiny, tmp_path / "out")
    told = report.card["voice_and_label"]
    assert set(told) == {"cramers_v", "by_chance", "p", "balance"}
    assert set(told["balance"]) == {"ang", "hap", "neu", "sad"}
    assert "Cramér's V with the label" in report.summary()


def test_what_is_spoken_is_in_the_line_where_it_differs(tiny, tmp_path):
    changed = tuple(u.with_(text="Dr. Lee pays $3!") if u.id == "news-0" else u for u in tiny)
    lines = {u.id: u for u in speak(Corpus("x", tiny.root, changed), tmp_path / "out").corpus}
    assert lines["news-0"].text == "Dr. Lee pays $3!"
    assert lines["news-0"].extra["spoken"] == "Doctor Lee pays three dollars."
    assert "spoken" not in lines["news-2"].extra
    assert 0.5 < lines["news-2"].extra["seconds"] < 3


def test_a_finished_run_is_not_done_again(tiny, tmp_path):
    first = speak(tiny, tmp_path / "out")
    before = files(tmp_path / "out")
    again = speak(tiny, tmp_path / "out")
    assert (again.resumed, again.card) == (6, first.card)
    assert files(tmp_path / "out") == before


def test_engine_without_settings(tiny, tmp_path):
    with pytest.raises(SpeechError, match="engine espeak-ng: got the setting 'speed', expected none"):
        speak(tiny, tmp_path / "out", settings={"speed": 2})


def test_settings_and_bounds_of_the_command_line(tiny, tmp_path, capfd, monkeypatch):
    from zero_shot_emotion.cli import main

    def command(*options):
        monkeypatch.setattr(sys, "argv", ["zero-shot-emotion", "speak", str(tiny.root), "-j", "1", *options])
        main()

    with pytest.raises(SystemExit):
        command("-o", str(tmp_path / "out"), "-q", "takes=1", "-q", "pace=[1.0, 14]")
    card = json.loads((tmp_path / "out" / "corpus.json").read_text())
    assert card["quality"] | {"takes": 1, "pace": [1.0, 14.0]} == card["quality"]
    for options, message in {
        ("-s", "rate=3"): "error: engine espeak-ng: got the setting 'rate', expected none",
        ("-s", "rate"): "error: got 'rate', expected KEY=VALUE",
        ("-s", "rate=[1, 2"): (
            "error: got 'rate=[1, 2', expected KEY=VALUE with a value in YAML: while parsing a flow sequence, "
            "expected ',' or ']', but got '<stream end>' (line 1, column 6)"
        ),
        ("-q", "takes=many"): "error: quality: takes: got 'many'",
        ("--engine", "piper"): "error: engine piper: models: missing (settings: models, voices)",
    }.items():
        with pytest.raises(SystemExit, match="1"):
            command("-o", str(tmp_path / "other"), *options)
        assert message in capfd.readouterr().err


def test_speech_that_is_replaced_is_told_and_leaves_nothing_in_the_lines(tiny, tmp_path):
    once = speak(tiny, tmp_path / "once")
    assert "  replaced  " not in once.summary()
    told = {"injection": {"method": "rules"}, "augmentation": {"channel": "room"}, "spoken": "?", "takes": 2}
    heard = Corpus("heard", once.out, tuple(u.with_(**told) for u in once.corpus))

    again = speak(heard, tmp_path / "again")

    assert f"  replaced  the sound of {len(tiny)} utterances: they are spoken anew" in again.summary()
    assert [u.to_line() for u in again.corpus] == [u.to_line() for u in once.corpus]
