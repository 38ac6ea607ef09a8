from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from zero_shot_emotion.corpus import FOUR, Corpus, CorpusError, Utterance
from zero_shot_emotion.corpus.splits import split_dev

SEEDS = range(4)
RATIOS = [0.1, 0.2, 0.4]


def corpus(utterances):
    return Corpus("x", Path(), tuple(Utterance(id=f"u{i}", **u) for i, u in enumerate(utterances)))


def dialogues(seed, count=150, speakers=12, classes=(0.5, 0.3, 0.15, 0.05), meet=False):
    """Dialogues of a few to many utterances, each with a mood of its own; speakers meet in pairs, or at random."""
    rng = np.random.default_rng(seed)
    for dialogue in range(count):
        pair = rng.choice(speakers, 2, replace=False) if meet else 2 * rng.integers(speakers // 2) + np.arange(2)
        mood = rng.dirichlet(4 * np.array(classes))
        for turn in range(rng.integers(2, 25)):
            yield {
                "label": str(rng.choice(FOUR.classes, p=mood)),
                "speaker": f"s{pair[turn % 2]}",
                "dialogue": f"d{dialogue}",
                "text": f"text {rng.integers(50)}",
                "turn": turn,
            }


def without(utterances, *columns):
    return [{k: v for k, v in u.items() if k not in columns} for u in utterances]


def shared(column, train, dev):
    return {getattr(u, column) for u in train} & {getattr(u, column) for u in dev}


def misses(train, dev, ratio):
    """By how much dev's share of each class misses the ratio."""
    in_dev, in_all = Counter(u.label for u in dev), Counter(u.label for u in (*train, *dev))
    return [abs(in_dev[label] / in_all[label] - ratio) for label in in_all]


CASES = {
    "speakers who meet in pairs": (lambda s: dialogues(s), "speaker and dialogue", ("speaker", "dialogue")),
    "speakers who all meet": (lambda s: dialogues(s, meet=True), "dialogue", ("dialogue",)),
    "too few speakers": (lambda s: dialogues(s, speakers=4), "dialogue", ("dialogue",)),
    "unknown speakers": (lambda s: without(dialogues(s), "speaker"), "dialogue", ("dialogue",)),
    "monologues": (lambda s: without(dialogues(s), "dialogue"), "speaker and dialogue", ("speaker",)),
    "few monologues": (lambda s: without(dialogues(s, speakers=4), "dialogue"), "speaker", ("speaker",)),
    "texts alone": (lambda s: without(dialogues(s), "dialogue", "speaker"), "text", ("text",)),
    "one speaker": (
        lambda s: [{**u, "speaker": "s"} for u in without(dialogues(s), "dialogue")],
        "text",
        ("text",),
    ),
}


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_and_what_belongs_together_stays_together(case, seed, ratio):
    make, expected, columns = CASES[case]
    whole = corpus(make(seed))

    train, dev, by = split_dev(whole, ratio, seed)

    assert by == expected
    assert len(train) > 0
    assert len(dev) > 0
    position = {u: i for i, u in enumerate(u.id for u in whole)}
    for part in (train, dev):
        assert [position[u.id] for u in part] == sorted(position[u.id] for u in part)
    assert sorted([*train, *dev], key=lambda u: position[u.id]) == list(whole)
    for column in columns:
        assert shared(column, train, dev) == set()


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("meet", [True, False])
def test_dev_has_about_its_share_of_every_class(meet, seed, ratio):
    train, dev, _ = split_dev(corpus(dialogues(seed, speakers=40, meet=meet)), ratio, seed)

    assert len(dev) / (len(train) + len(dev)) == pytest.approx(ratio, abs=0.02 if meet else 0.04)
    assert max(misses(train, dev, ratio)) < (0.04 if meet else 0.08)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rare_class_reaches_dev_but_never_leaves_train(seed):
    rare = [{"label": "sad", "dialogue": f"d{i}"} for i in range(10)]
    common = [{"label": FOUR.classes[i % 3], "dialogue": f"d{i // 10}"} for i in range(2000)]
    only = [{"label": "fea", "dialogue": "d150"}]

    _, dev, _ = split_dev(corpus([*rare, *common, *only]), 0.2, seed)

    assert dev.counts()["sad"] == 2
    assert "fea" not in dev.counts()
    assert len(dev) == pytest.approx(400, abs=15)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_huge_group_stays_in_train(seed):
    huge = [{"label": FOUR.classes[i % 4], "dialogue": "huge"} for i in range(1000)]
    small = [{"label": FOUR.classes[i % 4], "dialogue": f"d{i // 8}"} for i in range(400)]

    _, dev, _ = split_dev(corpus([*huge, *small]), 0.1, seed)

    assert "huge" not in {u.dialogue for u in dev}
    assert len(dev) == pytest.approx(140, abs=10)


@pytest.mark.parametrize("seed", SEEDS)
def test_speakers_who_almost_all_meet_are_split_by_dialogue(seed):
    """Voices drawn at random leave one large group and a few small ones, too few for a dev set."""
    crowd = list(dialogues(seed, count=100, meet=True))
    loners = [{"label": "neu", "speaker": f"loner{i}", "dialogue": f"loner{i}"} for i in range(8)]

    train, dev, by = split_dev(corpus([*crowd, *loners]), 0.2, seed)

    assert by == "dialogue"
    assert len(dev) / (len(train) + len(dev)) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("seed", SEEDS)
def test_groups_larger_than_dev_should_be(seed):
    sessions = [{"label": FOUR.classes[i % 4], "dialogue": f"d{i % 3}"} for i in range(300)]

    _, dev, _ = split_dev(corpus(sessions), 0.1, seed)

    assert len(dev) == 100


def iemocap(sessions=5):
    """Two speakers a session, who meet in each of its dialogues and in no other."""
    rng = np.random.default_rng(0)
    for session in range(1, sessions + 1):
        for dialogue in range(30):
            for turn in range(rng.integers(10, 40)):
                yield {
                    "label": str(rng.choice(FOUR.classes, p=[0.31, 0.3, 0.2, 0.19])),
                    "speaker": f"Ses{session:02d}{'FM'[turn % 2]}",
                    "dialogue": f"Ses{session:02d}_{dialogue}",
                }


@pytest.mark.parametrize("seed", SEEDS)
def test_of_iemocap_dev_is_a_session(seed):
    train, dev, by = split_dev(corpus(iemocap()), 0.2, seed)

    assert by == "speaker and dialogue"
    assert len({u.speaker[:5] for u in dev}) == 1
    assert len({u.speaker for u in train}) == 8


def test_of_four_sessions_dev_is_some_dialogues():
    train, dev, by = split_dev(corpus(iemocap(sessions=4)), 0.2, 0)

    assert by == "dialogue"
    assert shared("dialogue", train, dev) == set()
    assert len(shared("speaker", train, dev)) == 8


def parallel(blocks):
    """Sentences in two languages, each said by the voices of its block; a sentence is a dialogue."""
    for block in range(blocks):
        for sentence in range(8):
            for language, voice in (("de", sentence % 2), ("fr", sentence // 2 % 2)):
                name = f"{block}-{sentence}"
                speaker = f"{block}-{language}-{voice}"
                more = {"speaker": speaker, "dialogue": name, "parallel": name, "language": language}
                yield {"label": FOUR.classes[sentence // 2], **more}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("blocks", [2, 3, 4, 5])
def test_of_a_parallel_corpus_dev_is_a_block(blocks, seed):
    train, dev, by = split_dev(corpus(parallel(blocks)), 0.2, seed)

    assert by == "speaker and dialogue"
    assert len(dev) == 16
    assert set(dev.counts()) == set(FOUR.classes)
    assert shared("speaker", train, dev) == set()


def test_without_the_column_few_blocks_are_split_by_dialogue():
    assert split_dev(corpus(without(parallel(4), "parallel")), 0.2, 0)[2] == "dialogue"
    assert split_dev(corpus(parallel(1)), 0.2, 0)[2] == "dialogue"


def test_the_seed_alone_fixes_the_split():
    whole = corpus(dialogues(0, speakers=40))
    first = split_dev(whole, 0.2, 1)
    np.random.seed(3)

    assert split_dev(whole, 0.2, 1) == first
    assert len({tuple(u.id for u in split_dev(whole, 0.2, seed)[1]) for seed in SEEDS}) > 1


@pytest.mark.parametrize("ratio", [0, 1, -0.1, 20])
def test_a_ratio_that_is_no_share_is_refused(ratio):
    with pytest.raises(CorpusError, match=f"valid_ratio: got {ratio}, expected a share between 0 and 1"):
        split_dev(corpus(dialogues(0)), ratio, 0)


@pytest.mark.parametrize(
    ("utterances", "found"),
    [
        ([], "0 utterances in 0 groups (by text)"),
        ([{"label": "neu"}], "1 utterances in 1 groups (by text)"),
        ([{"label": "neu", "dialogue": "d", "speaker": s} for s in "abc"], "3 utterances in 1 groups (by text)"),
        ([{"label": "neu", "text": "hi"}] * 3, "3 utterances in 1 groups (by text)"),
    ],
)
def test_one_group_cannot_be_split(utterances, found):
    with pytest.raises(CorpusError) as error:
        split_dev(corpus(utterances), 0.2, 0)

    assert str(error.value) == (f"corpus 'x': cannot split {found} into train and dev: expected at least two groups")
