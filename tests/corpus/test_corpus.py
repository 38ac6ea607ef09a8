import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zero_shot_emotion.audio import RATE, Audio, write_audio
from zero_shot_emotion.corpus import CARD, FOUR, MANIFEST, Corpus, CorpusError, LabelError, Utterance, id_of


def corpus(root=Path(), emotions=("neu", "hap", "exc", "fru", "sad", "fru", None), **card):
    utterances = (
        Utterance(id=f"u{i}", file_name=f"audio/u{i}.wav", text=f"text {i}", label=e, voice={"name": "ä", "speed": 1.5})
        for i, e in enumerate(emotions)
    )
    return Corpus("tiny", root, tuple(utterances), card)


def write_lines(folder, *lines, card=None):
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(b"\n".join(li if isinstance(li, bytes) else li.encode() for li in lines) + b"\n")
    if card is not None:
        (folder / CARD).write_text(card)


def test_round_trip(tmp_path):
    before = corpus(tmp_path, seed=3, labels=["neu", "hap", "exc", "fru", "sad"])

    before.save(tmp_path)
    after = Corpus.load(tmp_path)

    assert after == before
    assert after.utterances[0].extra == {"voice": {"name": "ä", "speed": 1.5}}
    files = {name: (tmp_path / name).read_bytes() for name in (MANIFEST, CARD)}
    after.save(tmp_path)
    assert files == {name: (tmp_path / name).read_bytes() for name in (MANIFEST, CARD)}


def test_the_card_counts_what_the_manifest_holds(tmp_path):
    corpus(seed=3).save(tmp_path)

    assert json.loads((tmp_path / CARD).read_text()) == {
        "name": "tiny",
        "seed": 3,
        "utterances": 7,
        "counts": {"exc": 1, "fru": 2, "hap": 1, "neu": 1, "no label": 1, "sad": 1},
    }


def test_a_changed_copy_is_saved_under_its_own_name_and_counts(tmp_path):
    corpus().save(tmp_path)
    sad = replace(Corpus.load(tmp_path).where(lambda u: u.label == "sad"), name="sad ones")

    sad.save(tmp_path / "sad")

    card = json.loads((tmp_path / "sad" / CARD).read_text())
    assert card == {"name": "sad ones", "utterances": 1, "counts": {"sad": 1}}
    assert Corpus.load(tmp_path / "sad").name == "sad ones"


def test_an_audiofolder_of_another_program_is_a_corpus(tmp_path):
    write_lines(tmp_path / "theirs", '{"file_name": "clips/anna 01.wav", "mood": 3}\r', "", '{"file_name": "b.mp3"}')

    theirs = Corpus.load(tmp_path / "theirs")

    assert theirs.name == "theirs"
    assert [u.id for u in theirs] == ["clips-anna_01", "b"]
    assert theirs.utterances[0].extra == {"mood": 3}
    assert theirs.audio_path(theirs.utterances[0]) == tmp_path / "theirs" / "clips" / "anna 01.wav"


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [("a.wav", "a"), ("x/y/a.b.wav", "x-y-a.b"), ("./a.wav", "a"), ("a", "a"), ("x y/a\tb.wav", "x_y-a_b")],
)
def test_id_of_a_file(file_name, expected):
    assert id_of(file_name) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{'id': 'b'}", "expected a JSON object: Expecting property name enclosed in double quotes"),
        ('{"id": "b"', "expected a JSON object: Expecting ',' delimiter"),
        (b'{"id": "\xff"}', "expected a JSON object: 'utf-8' codec can't decode byte 0xff"),
        ('["b"]', "expected a JSON object, got list"),
        ("7", "expected a JSON object, got int"),
        ('{"id": 7}', "id: got 7, expected text"),
        ('{"text": "hi"}', "id: missing"),
        ('{"file_name": ""}', "file_name: got '', expected text of length at least 1"),
        ('{"id": "b", "turn": "first"}', "turn: got 'first', expected a whole number"),
        ('{"id": "b", "gender": "woman"}', "gender: got 'woman', expected 'female' or 'male'"),
        ('{"id": "b", "label": "hapy"}', "label: got 'hapy', expected one of hap, neu"),
        ('{"id": "a"}', "id: got 'a', expected unique ids, but line 1 has it too"),
    ],
)
def test_a_bad_line_is_named_with_its_value_and_what_was_expected(tmp_path, line, message):
    write_lines(tmp_path, '{"id": "a", "label": "neu"}', "", line, card='{"labels": ["neu", "hap"]}')

    with pytest.raises(CorpusError) as error:
        Corpus.load(tmp_path)

    assert str(error.value).startswith(f"{tmp_path / MANIFEST}:3: {message}")


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("{", "expected JSON: Expecting property name enclosed in double quotes"),
        ("[]", "expected a JSON object, got list"),
    ],
)
def test_a_bad_card_is_named(tmp_path, card, message):
    write_lines(tmp_path, '{"id": "a"}', card=card)

    with pytest.raises(CorpusError) as error:
        Corpus.load(tmp_path)

    assert str(error.value).startswith(f"{tmp_path / CARD}: {message}")


