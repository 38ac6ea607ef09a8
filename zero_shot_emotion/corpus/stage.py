"""The stage runner: for each item do this, safely, and write a corpus.

Every long stage of the project goes through `run_stage`. It keeps a journal of finished items in the
output folder, so that a run that was killed goes on where it stopped, and writes the manifest in the
order of the items, so that the bytes do not depend on the number of workers or on interruptions.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from ..audio import Audio, write_audio
from ..errors import UserError
from .atomic import atomic_write, remove_parts
from .corpus import CARD, MANIFEST, Corpus, load_card, write_corpus
from .utterance import Utterance

JOURNAL = ".journal.jsonl"
FAILURES = "failures.jsonl"
AUDIO = "audio"
CHUNK = 8
"""Items a worker gets at once, fewer when there are few."""
IN_FLIGHT = 256
"""Chunks handed out and not yet collected: bounds memory, whatever the number of items."""
INHERITED = ("labels", "datasheet", "language")
"""What stays true of a corpus whatever a stage does to its utterances."""


class StageError(UserError, RuntimeError):
    """A stage that could not finish. What it had finished is kept."""


class Item(Protocol):
    """What a stage works on: an utterance, or a pydantic model with an id."""

    @property
    def id(self) -> str: ...

    def model_dump_json(self) -> str: ...


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True)
class Made:
    """One utterance that a stage made, with its audio if it has new audio."""

    utterance: Utterance
    audio: Audio | None = None


@dataclass(frozen=True)
class StageReport:
    """What a stage did."""

    name: str
    out: Path
    card: dict[str, Any]
    failures: dict[str, str]
    resumed: int
    seconds: float

    @property
    def corpus(self) -> Corpus:
        """The corpus that was written."""
        return Corpus.load(self.out)

    def summary(self) -> str:
        """One screen for people: counts, failures, time, and where the output lies."""
        counts = ", ".join(f"{label} {count}" for label, count in self.card["counts"].items())
        lines = [
            f"{self.name}: {self.card['utterances']} utterances ({counts})",
            f"  output    {self.out}",
            f"  time      {self.seconds:.1f} s"
            + (f", {self.resumed} items were there already" if self.resumed else ""),
        ]
        if self.failures:
            lines.append(
                f"  failures  {len(self.failures)}, listed in {self.out / FAILURES}: {_reasons(self.failures)}"
            )
        return "\n".join(lines)


class Inline(Executor):
    """An executor that works in the calling process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call at once; the future is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def local_executor(workers: int) -> Iterator[Executor]:
    """Worker processes on this machine; one worker is the calling process itself."""
    if workers <= 1:
        yield Inline()
        return
    import multiprocessing

    # Spawned workers start clean: a forked copy of a process that holds torch's threads can hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_die_with_parent) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _die_with_parent() -> None:
    """End this worker when the run is killed: it would wait for work for ever, and hold its model's memory."""
    from multiprocessing import parent_process
    from multiprocessing.process import BaseProcess

    def end_after(parent: BaseProcess) -> None:
        parent.join()
        os._exit(1)

    if parent := parent_process():
        Thread(target=end_after, args=(parent,), daemon=True).start()


def inherited(card: Mapping[str, Any]) -> dict[str, Any]:
    """What the card of a stage's output takes over from that of its input."""
    return {key: card[key] for key in INHERITED if key in card}


