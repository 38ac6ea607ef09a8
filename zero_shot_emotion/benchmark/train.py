"""Train and test one system in this process: s3prl's own runner, driven as its command line would."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from ..corpus import atomic_write
from ..errors import UserError
from ..results import Predictions, predictions_path, read_results, write_predictions, write_report
from ..schedule import read_schedule
from ..settings import DataSettings
from ..sources import Source, Sources
from .plan import SECTION

BEST = "dev-best.ckpt"
CONFIG = "config.yaml"
COSTS = "costs.json"
FACTS = "facts.json"
LOCK = ".lock"
LOG = "output.txt"


class TrainingError(UserError, RuntimeError):
    """A system that could not be trained or tested."""


@dataclass(frozen=True)
class Part:
    """One training run: specs of corpora to train on, and of targets by name."""

    folder: Path
    train: tuple[str, ...]
    targets: dict[str, str]


@dataclass(frozen=True)
class Job:
    """What a worker is asked for: a system, whole.

    Attributes:
        folder: of the system; what all parts say of a target is gathered here.
        parts: one, or one a fold.
        targets: specs of whole targets by name.
        config: the head's downstream config; None always says the commonest class of the target.
        upstream: s3prl's options for the upstream, and what else tells where the training starts.
        labels: name of the label set.
        seed: of everything.
        device: to train on.
        threads: of torch.
        medium: what an utterance must have to be tested by who trains nothing.
        fingerprints: of the targets by name, as they are now: what was tested in another state is tested again.
    """

    folder: Path
    parts: tuple[Part, ...]
    targets: dict[str, str]
    config: dict[str, Any] | None
    upstream: tuple[str, ...]
    labels: str
    seed: int
    device: str = "cpu"
    threads: int = 1
    medium: Literal["audio", "text"] = "audio"
    fingerprints: dict[str, str] = field(default_factory=dict)

    def is_tested(self, target: str, facts: dict[str, Any]) -> bool:
        """Whether facts or costs tell of a test on a target as it is now."""
        state = facts.get("tested", {}).get(target)
        return target in facts.get("testing", {}) and state == self.fingerprints.get(target)


def run_job(job: Job) -> str | None:
    """Train and test a system; what is done already is not done again.

    Returns:
        None, or what went wrong: a failure must not stop other systems.
    """
    return guarded(job.folder, lambda: _work(job))


def _work(job: Job) -> None:
    if job.config is None:
        _say_all(job)
    elif SECTION in job.config:
        _regress(job)
    else:
        _train_and_test(job)


def guarded(folder: Path, work: Callable[[], None]) -> str | None:
    """Do a system's work, and send what it prints into a file of the system's folder.

    Returns:
        None, or what went wrong: a failure must not stop other systems.
    """
    try:
        with alone_in(folder), _logged(folder / LOG):
            work()
    except Exception as error:  # whatever it is: it belongs to this system
        return f"{type(error).__name__}: {error} (see {folder / LOG})"
    except SystemExit as error:
        return f"s3prl stopped with {error.code} (see {folder / LOG})"
    return None


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Be the only one who works in a system's folder; whoever comes second finds the work done.

    Several fusions may share a half that is not trained yet, and a worker of a run that was killed ends what it does.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        yield


def limit_threads(threads: int) -> None:
    """Let torch have so many threads, or fewer: OMP_NUM_THREADS may say less."""
    import torch

    torch.set_num_threads(min(threads, torch.get_num_threads()))


def train_and_test_dev(job: Job) -> None:
    """As `run_job`, and test each part on its dev set too; what is done is not done again."""
    if SECTION in (job.config or {}):
        if not all(job.is_tested(target, read_facts(job.folder)) for target in job.targets):
            _regress(job)
        return
    _train_and_test(job)
    for part in job.parts:
        if not predictions_path(part.folder, "dev").exists():
            _evaluate(job, part, "dev")


def read_facts(folder: Path) -> dict[str, Any]:
    """What is known of a trained system: seconds, number of parameters, layer weights, score on dev, device."""
    path = folder / FACTS
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return facts


def _train_and_test(job: Job) -> None:
    limit_threads(job.threads)
    for part in job.parts:
        _train(job, part)
        for target in part.targets:
            _test(job, part, target)
    if [part.folder for part in job.parts] != [job.folder]:
        for name, spec in job.targets.items():
            _gather(job, name, spec)
    costs = [_costs(part.folder) for part in job.parts]
    facts = [_learnt(part.folder / BEST) for part in job.parts]
    weights = [fact["layer_weights"] for fact in facts]
    with atomic_write(job.folder / FACTS) as file:
        json.dump(
            {
                "training": None if any(c["training"] is None for c in costs) else sum(c["training"] for c in costs),
                "testing": {name: sum(c["testing"].get(name, 0.0) for c in costs) for name in job.targets},
                "tested": job.fingerprints,
                "parameters": facts[0]["parameters"],
                "layer_weights": None if weights[0] is None else np.mean(weights, axis=0).tolist(),
                "dev": float(np.mean([fact["dev"] for fact in facts])),
                "device": job.device,
            },
            file,
        )


def _regress(job: Job) -> None:
    """Fit and test a logistic regression for each part; it is cheaper to do again than to resume."""
    from .regress import Experiment

    assert job.config is not None
    store, selection = (job.upstream[job.upstream.index(flag) + 1] for flag in ("-k", "-s"))
    training, testing = 0.0, dict.fromkeys(job.targets, 0.0)
    found: dict[str, dict[str, list[float]]] = {name: {} for name in job.targets}
    bad: dict[str, Counter[str]] = {name: Counter() for name in job.targets}
    for part in job.parts:
        start = time.monotonic()
        data = {**job.config["downstream_expert"]["datarc"], "train": part.train, "targets": part.targets}
        experiment = Experiment(store, selection, DataSettings(**data), job.seed)
        model = experiment.train(part.folder, job.config)
        experiment.test(model, "dev", part.folder)  # for fusions
        training += time.monotonic() - start
        for name in part.targets:
            start = time.monotonic()
            shares, unread = experiment.test(model, name, part.folder)
            found[name] |= shares
            bad[name] += Counter(unread)
            testing[name] += time.monotonic() - start
    for name, spec in job.targets.items():
        _report(job, name, _source(job, name, spec), found[name], {"bad_audio": dict(bad[name])})
    with atomic_write(job.folder / FACTS) as file:
        json.dump(
            {
                "training": round(training, 3),
                "testing": {name: round(seconds, 3) for name, seconds in testing.items()},
                "tested": job.fingerprints,
                "parameters": model.weights.size + model.biases.size,
                "layer_weights": None,
                "device": "cpu",
            },
            file,
        )


def _train(job: Job, part: Part) -> None:
    costs = _costs(part.folder)
    if "training" in costs:
        return
    assert job.config is not None
    if "dev" not in read_schedule(job.config).evaluated:
        raise TrainingError("runner.eval_step: must be at most total_steps, or no checkpoint is chosen on dev")
    resumed = any(part.folder.glob("states-*.ckpt"))
    start = time.monotonic()
    _write_config(job, part)
    _run(_training(job, part))
    if not (part.folder / BEST).exists():
        raise TrainingError(f"{part.folder}: no {BEST} came of the training")
    # Of a training that was killed and went on, nobody knows how long it would have taken.
    _write_costs(part.folder, {**costs, "training": None if resumed else round(time.monotonic() - start, 3)})


def _test(job: Job, part: Part, target: str) -> None:
    if target in read_results(part.folder) and job.is_tested(target, _costs(part.folder)):
        return
    start = time.monotonic()
    _evaluate(job, part, target)
    costs = _costs(part.folder)
    testing = {**costs["testing"], target: round(time.monotonic() - start, 3)}
    tested = {**costs.get("tested", {}), **{t: f for t, f in job.fingerprints.items() if t == target}}
    _write_costs(part.folder, {**costs, "testing": testing, "tested": tested})


def _evaluate(job: Job, part: Part, split: str) -> None:
    _set_today(part.folder / BEST, part, job.upstream)
    _run(_testing(job, part, split))


def _run(options: list[str]) -> None:
    from ..s3prl_plugin.launcher import run_downstream

    print("$ python -m s3prl.run_downstream", *options, flush=True)
    run_downstream(options)


def commands(job: Job) -> list[list[str]]:
    """What s3prl's command line would be told, for each part: a training, then a test on each target."""
    return [
        words
        for part in job.parts
        for words in (_training(job, part), *(_testing(job, part, target) for target in part.targets))
    ]


