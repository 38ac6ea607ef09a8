"""The sets of one experiment: train, dev and targets, opened when they are asked for.

Speech and text experiments open the same sets, split in the same way; they differ in what an utterance must have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Literal

from .audio import AudioError
from .corpus import Corpus, CorpusError, LabelSet
from .corpus.readers import open_corpus
from .corpus.seed_format import meta_data_path, read_meta_data
from .corpus.splits import split_dev
from .corpus.utterance import Utterance
from .settings import RESERVED, CorporaSettings


@dataclass(frozen=True)
class Entry:
    """One labelled utterance.

    Attributes:
        id: unique in its set.
        path: of its audio; None in an experiment on text.
        label: index of its class.
        corpus: that it comes from.
        speaker: who speaks.
        dialogue: that it belongs to.
        text: its words, if they are known.
        before: the words of the turns before it, the nearest last, as many as the experiment asks for.
        soft: probabilities of the classes, where the experiment trains on such.
        language: that is spoken.
        sentence: what utterances in several languages share that say the same: the column ``parallel``.
    """

    id: str
    path: Path | None
    label: int
    corpus: str
    speaker: str | None
    dialogue: str | None
    text: str | None = None
    before: tuple[str, ...] = ()
    soft: tuple[float, ...] | None = None
    language: str | None = None
    sentence: str | None = None


@dataclass(frozen=True)
class Source:
    """One set of an experiment.

    Attributes:
        entries: its utterances, ids unique.
        drops: how many utterances of its corpora are left out, by emotion.
    """

    entries: tuple[Entry, ...]
    drops: dict[str, int]

    @property
    def groups(self) -> tuple[list[str] | None, str]:
        """What to draw whole in a bootstrap: speakers if all are known, else dialogues, else nothing."""
        for key in ("speaker", "dialogue"):
            values = [getattr(entry, key) for entry in self.entries]
            if all(values):
                groups = [f"{entry.corpus}/{value}" for entry, value in zip(self.entries, values, strict=True)]
                if len(set(groups)) > 1:
                    return groups, key
        return None, "utterance"


class Sources:
    """Opens the corpora that a config names.

    Args:
        settings: of the config's ``datarc``.
        seed: fixes the split of train and dev.
        fold: of the seed work's lists, where the config names none; ``fold1`` by default.
        medium: what an utterance must have.
        context: how many previous turns of its dialogue come with an utterance's text.
        skip_textless: leave out, and count, utterances without text, instead of refusing the corpus.
        soft_labels: the column of the training corpora that holds the probabilities of the classes.
    """

    def __init__(
        self,
        settings: CorporaSettings,
        seed: int,
        fold: str | None = None,
        *,
        medium: Literal["audio", "text"] = "audio",
        context: int = 0,
        skip_textless: bool = False,
        soft_labels: str | None = None,
    ) -> None:
        self._settings = settings
        self._soft = soft_labels
        self._medium, self._context, self._skip_textless = medium, context, skip_textless
        self._labels: LabelSet = settings.label_set
        self._seed = seed
        self._fold = settings.test_fold or fold or "fold1"
        self._opened: dict[str, Source] = {}
        self._split_up: dict[str, Corpus] = {}  # whole, for the turns that a label set drops are context still

    def get(self, split: str) -> Source:
        """The set of a split name; opened once.

        Raises:
            CorpusError: if the config has no such set, naming those it has.
        """
        if split not in self._opened:
            self._opened[split] = self._open(split)
        return self._opened[split]

    def _open(self, split: str) -> Source:
        if split == "train":
            return self.train_and_dev[0]
        if split == "dev":
            return self.train_and_dev[1]
        if self._settings.meta_data is not None and split == "test":
            return self._source([self._listed("test", "iem_root")], split)
        if split in self._settings.targets:
            return self._source([self._opened_target(split)], split)
        if split == "test" and len(self._settings.targets) == 1:
            return self.get(next(iter(self._settings.targets)))
        known = ", ".join((*RESERVED, *self._settings.target_names))
        raise CorpusError(f"-t {split}: the config names no such set, expected one of {known}")

    def _opened_target(self, name: str) -> Corpus:
        try:
            return open_corpus(self._settings.targets[name])
        except CorpusError as error:
            raise CorpusError(f"target {name!r}: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """What `get` has an answer for; a single target goes by ``test`` too, as s3prl's ``-t`` does by default."""
        targets = self._settings.target_names
        return (*RESERVED, *targets, *(["test"] if len(targets) == 1 and "test" not in targets else []))

    def check_targets(self, bad_audio: str = "error") -> None:
        """Open every target: what would fail at its test must not fail after hours of training. No audio is decoded.

        Args:
            bad_audio: as `settings.DataSettings` has it; says whether some missing files are worth a warning.

        Raises:
            CorpusError: if a target is not there, or has nothing to be tested on.
            AudioError: if none of its audio is there.
        """
        for name in self._settings.target_names:
            entries = self.get(name).entries
            if self._medium == "audio":
                paths = [entry.path for entry in entries if entry.path]
                check_files(name, paths)
                if bad_audio == "error":
                    _warn_of_missing(name, paths)

    @cached_property
    def train_and_dev(self) -> tuple[Source, Source]:
        """Train and dev; what they were grouped by is printed."""
        train, dev = self._named_train_and_dev() if self._settings.meta_data is None else self._listed_train_and_dev()
        return self._source(train, "train"), self._source(dev, "dev")

    def _named_train_and_dev(self) -> tuple[list[Corpus], list[Corpus]]:
        settings = self._settings
        if not settings.train:
            raise CorpusError("config: downstream_expert.datarc.train: names no corpus to train on")
        train = _distinct([open_corpus(spec) for spec in settings.train])
        if settings.dev:
            return train, _distinct([open_corpus(spec) for spec in settings.dev])
        return self._split(train)

    def _listed_train_and_dev(self) -> tuple[list[Corpus], list[Corpus]]:
        train = self._listed("train", "syn_root")
        if meta_data_path(self._settings.meta_data or "", self._fold, "dev").exists():
            return [train], [self._listed("dev", "syn_root")]
        return self._split([train])

    def _listed(self, subset: str, root_key: str) -> Corpus:
        """A set of the seed work's lists."""
        root = getattr(self._settings, root_key)
        if root is None:
            raise CorpusError(f"config: downstream_expert.datarc.{root_key}: missing, expected beside 'meta_data'")
        path = meta_data_path(self._settings.meta_data or "", self._fold, subset)
        corpus, classes = read_meta_data(path, root, name=f"{self._fold}-{subset}")
        if classes != self._labels.classes:
            raise CorpusError(
                f"{path}: labels: got {', '.join(classes)} in this order, expected {', '.join(self._labels.classes)} "
                f"as the config's label set {self._labels.name!r} has them"
            )
        return corpus

    def _split(self, corpora: list[Corpus]) -> tuple[list[Corpus], list[Corpus]]:
        """Split each corpus by itself, so that dev holds something of each."""
        train, dev = [], []
        for corpus in corpora:
            kept, _ = corpus.with_labels(self._labels)
            train_part, dev_part, by = split_dev(kept, self._settings.valid_ratio, self._seed)
            print(f"[Expert] - {corpus.name}: {len(train_part)} train, {len(dev_part)} dev, split by {by}")
            if lacking := [name for name, n in kept.counts().items() if n and not dev_part.counts().get(name)]:
                print(f"[Expert] - {corpus.name}: WARNING: dev holds no {', '.join(sorted(lacking))}: name a dev set")
            self._split_up[corpus.name] = corpus
            train.append(_without(corpus, dev_part))
            dev.append(dev_part)
        return train, dev

    def _source(self, corpora: list[Corpus], split: str) -> Source:
        entries: list[Entry] = []
        drops: Counter[str] = Counter()
        for corpus in corpora:
            kept, dropped = corpus.with_labels(self._labels)
            drops += dropped
            if self._medium == "text":
                kept, textless = self._with_text(kept)
                drops += Counter({"without text": textless} if textless else {})
            whole = self._split_up.get(corpus.name, corpus) if split in ("train", "dev") else corpus
            before = previous_turns(whole, self._context)
            soft = self._distributions(kept) if split == "train" and self._soft else {}
            entries.extend(self._entries(kept, before, soft, prefix=len(corpora) > 1))
        counts = Counter(self._labels.classes[entry.label] for entry in entries)
        listed = ", ".join(f"{name} {counts[name]}" for name in self._labels.classes)
        left_out = ", ".join(f"{name} {number}" for name, number in drops.items()) or "nothing"
        print(f"[Expert] - {split}: {len(entries)} utterances ({listed}); dropped: {left_out}")
        if not entries:
            raise CorpusError(
                f"{split}: no utterance is left in the label set {self._labels.name!r}; dropped: {left_out}"
            )
        if split == "train":
            self._check_classes(counts)
        return Source(tuple(entries), dict(drops))

    def _check_classes(self, counts: Counter[str]) -> None:
        """Refuse to train on one class, and warn of those that the model will never see.

        Distributions teach even where the likeliest class is always the same.
        """
        if len(counts) == 1 and not self._soft:
            ((only, number),) = counts.items()
            raise CorpusError(f"train: all {number} utterances are {only!r}, expected at least two classes")
        if lacking := [name for name in self._labels.classes if not counts[name]]:
            print(f"[Expert] - train: WARNING: holds no {', '.join(lacking)}: the model will not learn to say so")

    def _with_text(self, corpus: Corpus) -> tuple[Corpus, int]:
        """The utterances that have words, and how many have none."""
        kept = corpus.where(lambda utterance: bool(utterance.text and utterance.text.strip()))
        missing = len(corpus) - len(kept)
        if missing and not self._skip_textless:
            first = next(u.id for u in corpus if not (u.text and u.text.strip()))
            raise CorpusError(
                f"corpus {corpus.name!r}: {missing} of {len(corpus)} utterances have no text, such as {first!r}. "
                "Set data.bad_text to 'skip' to leave them out"
            )
        return kept, missing

    def _distributions(self, corpus: Corpus) -> dict[str, tuple[float, ...]]:
        """The probabilities of the classes of each utterance, by id; what a label set merges is added up."""
        found = {}
        for utterance in corpus:
            scores = utterance.extra.get(self._soft or "")
            if not isinstance(scores, dict) or not all(isinstance(p, int | float) and p >= 0 for p in scores.values()):
                raise CorpusError(
                    f"corpus {corpus.name!r}: {utterance.id}: {self._soft}: got {scores!r}, expected a probability for "
                    "each emotion, as weak labels have"
                )
            shares = dict.fromkeys(self._labels.classes, 0.0)
            for emotion, probability in scores.items():
                name = self._labels.of(emotion)
                if name is not None:
                    shares[name] += probability
            if (total := sum(shares.values())) <= 0:
                raise CorpusError(f"corpus {corpus.name!r}: {utterance.id}: {self._soft}: gives no class anything")
            found[utterance.id] = tuple(share / total for share in shares.values())
        return found

    def _entries(
        self,
        corpus: Corpus,
        before: dict[str, tuple[str, ...]],
        soft: dict[str, tuple[float, ...]],
        prefix: bool,
    ) -> list[Entry]:
        index = {name: i for i, name in enumerate(self._labels.classes)}
        speech = self._medium == "audio"
        return [
            Entry(
                f"{corpus.name}/{u.id}" if prefix else u.id,
                corpus.audio_path(u) if speech else None,
                index[u.label or ""],
                corpus.name,
                u.speaker,
                u.dialogue,
                u.text,
                before.get(u.id, ()),
                soft.get(u.id),
                u.language,
                u.extra.get("parallel"),
            )
            for u in corpus
        ]


