import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import audiofolder


def facts(corpus):
    return [(u.id, u.file_name, u.label, u.split) for u in corpus]


def test_folders_named_as_classes(tree):
    root = tree({"Anger/b/1.wav": "", "sad/1.FLAC": "", "sad/._1.wav": "", "docs/a.txt": ""})
    corpus = audiofolder.read(root)
    assert corpus.name == root.name
    assert facts(corpus) == [
        ("Anger-b-1", "Anger/b/1.wav", "ang", None),
        ("sad-1", "sad/1.FLAC", "sad", None),
    ]


def test_folders_named_as_splits(tree):
    root = tree(
        {
            "train/happy/1.wav": "",
            "test/metadata.csv": "file_name,label,transcription\n1.wav,joy,hello\n",
            "test/1.wav": "",
        }
    )
    corpus = audiofolder.read(root)
    assert facts(corpus) == [
        ("test-1", "test/1.wav", "hap", "test"),
        ("train-happy-1", "train/happy/1.wav", "hap", "train"),
    ]
    assert [u.text for u in corpus] == ["hello", None]


def test_metadata_csv_may_lack_labels(tree):
    corpus = audiofolder.read(tree({"metadata.csv": "file_name,text\naudio/1.wav,hello\n"}))
    assert facts(corpus) == [("audio-1", "audio/1.wav", None, None)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.wav"], "got the folders none, expected metadata.csv, folders named as emotions, or only folders named as"),
        (["train/sad/1.wav", "sad/1.wav"], "got the folders sad, train, expected metadata.csv, folders named as"),
        (["blue/1.wav"], "/blue: label: got 'blue', expected one of neu, neutral"),
        (["train/blue/1.wav"], "/train/blue: label: got 'blue', expected one of neu, neutral"),
        (["test/1.wav"], "no utterance found"),
    ],
)
def test_refuses(tree, names, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        audiofolder.read(tree(dict.fromkeys(names, "")))


def test_refuses_a_file(tree):
    with pytest.raises(CorpusError, match=r"expected a folder; a table is read as csv:.*mine\.csv"):
        audiofolder.read(tree({"mine.csv": ""}) / "mine.csv")


def test_refuses_metadata_without_file_names(tree):
    with pytest.raises(CorpusError, match=r"metadata.csv:1: header: got path, label, expected also file_name"):
        audiofolder.read(tree({"metadata.csv": "path,label\n1.wav,sad\n"}))
