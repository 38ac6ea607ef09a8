import random
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from generation.near_duplicates import NearDuplicates, jaccard, normalise, shingles
from generation.shipped import shipped_dialogues

WORDS = ("i", "you", "we", "can", "not", "believe", "did", "that", "this", "today", "never", "mother", "money", "phone")


def similarity(one: str, other: str) -> float:
    return jaccard(shingles(normalise(one)), shingles(normalise(other)))


def variants(lines: Sequence[str], seed: int) -> list[str]:
    """Each line followed, somewhere later, by itself with one word left out, doubled or exchanged."""
    rng = random.Random(seed)
    changed = []
    for line in lines:
        words = line.split()
        place = rng.randrange(len(words))
        words[place : place + 1] = rng.choice([[], [words[place]] * 2, [rng.choice(WORDS)]])
        changed.append(" ".join(words) or line)
    rng.shuffle(changed)
    return [*lines, *changed]


def random_lines(seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(3, 30))) for _ in range(300)]


def shipped_lines(_: int) -> list[str]:
    return [turn["text"] for dialogue in shipped_dialogues("iemocap") for turn in dialogue.response["turns"]][:400]


def chinese_lines(seed: int) -> list[str]:
    rng = random.Random(seed)
    signs = [chr(code) for code in range(0x4E00, 0x4E00 + 400)]
    return ["".join(rng.choices(signs, k=rng.randint(4, 25))) for _ in range(300)]


def chinese_variants(lines: Sequence[str], seed: int) -> list[str]:
    rng = random.Random(seed)
    places = [rng.randrange(len(line)) for line in lines]
    return [*lines, *(line[:p] + "，好" + line[p + 1 :] for line, p in zip(lines, places, strict=True))]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85])
@pytest.mark.parametrize(
    ("lines", "vary"), [(random_lines, variants), (shipped_lines, variants), (chinese_lines, chinese_variants)]
)
def test_finds_what_brute_force_finds(
    lines: Callable[[int], list[str]], vary: Callable[[Sequence[str], int], list[str]], threshold: float
) -> None:
    texts = vary(lines(1), 2)
    sets = [shingles(normalise(text)) for text in texts]
    seen, found, missed = NearDuplicates(threshold), 0, 0
    kept: list = []
    for text, mine in zip(texts, sets, strict=True):
        earlier = seen.add(text)
        if earlier is not None:
            assert similarity(text, earlier) >= threshold
            found += 1
        else:
            missed += any(jaccard(mine, other) >= threshold for other in kept)
            kept.append(mine)

    assert found > 20
    assert found / (found + missed) >= 0.95
    assert len(seen) == len(texts) - found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I can't believe it!", "i CAN’T   believe it"),
        ("Go! Go, go!", "go go go"),
        ("Well—no.", "Well, no"),
        ("Ça suffit !", "Ça suffit!"),
        ("你好，吗？", "你 好吗"),
        ("Straße", "STRASSE"),
        ("...", " ... "),
        ("No.", "No!"),
    ],
)
def test_case_punctuation_and_white_space_do_not_count(one: str, other: str) -> None:
    seen = NearDuplicates(threshold=1)

    assert normalise(one) == normalise(other)
    assert seen.add(one) is None
    assert seen.add(other) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What are you doing here?", "What did he do there?"),
        ("You did that.", "That, you did not."),
        ("No.", "Now."),
        ("?!", "..."),
        ("我不知道你在说什么", "我知道他要去什么地方"),
        ("की", "कि"),
    ],
)
def test_other_texts_are_other_texts(one: str, other: str) -> None:
    seen = NearDuplicates()

    assert seen.add(one) is None
    assert seen.add(other) is None
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Would you stop that, Ray!", "Would you all stop that, Ray?"),
        ("My mother called this morning, and she cried.", "My mother called this morning and, uh, she cried."),
        ("我不知道你在说什么", "我真不知道你在说什么"),
    ],
)
def test_a_changed_word_is_a_near_duplicate(one: str, other: str) -> None:
    seen = NearDuplicates()

    assert normalise(one) != normalise(other)
    assert seen.add(one) is None
    assert seen.add(other) == one


def test_the_earliest_of_several_is_named_and_what_is_dropped_is_not_remembered() -> None:
    seen = NearDuplicates()
    lines = ["Where on earth did you leave my car keys", "Where on earth did you leave my car keys again"]

    assert [seen.add(line) for line in [*lines, lines[1]]] == [None, lines[0], lines[0]]
    assert len(seen) == 1


def test_the_same_texts_give_the_same_answer() -> None:
    texts = variants(random_lines(3), 4)

    assert [one.add(t) for one in [NearDuplicates()] for t in texts] == [
        two.add(t) for two in [NearDuplicates()] for t in texts
    ]


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, np.nan])
def test_a_threshold_out_of_range_is_an_error(threshold: float) -> None:
    message = f"threshold: got {threshold}, expected more than 0 and at most 1"
    with pytest.raises(ValueError, match=re.escape(message)):
        NearDuplicates(threshold)
