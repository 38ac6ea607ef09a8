from importlib import import_module
from pathlib import Path

import pytest

from zero_shot_emotion.corpus import EMOTIONS, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.readers import READERS, open_corpus

TABLE = "path,label,split\na.wav,sad,train\nb.wav,joy,dev\nc.wav,fear,test\nd.wav,calm,\n"


@pytest.mark.parametrize(("name", "module"), READERS.items())
def test_every_reader_is_there(name, module, tmp_path):
    reader = import_module(f"zero_shot_emotion.corpus.readers.{module}")
    assert set(reader.LABELS.values()) <= set(EMOTIONS)
    with pytest.raises(CorpusError, match=str(tmp_path)):
        reader.read(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match=f"corpus '{name}:{tmp_path}/nowhere': {tmp_path}/nowhere: no such file"):
        open_corpus(f"{name}:{tmp_path}/nowhere")


@pytest.mark.parametrize(
    ("splits", "ids"),
    [("", "abcd"), ("#", "abcd"), ("#train", "a"), ("#train,test", "ac"), ("#dev,", "b")],
)
def test_splits(tree, splits, ids):
    corpus = open_corpus(f"csv:{tree({'mine.csv': TABLE})}/mine.csv{splits}")
    assert "".join(u.id for u in corpus) == ids
    assert corpus.card["reader"] == "csv"


def test_own_corpus(tmp_path):
    Corpus("mine", tmp_path, (Utterance(id="a", label="sad", split="x"), Utterance(id="b", split="y"))).save(tmp_path)
    assert [u.id for u in open_corpus(tmp_path)] == ["a", "b"]
    assert [u.id for u in open_corpus(f"{tmp_path}#y")] == ["b"]


def test_folder_without_metadata_is_an_audiofolder(tree):
    root = tree({"sad/1.wav": ""})
    assert [u.label for u in open_corpus(root)] == [u.label for u in open_corpus(f"audiofolder:{root}")] == ["sad"]


def test_colon_in_a_path(tree):
    root = tree({"a:b/sad/1.wav": ""})
    assert len(open_corpus(root / "a:b")) == 1


def test_unknown_reader(tmp_path):
    with pytest.raises(
        CorpusError, match="corpus 'iemocab:x': unknown reader 'iemocab', expected one of iemocap, msp-"
    ):
        open_corpus("iemocab:x")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(TABLE, "one of dev, test, train"), ("path,label\na.wav,sad\n", "no split: this corpus has none")],
)
def test_unknown_split(tree, content, expected):
    spec = f"csv:{tree({'mine.csv': content})}/mine.csv#valid"
    with pytest.raises(CorpusError, match=f"corpus '{spec}': split: got 'valid', expected {expected}"):
        open_corpus(spec)


LANGUAGES = "path,label,split,language\na.wav,sad,train,de\nb.wav,joy,dev,fr\nc.wav,fear,dev,fr-CA\nd.wav,calm,dev,\n"


@pytest.mark.parametrize(
    ("part", "ids"),
    [
        ("@de", "a"),
        ("@FR", "bc"),
        ("@fr-ca", "c"),
        ("@de,fr", "abc"),
        ("@-fr", "a"),
        ("@-fr-CA", "ab"),
        ("@-de,-fr-ca", "b"),
        ("dev@-fr-CA", "b"),
    ],
)
def test_languages(tree, part, ids):
    corpus = open_corpus(f"csv:{tree({'mine.csv': LANGUAGES})}/mine.csv#{part}")
    assert "".join(u.id for u in corpus) == ids


@pytest.mark.parametrize(
    ("content", "part", "message"),
    [
        (LANGUAGES, "@it", "got 'it', expected one of de, fr, fr-CA"),
        (LANGUAGES, "@-it", "got 'it', expected one of de, fr, fr-CA"),
        (LANGUAGES, "@f", "got 'f', expected one of de, fr, fr-CA"),
        (LANGUAGES, "@", "got '', expected tags such as @de,fr, or @-de,-fr for all but these"),
        (LANGUAGES, "@de,-fr", "got 'de,-fr', expected tags such as"),
        (LANGUAGES, "@-de,-fr", "nothing is left without de, fr, fr-CA"),
        (LANGUAGES, "train@-de", "nothing is left without de"),
        (TABLE, "@de", "got 'de', expected none: this corpus names no languages"),
    ],
)
def test_unknown_language(tree, content, part, message):
    spec = f"csv:{tree({'mine.csv': content})}/mine.csv#{part}"
    with pytest.raises(CorpusError, match=f"corpus '{spec}': language: {message}"):
        open_corpus(spec)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("path", ["", "nowhere", "file.txt", "empty", "other"])
def test_a_wrong_path_is_told_with_what_the_reader_takes(tree, monkeypatch, reader, path):
    monkeypatch.chdir(tree({"file.txt": "hello\n", "other/notes/readme.txt": "hello\n"}))
    Path("empty").mkdir()

    with pytest.raises(CorpusError) as error:
        open_corpus(f"{reader}:{path}")

    takes = import_module(f"zero_shot_emotion.corpus.readers.{READERS[reader]}").ROOT
    own = {
        ("csv", "file.txt"): "file.txt:1: header: got hello, expected also label",
        ("audiofolder", "file.txt"): "file.txt: expected a folder; a table is read as csv:file.txt",
        ("audiofolder", "empty"): "empty: got the folders none, expected metadata.csv, folders named as emotions, or ",
        ("audiofolder", "other"): "other: got the folders none, expected metadata.csv, folders named as emotions, or ",
    }
    if (reader, path) in own:
        assert str(error.value).startswith(own[reader, path])
    else:
        assert str(error.value).startswith((path, f"corpus '{reader}:{path}': "))
        assert str(error.value).endswith(f"; {reader}:PATH takes {takes}")


def test_a_path_without_anything_is_told():
    with pytest.raises(CorpusError, match="corpus '#train': names no path"):
        open_corpus("#train")


def test_a_folder_of_corpora_is_told_from_one(tmp_path):
    for name in ("text", "spoken"):
        Corpus(name, tmp_path / name, (Utterance(id="a", label="sad"),)).save(tmp_path / name)

    with pytest.raises(CorpusError, match=r"a folder of corpora; expected one of .*/spoken, .*/text$"):
        open_corpus(tmp_path)
