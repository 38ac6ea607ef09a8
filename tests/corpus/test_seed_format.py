import json

import pytest

from zero_shot_emotion.corpus import FOUR, Corpus, CorpusError, LabelError, Utterance
from zero_shot_emotion.corpus.seed_format import SETS, meta_data_path, read_meta_data, write_meta_data

LABELS = {"neu": 0, "hap": 1, "ang": 2, "sad": 3}


def write(path, labels=LABELS, meta_data=()):
    path.write_text(json.dumps({"labels": labels, "meta_data": list(meta_data)}))
    return path


@pytest.fixture
def tiny(tmp_path):
    utterances = [
        Utterance(id="a", file_name="audio/a.wav", label="exc", text="Hé!", speaker="s1", dialogue="d1", gender="male"),
        Utterance(id="b", file_name="audio/b.wav", label="fru", text="no"),
        Utterance(id="c", file_name="audio/c.wav", label="neu"),
    ]
    return Corpus("tiny", tmp_path / "tiny", tuple(utterances))


def test_the_seed_work_s_own_file_is_read(tmp_path):
    path = write(
        tmp_path / "train_meta_data.json",
        labels={"sad": 1, "neu": 0},
        meta_data=[
            {"path": "Session1/wav/Ses01F_impro01_F000.wav", "label": "sad", "transcription": "Excuse me."},
            {"path": "/abs/b.wav", "label": "neu"},
        ],
    )

    corpus, classes = read_meta_data(path, "/data/iemocap")

    assert classes == ("neu", "sad")
    assert (corpus.name, len(corpus)) == ("train", 2)
    first, second = corpus
    assert (first.id, first.label, first.text) == ("Session1-wav-Ses01F_impro01_F000", "sad", "Excuse me.")
    assert corpus.audio_path(first).as_posix() == "/data/iemocap/Session1/wav/Ses01F_impro01_F000.wav"
    assert corpus.audio_path(second).as_posix() == "/abs/b.wav"
    assert read_meta_data(path, ".", "mine")[0].name == "mine"


def test_what_is_written_is_what_the_seed_work_expects(tmp_path, tiny):
    write_meta_data(tiny, FOUR, tmp_path / "fold1" / "train_meta_data.json")

    assert json.loads((tmp_path / "fold1" / "train_meta_data.json").read_text(encoding="utf-8")) == {
        "labels": LABELS,
        "meta_data": [
            {"path": "audio/a.wav", "label": "hap", "transcription": "Hé!", "speaker": "s1", "dialogue": "d1"},
            {"path": "audio/c.wav", "label": "neu"},
        ],
    }


def test_round_trip(tmp_path, tiny):
    write_meta_data(tiny, FOUR, tmp_path / "dev_meta_data.json")
    corpus, classes = read_meta_data(tmp_path / "dev_meta_data.json", tiny.root)

    assert classes == FOUR.classes
    assert [corpus.audio_path(u) for u in corpus] == [tiny.root / "audio/a.wav", tiny.root / "audio/c.wav"]
    assert [(u.label, u.text, u.speaker, u.dialogue) for u in corpus] == [
        ("hap", "Hé!", "s1", "d1"),
        ("neu", None, None, None),
    ]
    write_meta_data(corpus, FOUR, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "dev_meta_data.json").read_bytes()


def test_text_cannot_be_written(tmp_path):
    text = Corpus("x", tmp_path, (Utterance(id="a", label="neu", text="hi"),))

    with pytest.raises(CorpusError, match="corpus 'x': the utterance 'a' has no audio, only text"):
        write_meta_data(text, FOUR, tmp_path / "a.json")

    assert list(tmp_path.iterdir()) == []


def test_an_unknown_label_cannot_be_written(tmp_path):
    corpus = Corpus("x", tmp_path, (Utterance(id="a", label="hapy", file_name="a.wav"),))

    with pytest.raises(LabelError, match="corpus 'x', utterance 'a': label 'hapy' is unknown to the label set 'four'"):
        write_meta_data(corpus, FOUR, tmp_path / "a.json")


