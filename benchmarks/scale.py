"""What the stage runner itself takes: processor time and memory an utterance.

``python benchmarks/scale.py [UTTERANCES ...]``, by default 100,000 and 1,000,000, each in a process of its own. The
text corpus on disk is made into another by a task that does nothing. Beside it runs the obvious program: load the
manifest, call the task in a loop, write the lines (no journal, no resume, no checks). Their difference is what the
runner costs; it is also given as a share of a task of one millisecond, as cheap as any that handles audio. Processor
time is measured, so that the figures hold on a busy machine, and up to 100,000 the best of three turns counts.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from zero_shot_emotion.corpus import MANIFEST, Corpus, Utterance
from zero_shot_emotion.corpus.corpus import write_corpus
from zero_shot_emotion.corpus.stage import Made, run_stage

COUNTS = (100_000, 1_000_000)
TURNS = 3
TASK_SECONDS = 0.001
LABELS = ("neu", "hap", "ang", "sad")


def trivial(utterance: Utterance) -> list[Made]:
    return [Made(utterance)]


def write_text(folder: Path, count: int) -> None:
    """A corpus as `generate` writes it: dialogues of ten utterances by two speakers."""
    write_corpus(
        folder,
        (
            Utterance(
                id=f"d{i // 10:06d}-{i % 10}",
                text=f"This is what I wanted to say, number {i}.",
                label=LABELS[i % 4],
                speaker=f"d{i // 10:06d}-{'ab'[i % 2]}",
                gender=("female", "male")[i % 2],
                language="en",
                dialogue=f"d{i // 10:06d}",
                turn=i % 10,
            )
            for i in range(count)
        ),
        {"name": "text"},
    )


def bare(folder: Path, out: Path) -> None:
    """The obvious program."""
    out.mkdir()
    with (folder / MANIFEST).open("rb") as lines, (out / MANIFEST).open("w") as file:
        for utterance in [Utterance.model_validate_json(line) for line in lines]:
            for made in trivial(utterance):
                file.write(made.utterance.to_line() + "\n")


def staged(folder: Path, out: Path) -> None:
    run_stage(Corpus.load(folder).utterances, trivial, out, name="trivial", card={"name": "trivial"})


def measure(what: str, folder: Path) -> dict[str, float]:
    """In a process of its own: seconds of processor time, and how far its memory rose in bytes."""
    with tempfile.TemporaryDirectory() as out:
        before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        {"bare": bare, "staged": staged}[what](folder, Path(out) / "out")
        seconds = time.process_time() - begin
        return {"seconds": seconds, "bytes": 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)}


def in_own_process(what: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, what, folder], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_text(folder, count)
        turns = [
            (in_own_process("bare", folder), in_own_process("staged", folder))
            for _ in range(TURNS if count <= COUNTS[0] else 1)
        ]
    loop, stage = (min(turn[i]["seconds"] for turn in turns) / count for i in (0, 1))
    memory, stage_memory = (min(turn[i]["bytes"] for turn in turns) / count for i in (0, 1))
    print(f"{count} utterances")
    print(f"  the obvious loop  {loop * 1e6:6.1f} us and {memory:6.0f} bytes of memory an utterance")
    print(f"  the stage runner  {stage * 1e6:6.1f} us and {stage_memory:6.0f} bytes of memory an utterance")
    share = (stage - loop) / (loop + TASK_SECONDS)
    print(f"  so it costs       {(stage - loop) * 1e6:6.1f} us, {share:.2%} where the task takes a millisecond")


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] in ("bare", "staged"):
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
        return
    for count in [int(argument) for argument in sys.argv[1:]] or COUNTS:
        compare(count)


if __name__ == "__main__":
    main()