def _training(job: Job, part: Part) -> list[str]:
    folder = ["-c", str(part.folder / CONFIG), "-p", str(part.folder)]
    what = ["-d", "zero_shot_emotion", *folder, "--seed", str(job.seed), "--device", job.device]
    return ["-m", "train", *job.upstream, *what, "-a"]


def _testing(job: Job, part: Part, target: str) -> list[str]:
    return ["-m", "evaluate", "-e", str(part.folder / BEST), "-t", target, "--device", job.device]


def _write_config(job: Job, part: Part) -> None:
    """The downstream config with its corpora."""
    assert job.config is not None
    expert = job.config["downstream_expert"]
    data = {**expert["datarc"], "train": list(part.train), "targets": part.targets}
    with atomic_write(part.folder / CONFIG) as file:
        yaml.safe_dump({**job.config, "downstream_expert": {**expert, "datarc": data}}, file, sort_keys=False)


def _set_today(checkpoint: Path, part: Part, upstream: tuple[str, ...]) -> None:
    """Let a checkpoint name corpora, store and folder of today: they may have grown or moved since its training."""
    import torch

    states = _states(checkpoint)
    data, arguments = states["Config"]["downstream_expert"]["datarc"], states["Args"]
    before = data["train"], data["targets"], arguments.expdir, arguments.upstream_ckpt
    data["train"], data["targets"], arguments.expdir = list(part.train), part.targets, str(part.folder)
    arguments.upstream_ckpt = upstream[upstream.index("-k") + 1] if "-k" in upstream else None
    if before != (data["train"], data["targets"], arguments.expdir, arguments.upstream_ckpt):
        with atomic_write(checkpoint, "wb") as file:
            torch.save(states, file)


