"""The stage runner: for each item do this, safely, and write a corpus.

Every long stage of the project goes through `run_stage`. It keeps a journal of finished items in the
output folder, so that a run that was killed goes on where it stopped, and writes the manifest in the
order of the items, so that the bytes do not depend on the number of workers or on interruptions. Items
stream through: what is kept of each in memory is some tens of bytes.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ..audio import Audio, write_audio
from ..errors import UserError
from .atomic import atomic_write, remove_parts
from .corpus import CARD, MANIFEST, Corpus, load_card, write_entries
from .executors import Inline, dask_executor, local_executor, open_executor
from .journal import JOURNAL, Journal, OtherRun
from .manifest import Entry, Manifest
from .repeats import Repeats
from .unfinished import MARK, unfinished
from .utterance import Utterance
from .work import Item, ItemT, Outcome, Placed, WorkersLost, outcomes

__all__ = [
    "AUDIO",
    "FAILURES",
    "JOURNAL",
    "Item",
    "Items",
    "Made",
    "StageError",
    "StageReport",
    "dask_executor",
    "inherited",
    "local_executor",
    "open_executor",
    "run_stage",
]

FAILURES = "failures.jsonl"
AUDIO = "audio"
INHERITED = ("labels", "datasheet", "language", "published")
"""What stays true of a corpus whatever a stage does to its utterances."""
FILES = 10_000
"""Items whose audio one folder takes; that of more is spread over several."""
WRITERS = 4
"""Threads in which a worker writes while it works on: waiting for a disk takes no processor."""

T_co = TypeVar("T_co", covariant=True)


class StageError(UserError, RuntimeError):
    """A stage that could not finish. What it had finished is kept."""


class Items(Protocol[T_co]):
    """What can be gone through again and again, always the same; it need not be in memory."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[T_co]: ...


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


def inherited(card: Mapping[str, Any]) -> dict[str, Any]:
    """What the card of a stage's output takes over from that of its input."""
    return {key: card[key] for key in INHERITED if key in card}


