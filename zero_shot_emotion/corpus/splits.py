"""Train and dev: by group, so that nothing a group shares can be learnt in one and tested in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import replace

import numpy as np

from .corpus import Corpus, CorpusError
from .utterance import Utterance

MIN_SPEAKERS = 5
"""With fewer independent groups of speakers than this, dev is split by dialogue alone."""


def split_dev(corpus: Corpus, ratio: float, seed: int) -> tuple[Corpus, Corpus, str]:
    """Split a dev set off a labelled corpus.

    Dev shares no dialogue with train, and no speaker where the corpus has at least `MIN_SPEAKERS`
    groups of speakers who never meet in a dialogue. Utterances of the same text stay together when
    neither speakers nor dialogues are known. Groups are drawn in an order fixed by the seed, each taken
    if it brings dev's class counts closer to the wanted share of every class.

    Args:
        corpus: with labels.
        ratio: share of the utterances that dev should get, in (0, 1).
        seed: fixes the draw.

    Returns:
        train, dev, and what the split was grouped by.

    Raises:
        CorpusError: if the ratio is out of range or there are too few groups for two sets.
    """
    if not 0 < ratio < 1:
        raise CorpusError(f"valid_ratio: got {ratio}, expected a share between 0 and 1")
    groups, by = _groups(corpus.utterances)
    chosen = _draw(corpus.utterances, groups, ratio, seed)
    train = tuple(u for u, group in zip(corpus, groups, strict=True) if group not in chosen)
    dev = tuple(u for u, group in zip(corpus, groups, strict=True) if group in chosen)
    if not train or not dev:
        raise CorpusError(
            f"corpus {corpus.name!r}: cannot split {len(corpus)} utterances in {len(set(groups))} groups "
            f"(by {by}) into train and dev: expected at least two groups"
        )
    return replace(corpus, utterances=train), replace(corpus, utterances=dev), by


def _groups(utterances: Iterable[Utterance]) -> tuple[list[Hashable], str]:
    """The group of each utterance, and by what they were grouped."""
    utterances = list(utterances)
    by_speaker = _connected(utterances, ("speaker", "dialogue"))
    if all(u.speaker for u in utterances) and len(set(by_speaker)) >= MIN_SPEAKERS:
        return list(by_speaker), "speaker and dialogue"
    by_dialogue = _connected(utterances, ("dialogue",))
    if all(u.dialogue for u in utterances) and len(set(by_dialogue)) >= 2:
        return list(by_dialogue), "dialogue"
    if all(u.speaker for u in utterances) and len(set(by_speaker)) >= 2:
        return list(by_speaker), "speaker"
    return list(_connected(utterances, ("dialogue", "text"))), "text"


def _connected(utterances: list[Utterance], columns: tuple[str, ...]) -> list[int]:
    """Number the connected components of utterances that share a value in any of the columns."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes: dict[tuple[str, str], int] = {}
    rows, cols = [], []
    for index, utterance in enumerate(utterances):
        for column in columns:
            value = getattr(utterance, column)
            if value is not None:
                rows.append(index)
                cols.append(nodes.setdefault((column, value), len(utterances) + len(nodes)))
    size = len(utterances) + len(nodes)
    graph = coo_array((np.ones(len(rows)), (rows, cols)), shape=(size, size))
    return connected_components(graph, directed=False)[1][: len(utterances)].tolist()


def _draw(utterances: Iterable[Utterance], groups: list[Hashable], ratio: float, seed: int) -> set[Hashable]:
    """Choose the groups of dev."""
    counts: dict[Hashable, Counter[str | None]] = {}
    for utterance, group in zip(utterances, groups, strict=True):
        counts.setdefault(group, Counter())[utterance.label] += 1
    labels = sorted({label for count in counts.values() for label in count}, key=str)
    table = np.array([[count[label] for label in labels] for count in counts.values()], dtype=float)
    wanted = table.sum(axis=0) * ratio
    order = np.random.default_rng(seed).permutation(len(table))

    names = list(counts)
    chosen: set[Hashable] = set()
    have = np.zeros_like(wanted)
    for index in order:
        if len(chosen) == len(names) - 1:
            break
        closer = np.abs(have + table[index] - wanted).sum() < np.abs(have - wanted).sum()
        if closer:
            chosen.add(names[index])
            have += table[index]
    if not chosen:  # every group is larger than dev should be: the smallest one will do
        chosen.add(names[int(table.sum(axis=1).argmin())])
    return chosen
