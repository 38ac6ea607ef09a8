"""A tiny corpus that a model can learn, for this project's tests and for its users'."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .audio import RATE, Audio, write_audio
from .corpus import FOUR, Corpus, Utterance

PITCH = {"neu": 150.0, "hap": 330.0, "ang": 700.0, "sad": 80.0}
"""Pitch of each class's tone, in Hz: what there is to be learnt."""


def tiny_corpus(
    folder: str | Path, dialogues: int = 6, turns: int = 4, seconds: float = 0.4, rate: int = RATE, seed: int = 0
) -> Corpus:
    """Write a corpus of harmonic tones in noise, one pitch a class, two speakers a dialogue.

    Args:
        folder: of the corpus.
        dialogues: each with two speakers of its own, a woman and a man.
        turns: utterances of a dialogue; the classes take turns.
        seconds: shortest length of an utterance; lengths vary up to twice as much.
        rate: in Hz.
        seed: fixes everything.
    """
    folder, rng = Path(folder), np.random.default_rng(seed)
    utterances = []
    for dialogue in range(dialogues):
        for turn in range(turns):
            label = FOUR.classes[(dialogue + turn) % len(FOUR.classes)]
            utterance = Utterance(
                id=f"d{dialogue:02d}-{turn:02d}",
                file_name=f"audio/d{dialogue:02d}-{turn:02d}.wav",
                text=f"words of turn {turn} in dialogue {dialogue}",
                label=label,
                speaker=f"d{dialogue:02d}-{'AB'[turn % 2]}",
                gender="female" if turn % 2 == 0 else "male",
                language="en",
                dialogue=f"d{dialogue:02d}",
                turn=turn,
            )
            write_audio(folder / f"audio/{utterance.id}.wav", _tone(PITCH[label], seconds, rate, rng))
            utterances.append(utterance)
    corpus = Corpus(folder.name, folder, tuple(utterances), {"labels": list(FOUR.classes), "seed": seed})
    corpus.save(folder)
    return corpus


def _tone(pitch: float, seconds: float, rate: int, rng: np.random.Generator) -> Audio:
    time = np.arange(int(rate * seconds * rng.uniform(1, 2))) / rate
    harmonics = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in (1, 2, 3))
    return Audio((0.2 * harmonics + 0.02 * rng.standard_normal(len(time))).astype(np.float32), rate)
