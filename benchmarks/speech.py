"""Hours of speech that espeak-ng makes in an hour, on one worker and on two, and what the stage runner takes of it.

``python benchmarks/speech.py [UTTERANCES]``; the text is that of the shipped dialogues. All figures are of one run,
so their ratios hold whatever else the machine does.
"""

import sys
import tempfile
import time
from pathlib import Path

from generation.generate import generate
from tts import Quality, load_engine, speak
from tts.normalise import normalise
from tts.quality import faults
from tts.speak import SpeakReport
from tts.text import spoken
from zero_shot_emotion.audio import read_audio
from zero_shot_emotion.corpus import Corpus, label_set

UTTERANCES = 740


def timed_speak(corpus: Corpus, out: Path, workers: int) -> tuple[float, SpeakReport]:
    """Seconds of a whole run."""
    begin = time.perf_counter()
    report = speak(corpus, out, workers=workers)
    return time.perf_counter() - begin, report


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
    utterances = int(sys.argv[1]) if len(sys.argv) > 1 else UTTERANCES
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        corpus = generate(root / "text", labels=label_set("four"), utterances=utterances).corpus
        one, report = timed_speak(corpus, root / "one", workers=1)
        two, _ = timed_speak(corpus, root / "two", workers=2)
        made = report.corpus
        hours = sum(read_audio(made.audio_path(u), rate=None).seconds for u in made) / 3600
        parts = shares(made)
    print(f"{len(made)} utterances, {hours:.2f} h of speech")
    print(f"one worker  {one:6.1f} s, {hours * 3600 / one:5.0f} h of speech an hour")
    print(f"two workers {two:6.1f} s, {hours * 3600 / two:5.0f} h of speech an hour: {one / two:.2f} times as fast")
    for part, seconds in parts.items():
        print(f"{part:<13} {seconds / one:6.1%} of the time on one worker")
    print(f"{'stage, casting':<13} {1 - sum(parts.values()) / one:5.1%}, writing the files included")


if __name__ == "__main__":
    main()
