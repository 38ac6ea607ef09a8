"""Tasks for the tests of the stage runner, in a module that spawned workers and killed runs can import."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.corpus import FOUR, Utterance
from zero_shot_emotion.corpus.stage import Made, local_executor, run_stage

CARD = {"name": "spoken", "config": {"engine": "sine"}}


def texts(count):
    return [Utterance(id=f"u{i:05d}", text=f"text {i}", label=FOUR.classes[i % 4]) for i in range(count)]


def trivial(utterance):
    return [Made(utterance)]


def speak(utterance):
    number = int(utterance.id[1:])
    wave = np.sin(np.arange(800 + number) * (0.1 + number / 1000)).astype(np.float32) / 2
    yield Made(utterance.with_(frequency=round(0.1 + number / 1000, 4), note="ä\u2028"), Audio(wave, 16000))


def split(utterance):
    """None, one or two utterances of one."""
    for part in range(int(utterance.id[1:]) % 3):
        (made,) = speak(utterance)
        yield Made(made.utterance.with_(id=f"{utterance.id}-{part}"), made.audio)


def same_id(utterance):
    yield Made(utterance.with_(id="same"))


@dataclass(frozen=True)
class Slow:
    seconds: float

    def __call__(self, utterance):
        time.sleep(self.seconds)
        yield from speak(utterance)


@dataclass(frozen=True)
class Failing:
    """Fails on some items, and not before it has made something of them."""

    ids: tuple[str, ...]

    def __call__(self, utterance):
        yield from speak(utterance)
        if utterance.id in self.ids:
            raise ValueError("no voice")


@dataclass(frozen=True)
class DyingOnce:
    """Ends its process at an item, as a crash in native code does, unless it has done so before."""

    id: str
    mark: Path

    def __call__(self, utterance):
        if utterance.id == self.id and not self.mark.exists():
            self.mark.touch()
            os._exit(1)
        yield from speak(utterance)


@dataclass(frozen=True)
class Poison:
    """Ends its process at some items, each time."""

    ids: tuple[str, ...]

    def __call__(self, utterance):
        if utterance.id in self.ids:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from speak(utterance)


@dataclass(frozen=True)
class Hanging:
    """Never comes to the end of an item, and leaves its process's number when it has begun."""

    id: str
    mark: Path

    def __call__(self, utterance):
        if utterance.id == self.id:
            self.mark.write_text(str(os.getpid()))
            while True:
                time.sleep(60)
        yield from speak(utterance)


if __name__ == "__main__":
    out, workers, count = sys.argv[1:]
    with local_executor(int(workers)) as executor:
        run_stage(texts(int(count)), Slow(0.02), out, name="speak", card=CARD, executor=executor)