def test_a_folder_without_manifest_is_no_corpus(tmp_path):
    with pytest.raises(CorpusError) as error:
        Corpus.load(tmp_path)

    assert str(error.value) == f"{tmp_path / MANIFEST}: no such file; a corpus folder holds a metadata.jsonl"


def test_ids_are_unique_in_memory_too():
    with pytest.raises(CorpusError, match="corpus 'x': the id 'a' occurs twice, expected unique ids"):
        Corpus("x", Path(), (Utterance(id="a"), Utterance(id="b"), Utterance(id="a")))


def test_text_has_no_audio():
    text = Corpus("x", Path(), (Utterance(id="a", text="hi"),))

    with pytest.raises(CorpusError, match="corpus 'x': the utterance 'a' has no audio, only text"):
        text.audio_path(text.utterances[0])


def test_labels_are_merged_and_drops_are_counted():
    labelled, dropped = corpus(seed=3).with_labels(FOUR)

    assert [(u.id, u.label) for u in labelled] == [("u0", "neu"), ("u1", "hap"), ("u2", "hap"), ("u4", "sad")]
    assert dropped == {"fru": 2, "no label": 1}
    assert labelled.card == {"seed": 3}
    assert labelled.counts() == {"hap": 2, "neu": 1, "sad": 1}


def test_an_unknown_label_names_its_utterance():
    with pytest.raises(LabelError) as error:
        corpus(emotions=("neu", "hapy")).with_labels(FOUR)

    assert str(error.value).startswith("corpus 'tiny', utterance 'u1': label 'hapy' is unknown to the label set 'four'")


def test_hugging_face_datasets_opens_a_corpus_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    if not importlib.util.find_spec("torchcodec"):  # which datasets wants even where nothing is to be decoded
        monkeypatch.setattr(datasets.Audio, "encode_example", lambda self, path: {"bytes": None, "path": path})
    root = tmp_path / "tiny"
    tiny = corpus(root, emotions=("neu", "hap", None))
    for utterance in tiny:
        write_audio(tiny.audio_path(utterance), Audio(np.full(RATE, 0.1), RATE))
    tiny.save(root)

    loaded = datasets.load_dataset("audiofolder", data_dir=str(root), cache_dir=str(tmp_path / "cache"))

    assert list(loaded) == ["train"]
    rows = list(loaded["train"].cast_column("audio", datasets.Audio(decode=False)))
    assert [Path(row.pop("audio")["path"]) for row in rows] == [tiny.audio_path(u) for u in tiny]
    expected = [u.model_dump(include={"id", "text", "label", "voice"}) for u in tiny]
    assert rows == expected
