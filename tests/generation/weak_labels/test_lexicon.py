import pytest

from generation.weak_labels.errors import WeakLabelError
from generation.weak_labels.labeller import LabellerSpec
from generation.weak_labels.turn import Turn
from zero_shot_emotion.taxonomy import load_taxonomy

LINES = "hate\tanger\t1\nhate\tdisgust\t1\nhate\tjoy\t0\nparty\tjoy\t1\nparty\tpositive\t1\ndeath\tsadness\t1\n"


def label(tmp_path, text, taxonomy="seven", lines=LINES):
    path = tmp_path / "lexicon.txt"
    path.write_text(lines)
    names = load_taxonomy(taxonomy).names
    (row,) = LabellerSpec(kind="lexicon", file=str(path)).load(load_taxonomy(taxonomy)).label([Turn(text=text)])
    return {name: p for name, p in zip(names, row, strict=True) if p}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I HATE that party", {"hap": 1 / 3, "ang": 1 / 3, "dis": 1 / 3}),
        ("death, death and a party", {"sad": 2 / 3, "hap": 1 / 3}),
        ("nothing of it", {"neu": 1.0}),
    ],
)
def test_words_are_counted(tmp_path, text, expected):
    assert label(tmp_path, text) == pytest.approx(expected)


def test_without_neutral_all_classes_are_alike(tmp_path):
    assert set(label(tmp_path, "nothing", "emonet-voice-40").values()) == {1 / 40}


def test_a_category_counts_for_the_class_that_stands_for_its_emotion(tmp_path):
    assert label(tmp_path, "party", "goemotions") == {"joy": 1.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm so happy, I could cry!", {"hap": 0.5, "sad": 0.5}),
        ("That is DISGUSTING.", {"dis": 1.0}),
        ("So?", {"neu": 1}),
    ],
)
def test_one_ships(text, expected):
    taxonomy = load_taxonomy("seven")
    (row,) = LabellerSpec(kind="lexicon").load(taxonomy).label([Turn(text=text)])
    assert {name: p for name, p in zip(taxonomy.names, row, strict=True) if p} == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("hate anger 1\n", r"lexicon\.txt:1: got 'hate anger 1', expected word, category and 0 or 1"),
        ("x\ttrust\t1\n", "none of its categories is a class of the taxonomy, expected some of neu"),
    ],
)
def test_a_file_in_another_format_is_named(tmp_path, lines, expected):
    with pytest.raises(WeakLabelError, match=expected):
        label(tmp_path, "x", lines=lines)
