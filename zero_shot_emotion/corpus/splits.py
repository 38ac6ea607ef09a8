"""Train and dev: by group, so that nothing a group shares can be learnt in one and tested in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .corpus import Corpus, CorpusError
from .utterance import Utterance

GroupT = TypeVar("GroupT", bound=Hashable)

MIN_SPEAKERS = 5
"""With fewer groups of speakers who never meet than this, dev is split by dialogue alone, but in parallel corpora."""
MIN_BLOCKS = 2
"""As `MIN_SPEAKERS`, where sentences are shared by languages: a dialogue alone would leave all voices in train."""
DRAWS = 20
CLOSE = 0.01
"""Draws end early at a dev set that misses the wanted share of the classes by this part of it on average."""


def split_dev(corpus: Corpus, ratio: float, seed: int) -> tuple[Corpus, Corpus, str]:
    """Split a dev set off a labelled corpus.

    Dev shares no dialogue with train, and no speaker where the corpus has at least `MIN_SPEAKERS`
    groups of speakers who never meet in a dialogue (`MIN_BLOCKS` if it has the column ``parallel``), and
    all but the largest suffice for dev. Utterances of the same text, and copies of one utterance, stay
    together when neither speakers nor dialogues are known.

    Groups are drawn in an order fixed by the seed, each taken if it brings dev closer to the wanted share
    of every class; the closest of `DRAWS` draws is dev.

    Args:
        corpus: with labels.
        ratio: share of the utterances that dev should get, in (0, 1).
        seed: fixes the draw.

    Returns:
        train, dev, and what the split was grouped by.

    Raises:
        CorpusError: if the ratio is out of range or there are too few groups for two sets.
    """
    _check(ratio)
    groups, by = grouped(corpus.utterances, ratio)
    if len(set(groups)) < 2:
        raise CorpusError(
            f"corpus {corpus.name!r}: cannot split {len(corpus)} utterances in {len(set(groups))} groups "
            f"(by {by}) into train and dev: expected at least two groups"
        )
    counts: dict[int, Counter[str | None]] = {}
    for utterance, group in zip(corpus, groups, strict=True):
        counts.setdefault(group, Counter())[utterance.label] += 1
    chosen = draw_groups(counts, ratio, seed)
    train = tuple(u for u, group in zip(corpus, groups, strict=True) if group not in chosen)
    dev = tuple(u for u, group in zip(corpus, groups, strict=True) if group in chosen)
    return replace(corpus, utterances=train), replace(corpus, utterances=dev), by


def grouped(utterances: Sequence[Utterance], ratio: float) -> tuple[list[int], str]:
    """The group of each utterance, whose members must not be parted, and by what they were grouped.

    Args:
        utterances: to be split.
        ratio: share of the smaller part, in (0, 1); groups that leave no such part are made smaller.
    """
    by_speaker = connected(utterances, ("speaker", "dialogue"))
    sizes = Counter(by_speaker).values()
    speakers_known = all(u.speaker for u in utterances)
    fewest = MIN_BLOCKS if any("parallel" in (u.model_extra or {}) for u in utterances) else MIN_SPEAKERS
    if speakers_known and len(sizes) >= fewest and sum(sizes) - max(sizes) >= ratio * sum(sizes):
        return by_speaker, "speaker and dialogue"
    by_dialogue = connected(utterances, ("dialogue",))
    if all(u.dialogue for u in utterances) and len(set(by_dialogue)) >= 2:
        return by_dialogue, "dialogue"
    if speakers_known and len(sizes) >= 2:
        return by_speaker, "speaker"
    return connected(utterances, ("dialogue", "text", "copy_of")), "text"


def connected(utterances: Sequence[Utterance], columns: tuple[str, ...]) -> list[int]:
    """Number the connected components of utterances that share a value in any of the columns."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes: dict[tuple[str, str], int] = {}
    rows, cols = [], []
    for index, utterance in enumerate(utterances):
        for column in columns:
            value = getattr(utterance, column, None)
            if value is not None:
                rows.append(index)
                cols.append(nodes.setdefault((column, value), len(utterances) + len(nodes)))
    size = len(utterances) + len(nodes)
    graph = coo_array((np.ones(len(rows)), (rows, cols)), shape=(size, size))
    return connected_components(graph, directed=False)[1][: len(utterances)].tolist()


def _check(ratio: float) -> None:
    if not 0 < ratio < 1:
        raise CorpusError(f"valid_ratio: got {ratio}, expected a share between 0 and 1")


def draw_groups(counts: Mapping[GroupT, Counter[str | None]], ratio: float, seed: int) -> set[GroupT]:
    """Choose the groups of dev: the best of some draws, never all of them.

    Args:
        counts: utterances of each label in each group, at least two; their order matters to the draw.
        ratio: share of the utterances that dev should get, in (0, 1).
        seed: fixes the draw.

    Raises:
        CorpusError: if the ratio is out of range.
    """
    _check(ratio)
    names = list(counts)
    labels = sorted({label for count in counts.values() for label in count}, key=str)
    shares = np.array([[count[label] for label in labels] for count in counts.values()], dtype=float)
    shares /= shares.sum(axis=0)  # each group's share of each class, so that rare classes weigh like frequent ones

    best: set[GroupT] = set()
    best_gap = np.inf
    rng = np.random.default_rng(seed)
    for _ in range(DRAWS):
        chosen: set[GroupT] = set()
        missing = np.full(len(labels), ratio)
        gap = np.abs(missing).mean()
        for index in rng.permutation(len(names)):
            closer = np.abs(missing - shares[index]).mean()
            if closer < gap and len(chosen) < len(names) - 1:
                chosen.add(names[index])
                missing, gap = missing - shares[index], closer
        if chosen and gap < best_gap:
            best, best_gap = chosen, gap
        if best_gap < CLOSE * ratio:
            break
    # where every group is larger than dev should be, the nearest will do
    return best or {names[int(np.abs(shares - ratio).sum(axis=1).argmin())]}
