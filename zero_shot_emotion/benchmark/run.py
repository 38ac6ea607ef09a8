"""Run a grid: audit, make corpora, store features, train and test what is missing, gather the rows."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..corpus import UserError, atomic_write
from ..corpus.executors import deaths
from ..corpus.readers import open_corpus
from ..corpus.stage import local_executor
from ..results import predictions_path, read_results
from ..text.settings import parse_text_settings
from . import report
from .audit import AUDIT, Heard, Shared, compare, refuse_shared_audio, trained_on, write_audit
from .availability import present
from .card import write_card
from .corpora import Corpora
from .features import Stores
from .fingerprint import AudioHashes, PathHashes, fingerprint
from .fused import FusionJob, run_fusion_job
from .grid import CorpusSource, Grid, GridError, InDomainSource, Paths, SyntheticSource, UntrainedSource, load_grid
from .models import described, filled_labeller
from .plan import Opened, Plan, System, make_plan
from .row import PREDICTIONS, Cost, Modality, Row, RowError, read_rows, sole_contributor, write_rows
from .tested import test_of
from .text import TEXTS, TextJob, TextStores, run_text_job
from .train import Job, Part, default_device, read_facts, run_job
from .untrained import UntrainedJob, run_untrained_job

ROWS = "rows"
"""Folder of one file a row: what a kill leaves of them is whole."""
PACKAGES = ("zero-shot-emotion", "s3prl", "torch", "transformers", "numpy", "confidence_intervals", "opensmile")
UPSTREAM = "upstream.json"
"""Beside a checkpoint: the upstream whose stored features it was trained on, for `zero_shot_emotion.predict`."""
STATISTICS = "statistics.json"
PAGE = "leaderboard.html"
AnyJob = Job | TextJob | FusionJob | UntrainedJob
"""A system, whole, as a worker gets it."""


@dataclass
class Benchmark:
    """A grid in its folder.

    Args:
        grid: what is here of it.
        paths: what its placeholders stand for.
        out: folder of everything.
        workers: processes on this machine, where no executor is given.
        executor: any `concurrent.futures.Executor` whose workers see the same files.
        allow_leakage: go on where a source shares sound with a target.
        contributor: who runs it, for the rows; by default who began it.
        command: that repeats it, for the rows.
        only: ids of rows; all by default.
    """

    grid: Grid
    paths: Paths
    out: Path
    workers: int = 1
    executor: Executor | None = None
    allow_leakage: bool = False
    contributor: str = ""
    command: Sequence[str] = ()
    only: Sequence[str] = ()
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.corpora = Corpora(self.grid, self.paths, self.out / "corpora", self.workers, self.executor)
        self._hashes = AudioHashes(self.out / "audio-hashes.json")
        self._files = PathHashes()
        self._opened = _open_all(self.grid, self.paths)
        self.plan: Plan = make_plan(self.grid, self.paths, self._opened, self._hashes, self._files)
        unknown = set(self.only) - set(self.plan.row_ids.values())
        if unknown:
            raise GridError(f"--row {min(unknown)}: the grid {self.grid.name!r} has no such row; --dry-run lists them")
        # seeds of an entry that are repeated are no other person's
        self.contributor = self.contributor or sole_contributor(self._rows_done())

    def _rows_done(self) -> list[Row]:
        planned = dict.fromkeys(row_id for _, _, row_id in self.plan.rows())
        return [self._read_row(row_id) for row_id in planned if self._is_done(row_id)]

    def audit(self) -> list[str]:
        """Look for leakage; returns the warnings.

        Raises:
            GridError: if a source shares sound with a target, unless that is allowed.
        """
        heard = {name: self._heard(name, t.corpus) for name, t in self.grid.targets.items()}
        shared: list[Shared] = []
        for name, source in self.grid.sources.items():
            if isinstance(source, CorpusSource):
                own = self._heard(name, source.corpus)
            elif isinstance(source, SyntheticSource):
                own = Heard(name, self.corpora.text(source, self.grid.all_seeds[0]), {})
            else:
                continue  # made of the others
            shared += [compare(own, target) for key, target in heard.items() if (name, key) not in self.plan.left_out]
        names = {name: self._opened[target.corpus].name for name, target in self.grid.targets.items()}
        warnings = write_audit(self.out, shared, trained_on(described(self.grid, self.paths), names))
        if not (self.allow_leakage or self.grid.allow_leakage):
            refuse_shared_audio(shared)
        return warnings

    def _heard(self, name: str, spec: str) -> Heard:
        corpus, _ = self._opened[spec].with_labels(self.grid.label_set)
        return Heard(name, corpus, self._hashes.of(corpus))

    def missing(self) -> list[System]:
        """The systems of which a row is missing."""
        lacking = {
            system.id
            for system, _, row_id in self.plan.rows()
            if not self._is_done(row_id) and (not self.only or row_id in self.only)
        }
        return [system for system in self.plan.systems if system.id in lacking]

    def listed(self) -> list[str]:
        """Every row: whether it is done, its id, what it is."""
        lines = [
            f"{'done   ' if self._is_done(row_id) else 'to do  '} {row_id}  {system.name} -> {target}"
            for system, target, row_id in self.plan.rows()
        ]
        done = sum(line.startswith("done") for line in lines)
        return [*lines, f"{done} of {len(lines)} rows are done; {len(self.missing())} systems are to be trained"]

    def run(self) -> list[Row]:
        """Do what is missing; returns all rows of the grid. What failed stands in ``failures``, by system."""
        todo = self.missing()
        ready = self._prepare(todo)
        with local_executor(1 if self.executor else min(self.workers, max(1, len(ready)))) as local:
            self._train([job for job in ready if job[0].fusion is None], self.executor or local)
            self._train([job for job in ready if job[0].fusion is not None], self.executor or local)  # of the others
        return self.gather()

    def tell(self, rows: Sequence[Row]) -> list[str]:
        """Write statistics and page over all that the folder holds; returns what they say, in lines."""
        from .leaderboard import load_board
        from .leaderboard.page import write_page
        from .leaderboard.samples import read_samples

        baseline = self.grid.baseline
        board = load_board(self.out, baseline if baseline in {row.source for row in rows} else None)
        with atomic_write(self.out / STATISTICS) as file:
            json.dump(report.as_json(board), file, indent=2)
            file.write("\n")
        seed = self.grid.all_seeds[0]
        stages = dict.fromkeys(spec for name in self.grid.sources for spec in self.corpora.stages(name, seed))
        write_page(board, self.out / PAGE, None, read_samples(list(stages)) if stages else None)
        lines = report.tables(board)
        if sentences := report.said(board):
            family = sum(len(table.comparisons) for table in board.tables)
            lines += ["", f"against {baseline} (Holm over {family}; all in {self.out / STATISTICS}):", *sentences]
        return [*lines, "", f"page  {self.out / PAGE}: {len(board.lines)} entries"]

    def gather(self) -> list[Row]:
        """Write ``results.jsonl``: the rows of this grid, and those in the folder that none of them replaces."""
        rows = self._rows_done()
        replaced = {_place(row) for row in rows} | {
            (self.grid.name, s.model, s.trained, s.source, t, s.seed) for s, t, _ in self.plan.rows()
        }
        kept = [row for row in read_rows(self.out) if _place(row) not in replaced]
        write_rows(self.out, rows + kept)
        return rows

    def _prepare(self, todo: list[System]) -> list[tuple[System, AnyJob]]:
        """Make corpora and features; a source that cannot be made costs its own systems alone."""
        jobs: list[tuple[System, AnyJob]] = []
        self._device = default_device() if any(s.upstream or s.encoder for s in todo) else "cpu"
        self._stores = Stores(self.out / "features", self.paths, self.grid.label_set, self._device, self._files)
        self._texts = TextStores(self.out / TEXTS, self._device)
        specs: dict[tuple[str, int, Modality], list[str]] = {}
        for system in todo:
            try:
                jobs.append((system, self._job(system, self._parts(system, specs))))
            except UserError as error:
                self.failures[system.name] = str(error)
        self._store_speech(jobs)
        self._store_text(jobs)
        return jobs

    def _store_speech(self, jobs: list[tuple[System, AnyJob]]) -> None:
        """Send what is to be heard through each upstream; what fails there leaves the list."""
        for name in self.grid.upstreams:
            for head in self.grid.heads_of(name):
                its = [(s, job) for s, job in jobs if (s.upstream, s.head) == (name, head)]
                if not its:
                    continue
                wanted = dict.fromkeys(spec for s, _ in its for spec in self._used_by(s))
                try:
                    self._stores.fill(name, self.grid.upstreams[name], its[0][0].config["head"], wanted)
                except Exception as error:  # an upstream that does not load must not stop the others
                    for system, job in its:
                        self.failures[system.name] = f"{name}: {type(error).__name__}: {error}"
                        jobs.remove((system, job))

    def _store_text(self, jobs: list[tuple[System, AnyJob]]) -> None:
        """Send what is to be read through each encoder; what fails there leaves the list."""
        for name in self.grid.encoders:
            for head in self.grid.text_heads_of(name):
                its = [(s, job) for s, job in jobs if (s.encoder, s.text_head) == (name, head)]
                if not its:
                    continue
                wanted = list(dict.fromkeys(spec for s, _ in its for spec in self._used_by(s)))
                try:
                    settings = parse_text_settings(self._text_config(its[0][0]), head, {"data": {}})
                    self._texts.fill(name, head, settings, wanted) if settings.head.select != "finetune" else None
                except Exception as error:  # an encoder that does not load must not stop the others
                    for system, job in its:
                        self.failures[system.name] = f"{name}: {type(error).__name__}: {error}"
                        jobs.remove((system, job))

    def _parts(self, system: System, specs: dict[tuple[str, int, Modality], list[str]]) -> tuple[Part, ...]:
        folder = self.folder(system)
        source = self.grid.sources[system.source]
        targets = {name: _absolute(self.corpora.target(name)) for name in system.targets}
        if not (system.upstream or system.encoder):
            return ()
        if isinstance(source, InDomainSource):
            (target,) = system.targets
            pairs, _ = self.corpora.folds(target, source.folds, system.seed)
            return tuple(
                Part(folder / f"fold{number}", (_absolute(train),), {target: _absolute(test)})
                for number, (train, test) in enumerate(pairs)
            )
        modality: Modality = "text" if system.modality == "text" else "speech"
        key = (system.source, system.seed, modality)
        if key not in specs:
            specs[key] = self.corpora.specs(*key)
        return (Part(folder, tuple(map(_absolute, specs[key])), targets),)

    def _job(self, system: System, parts: tuple[Part, ...]) -> AnyJob:
        if system.fusion is not None:
            return self._fusion_job(system, parts)
        if system.encoder is not None:
            return self._text_job(system, parts)
        if system.labeller is not None:
            return self._untrained_job(system)
        return self._speech_job(system, parts)

    def _text_job(self, system: System, parts: tuple[Part, ...]) -> TextJob:
        return TextJob(
            folder=self.folder(system),
            parts=parts,
            targets={name: _absolute(self.corpora.target(name)) for name in system.targets},
            config=self._text_config(system),
            seed=system.seed,
            store=self._texts.folder.absolute(),
            device=self._device,
            threads=max(1, _cores() // max(1, self.workers)),
        )

    def _untrained_job(self, system: System) -> UntrainedJob:
        source = self.grid.sources[system.source]
        assert isinstance(source, UntrainedSource)
        return UntrainedJob(
            folder=self.folder(system),
            targets={name: _absolute(self.corpora.target(name)) for name in system.targets},
            labeller=filled_labeller(source, self.paths),
            taxonomy=source.taxonomy or self.grid.labels,
            labels=self.grid.labels,
            threads=max(1, _cores() // max(1, self.workers)),
        )

    def _text_config(self, system: System) -> dict[str, Any]:
        """Sections of ``train-text``'s config, with the encoder's name filled in."""
        from ..text.encoder import encoder_path

        head = system.config["text_head"]
        name = encoder_path(self.paths.fill(system.config["encoder"]))
        return {**head, "encoder": {**head["encoder"], "name": name}}

    def _fusion_job(self, system: System, parts: tuple[Part, ...]) -> FusionJob:
        """The jobs of both systems, as they are where they stand alone, but for the targets."""
        its = {s.modality: s for s in self.plan.systems if s.fusion is None and _is_half(s, system)}
        speech, text = its["speech"], its["text"]
        return FusionJob(
            folder=self.folder(system),
            parts=parts,
            speech=self._speech_job(replace(speech, targets=system.targets), self._moved(parts, system, speech)),
            text=self._text_job(replace(text, targets=system.targets), self._moved(parts, system, text)),
            how=system.config["fusion"]["how"],
        )

    def _moved(self, parts: tuple[Part, ...], system: System, other: System) -> tuple[Part, ...]:
        """The parts of a system as parts of another one."""
        here, there = self.folder(system), self.folder(other)
        return tuple(replace(part, folder=there / part.folder.relative_to(here)) for part in parts)

    def _speech_job(self, system: System, parts: tuple[Part, ...]) -> Job:
        upstream: tuple[str, ...] = ()
        if system.upstream is not None:
            upstream = self._stores.options(
                system.upstream, self.grid.upstreams[system.upstream], system.config["head"]
            )
        return Job(
            folder=self.folder(system),
            parts=parts,
            targets={name: _absolute(self.corpora.target(name)) for name in system.targets},
            config=system.config.get("head"),
            upstream=tuple(_absolute(word) if Path(word).exists() else word for word in upstream),
            labels=self.grid.labels,
            seed=system.seed,
            device=self._device,
            threads=max(1, _cores() // max(1, self.workers)),
            medium="text" if system.silent else "audio",
            fingerprints={name: self.plan.fingerprints[name] for name in system.targets},
        )

    def _used_by(self, system: System) -> list[str]:
        """The corpora whose features a system needs: derived ones share sound and text with what they are made of."""
        sources = [] if system.kind == "in-domain" else self.grid.bases(system.source)
        modality: Modality = "text" if system.modality == "text" else "speech"
        trained = [spec for base in sources for spec in self.corpora.specs(base, system.seed, modality)]
        return trained + [self.corpora.target(name) for name in system.targets]

    def _train(self, jobs: list[tuple[System, AnyJob]], executor: Executor) -> None:
        from tqdm import tqdm

        with tqdm(total=len(jobs), desc="systems", unit="system", mininterval=1) as bar:
            try:
                for system, job, problem in _outcomes(jobs, executor):
                    if problem is None:
                        self._write_rows(system, job)
                    else:
                        self.failures[system.name] = problem
                    bar.update()
            except deaths() as error:
                raise UserError(
                    f"{self.grid.name}: a worker process died ({error}). What was finished is kept in {self.out}; "
                    "run the same command again to go on"
                ) from error

    def folder(self, system: System) -> Path:
        """Of a system's checkpoint, log and card."""
        return self.out / "systems" / system.id

    def _write_rows(self, system: System, job: AnyJob) -> None:
        rows = [self._row(system, job, target) for target in system.targets]
        for row in rows:
            path = self.out / row.predictions
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path, "wb") as file, predictions_path(job.folder, row.target).open("rb") as source:
                shutil.copyfileobj(source, file)
            with atomic_write(self._row_path(row.id)) as file:
                file.write(row.model_dump_json() + "\n")
        if isinstance(job, Job) and system.upstream is not None:
            self._name_upstream(system, job)
        if system.upstream or system.encoder:
            write_card(job.folder, self.grid, self.paths, system, rows)

    def _name_upstream(self, system: System, job: Job) -> None:
        """Say beside each checkpoint what the stored features are of: that is what ``predict`` needs."""
        upstream = self.grid.upstreams[system.upstream or ""]
        named = {
            "upstream": upstream.upstream,
            "ckpt": self.paths.model(upstream.ckpt),
            "config": self.paths.config(upstream.config),
        }
        for part in job.parts:
            with atomic_write(part.folder / UPSTREAM) as file:
                json.dump(named, file)

    def _row(self, system: System, job: AnyJob, target: str) -> Row:
        found, facts = read_results(job.folder)[target], read_facts(job.folder)
        row_id = self.plan.row_ids[system.id, target]
        named = {target, *self.grid.bases(system.source)}
        return Row(
            id=row_id,
            benchmark=self.grid.name,
            modality=system.modality,
            system=system.model,
            head=system.trained,
            source=system.source,
            source_kind=system.kind,
            target=target,
            seed=system.seed,
            labels=self.grid.label_set.classes,
            protocol=system.protocol,
            test=test_of(found),
            layer_weights=facts.get("layer_weights"),
            cost=self._cost(system, facts, target),
            fingerprints={name: self.plan.fingerprints[name] for name in named if name in self.plan.fingerprints}
            | self._made(system)
            | system.fingerprints,
            config={**system.config, "target": self.grid.targets[target].corpus},
            command=shlex.join([*self.command, "--row", row_id]),
            versions=versions(),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            contributor=self.contributor,
        )

    def _cost(self, system: System, facts: dict[str, Any], target: str) -> Cost:
        if not (system.upstream or system.encoder):
            seconds = facts.get("testing", {}).get(target)
            return Cost(testing=seconds, device=facts.get("device"))
        used = self._used_by(system)
        passes: list[float | None] = []
        if system.upstream is not None:
            upstream, head = self.grid.upstreams[system.upstream], system.config["head"]
            passes.append(self._stores.seconds(system.upstream, upstream, head, used))
        if system.encoder is not None:
            passes.append(self._texts.seconds(system.encoder, system.text_head or "", used))
        known = [seconds for seconds in passes if seconds is not None]
        return Cost(
            features=sum(known) if len(known) == len(passes) else None,
            training=facts["training"],
            testing=facts["testing"][target],
            parameters=facts["parameters"],
            device=facts["device"],
        )

    def _made(self, system: System) -> dict[str, str]:
        """Fingerprints over ids, labels and text of the corpora that were made; their sound follows from these."""
        bases = [] if system.kind in ("in-domain", "majority", "untrained") else self.grid.bases(system.source)
        made = [base for base in bases if isinstance(self.grid.sources[base], SyntheticSource)]
        modality: Modality = "text" if system.modality == "text" else "speech"
        return {base: fingerprint(open_corpus(self.corpora.specs(base, system.seed, modality)[0])) for base in made}

    def _is_done(self, row_id: str) -> bool:
        return self._row_path(row_id).exists() and (self.out / PREDICTIONS / f"{row_id}.csv").exists()

    def _row_path(self, row_id: str) -> Path:
        return self.out / ROWS / f"{row_id}.json"

    def _read_row(self, row_id: str) -> Row:
        path = self._row_path(row_id)
        try:
            return Row.model_validate_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RowError(f"{path}: expected a row of results: {error}") from None


