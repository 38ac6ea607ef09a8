from collections import Counter
from itertools import pairwise

import pytest

from zero_shot_emotion.benchmark.subsets import folds, share, shuffled, stratified_share, with_prior
from zero_shot_emotion.corpus import Corpus, CorpusError, Utterance


def corpus(dialogues=10, turns=8, **columns):
    labels = ["neu", "hap", "ang", "sad"]
    return Corpus(
        "c",
        None,
        tuple(
            Utterance(
                id=f"{d}-{t}",
                label=labels[(d + t) % 4],
                **{key: value.format(d=d, t=t % 2) for key, value in columns.items()},
            )
            for d in range(dialogues)
            for t in range(turns)
        ),
    )


WITH_BOTH = {"speaker": "s{d}{t}", "dialogue": "d{d}"}


def ids(of):
    return {u.id for u in of}


def test_shuffling_keeps_the_counts_and_all_else():
    whole = corpus(**WITH_BOTH)
    mixed = shuffled(whole, 0)
    assert mixed.counts() == whole.counts()
    assert [u.id for u in mixed] == [u.id for u in whole]
    assert 10 < sum(a.label == b.label for a, b in zip(mixed, whole, strict=True)) < 35  # a quarter by chance
    assert shuffled(whole, 0) == mixed
    assert shuffled(whole, 1) != mixed


@pytest.mark.parametrize("columns", [WITH_BOTH, {"speaker": "s{d}"}, {}])
def test_a_share_lies_in_a_larger_one_and_keeps_groups_whole(columns):
    whole = corpus(**columns)
    parts = [share(whole, part, seed=3) for part in (0.1, 0.25, 0.5, 1.0)]
    for small, large in pairwise(parts):
        assert ids(small) < ids(large)
    assert ids(parts[-1]) == ids(whole)
    assert [abs(len(part) - wanted) <= 8 for part, wanted in zip(parts, (8, 20, 40, 80), strict=True)] == [True] * 4
    column = "dialogue" if "dialogue" in columns else "speaker"
    if columns:
        inside = {getattr(u, column) for u in parts[1]}
        assert not inside & {getattr(u, column) for u in whole if u.id not in ids(parts[1])}


def test_another_seed_takes_another_share():
    whole = corpus(**WITH_BOTH)
    assert ids(share(whole, 0.5, 0)) != ids(share(whole, 0.5, 1))


def test_a_prior_is_met_with_as_many_utterances_as_there_can_be():
    found = with_prior(corpus(**WITH_BOTH), {"neu": 0.5, "hap": 0.25, "ang": 0.15, "sad": 0.1}, 0)
    assert found.counts() == {"neu": 20, "hap": 10, "ang": 6, "sad": 4}


def test_a_class_that_is_not_there_cannot_meet_a_prior():
    with pytest.raises(CorpusError, match="corpus 'c': holds no fea, expected every class of the prior"):
        with_prior(corpus(**WITH_BOTH), {"neu": 0.5, "fea": 0.5}, 0)


@pytest.mark.parametrize(
    ("columns", "by", "apart"),
    [
        (WITH_BOTH, "speaker and dialogue", ("speaker", "dialogue")),
        ({"speaker": "s{t}", "dialogue": "d{d}"}, "speaker", ("speaker",)),  # two people who meet in every dialogue
        ({"speaker": "s{d}"}, "speaker and dialogue", ("speaker",)),
        ({"dialogue": "d{d}"}, "dialogue", ("dialogue",)),
        ({}, "utterance", ("id",)),
    ],
)
def test_folds_test_everything_once_and_share_no_group(columns, by, apart):
    whole = corpus(**columns)
    made, found = folds(whole, 5, seed=0)
    assert found == by
    assert Counter(u.id for _, test in made for u in test) == Counter(ids(whole))
    for train, test in made:
        assert ids(train) | ids(test) == ids(whole)
        for column in apart:
            assert not {getattr(u, column) for u in train} & {getattr(u, column) for u in test}
    assert folds(whole, 5, seed=0)[0] == made


def test_one_speaker_cannot_be_cross_validated():
    with pytest.raises(
        CorpusError, match=r"corpus 'c': cannot be cross-validated, all of it is one group \(by speaker\)"
    ):
        folds(corpus(speaker="one"), 5, 0)


SHARES = (0.01, 0.1, 0.3, 1.0)


@pytest.mark.parametrize("columns", [WITH_BOTH, {"speaker": "s{d}"}, {}])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_stratified_share_holds_every_class_and_lies_in_a_larger_one(columns, seed):
    whole = corpus(**columns)
    parts = [stratified_share(whole, part, seed) for part in SHARES]
    for small, large in pairwise(parts):
        assert ids(small) < ids(large)
    assert [set(part.counts().values()) for part in parts] == [{1}, {2}, {6}, {20}]
    assert [u.id for u in parts[-1]] == [u.id for u in whole]


def test_a_rare_class_is_never_lost():
    rare = Utterance(id="rare", label="fea", dialogue="d0", speaker="s")
    whole = corpus(**WITH_BOTH)
    whole = Corpus("c", None, (*whole.utterances, rare))
    assert all("rare" in ids(stratified_share(whole, part, 0)) for part in SHARES)


@pytest.mark.parametrize(("columns", "column"), [(WITH_BOTH, "dialogue"), ({"speaker": "s{d}"}, "speaker")])
def test_a_stratified_share_comes_from_few_groups(columns, column):
    """In each class all groups but one are taken whole, or not at all."""
    whole = corpus(**columns)
    part = stratified_share(whole, 0.35, 5)
    for label in whole.counts():
        of, inside = ([getattr(u, column) for u in c if u.label == label] for c in (whole, part))
        assert sum(0 < inside.count(group) < of.count(group) for group in set(of)) <= 1
    assert len({getattr(u, column) for u in part}) <= 5


def test_seeds_vary_the_stratified_share():
    whole = corpus(**WITH_BOTH)
    assert len({frozenset(ids(stratified_share(whole, 0.1, seed))) for seed in range(5)}) > 3
    assert stratified_share(whole, 0.1, 0) == stratified_share(whole, 0.1, 0)
