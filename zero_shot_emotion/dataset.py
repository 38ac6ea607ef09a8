"""Utterances as s3prl's runner takes them, in an order that a resumed run finds again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, Sampler, WeightedRandomSampler
from tqdm import tqdm

from .acoustics import AS_IT_IS, Conditioning
from .audio import AudioError, Wave, check_audio, read_audio
from .features import FeatureStore, StoreError
from .features.stand_in import find, ticket
from .sources import Entry

Batch = tuple[list[Wave], list[int], list[str]]
"""Waves at 16 kHz, class indices, ids."""

READERS = 4
"""Threads that read audio while a set is checked; decoding releases the interpreter's lock."""


class EmotionDataset(Dataset):
    """Labelled waves at 16 kHz.

    All audio is read once when the set is made, so that what is bad is known before training begins.

    Args:
        entries: the utterances.
        name: of the set, for messages.
        bad_audio: ``error`` raises, ``skip`` leaves bad audio out.
        min_seconds: shorter audio is bad, in seconds.
        pre_load: keep the waves in memory.
        conditioning: what is done to all audio.

    Attributes:
        entries: what is left of the utterances.
        bad: how many were left out, by reason.

    Raises:
        AudioError: naming the first bad files and counting all, if ``bad_audio`` is ``error``.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        name: str,
        bad_audio: str = "error",
        min_seconds: float = 0.1,
        pre_load: bool = True,
        conditioning: Conditioning = AS_IT_IS,
    ) -> None:
        self._min_seconds, self._keep, self._conditioning = min_seconds, pre_load, conditioning
        with ThreadPoolExecutor(READERS) as pool:
            found = list(tqdm(pool.map(self._try, entries), desc=f"read {name}", total=len(entries)))
        problems = [problem for problem in found if isinstance(problem, AudioError)]
        self.bad = dict(Counter(problem.reason for problem in problems))
        if problems:
            listed = "; ".join(str(problem) for problem in problems[:5])
            counted = ", ".join(f"{count} {reason}" for reason, count in self.bad.items())
            message = f"{name}: bad audio in {len(problems)} of {len(entries)} utterances ({counted}): {listed}"
            if len(problems) == len(entries):
                raise AudioError("bad set", f"{message}: nothing is left")
            if bad_audio == "error":
                raise AudioError("bad set", f"{message}. Set datarc.bad_audio to 'skip' to leave them out")
            print(f"[Expert] - {message}: left out")
        kept = [(e, f) for e, f in zip(entries, found, strict=True) if not isinstance(f, AudioError)]
        self.entries = [entry for entry, _ in kept]
        self._kept = [what for _, what in kept]

    def _try(self, entry: Entry) -> Wave | AudioError | None:
        try:
            wave = self._read(entry)
        except AudioError as error:
            return error
        return wave if self._keep else None

    def _read(self, entry: Entry) -> Wave:
        assert entry.path is not None  # sets of an experiment on speech have audio
        try:
            audio = self._conditioning(read_audio(entry.path))
        except AudioError as error:
            raise AudioError(error.reason, f"{entry.id}: {error}") from None
        check_audio(audio, entry.id, self._min_seconds)
        return audio.wave.astype(np.float32, copy=False)

    def __getitem__(self, index: int) -> tuple[Wave, int, str]:
        entry = self.entries[index]
        wave = self._kept[index]
        return self._read(entry) if wave is None else wave, entry.label, entry.id

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def labels(self) -> np.ndarray:
        """Class indices, shape (utterances,)."""
        return np.array([entry.label for entry in self.entries])


class StoredDataset(EmotionDataset):
    """Labelled tickets for stored features; no audio is decoded.

    Args:
        entries: the utterances.
        name: of the set, for messages.
        store: where their features are.
        bad_audio: as above; what was found bad when features were stored counts.
        min_seconds: shorter audio is bad, in seconds.

    Raises:
        AudioError: as above.
        StoreError: if features are not stored, with the command that stores them.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        name: str,
        store: FeatureStore,
        bad_audio: str = "error",
        min_seconds: float = 0.1,
    ) -> None:
        self._store = store
        self._missing: list[Entry] = []
        super().__init__(entries, name, bad_audio, min_seconds, pre_load=True)
        if self._missing:
            corpora = " ".join(sorted({entry.corpus for entry in self._missing}))
            raise StoreError(
                f"{name}: {len(self._missing)} of {len(entries)} utterances are not in {store.folder} "
                f"(first: {self._missing[0].id}, {self._missing[0].path}). Store {corpora}: {store.command()}"
            )

    def _read(self, entry: Entry) -> Wave:
        assert entry.path is not None
        stored = find(self._store, entry.path, entry.id, self._min_seconds)
        if stored is None:
            self._missing.append(entry)
            return np.zeros(1, dtype=np.float32)
        return ticket(self._store, stored)


def collate(samples: Sequence[tuple[Wave, int, str]]) -> Batch:
    """A batch of samples, column by column."""
    waves, labels, ids = zip(*samples, strict=True)
    return list(waves), list(labels), list(ids)


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Weights inverse to the class frequencies with mean 1 over utterances; 0 for an absent class."""
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    return np.divide(len(labels), counts * present.sum(), out=np.zeros(classes), where=present)


def train_batches(
    dataset: EmotionDataset, batch_size: int, classes: int, balanced: bool, seed: int, epoch: int
) -> list[list[int]]:
    """The batches of one epoch, the same whenever they are asked for; with DDP, this process's share of them."""
    from s3prl.utility.data import get_ddp_sampler

    # DDP draws differ between processes where a sampler draws by weight.
    generator = torch.Generator().manual_seed(derived_seed(seed, epoch, rank() if balanced else 0))
    sampler: Sampler[int]
    if balanced:
        weights = class_weights(dataset.labels, classes)[dataset.labels]
        sampler = WeightedRandomSampler(weights.tolist(), -(-len(dataset) // _world()), generator=generator)
    else:
        sampler = get_ddp_sampler(dataset, epoch) or RandomSampler(dataset, generator=generator)
    return list(BatchSampler(sampler, batch_size, drop_last=False))


class ResumableLoader:
    """The rest of an epoch.

    s3prl resumes at the start of the epoch that a run was killed in, with fresh random states. Here the loader
    leaves out the batches that were trained on, and gives each batch its own random state, drawn from seed,
    epoch and position: dropout and SpecAugment go on as if nothing had happened.

    Args:
        dataset: to load from.
        batches: of indices, the whole epoch.
        start: how many of them are done.
        num_workers: processes that load ahead.
        seed_of: the random seed of a batch, by its position.
        at: told each position before its batch is given out.
    """

    def __init__(
        self,
        dataset: EmotionDataset,
        batches: list[list[int]],
        start: int,
        num_workers: int,
        seed_of: Callable[[int], int],
        at: Callable[[int], None],
    ) -> None:
        self._batches, self._start, self._seed_of, self._at = batches, start, seed_of, at
        self._loader = DataLoader(
            dataset,
            batch_sampler=batches[start:],
            num_workers=num_workers,
            collate_fn=collate,
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        """Batches in the whole epoch."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        for position, batch in enumerate(self._loader, self._start):
            seed_everything(self._seed_of(position))
            self._at(position)
            yield batch


def derived_seed(*parts: int) -> int:
    """A seed of its own for each combination of numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def seed_everything(seed: int) -> None:
    """Seed whatever an upstream, a head or SpecAugment may draw from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # else torch.manual_seed keeps a stack trace of each call for later
        torch.cuda.manual_seed_all(seed)


def rank() -> int:
    """Which of the processes that train together this is; 0 leads."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


def _world() -> int:
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
