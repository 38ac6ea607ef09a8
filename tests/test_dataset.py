"""Batches: complete, fixed by seed and epoch, and found again in the middle of an epoch."""

import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.utils.class_weight import compute_class_weight

from zero_shot_emotion.audio import AudioError
from zero_shot_emotion.dataset import (
    EmotionDataset,
    ResumableLoader,
    class_weights,
    collate,
    derived_seed,
    seed_everything,
    train_batches,
)
from zero_shot_emotion.settings import DataSettings
from zero_shot_emotion.sources import Entry, Sources
from zero_shot_emotion.testing import tiny_corpus


@pytest.fixture(scope="module")
def entries(synthetic: Path) -> tuple[Entry, ...]:
    settings = DataSettings.model_validate({"targets": {"all": str(synthetic)}})
    return Sources(settings, seed=0).get("all").entries


@pytest.fixture(scope="module")
def dataset(entries: tuple[Entry, ...]) -> EmotionDataset:
    return EmotionDataset(entries, "all")


class TestEmotionDataset:
    @pytest.mark.parametrize("rate", [8000, 16000, 44100])
    def test_gives_waves_at_16_khz(self, tmp_path: Path, rate: int) -> None:
        corpus = tiny_corpus(tmp_path / "corpus", dialogues=1, rate=rate)
        entry = [Entry(u.id, corpus.audio_path(u), 0, "corpus", None, None) for u in corpus]
        for (wave, _, _), utterance in zip(EmotionDataset(entry, "all"), corpus, strict=True):
            own = soundfile.info(corpus.audio_path(utterance))
            assert wave.dtype == np.float32
            assert wave.ndim == 1
            assert abs(len(wave) - own.duration * 16000) <= 1

    def test_reads_the_same_whether_preloaded_or_not(self, entries: tuple[Entry, ...]) -> None:
        sets = (EmotionDataset(entries, "all", pre_load=pre_load) for pre_load in (True, False))
        for one, other in zip(*sets, strict=True):
            np.testing.assert_array_equal(one[0], other[0])
            assert one[1:] == other[1:]

    def test_a_set_of_bad_audio_alone_is_refused_even_where_it_may_be_skipped(self, tmp_path: Path) -> None:
        entry = Entry("a", tmp_path / "a.wav", 0, "corpus", None, None)
        message = f"all: bad audio in 1 of 1 utterances (1 missing): a: {entry.path}: no such file: nothing is left"
        with pytest.raises(AudioError, match=f"^{re.escape(message)}$"):
            EmotionDataset([entry], "all", bad_audio="skip")

    def test_labels_are_those_of_its_entries(self, dataset: EmotionDataset) -> None:
        assert np.bincount(dataset.labels).tolist() == [6, 6, 6, 6]


class TestClassWeights:
    def test_are_scikit_learns_balanced_ones(self) -> None:
        labels = np.array([0] * 7 + [1] * 2 + [2] * 5 + [3])
        expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
        np.testing.assert_allclose(class_weights(labels, 4), expected)
        assert class_weights(labels, 4)[labels].mean() == pytest.approx(1)

    def test_leave_out_an_absent_class(self) -> None:
        np.testing.assert_allclose(class_weights(np.array([0, 0, 2]), 4), [0.75, 0, 1.5, 0])


class TestTrainBatches:
    def test_hold_every_utterance_once(self, dataset: EmotionDataset) -> None:
        batches = train_batches(dataset, 5, 4, balanced=False, seed=0, epoch=0)
        assert [len(batch) for batch in batches] == [5, 5, 5, 5, 4]
        assert sorted(index for batch in batches for index in batch) == list(range(24))

    @pytest.mark.parametrize("balanced", [False, True])
    def test_are_fixed_by_seed_and_epoch(self, dataset: EmotionDataset, balanced: bool) -> None:
        def batches(seed: int, epoch: int) -> list[list[int]]:
            return train_batches(dataset, 5, 4, balanced, seed, epoch)

        torch.manual_seed(1)
        first = batches(3, 2)
        torch.manual_seed(2)
        assert batches(3, 2) == first
        assert batches(3, 1) != first
        assert batches(4, 2) != first

    def test_balanced_ones_draw_classes_equally_often(self, entries: tuple[Entry, ...]) -> None:
        rare = [entry for entry in entries if entry.label != 3 or entry.id.startswith("d00")]
        dataset = EmotionDataset(rare, "rare", pre_load=False)
        assert np.bincount(dataset.labels).tolist() == [6, 6, 6, 1]
        drawn: Counter[int] = Counter()
        for epoch in range(200):
            batches = train_batches(dataset, 5, 4, balanced=True, seed=0, epoch=epoch)
            assert sum(map(len, batches)) == len(dataset)
            drawn.update(int(dataset.labels[index]) for batch in batches for index in batch)
        shares = np.array([drawn[label] for label in range(4)]) / drawn.total()
        np.testing.assert_allclose(shares, 0.25, atol=0.03)


class TestResumableLoader:
    @staticmethod
    def draws(dataset: EmotionDataset, start: int, workers: int) -> list[tuple[int, list[str], tuple[float, ...]]]:
        """Position, ids and random draws of each batch."""
        batches = train_batches(dataset, 5, 4, balanced=False, seed=0, epoch=0)
        positions: list[int] = []
        loader = ResumableLoader(dataset, batches, start, workers, lambda i: derived_seed(0, 0, i), positions.append)
        assert len(loader) == 5
        seen = []
        for _, _, ids in loader:
            seen.append((positions[-1], ids, (random.random(), np.random.rand(), torch.rand(1).item())))
            torch.rand(positions[-1])  # what a head or an evaluation draws
        return seen

    @pytest.mark.parametrize("workers", [0, 2])
    @pytest.mark.parametrize("start", [0, 3, 5])
    def test_goes_on_with_the_same_batches_and_random_states(
        self, dataset: EmotionDataset, start: int, workers: int
    ) -> None:
        whole = self.draws(dataset, 0, 0)
        assert [position for position, _, _ in whole] == [0, 1, 2, 3, 4]
        assert len({draws for _, _, draws in whole}) == 5
        torch.manual_seed(5)
        assert self.draws(dataset, start, workers) == whole[start:]


def test_collate_keeps_waves_apart() -> None:
    waves, labels, ids = collate([(np.zeros(3), 1, "a"), (np.zeros(5), 0, "b")])
    assert [len(wave) for wave in waves] == [3, 5]
    assert (labels, ids) == ([1, 0], ["a", "b"])


def test_seeds_differ_for_each_combination() -> None:
    assert len({derived_seed(seed, epoch, i) for seed in range(5) for epoch in range(5) for i in range(5)}) == 125
    seed_everything(derived_seed(1, 2, 3))
    first = torch.rand(1)
    seed_everything(derived_seed(1, 2, 3))
    assert torch.equal(torch.rand(1), first)
