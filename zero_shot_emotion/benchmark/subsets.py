"""Corpora made of a corpus: shuffled labels, nested shares, a label distribution, folds. No audio is read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..corpus import Corpus, CorpusError, Utterance
from ..corpus.splits import connected


def shuffled(corpus: Corpus, seed: int) -> Corpus:
    """The corpus with its labels permuted over all its utterances."""
    labels = np.random.default_rng(seed).permutation([u.label or "" for u in corpus])
    return _of(corpus, [u.with_(label=str(label)) for u, label in zip(corpus, labels, strict=True)])


def share(corpus: Corpus, part: float, seed: int) -> Corpus:
    """Whole dialogues (else speakers, else utterances) until a share of the utterances is reached.

    Their order is fixed by the seed alone, so that a smaller share lies within a larger one.
    """
    groups = _dialogues(corpus.utterances)
    sizes = Counter(groups)
    names = sorted(sizes)
    taken: set[str] = set()
    count = 0
    for index in np.random.default_rng(seed).permutation(len(names)):
        if count >= part * len(corpus):
            break
        taken.add(names[index])
        count += sizes[names[index]]
    return _of(corpus, [u for u, group in zip(corpus, groups, strict=True) if group in taken])


def stratified_share(corpus: Corpus, part: float, seed: int) -> Corpus:
    """A share of each class, at least one utterance of it, from as few dialogues (else speakers) as that takes.

    The order of the dialogues, and of the utterances in them, is fixed by the seed alone, so that a smaller share lies
    within a larger one.
    """
    groups = _dialogues(corpus.utterances)
    names, rng = sorted(set(groups)), np.random.default_rng(seed)
    place = {names[index]: rank for rank, index in enumerate(rng.permutation(len(names)))}
    within = rng.permutation(len(corpus))
    by_class: dict[str | None, list[int]] = defaultdict(list)
    for index in sorted(range(len(corpus)), key=lambda i: (place[groups[i]], within[i])):
        by_class[corpus.utterances[index].label].append(index)
    taken = {i for members in by_class.values() for i in members[: max(1, int(part * len(members) + 0.5))]}
    return _of(corpus, [u for i, u in enumerate(corpus) if i in taken])


def with_prior(corpus: Corpus, prior: Mapping[str, float], seed: int) -> Corpus:
    """As many utterances as there can be in a given label distribution.

    Raises:
        CorpusError: if the corpus lacks a class.
    """
    counts = corpus.counts()
    lacking = [label for label in prior if not counts.get(label)]
    if lacking:
        raise CorpusError(f"corpus {corpus.name!r}: holds no {', '.join(lacking)}, expected every class of the prior")
    total = min(counts[label] / part for label, part in prior.items())
    left = {label: max(1, int(total * part + 1e-9)) for label, part in prior.items()}
    keep = set()
    for index in np.random.default_rng(seed).permutation(len(corpus)):
        utterance = corpus.utterances[index]
        if left.get(utterance.label or "", 0) > 0:
            left[utterance.label or ""] -= 1
            keep.add(utterance.id)
    return corpus.where(lambda u: u.id in keep)


def folds(corpus: Corpus, count: int, seed: int) -> tuple[list[tuple[Corpus, Corpus]], str]:
    """Train and test sets of a cross-validation, classes as even as the groups allow.

    Args:
        corpus: with labels.
        count: how many; fewer where there are fewer groups.
        seed: fixes the draw.

    Returns:
        the sets, and what they were grouped by: speakers who never meet, else speakers, else dialogues, else nothing.

    Raises:
        CorpusError: if there is only one group.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups, by = _speakers(corpus.utterances, count)
    count = min(count, len(set(groups)))
    if count < 2:
        raise CorpusError(f"corpus {corpus.name!r}: cannot be cross-validated, all of it is one group (by {by})")
    labels = [u.label for u in corpus]
    made = []
    for train, test in StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(labels, labels, groups):
        if len(test):
            parts = [_of(corpus, [corpus.utterances[i] for i in indices]) for indices in (train, test)]
            made.append((parts[0], parts[1]))
    return made, by


def _of(corpus: Corpus, utterances: Sequence[Utterance]) -> Corpus:
    return replace(corpus, utterances=tuple(utterances))


def _dialogues(utterances: Sequence[Utterance]) -> list[str]:
    for column in ("dialogue", "speaker"):
        values = [getattr(u, column) for u in utterances]
        if all(values) and len(set(values)) > 1:
            return values
    return [u.id for u in utterances]


def _speakers(utterances: Sequence[Utterance], count: int) -> tuple[list[str], str]:
    """Groups for a cross-validation: the strictest that leave enough of them."""
    if all(u.speaker for u in utterances):
        never_meet = connected(utterances, ("speaker", "dialogue"))
        if len(set(never_meet)) >= count:
            return [str(number) for number in never_meet], "speaker and dialogue"
        return [u.speaker or "" for u in utterances], "speaker"
    if all(u.dialogue for u in utterances):
        return [u.dialogue or "" for u in utterances], "dialogue"
    return [u.id for u in utterances], "utterance"