def check_files(name: str, paths: Sequence[Path]) -> None:
    """Refuse a set of which no file is there; one that is there ends the search.

    Raises:
        AudioError: then.
    """
    if not any(path.exists() for path in paths):
        raise AudioError("missing", f"{name}: none of its {len(paths)} audio files is there, such as {paths[0]}")


def _warn_of_missing(name: str, paths: Sequence[Path]) -> None:
    if gone := [path for path in paths if not path.exists()]:
        print(
            f"[Expert] - {name}: WARNING: {len(gone)} of {len(paths)} audio files are missing, such as {gone[0]}: "
            "its test will be refused unless datarc.bad_audio is 'skip'"
        )


def previous_turns(corpus: Corpus, context: int) -> dict[str, tuple[str, ...]]:
    """The words of up to so many turns before each utterance of a dialogue, by id."""
    if not context:
        return {}
    dialogues: dict[str, list[Utterance]] = {}
    for utterance in corpus:
        if utterance.dialogue is not None and utterance.turn is not None:
            dialogues.setdefault(utterance.dialogue, []).append(utterance)
    before = {}
    for turns in dialogues.values():
        turns.sort(key=lambda utterance: utterance.turn or 0)
        for i, utterance in enumerate(turns):
            before[utterance.id] = tuple(u.text for u in turns[max(0, i - context) : i] if u.text)
    return before


def _distinct(corpora: list[Corpus]) -> list[Corpus]:
    """Number corpora of the same name, such as two runs of one generator, so that ids stay unique."""
    named: dict[str, Corpus] = {}
    for corpus in corpora:
        tries = (f"{corpus.name}-{number}" if number > 1 else corpus.name for number in count(1))
        name = next(name for name in tries if name not in named)
        named[name] = replace(corpus, name=name)
    return list(named.values())


def _without(corpus: Corpus, part: Corpus) -> Corpus:
    """What of a corpus is not in a part of it; what a label set drops stays, to be counted."""
    ids = {utterance.id for utterance in part}
    return corpus.where(lambda utterance: utterance.id not in ids)