def run_stage(
    items: Items[ItemT],
    task: Callable[[ItemT], Iterable[Made]],
    out: str | Path,
    *,
    name: str,
    card: dict[str, Any],
    executor: Executor | None = None,
    skip_errors: bool = False,
    overwrite: bool = False,
    shards: int | None = None,
) -> StageReport:
    """Do something for each item and write the corpus that comes of it.

    Where a worker dies, what it had in hand is done by another. An item that ends every worker it is given
    to is a failed item. (An executor that cannot replace its workers, which is any process pool but
    `local_executor`'s, stops the stage instead.)

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
        shards: folders that the audio is spread over; by default one for every 10,000 items, and none
            where one will do.

    Raises:
        StageError: if items failed, if the workers cannot go on, or if the folder holds another run.
        CorpusError: if two utterances that were made have the same id.
    """
    out = Path(out)
    start = time.monotonic()
    if shards is not None and shards < 1:
        raise StageError(f"{name}: shards: got {shards}, expected at least 1")
    shards = shards or -(-len(items) // FILES)
    if shards > 1:
        card = {**card, "shards": shards}
    fingerprint = _fingerprint(items, card, name)
    card = {**card, "fingerprint": fingerprint}
    if overwrite:
        _clear(out)
    done_before = _finished(out, fingerprint)
    if done_before is not None:
        return StageReport(name, out, done_before, _read_failures(out), len(items), time.monotonic() - start)

    with _journal(out, fingerprint, len(items)) as journal, unfinished(out, name):
        resumed = len(journal)
        work = _Work(task, out.resolve(), len(items), shards)
        failures = _work_off(items, work, out, name, executor or Inline(), journal)
        if failures and not skip_errors:
            raise StageError(
                f"{name}: {len(failures)} of {len(items)} items failed: {_reasons(failures)}. What succeeded is "
                f"kept in {out}; mend the cause and run again, or leave them out with --skip-errors"
            )
        _write_failures(out, failures)
        if failures:
            card["failures"] = len(failures)
        for folder in (out, *(out / _shard(shard, shards) for shard in range(shards))):
            remove_parts(folder)
        card = write_entries(out, journal, card)
    (out / JOURNAL).unlink()
    return StageReport(name, out, card, failures, resumed, time.monotonic() - start)


def _journal(out: Path, fingerprint: str, count: int) -> Journal:
    try:
        return Journal(out / JOURNAL, fingerprint, count)
    except OtherRun:
        raise StageError(_other_run(out)) from None


def _work_off(
    items: Items[ItemT], work: _Work[ItemT], out: Path, name: str, executor: Executor, journal: Journal
) -> dict[str, str]:
    """Have done what the journal lacks; returns the failures in the order of the items."""
    from tqdm import tqdm

    failed: dict[int, tuple[str, str]] = {}
    todo = (Placed(place, item) for place, item in enumerate(items) if place not in journal)
    terminal = sys.stderr.isatty()
    with tqdm(
        total=len(items), initial=len(journal), desc=name, unit="item", mininterval=0.2 if terminal else 10
    ) as bar:
        try:
            for found in outcomes(todo, len(items) - len(journal), work, executor):
                journal.add(found)
                failed.update((o.place, (o.item, o.error)) for o in found if o.error is not None)
                bar.update(len(found))
        except WorkersLost as lost:
            raise StageError(
                f"{name}: {lost}. What was finished is kept in {out}; run the same command again to go on"
            ) from lost
    return dict(failed[place] for place in sorted(failed))


@dataclass(frozen=True)
class _Work(Generic[ItemT]):
    """What a worker does: the task for each item, each failure kept to its item.

    Args:
        task: of the stage.
        out: the folder of the new corpus, absolute: a worker may have been started elsewhere.
        count: of all items.
        shards: folders that their audio is spread over.
    """

    task: Callable[[ItemT], Iterable[Made]]
    out: Path
    count: int
    shards: int

    def __call__(self, chunk: list[Placed[ItemT]]) -> list[Outcome]:
        """Work on a chunk. The audio of what is returned is on the disk: the journal may rely on it."""
        with ThreadPoolExecutor(WRITERS) as disk:
            begun = [(placed, self._begin(placed, disk)) for placed in chunk]
            return [self._end(placed, storing) for placed, storing in begun]

    def _begin(self, placed: Placed[ItemT], disk: Executor) -> list[Entry | Future[Entry]]:
        """Do an item, and leave the audio that it made to be written while the next is done."""
        try:
            all_made = list(self.task(placed.item))  # before any is stored: what fails leaves no audio behind
        except Exception as error:  # one bad item must not stop the others, whatever went wrong with it
            failed: Future[Entry] = Future()
            failed.set_exception(error)
            return [failed]
        folder = _shard(placed.place * self.shards // self.count, self.shards)
        return [
            _entry(made.utterance)
            if made.audio is None
            else disk.submit(_store, made.utterance, made.audio, self.out, folder)
            for made in all_made
        ]

    def _end(self, placed: Placed[ItemT], storing: list[Entry | Future[Entry]]) -> Outcome:
        try:
            made = tuple([stored.result() if isinstance(stored, Future) else stored for stored in storing])
            return Outcome(placed.place, placed.item.id, made)
        except Exception as error:  # the task's, or such as a full disk
            return Outcome(placed.place, placed.item.id, error=f"{type(error).__name__}: {error}")


def _shard(shard: int, shards: int) -> str:
    """The folder of a shard, relative to the corpus."""
    return AUDIO if shards <= 1 else f"{AUDIO}/{shard:0{max(4, len(str(shards - 1)))}d}"


def _store(utterance: Utterance, audio: Audio, out: Path, folder: str) -> Entry:
    file_name = f"{folder}/{utterance.id}.wav"
    write_audio(out / file_name, audio)
    return _entry(utterance.with_(file_name=file_name))


def _entry(utterance: Utterance) -> Entry:
    return Entry(utterance.id, utterance.label, utterance.to_line(), utterance.language)


def _fingerprint(items: Items[ItemT], card: dict[str, Any], name: str) -> str:
    """Tells one run from another: its inputs and its config.

    Raises:
        StageError: if an id occurs twice.
    """
    digest = sha256(json.dumps(card, sort_keys=True, ensure_ascii=False).encode())
    if isinstance(items, Manifest):  # the same lines, and its ids are unique
        for line in items.lines():
            digest.update(line)
        return digest.hexdigest()[:16]
    ids = Repeats()
    for item in items:
        ids.add(item.id)
        digest.update(item.model_dump_json(exclude_none=True).encode())
    if twice := ids.find(item.id for item in items):
        first = next(iter(twice))
        raise StageError(f"{name}: {len(twice)} ids occur more than once (first: {first!r}), expected unique ids")
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
    for left in (JOURNAL, MARK):  # a kill after the card was written leaves them behind
        (out / left).unlink(missing_ok=True)
    return card


def _other_run(out: Path) -> str:
    return (
        f"{out} holds the output of another run (its config or its input differ): "
        "choose another folder, or throw that one away with --overwrite"
    )


def _clear(out: Path) -> None:
    for name in (CARD, MANIFEST, JOURNAL, MARK, FAILURES):  # without its card the folder no longer counts as complete
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