_Queue = SimpleQueue[tuple[int, Future[str | None]]]


def _put(done: _Queue, number: int, future: Future[str | None]) -> None:
    done.put((number, future))


def _worker(job: AnyJob) -> Callable[[Any], str | None]:
    """What does a job."""
    if isinstance(job, FusionJob):
        return run_fusion_job
    if isinstance(job, UntrainedJob):
        return run_untrained_job
    return run_text_job if isinstance(job, TextJob) else run_job


def _is_half(system: System, fused: System) -> bool:
    """Whether a system alone is what a fusion takes of its modality."""
    same = (system.source, system.seed) == (fused.source, fused.seed)
    speech = (system.upstream, system.head) == (fused.upstream, fused.head)
    text = (system.encoder, system.text_head) == (fused.encoder, fused.text_head)
    return same and (speech or text) and set(fused.targets) <= set(system.targets)


def _outcomes(jobs: Sequence[tuple[System, AnyJob]], executor: Executor) -> Iterator[tuple[System, AnyJob, str | None]]:
    """Hand all systems out, and yield what became of each as soon as it is known."""
    done: _Queue = SimpleQueue()
    left = 0
    for number, (_, job) in enumerate(jobs):
        executor.submit(_worker(job), job).add_done_callback(partial(_put, done, number))
        left += 1
        while not done.empty():  # an executor that works in this process has done it already
            finished, future = done.get()
            left -= 1
            yield *jobs[finished], future.result()
    for _ in range(left):
        finished, future = done.get()
        yield *jobs[finished], future.result()


