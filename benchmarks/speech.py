"""Hours of speech that espeak-ng and the rules make in an hour, on one worker and on two, and what each part takes.

``python benchmarks/speech.py [UTTERANCES [TURNS]]``; the text is that of the shipped dialogues. Runs on one worker
and on two take turns and the fastest of each counts, so that the ratios hold as well as may be on a machine that
does other things too. Start-up of the workers is part of the time.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from generation.generate import generate
from injection import inject
from tts import Quality, load_engine, speak
from tts.normalise import normalise
from tts.quality import faults
from tts.text import spoken
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.corpus import Corpus, label_set
from zero_shot_emotion.corpus.stage import StageReport

UTTERANCES = 740
TURNS = 3
Stage = Callable[..., StageReport]


def timed(stage: Stage, corpus: Corpus, out: Path, workers: int) -> tuple[float, Corpus]:
    """Seconds of a whole run, and what it made."""
    begin = time.perf_counter()
    report = stage(corpus, out, workers=workers, overwrite=True)
    return time.perf_counter() - begin, report.corpus


def best(stage: Stage, corpus: Corpus, out: Path, turns: int) -> tuple[float, float, Corpus]:
    """Seconds on one worker and on two, the best of some turns each, and what was made."""
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(turns):
        for workers, taken in times.items():
            seconds, made = timed(stage, corpus, out, workers)
            taken.append(seconds)
    return min(times[1]), min(times[2]), made


def shares(made: Corpus) -> dict[str, float]:
    """Seconds that the parts of an utterance take by themselves, in one process."""
    engine, seconds = load_engine("espeak-ng"), {"normalisation": 0.0, "engine": 0.0, "gate": 0.0}
    for utterance in made:
        start = time.perf_counter()
        text = normalise(spoken(utterance.text or ""), utterance.language or "en")
        normalised = time.perf_counter()
        audio = engine.speak(text, utterance.extra["voice"])
        said = time.perf_counter()
        faults(audio, text, "en", Quality())
        for part, took in zip(
            seconds, (normalised - start, said - normalised, time.perf_counter() - said), strict=True
        ):
            seconds[part] += took
    return seconds


def main() -> None:
    utterances, turns = [*map(int, sys.argv[1:]), *(UTTERANCES, TURNS)[len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        corpus = generate(root / "text", labels=label_set("four"), utterances=utterances).corpus
        speak_one, speak_two, neutral = best(speak, corpus, root / "neutral", turns)
        inject_one, inject_two, emotional = best(inject, neutral, root / "emotional", turns)
        seconds = sum(read_audio(emotional.audio_path(u), rate=None).seconds for u in emotional)
        parts = shares(neutral)
    print(f"{len(emotional)} utterances, {seconds / 3600:.2f} h of speech, the best of {turns} turns")
    for name, one, two in (
        ("speak", speak_one, speak_two),
        ("inject", inject_one, inject_two),
        ("both", speak_one + inject_one, speak_two + inject_two),
    ):
        print(
            f"{name:<7} one worker {one:6.1f} s, {seconds / one:4.0f} x real time; two {two:6.1f} s, "
            f"{seconds / two:4.0f} x real time: {one / two:.2f} times as fast"
        )
    for part, took in parts.items():
        print(f"{part:<14} {took / speak_one:6.1%} of speak on one worker")
    print(f"{'stage, casting':<14} {1 - sum(parts.values()) / speak_one:6.1%}, writing the files included")


if __name__ == "__main__":
    main()