def _learnt(checkpoint: Path) -> dict[str, Any]:
    """Number of trained parameters, score on dev, and the softmax of the layer weights where there are several."""
    states = _states(checkpoint)
    head = {name: value for name, value in states["Downstream"].items() if name.startswith("classifier.")}
    weights = states["Featurizer"].get("weights")
    parameters = sum(value.numel() for value in head.values()) + (0 if weights is None else weights.numel())
    shares = None if weights is None else weights.softmax(-1).tolist()
    return {"parameters": parameters, "layer_weights": shares, "dev": states["Downstream"]["best_score"].item()}


def _states(checkpoint: Path) -> dict[str, Any]:
    import torch

    from ..s3prl_plugin.repairs import allow_argparse_namespace

    allow_argparse_namespace()
    states: dict[str, Any] = torch.load(checkpoint, map_location="cpu")
    return states


def _gather(job: Job, name: str, spec: str) -> None:
    """Put the predictions of all folds together: one test of the whole target."""
    source = _source(job, name, spec)
    found: dict[str, list[float]] = {}
    for part in job.parts:
        with predictions_path(part.folder, name).open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                found[line["id"]] = [float(value) for key, value in line.items() if key.startswith("p_")]
    bad = sum((Counter(read_results(part.folder)[name]["bad_audio"]) for part in job.parts), Counter[str]())
    _report(job, name, source, found, {"bad_audio": dict(bad)})


def _say_all(job: Job) -> None:
    for name, spec in job.targets.items():
        _say_commonest(job, name, spec)


def _say_commonest(job: Job, name: str, spec: str) -> None:
    source = _source(job, name, spec)
    labels = [entry.label for entry in source.entries]
    commonest = max(set(labels), key=labels.count)
    classes = len(DataSettings(labels=job.labels).label_set.classes)
    said = [float(index == commonest) for index in range(classes)]
    _report(job, name, source, {entry.id: said for entry in source.entries}, {"bad_audio": {}})


def _source(job: Job, name: str, spec: str) -> Source:
    settings = DataSettings(targets={name: spec}, labels=job.labels)
    return Sources(settings, job.seed, medium=job.medium, skip_textless=True).get(name)


def _report(job: Job, name: str, source: Source, found: dict[str, list[float]], about: dict[str, Any]) -> None:
    entries = [entry for entry in source.entries if entry.id in found]
    predictions = Predictions(
        [entry.id for entry in entries],
        np.array([entry.label for entry in entries]),
        np.array([found[entry.id] for entry in entries]),
        DataSettings(labels=job.labels).label_set.classes,
    )
    write_predictions(job.folder, name, source, predictions)
    write_report(job.folder, name, source, predictions, about)


def _costs(folder: Path) -> dict[str, Any]:
    path = folder / COSTS
    return {"testing": {}, **(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})}


def _write_costs(folder: Path, costs: dict[str, Any]) -> None:
    with atomic_write(folder / COSTS) as file:
        json.dump(costs, file)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Send what is printed into a file: many systems are trained at once."""
    with path.open("a", encoding="utf-8", errors="replace") as file, redirect_stdout(file), redirect_stderr(file):
        yield


def default_device() -> str:
    """A GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
