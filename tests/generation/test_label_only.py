from collections import Counter

import pytest

from generation.errors import GenerationError
from generation.generate import generate
from generation.label_only import SYNONYMS
from zero_shot_emotion.corpus import FOUR, Corpus, label_set


def make(folder, **options):
    generate(folder, prompt="label-only", **{"labels": FOUR, **options})
    return Corpus.load(folder)


def test_every_line_names_its_emotion_and_no_other(tmp_path):
    corpus = make(tmp_path / "a", utterances=240)
    assert Counter(u.label for u in corpus) == dict.fromkeys(FOUR.classes, 60)
    for utterance in corpus:
        named = {label for label, words in SYNONYMS.items() for word in words if word in utterance.text.split(".")[0]}
        assert utterance.label in named
    assert len({u.text for u in corpus}) == 240


def test_all_there_are(tmp_path):
    assert len(make(tmp_path / "a", labels=label_set("eight"))) == 8 * 300


def test_the_seed_fixes_it(tmp_path):
    first, again, other = (make(tmp_path / n, utterances=40, seed=s) for n, s in (("a", 1), ("b", 1), ("c", 2)))
    assert [u.text for u in first] == [u.text for u in again] != [u.text for u in other]


def test_a_held_out_part_has_dialogues_of_its_own(tmp_path):
    corpus = make(tmp_path / "a", utterances=80, test_ratio=0.2)
    parts = {split: {u.dialogue for u in corpus if u.split == split} for split in ("train", "test")}
    assert parts["test"]
    assert parts["train"].isdisjoint(parts["test"])


def test_more_than_there_are_is_refused(tmp_path):
    with pytest.raises(GenerationError, match="-n: got 2000, expected 4 to 1200 label-only utterances"):
        make(tmp_path / "a", utterances=2000)