def _open_all(grid: Grid, paths: Paths) -> Opened:
    specs = [source.corpus for source in grid.sources.values() if isinstance(source, CorpusSource)]
    specs += [target.corpus for target in grid.targets.values()]
    return {spec: open_corpus(paths.fill(spec)) for spec in dict.fromkeys(specs)}


def _absolute(spec: str) -> str:
    """A corpus spec or a path that means the same in every working directory."""
    reader, colon, path = spec.partition(":")
    if colon and not Path(spec).exists():
        return f"{reader}:{Path(path).absolute()}"
    return str(Path(spec).absolute())


def _place(row: Row) -> tuple[object, ...]:
    """Where a row stands in a table: a newer one there replaces it."""
    return row.benchmark, row.system, row.head, row.source, row.target, row.seed


def versions() -> dict[str, str]:
    """Of the packages that matter to a row."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes:
        summary: one screen for people.
        rows: of the grid.
        failures: by system.
    """

    summary: str
    rows: list[Row]
    failures: dict[str, str]


def run_grid(
    config: str | Path,
    out: Path,
    *,
    paths: Mapping[str, str] | None = None,
    seeds: int | None = None,
    skip_missing: bool = False,
    allow_leakage: bool = False,
    dry_run: bool = False,
    only: Sequence[str] = (),
    contributor: str = "",
    workers: int = 1,
    executor: Executor | None = None,
) -> Report:
    """Run a grid and say what came out.

    Args:
        config: a shipped grid's name, or the path of one.
        out: folder of everything; a second run does what is missing.
        paths: what the grid's placeholders stand for.
        seeds: how many, instead of the grid's.
        skip_missing: leave out corpora and checkpoints that are not here.
        allow_leakage: go on where a source shares sound with a target.
        dry_run: only say what would be done.
        only: ids of rows; all by default.
        contributor: who runs it.
        workers: processes on this machine, where no executor is given.
        executor: any `concurrent.futures.Executor` whose workers see the same files.

    Raises:
        GridError: if the grid is wrong, something of it is missing, or a source leaks into a target.
        CorpusError: if a corpus is not what it should be.
    """
    whole = load_grid(config)
    if seeds is not None:
        whole = whole.model_copy(update={"seeds": seeds})
    known = Paths(whole, paths)
    grid, missing = present(whole, known, skip_missing)
    words = ["zero-shot-emotion", "benchmark", str(config), "-o", str(out)]
    words += [word for name, value in (paths or {}).items() for word in ("--path", f"{name}={value}")]
    words += ["--skip-missing"] * skip_missing + ["--allow-leakage"] * allow_leakage
    words += [] if seeds is None else ["--seeds", str(seeds)]
    benchmark = Benchmark(grid, known, out, workers, executor, allow_leakage, contributor, words, tuple(only))
    notes = [f"left out: {line}" for line in missing.lines()]
    notes += [f"left out: {line}" for line in benchmark.plan.unfit]
    notes += [f"left out: {source} on {target}: {why}" for (source, target), why in benchmark.plan.left_out.items()]
    planned = sum(1 for _ in benchmark.plan.rows())
    if dry_run:
        return Report("\n".join([*benchmark.listed(), *notes]), [], {})
    warnings = benchmark.audit()
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    rows = benchmark.run()
    notes += [f"leakage: {warning} (see {AUDIT})" for warning in warnings]
    lines = report.counted(out, len(rows), planned, benchmark.failures, notes)
    if rows:
        lines += benchmark.tell(rows)
    return Report("\n".join(lines), rows, benchmark.failures)
