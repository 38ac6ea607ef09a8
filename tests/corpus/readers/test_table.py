import re

import pytest

from zero_shot_emotion.corpus import EMOTIONS, CorpusError
from zero_shot_emotion.corpus.readers import table

FULL = """\
path,label,id,transcription,speaker,gender,language,dialogue,turn,split,snr
audio\\a 1.wav,Anger,,"Go, now!",Anna B,F,en,d1,0,train,12.5
b.flac,hap,second,,,,,,,,
,neutral,third,only text,,,,,,,
"""


def test_read(tree):
    root = tree({"mine.csv": FULL})
    corpus = table.read(root / "mine.csv")
    assert (corpus.name, corpus.root) == ("mine", root)
    assert corpus.card == {"reader": "csv", "language": "en", "drops": {}}
    assert [u.model_dump(exclude_none=True) for u in corpus] == [
        {
            "file_name": "audio/a 1.wav",
            "id": "audio-a_1",
            "text": "Go, now!",
            "label": "ang",
            "speaker": "Anna_B",
            "gender": "female",
            "language": "en",
            "dialogue": "d1",
            "turn": 0,
            "split": "train",
            "snr": "12.5",
        },
        {"file_name": "b.flac", "id": "second", "label": "hap"},
        {"id": "third", "text": "only text", "label": "neu"},
    ]


def test_absolute_paths(tree):
    root = tree({"mine.csv": "label,file_name\n"})
    with (root / "mine.csv").open("a") as file:
        file.write(f"sad,{root}/a.wav\nsad,/elsewhere/b.wav\n")
    corpus = table.read(root / "mine.csv")
    assert [u.file_name for u in corpus] == ["a.wav", "/elsewhere/b.wav"]
    assert str(corpus.audio_path(corpus.utterances[1])) == "/elsewhere/b.wav"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,emotion\na.wav,sad\n", "mine.csv:1: header: got path, emotion, expected also label"),
        ("path,label\na.wav,blue\n", "mine.csv:2: label: got 'blue', expected one of neu, neutral, neutrality, hap"),
        ("path,label,gender\na.wav,sad,x\n", "mine.csv:2: gender: got 'x', expected one of female, f, male, m"),
        ("path,label,turn\na.wav,sad,-1\n", "mine.csv:2: turn: got '-1', expected at least"),
        ("path,label\n,sad\n", "mine.csv:2: file_name: missing, and so is an id"),
        ("path,label\na.wav,sad\na.wav,sad\n", "the id 'a' occurs twice"),
        ("path,label\n", "no utterance found"),
    ],
)
def test_refuses(tree, content, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        table.read(tree({"mine.csv": content}) / "mine.csv")


def test_labels_name_every_emotion():
    assert set(table.WORDS) == set(EMOTIONS)
    assert {code: table.LABELS[adjective] for code, adjective in EMOTIONS.items()} == {code: code for code in EMOTIONS}
    assert len(table.LABELS) == sum(1 + len({*words} - {code}) for code, words in table.WORDS.items())