def run_stage(
    items: Sequence[ItemT],
    task: Callable[[ItemT], Iterable[Made]],
    out: str | Path,
    *,
    name: str,
    card: dict[str, Any],
    executor: Executor | None = None,
    skip_errors: bool = False,
    overwrite: bool = False,
) -> StageReport:
    """Do something for each item and write the corpus that comes of it.

    Args:
        items: with unique ids; their order is the order of the manifest.
        task: makes the utterances of an item. It must depend on the item alone (and on the seed it
            carries), and be picklable where the executor needs that.
        out: the folder of the new corpus.
        name: of the stage, for the progress bar and the summary.
        card: what goes into ``corpus.json``: at least the config that the output depends on.
        executor: any `concurrent.futures.Executor`; by default the calling process.
        skip_errors: leave failed items out. Without it the stage still does all others, then raises.
        overwrite: throw away what the folder holds of another run.

    Raises:
        StageError: if items failed, if a worker died, or if the folder holds another run.
        CorpusError: if two utterances that were made have the same id.
    """
    out = Path(out)
    start = time.monotonic()
    twice = [item_id for item_id, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise StageError(f"{name}: {len(twice)} ids occur more than once (first: {twice[0]!r}), expected unique ids")
    fingerprint = _fingerprint(items, card)
    card = {**card, "fingerprint": fingerprint}
    if overwrite:
        _clear(out)
    done_before = _finished(out, fingerprint)
    if done_before is not None:
        return StageReport(name, out, done_before, _read_failures(out), len(items), time.monotonic() - start)

    with _Journal(out / JOURNAL, fingerprint) as journal:
        resumed = len(journal)
        failures = _work_off(items, task, out, name, executor or Inline(), journal)
        if failures and not skip_errors:
            raise StageError(
                f"{name}: {len(failures)} of {len(items)} items failed: {_reasons(failures)}. What succeeded is "
                f"kept in {out}; mend the cause and run again, or leave them out with --skip-errors"
            )
        _write_failures(out, failures)
        if failures:
            card["failures"] = len(failures)
        for folder in (out, out / AUDIO):
            remove_parts(folder)
        card = write_corpus(out, journal.utterances(item.id for item in items), card)
    (out / JOURNAL).unlink()
    return StageReport(name, out, card, failures, resumed, time.monotonic() - start)


def _work_off(
    items: Sequence[ItemT],
    task: Callable[[ItemT], Iterable[Made]],
    out: Path,
    name: str,
    executor: Executor,
    journal: _Journal,
) -> dict[str, str]:
    """Have done what the journal lacks; returns the failures."""
    from tqdm import tqdm

    failed: dict[str, str] = {}
    todo = [item for item in items if item.id not in journal]
    terminal = sys.stderr.isatty()
    with tqdm(
        total=len(items), initial=len(journal), desc=name, unit="item", mininterval=0.2 if terminal else 10
    ) as bar:
        try:
            for outcome in _outcomes(todo, task, out, executor):
                if outcome.error is None:
                    journal.add(outcome.item, outcome.lines)
                else:
                    failed[outcome.item] = outcome.error
                bar.update()
        except BrokenExecutor as error:
            raise StageError(
                f"{name}: a worker process died ({error}). What was finished is kept in {out}; "
                "run the same command again to go on"
            ) from error
    return {item.id: failed[item.id] for item in items if item.id in failed}


def _outcomes(
    items: Sequence[ItemT], task: Callable[[ItemT], Iterable[Made]], out: Path, executor: Executor
) -> Iterator[_Outcome]:
    """Hand items out in chunks, a bounded number at a time, and yield what became of each as soon as it is known."""
    size = min(CHUNK, 1 + len(items) // IN_FLIGHT)
    done: SimpleQueue[Future[list[_Outcome]]] = SimpleQueue()
    handed_out = 0
    for start in range(0, len(items), size):
        executor.submit(_work, task, items[start : start + size], out).add_done_callback(done.put)
        handed_out += 1
        while handed_out == IN_FLIGHT or not done.empty():
            yield from done.get().result()
            handed_out -= 1
    for _ in range(handed_out):
        yield from done.get().result()


@dataclass(frozen=True)
class _Outcome:
    item: str
    lines: list[str]
    error: str | None = None


def _work(task: Callable[[ItemT], Iterable[Made]], items: Sequence[ItemT], out: Path) -> list[_Outcome]:
    """What a worker does: the task for each item, each failure kept to its item."""
    outcomes = []
    for item in items:
        try:
            all_made = list(task(item))  # before any is stored: an item that fails leaves no audio behind
            lines = [_store(made, out).to_line() for made in all_made]
            outcomes.append(_Outcome(item.id, lines))
        except Exception as error:  # one bad item must not stop the others, whatever went wrong with it
            outcomes.append(_Outcome(item.id, [], f"{type(error).__name__}: {error}"))
    return outcomes


def _store(made: Made, out: Path) -> Utterance:
    if made.audio is None:
        return made.utterance
    file_name = f"{AUDIO}/{made.utterance.id}.wav"
    write_audio(out / file_name, made.audio)
    return made.utterance.with_(file_name=file_name)


class _Journal:
    """Finished items, appended as they come; a half-written last line is what a kill leaves, and ignored."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._offsets: dict[str, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.seek(0)
        header = self._file.readline()
        if not header.endswith(b"\n"):
            self._file.truncate(0)
            self._write({"fingerprint": fingerprint})
        elif json.loads(header)["fingerprint"] != fingerprint:
            self._file.close()
            raise StageError(_other_run(path.parent))
        else:
            self._read()

    def _read(self) -> None:
        offset = self._file.tell()
        while (line := self._file.readline()).endswith(b"\n"):
            self._offsets[json.loads(line)["item"]] = offset
            offset = self._file.tell()
        self._file.truncate(offset)

    def _write(self, record: dict[str, Any]) -> int:
        offset = self._file.seek(0, 2)
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        return offset

    def add(self, item: str, lines: list[str]) -> None:
        self._offsets[item] = self._write({"item": item, "lines": lines})

    def utterances(self, items: Iterable[str]) -> Iterator[Utterance]:
        """The utterances made of some items, in the order of the items."""
        for item in items:
            if item in self._offsets:
                self._file.seek(self._offsets[item])
                for line in json.loads(self._file.readline())["lines"]:
                    yield Utterance.model_validate_json(line)

    def __contains__(self, item: str) -> bool:
        return item in self._offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def _fingerprint(items: Iterable[Item], card: dict[str, Any]) -> str:
    """Tells one run from another: its inputs and its config."""
    digest = sha256(json.dumps(card, sort_keys=True, ensure_ascii=False).encode())
    for item in items:
        digest.update(item.model_dump_json().encode())
    return digest.hexdigest()[:16]


def _finished(out: Path, fingerprint: str) -> dict[str, Any] | None:
    """The card of a folder that this very run has completed before, None if the run is still to do."""
    if not (out / CARD).exists():
        if (out / MANIFEST).exists() and not (out / JOURNAL).exists():  # a corpus that another program wrote
            raise StageError(_other_run(out))
        return None
    card = load_card(out)
    if card.get("fingerprint") != fingerprint:
        raise StageError(_other_run(out))
    (out / JOURNAL).unlink(missing_ok=True)  # a kill after the card was written leaves it behind
    return card


def _other_run(out: Path) -> str:
    return (
        f"{out} holds the output of another run (its config or its input differ): "
        "choose another folder, or throw that one away with --overwrite"
    )


def _clear(out: Path) -> None:
    for name in (CARD, MANIFEST, JOURNAL, FAILURES):  # without its card the folder no longer counts as complete
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / AUDIO, ignore_errors=True)


def _write_failures(out: Path, failures: dict[str, str]) -> None:
    """List the failed items; a list that a killed run left goes when there are none."""
    if not failures:
        (out / FAILURES).unlink(missing_ok=True)
        return
    with atomic_write(out / FAILURES) as file:
        for item_id, error in failures.items():
            file.write(json.dumps({"id": item_id, "error": error}, ensure_ascii=False) + "\n")


def _read_failures(out: Path) -> dict[str, str]:
    if not (out / FAILURES).exists():
        return {}
    with (out / FAILURES).open(encoding="utf-8") as file:
        return {failure["id"]: failure["error"] for failure in map(json.loads, file)}


def _reasons(failures: dict[str, str], shown: int = 3) -> str:
    """The commonest reasons, each with its count and its first item."""
    counts = Counter(failures.values())
    first = {reason: item for item, reason in reversed(failures.items())}
    texts = [f"{count} x {reason} (first: {first[reason]})" for reason, count in counts.most_common(shown)]
    if len(counts) > shown:
        texts.append(f"and {len(counts) - shown} other reasons")
    return "; ".join(texts)
