"""The whole job in a few minutes: generate, speak, inject, train, test, and a table of results.

Every step is what a user would do by hand; the commands are printed, and s3prl's own runner trains and tests.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from . import metrics
from .corpus import FOUR, Corpus, atomic_write
from .corpus.readers import open_corpus
from .errors import UserError
from .results import read_results
from .settings import read_config

SYNTHETIC = "synthetic"
TEST_RATIO = 0.2
SYSTEMS = {"emotional": "emotion injected", "neutral": "control: neutral speech, same words and labels"}
"""The corpora that are trained on, by folder, and what to call them."""


class DemoError(UserError, RuntimeError):
    """A step of the demo that did not work."""


def run_demo(
    out: Path,
    targets: Sequence[str],
    *,
    upstream: str = "fbank",
    config: str | Path = "demo",
    utterances: int = 240,
    seed: int = 0,
    workers: int = 1,
) -> str:
    """Do everything, and say what came out.

    Args:
        out: folder of everything that is made; a second run goes on where the first one was stopped.
        targets: specs of real corpora to test on, beside a held-out part of the synthetic corpus.
        upstream: of s3prl's hub.
        config: a shipped downstream config's name, or the path of one; its corpora are filled in.
        utterances: size of the synthetic corpus.
        seed: fixes everything that is drawn.
        workers: processes that speak and inject.

    Returns:
        the table of results, and where everything lies.
    """
    named, template = _named_targets(targets), read_config(config)
    _make_corpora(out, utterances, seed, workers)
    specs = {SYNTHETIC: f"{out / 'emotional'}#test", **named}
    experiments = [_Experiment(out, system, specs, template, upstream, seed) for system in SYSTEMS]
    with ThreadPoolExecutor(len(experiments)) as pool:
        list(pool.map(_Experiment.run, experiments))
    sets = {name: open_corpus(spec) for name, spec in specs.items()}
    return _table(sets, experiments) + "\n\n" + _files(out, experiments)


def _named_targets(specs: Sequence[str]) -> dict[str, str]:
    """A name for each target: its reader's or its folder's, as ``-t`` takes it."""
    named: dict[str, str] = {}
    for spec in specs:
        corpus = open_corpus(spec)
        name = corpus.name if corpus.name not in (*named, SYNTHETIC, "train", "dev") else f"{corpus.name}-{len(named)}"
        reader, colon, path = spec.partition(":")
        named[name] = f"{reader}:{Path(path).resolve()}" if colon else str(Path(spec).resolve())
    return named


def _make_corpora(out: Path, utterances: int, seed: int, workers: int) -> None:
    from generation.generate import generate
    from injection.inject import inject
    from tts.speak import speak

    print(generate(out / "text", labels=FOUR, utterances=utterances, test_ratio=TEST_RATIO, seed=seed).summary())
    print(speak(Corpus.load(out / "text"), out / "spoken", seed=seed, workers=workers).summary())
    spoken = Corpus.load(out / "spoken")
    print(inject(spoken, out / "emotional", seed=seed, workers=workers).summary())
    print(inject(spoken, out / "neutral", seed=seed, workers=workers, neutral=True).summary())


class _Experiment:
    """One training corpus, one model, tested on every target."""

    def __init__(
        self, out: Path, system: str, targets: dict[str, str], template: dict[str, Any], upstream: str, seed: int
    ) -> None:
        self.system = system
        self.expdir = out / "experiments" / f"{upstream}-{system}"
        self._targets, self._upstream, self._seed = targets, upstream, seed
        self._config = out / "configs" / f"{system}.yaml"
        config = deepcopy(template)
        config["downstream_expert"]["datarc"] |= {"train": [f"{out / system}#train"], "targets": targets}
        with atomic_write(self._config) as file:
            yaml.safe_dump(config, file, sort_keys=False)

    def run(self) -> None:
        """Train, then test on every target: s3prl's commands, in one process that imports s3prl once."""
        commands = [self._training(), *(self._test(target) for target in self._targets)]
        shown = [f"$ python -m s3prl.run_downstream {shlex.join(command)}\n" for command in commands]
        print("".join(shown), end="", flush=True)  # in one piece: the other experiment prints too
        joined = [word for command in commands for word in ("--", *command)]
        self.expdir.mkdir(parents=True, exist_ok=True)
        log = self.expdir / "output.txt"
        process = subprocess.Popen(
            [sys.executable, "-m", "zero_shot_emotion.s3prl_plugin.launcher", *joined],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_environment(),
        )
        assert process.stdout is not None
        with process, log.open("w", encoding="utf-8") as file:
            self._follow(process.stdout, file)
        if process.returncode:
            last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-5:])
            raise DemoError(f"the experiment {self.system!r} failed; {log} ends in:\n{last}")

    def _training(self) -> list[str]:
        what = ["-u", self._upstream, "-d", "zero_shot_emotion", "-c", str(self._config), "--seed", str(self._seed)]
        return ["-m", "train", *what, "-p", str(self.expdir), "--device", _device(), "-a"]

    def _test(self, target: str) -> list[str]:
        checkpoint = str(self.expdir / "dev-best.ckpt")
        return ["-m", "evaluate", "-e", checkpoint, "-t", target, "--device", _device()]

    def _follow(self, output: Any, log: Any) -> None:
        """Copy the output into the log, and show how far the training is."""
        from tqdm import tqdm

        progress = re.compile(r"overall:\s+(\d+)%")
        position = list(SYSTEMS).index(self.system)
        with tqdm(total=100, desc=f"train and test, {self.system}", unit="%", position=position) as bar:
            for line in output:
                log.write(line)
                found = progress.findall(line)
                if found:
                    bar.update(int(found[-1]) - bar.n)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _environment() -> dict[str, str]:
    """Of an experiment's process. Experiments run side by side: more threads than cores would slow all of them down."""
    threads = max(1, (os.cpu_count() or 1) // len(SYSTEMS))
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


def _table(sets: dict[str, Corpus], experiments: Sequence[_Experiment]) -> str:
    lines = []
    for target, corpus in sets.items():
        kept, _ = corpus.with_labels(FOUR)
        remark = "a held-out part of the synthetic corpus: a smoke test, not a benchmark" if target == SYNTHETIC else ""
        remark = remark or f"real speech, {len(kept)} utterances, nothing of it was seen in training"
        lines += ["", f"{target} ({remark})", f"  {'trained on':<46} {'UAR':<22} {'WA':<22} {'macro-F1'}"]
        for experiment in experiments:
            report = read_results(experiment.expdir)[target]
            cells = [str(metrics.Interval(**report[name])) for name in metrics.METRICS]
            lines.append(f"  {SYSTEMS[experiment.system]:<46} {cells[0]:<22} {cells[1]:<22} {cells[2]}")
        lines.append(f"  {'always the commonest class':<46} " + " ".join(f"{c:<22}" for c in _majority(kept)))
    lines.append("\n95% intervals from bootstraps over speakers.")
    return "\n".join(lines)


def _majority(corpus: Corpus) -> list[str]:
    """The scores of always guessing the class that is commonest in the target."""
    truth = [FOUR.classes.index(u.label or "") for u in corpus]
    guess = [max(set(truth), key=truth.count)] * len(truth)
    table = metrics.confusion(truth, guess, len(FOUR.classes))
    return [f"{metric(table):.3f}" for metric in metrics.METRICS.values()]


def _files(out: Path, experiments: Sequence[_Experiment]) -> str:
    rows = {
        "listen to": out / "emotional" / "audio",
        "before injection": out / "spoken" / "audio",
        "what was said": out / "emotional" / "metadata.jsonl",
        **{f"results, {e.system}": e.expdir / "results.json" for e in experiments},
        "TensorBoard": f"tensorboard --logdir {out / 'experiments'}",
    }
    return "\n".join(f"  {key:<20} {value}" for key, value in rows.items())
