import re

import pytest

from zero_shot_emotion.corpus import CorpusError
from zero_shot_emotion.corpus.readers import source


@pytest.mark.parametrize(
    ("data", "legacy", "text"),
    [
        ("Zoë’s".encode(), "cp1252", "Zoë’s"),
        ("Zoë’s".encode("utf-8-sig"), "cp1252", "Zoë’s"),
        ("Zoë’s".encode("cp1252"), "cp1252", "Zoë’s"),
        ("Zoë".encode("utf-16"), "cp1252", "Zoë"),
        ("打远一看".encode("gb2312"), "gb18030", "打远一看"),
        (b"Zo\xeb \x81", "cp1252", "Zoë \x81"),  # 0x81 is no character in cp1252
    ],
)
def test_decode(tree, data, legacy, text):
    assert source.decode(tree({"a.txt": data}) / "a.txt", legacy) == text


def test_rows_are_stripped_and_know_their_line(tree):
    root = tree({"a.tsv": 'name \tage\n\n  EB0\t"2\n7"\n'})
    assert list(source.rows(root / "a.tsv", ("name",), "\t")) == [(f"{root}/a.tsv:4", {"name": "EB0", "age": "2\n7"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n", ":1: header: got a, b, expected also c"),
        ("", ":1: header: got , expected also c"),
        ("c,d\n1,2\n3\n", ":3: got 1 cells, expected 2 as in the header"),
    ],
)
def test_rows_refuse(tree, content, message):
    with pytest.raises(CorpusError, match=re.escape(message)):
        list(source.rows(tree({"a.csv": content}) / "a.csv", ("c",)))


def test_existing_names_all_candidates(tmp_path):
    with pytest.raises(CorpusError, match=r"/a or .*/b: no such file or folder"):
        source.existing(tmp_path / "a", tmp_path / "b")


def test_files_leaves_out_what_macos_leaves_behind(tree):
    root = tree({"._a.wav": "", "b.wav": "", "a.wav": "", "c.txt": ""})
    assert [path.name for path in source.files(root)] == ["a.wav", "b.wav"]
    with pytest.raises(CorpusError, match=r"\*\.flac: no such files"):
        source.files(root, "*.flac")


@pytest.mark.parametrize(("value", "result"), [("2.5", 2.5), ("NaN", None), ("", None)])
def test_number(value, result):
    assert source.number(value, "a.csv:2", "EmoVal") == result


@pytest.mark.parametrize(("function", "expected"), [(source.number, "a number"), (source.integer, "a whole number")])
def test_number_refuses(function, expected):
    with pytest.raises(CorpusError, match=f"a.csv:2: age: got 'young', expected {expected}$"):
        function("young", "a.csv:2", "age")


def test_build_refuses_an_empty_corpus(tmp_path):
    with pytest.raises(CorpusError, match=r"no utterance found, all dropped \(no wav: 3\)$"):
        source.build("nemo", tmp_path, [], {"no wav": 3, "song": 0})
