"""The commands that train and test."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UserError
from .options import (
    CORPUS_HELP,
    Contributor,
    Device,
    Everything,
    ExecutorOption,
    Input,
    Overwrite,
    Scheduler,
    Seed,
    SkipErrors,
    Workers,
    cores,
    pairs,
)

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Settings of a command whose options are another program's."""


def extract(
    corpora: Annotated[list[str], typer.Argument(metavar="CORPUS...", help=CORPUS_HELP)],
    upstream: Annotated[str, typer.Option("-u", "--upstream", help="Any upstream of s3prl's hub.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the store; new utterances are added.")],
    ckpt: Annotated[str | None, typer.Option("-k", "--upstream-ckpt", help="Where the upstream needs one.")] = None,
    config: Annotated[
        str | None, typer.Option("-g", "--upstream-model-config", help="Where the upstream needs one.")
    ] = None,
    keep: Annotated[
        str, typer.Option(help="means (all that the default head needs) or frames, of each layer.")
    ] = "means",
    level_db: Annotated[
        float | None, typer.Option(min=-60, max=0, help="Active level to set all audio to, in dBFS.")
    ] = None,
    trim: Annotated[bool, typer.Option("--trim", help="Cut the silence at both ends of all audio.")] = False,
    device: Device = None,
    batch_seconds: Annotated[float | None, typer.Option(min=0, help="Seconds of audio in a batch.")] = None,
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Features of a frozen upstream, computed once: train on them with -u stored -k STORE."""
    from ..acoustics import Conditioning
    from ..corpus.readers import open_corpus
    from ..features import UpstreamSpec
    from ..features import extract as run

    report = run(
        [open_corpus(corpus) for corpus in corpora],
        UpstreamSpec(upstream, ckpt, config),
        out,
        keep=keep,
        device=device,
        batch_seconds=batch_seconds,
        skip_errors=skip_errors,
        overwrite=overwrite,
        conditioning=Conditioning(level_db, trim),
    )
    print(report.summary())


def benchmark(
    config: Annotated[str, typer.Argument(metavar="GRID", help="A shipped grid's name, or the path of one.")],
    out: Everything,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="NAME=FOLDER", help="What ${NAME} stands for in the grid; may be repeated."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many, instead of the grid's.")] = None,
    skip_missing: Annotated[bool, typer.Option(help="Leave out corpora and checkpoints that are not here.")] = False,
    allow_leakage: Annotated[bool, typer.Option(help="Go on where a source shares sound with a target.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would run and what is done, and stop.")] = False,
    row: Annotated[list[str] | None, typer.Option(help="Only the row of this id; may be repeated.")] = None,
    contributor: Contributor = "",
    workers: Workers = 0,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
) -> None:
    """Run a grid: sources x upstreams x targets x seeds, audited first, with statistics and a page over the rows."""
    from ..benchmark.run import run_grid
    from ..corpus.executors import open_executor

    with open_executor(executor, scheduler) as cluster:
        report = run_grid(
            config,
            out,
            paths=pairs(path, "--path"),
            seeds=seeds,
            skip_missing=skip_missing,
            allow_leakage=allow_leakage,
            dry_run=dry_run,
            only=row or [],
            contributor=contributor,
            workers=cores(workers),
            executor=cluster,
        )
    print(report.summary)
    if report.failures:
        raise typer.Exit(1)


def predict(
    checkpoint: Annotated[
        Path, typer.Argument(help="An experiment's or a benchmark system's folder, or its file or folder of weights.")
    ],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="Wavs: a file, a folder that is searched. Text: a .txt, .csv or .jsonl. Or a corpus."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .csv or .jsonl file.")],
    device: Device = None,
) -> None:
    """Wavs or texts in, emotions with probabilities out, with the upstream or encoder that was trained on."""
    from ..predict import predict as run

    print(run(checkpoint, source, out, device).summary())


def run_downstream(context: typer.Context) -> None:
    """s3prl's run_downstream.py with its own options: -m train -n EXP -u data2vec -d zero_shot_emotion -c CONFIG."""
    from ..config_files import read_mapping
    from ..s3prl_plugin.launcher import run_downstream as run

    for option, value in pairwise(context.args):
        if option in ("-c", "--config"):  # s3prl reads it with a traceback for what is wrong
            if not Path(value).is_file():
                raise UserError(f"{option} {value}: no such file, expected a downstream config")
            read_mapping(Path(value), UserError)
    run(context.args)


def train_text(
    config: Annotated[str, typer.Argument(help="seed-work, linear, finetune, or the path of a YAML.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the experiment.")],
    train: Annotated[list[str] | None, typer.Option(help="Corpus to train on; may be repeated.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME=CORPUS", help="Corpus to test on; may be repeated.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="Of the Hugging Face hub, or its folder.")] = None,
    store: Annotated[Path | None, typer.Option(help="Folder of encoded texts that experiments share.")] = None,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="Of torch.")] = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Train a text classifier on some corpora and test it on others."""
    from ..text.experiment import run_text_experiment
    from ..text.settings import read_text_settings

    data: dict[str, Any] = {"train": train} if train else {}
    if target:
        data["targets"] = pairs(target, "--target")
    changes = {"data": data} if data else {}
    settings = read_text_settings(config, changes | ({"encoder": {"name": encoder}} if encoder else {}))
    print(run_text_experiment(settings, out, seed=seed, store=store, device=device, overwrite=overwrite).summary())


def fuse(
    speech: Annotated[Path, typer.Option(help="Experiment on speech, with predictions on dev and the targets.")],
    text: Annotated[Path, typer.Option(help="Experiment on text, with the same train corpora and seed.")],
    target: Annotated[list[str], typer.Option(help="Name of a set that both were tested on; may be repeated.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")],
) -> None:
    """Late fusion of speech and text, weighed by dev; speech alone and text alone stand beside it."""
    from ..fusion import fuse as run

    print(run(speech, text, target, out).summary())


def space(
    experiments: Annotated[
        list[str], typer.Argument(metavar="EXP...", help="Experiments' folders, or files of embeddings (.npz, .csv).")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The picture (.png or .svg); probes go beside it as JSON.")],
    corpus: Annotated[list[str], typer.Option(help="That the utterances are of; may be repeated.")],
    set_name: Annotated[str, typer.Option("-t", "--set", help="Which set of the experiments.")] = "dev",
    labels: Annotated[str | None, typer.Option(help="Label set; by default the corpus's own labels.")] = None,
    method: Annotated[str, typer.Option(help="tsne, or umap where umap-learn is installed.")] = "tsne",
    seed: Seed = 0,
) -> None:
    """What embeddings tell of emotion, language and speaker: probes, and a picture."""
    from ..benchmark.space import compare_spaces
    from ..corpus import label_set
    from ..corpus.readers import open_corpus

    corpora = [open_corpus(spec) for spec in corpus]
    told = label_set(labels) if labels else None
    print(compare_spaces(experiments, corpora, out, set_name=set_name, labels=told, method=method, seed=seed))
    print(out)


def leave_one_language_out(
    config: Annotated[str, typer.Argument(help="A downstream config, by name or path; its corpora are replaced.")],
    corpus: Input,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the configs, one for each language.")],
) -> None:
    """Write a downstream config for each language of a corpus: trained on all others, tested on it."""
    from ..benchmark.leave_one_out import write_leave_one_language_out

    for path in write_leave_one_language_out(config, corpus, out):
        print(path)


def lanser(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="paper, open, smoke, or the path of a YAML.")],
    out: Everything,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="NAME=FOLDER", help="What ${NAME} stands for in the config; may be repeated."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many, instead of the config's.")] = None,
    skip_errors: SkipErrors = False,
    allow_leakage: Annotated[bool, typer.Option(help="Go on where the speech holds sound of a test.")] = False,
    contributor: Contributor = "",
    workers: Workers = 1,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
) -> None:
    """LanSER whole: label speech weakly, pre-train on it, fine-tune on shares of a target, draw the curve."""
    from ..corpus.executors import open_executor
    from ..lanser.run import run_lanser

    with open_executor(executor, scheduler) as cluster:
        report = run_lanser(
            config,
            out,
            paths=pairs(path, "--path"),
            seeds=seeds,
            workers=cores(workers),
            executor=cluster,
            skip_errors=skip_errors,
            allow_leakage=allow_leakage,
            contributor=contributor,
        )
    print(report.summary)
    if report.failures:
        raise typer.Exit(1)