NUMBERED = "expected classes numbered from 0 without gaps"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON: Expecting property name enclosed in double quotes"),
        ("[]", "expected an object with 'labels' and a list 'meta_data'"),
        ('{"labels": {}}', "expected an object with 'labels' and a list 'meta_data'"),
        ('{"meta_data": []}', "expected an object with 'labels' and a list 'meta_data'"),
        ('{"labels": {}, "meta_data": {}}', "expected an object with 'labels' and a list 'meta_data'"),
        ('{"labels": ["neu"], "meta_data": []}', f"labels: got ['neu'], {NUMBERED}"),
        ('{"labels": {"a": 1, "b": 2}, "meta_data": []}', f"labels: got {{'a': 1, 'b': 2}}, {NUMBERED}"),
        ('{"labels": {"a": 0, "b": 0}, "meta_data": []}', f"labels: got {{'a': 0, 'b': 0}}, {NUMBERED}"),
        ('{"labels": {"a": 0, "b": "1"}, "meta_data": []}', f"labels: got {{'a': 0, 'b': '1'}}, {NUMBERED}"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, message):
    path = tmp_path / "train_meta_data.json"
    path.write_text(content)

    with pytest.raises(CorpusError) as error:
        read_meta_data(path, tmp_path)

    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("a.wav", "got 'a.wav', expected an object with a 'path'"),
        ({"label": "neu"}, "got {'label': 'neu'}, expected an object with a 'path'"),
        ({"path": "a.wav", "label": "exc"}, "label: got 'exc', expected one of neu, hap, ang, sad"),
        ({"path": "a.wav"}, "label: got None, expected one of neu, hap, ang, sad"),
        ({"path": "a.wav", "label": ["neu"]}, "label: got ['neu'], expected one of neu, hap, ang, sad"),
        (
            {"path": "a.wav", "label": "neu", "transcription": 3},
            "text: got 3, expected text",
        ),
        ({"path": "", "label": "neu"}, "file_name: got '', expected text of length at least 1"),
    ],
)
def test_a_bad_entry_is_named_with_its_value_and_what_was_expected(tmp_path, entry, message):
    path = write(tmp_path / "dev_meta_data.json", meta_data=[{"path": "ok.wav", "label": "neu"}, entry])

    with pytest.raises(CorpusError) as error:
        read_meta_data(path, tmp_path)

    assert str(error.value) == f"{path}: meta_data[1]: {message}"


def test_a_file_listed_twice_is_refused(tmp_path):
    path = write(tmp_path / "dev_meta_data.json", meta_data=[{"path": "a.wav", "label": "neu"}] * 2)

    with pytest.raises(CorpusError) as error:
        read_meta_data(path, tmp_path)

    assert str(error.value) == f"{path}: corpus 'dev': the id 'a' occurs twice, expected unique ids"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError) as error:
        read_meta_data(tmp_path / "x.json", tmp_path)

    assert str(error.value) == f"{tmp_path / 'x.json'}: no such file"


@pytest.mark.parametrize("subset", SETS)
@pytest.mark.parametrize("folder", ["fold1", "Session1"])
def test_a_fold_lies_under_either_of_its_names(tmp_path, folder, subset):
    (tmp_path / folder).mkdir()

    assert meta_data_path(tmp_path, "fold1", subset) == tmp_path / folder / f"{subset}_meta_data.json"


@pytest.mark.parametrize(
    ("fold", "expected"), [("fold9", "{0}/fold9 or {0}/Session9"), ("Session9", "{0}/Session9"), ("x", "{0}/x")]
)
def test_a_missing_fold_is_named_with_the_folders_tried(tmp_path, fold, expected):
    with pytest.raises(CorpusError) as error:
        meta_data_path(tmp_path, fold, "train")

    assert str(error.value) == f"test_fold: got {fold!r}, expected a folder {expected.format(tmp_path)}"
