"""Run an experiment: label speech, pre-train, fine-tune on shares, test, draw the curve; do what is missing."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..benchmark.audit import AUDIT, Heard, compare, refuse_shared_audio, write_audit
from ..benchmark.fingerprint import AudioHashes, PathHashes
from ..benchmark.row import RESULTS, Row
from ..benchmark.train import commands, default_device, read_facts, run_job
from ..corpus import atomic_write
from ..corpus.executors import deaths, local_executor
from ..errors import UserError
from ..settings import DataSettings
from .curve import draw, draw_up, table
from .plan import Parts, Planner, System, split_targets
from .rows import gather
from .settings import LanserError, LanserSettings, read_settings
from .store import name_upstream, upstream_options
from .weak import WeakCorpus, compared, fits, label_speech, read_weak

COMMANDS = "commands.sh"
CURVE = "curve.json"
AGREEMENT = "agreement.json"


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes:
        summary: one screen for people.
        rows: of the experiment.
        failures: by system.
    """

    summary: str
    rows: list[Row]
    failures: dict[str, str]


def run_lanser(
    config: str | Path,
    out: Path,
    *,
    paths: Mapping[str, str] | None = None,
    seeds: int | None = None,
    workers: int = 1,
    executor: Executor | None = None,
    skip_errors: bool = False,
    allow_leakage: bool = False,
    contributor: str = "",
) -> Report:
    """Run an experiment and say what came out.

    Args:
        config: a shipped one's name, or the path of one.
        out: folder of everything; a second run does what is missing.
        paths: what the config's placeholders stand for.
        seeds: how many, instead of the config's.
        workers: processes on this machine, where no executor is given.
        executor: any `concurrent.futures.Executor` whose workers see the same files.
        skip_errors: leave out speech that cannot be read, and count it.
        allow_leakage: go on where the speech holds sound of a target's test.
        contributor: who runs it, for the rows.

    Raises:
        LanserError: if the config or a target is not what it should be.
        GridError: if speech and a test share sound.
    """
    settings = read_settings(config, paths)
    if seeds is not None:
        changes = {"seeds": seeds, "pretrainings": min(settings.pretrainings, seeds)}
        settings = settings.model_copy(update=changes)
    words = ["zero-shot-emotion", "lanser", str(config), "-o", str(out)]
    words += [word for name, value in (paths or {}).items() for word in ("--path", f"{name}={value}")]
    words += [] if seeds is None else ["--seeds", str(seeds)]
    hashes, files = AudioHashes(out / "audio-hashes.json"), PathHashes()
    targets = split_targets(settings, out, hashes)
    weak = _label(settings, out, hashes, files, workers, skip_errors, executor)
    warnings = _audit(out, weak, targets, hashes, allow_leakage)
    device = default_device()
    upstream = upstream_options(settings, out, weak, targets, files, device)
    planner = Planner(settings, out, targets, upstream, files, device, max(1, _cores() // max(1, workers)))
    pretrained = {one.folder.name: planner.pretrainings(one) for one in weak}
    first = pretrained[weak[0].folder.name]
    systems = [s for its in pretrained.values() for s in its] + list(planner.finetunings(weak[0], first))
    _write_commands(out, systems)

    def save() -> list[Row]:
        for system in systems:
            if system.is_done:
                _tidy(settings, system)
        return gather(out, settings, systems, targets, shlex.join(words), contributor)

    save()
    failures: dict[str, str] = {}
    with local_executor(1 if executor else workers) as local:
        early = [system for its in pretrained.values() for system in its]
        failures |= _train(early, executor or local, "pre-train", save)
        broken = {str(s.job.folder) for s in first if s.name in failures}
        late = [s for s in systems[len(early) :] if not broken & _starts(s)]
        failures |= _train(late, executor or local, "fine-tune and test", save)
    rows = save()
    return Report(_summary(settings, out, weak, targets, systems, rows, failures, warnings), rows, failures)


def _label(
    settings: LanserSettings,
    out: Path,
    hashes: AudioHashes,
    files: PathHashes,
    workers: int,
    skip_errors: bool,
    executor: Executor | None,
) -> list[WeakCorpus]:
    """With the config's own taxonomy first; with the targets' classes too, where only these can be tested directly."""
    how: dict[str, Any] = {"workers": workers, "skip_errors": skip_errors, "executor": executor}
    found = [label_speech(settings, read_weak(settings), out, hashes, files, **how)]
    if settings.zero_shot and not fits(found[0].taxonomy, settings):
        own = read_weak(settings, settings.labels)
        found.append(label_speech(settings, own, out, hashes, files, **how))
        if not fits(found[1].taxonomy, settings):
            raise LanserError(f"zero_shot: the taxonomy {settings.labels!r} has other classes than the label set")
    agreement = {one.taxonomy.name: compared(one.card) for one in found}
    with atomic_write(out / AGREEMENT) as file:
        json.dump(agreement, file, indent=2)
        file.write("\n")
    for one in found:
        print(one.summary, flush=True)
    return found


def _audit(
    out: Path, weak: Sequence[WeakCorpus], targets: Mapping[str, Parts], hashes: AudioHashes, allow: bool
) -> list[str]:
    """Whether the speech holds a target's test."""
    heard = [Heard(one.folder.name, one.corpus, hashes.of(one.corpus)) for one in weak]
    tests = [Heard(name, parts.test, hashes.of(parts.test)) for name, parts in targets.items()]
    shared = [compare(source, test) for source in heard for test in tests]
    warnings = write_audit(out, shared, [])
    if not allow:
        refuse_shared_audio(shared)
    return warnings


def _train(systems: Sequence[System], executor: Executor, what: str, save: Callable[[], Any]) -> dict[str, str]:
    """Do what is not done; rows are written as they come. Returns what went wrong, by system."""
    from tqdm import tqdm

    todo = [system for system in systems if not system.is_done]
    failures: dict[str, str] = {}
    with tqdm(total=len(systems), initial=len(systems) - len(todo), desc=what, unit="system", mininterval=1) as bar:
        try:
            for system, problem in _outcomes(todo, executor):
                if problem is not None:
                    failures[system.name] = problem
                save()
                bar.update()
        except deaths() as error:
            raise UserError(
                f"a worker process died ({error}). What was finished is kept; run the same command again to go on"
            ) from error
    return failures


def _outcomes(todo: Sequence[System], executor: Executor) -> Any:
    """Each system and what went wrong with it, as they come."""
    waiting = {}
    for system in todo:
        print("".join(f"$ python -m s3prl.run_downstream {shlex.join(c)}\n" for c in commands(system.job)), end="")
        future = executor.submit(run_job, system.job)
        if future.done():  # an executor that works in this process
            yield system, future.result()
        else:
            waiting[future] = system
    for future in as_completed(waiting):
        yield waiting[future], future.result()


def _tidy(settings: LanserSettings, system: System) -> None:
    """Name the upstream beside a checkpoint, and remove those that only a training which was killed would need."""
    name_upstream(settings, system)
    for path in system.job.folder.glob("states-*.ckpt"):
        path.unlink()


def _starts(system: System) -> set[str]:
    """The folder of the pre-training that a system starts from."""
    words = system.job.upstream
    return {str(Path(words[words.index("-i") + 1]).parent)} if "-i" in words else set()


def _write_commands(out: Path, systems: Sequence[System]) -> None:
    """What does the same by hand, in order; the configs lie beside the checkpoints once they were run."""
    with atomic_write(out / COMMANDS) as file:
        for system in systems:
            file.write(f"# {system.name}\n")
            file.writelines(f"python -m s3prl.run_downstream {shlex.join(c)}\n" for c in commands(system.job))


def _summary(
    settings: LanserSettings,
    out: Path,
    weak: Sequence[WeakCorpus],
    targets: Mapping[str, Parts],
    systems: Sequence[System],
    rows: Sequence[Row],
    failures: Mapping[str, str],
    warnings: Sequence[str],
) -> str:
    lines = [f"weak labels, {one.taxonomy.name}: {_agreement(one)}" for one in weak]
    lines += [f"{s.name}: dev {_dev(s)}" for s in systems if s.kind == "weak-labels" and not s.utterances and s.is_done]
    lines += [
        f"{name}: {len(parts.train)} to learn from, {len(parts.test)} to be tested on, kept apart by {parts.by}"
        for name, parts in targets.items()
    ]
    if rows:
        utterances = {s.row_id(targets[t]): s.utterances for s in systems for t in s.job.targets}
        curve = draw_up(out, rows, utterances)
        with atomic_write(out / CURVE) as file:
            json.dump(curve.as_json(), file, indent=2)
            file.write("\n")
        draw(curve, out, chance=1 / len(settings.label_set.classes))
        lines += table(curve)
    lines += ["", *(f"failed: {name}: {problem}" for name, problem in failures.items())]
    lines += [f"leakage: {warning} (see {out / AUDIT})" for warning in warnings]
    places = {
        "rows": out / RESULTS,
        "curve": out / "curve.svg",
        "numbers": out / CURVE,
        "agreement": out / AGREEMENT,
        "commands": out / COMMANDS,
        "look": f"zero-shot-emotion leaderboard show {out}",
    }
    return "\n".join([*lines, *(f"  {name:<10} {place}" for name, place in places.items())])


def _agreement(weak: WeakCorpus) -> str:
    found = {line["which"]: line for line in compared(weak.card)}
    if "UAR" not in found.get("kept", {}):
        return f"{len(weak.corpus)} utterances, nothing to hold the labels against"
    kept = found["kept"]
    return (
        f"{len(weak.corpus)} utterances; against labels that were hidden UAR {kept['UAR']:.3f}, kappa {kept['kappa']}"
    )


def _dev(system: System) -> str:
    """How well a pre-training tells weak labels that it was not trained on: whether there was anything to learn."""
    config = system.job.config or {}
    data = config["downstream_expert"]["datarc"]
    classes = len(DataSettings(labels=system.job.labels).label_set.classes)
    score = read_facts(system.job.folder).get("dev")
    said = "not known" if score is None else f"{score:.3f}"
    return f"{data.get('dev_metric', 'UAR')} {said} on weak labels, {classes} classes"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
