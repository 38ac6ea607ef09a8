"""What several commands share: options, and what is done about them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..errors import UserError

if TYPE_CHECKING:
    from ..corpus import Corpus

CORPUS_HELP = "A corpus folder, or READER:PATH; #SPLIT takes a split, #@fr a language."
Input = Annotated[str, typer.Argument(metavar="CORPUS", help=CORPUS_HELP)]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the new corpus.")]
Everything = Annotated[
    Path, typer.Option("-o", "--out", help="Folder of everything; a second run does what is missing.")
]
Labels = Annotated[str, typer.Option(help="Label set: four, six, seven, eight, or codes such as neu,hap,ang,fru.")]
Seed = Annotated[int, typer.Option(help="Fixes everything that is drawn.")]
Workers = Annotated[int, typer.Option("-j", "--workers", min=0, help="Processes; 0 takes one a core.")]
ExecutorOption = Annotated[
    Literal["local", "dask"] | None,
    typer.Option("--executor", help="Where the work is done: processes here (default), or a Dask cluster."),
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster, such as tcp://host:8786; implies dask.")
]
Place = tuple[int, Literal["local", "dask"] | None, str | None]
"""Where work is done: the values of `Workers`, `ExecutorOption` and `Scheduler`."""
Shards = Annotated[
    int | None, typer.Option(min=1, help="Folders to spread the audio over; by default one for each 10,000 utterances.")
]
SkipErrors = Annotated[bool, typer.Option(help="Leave out what fails, and count it.")]
Overwrite = Annotated[bool, typer.Option(help="Throw away what the folder holds of another run.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; by default a GPU if there is one.")]
Contributor = Annotated[str, typer.Option(help="Who runs it; goes into the rows.")]


def input_corpus(spec: str, out: Path) -> Corpus:
    """A stage's input, refused where the stage would overwrite it."""
    from ..corpus.readers import open_corpus

    return elsewhere(open_corpus(spec), out)


def elsewhere(corpus: Corpus, out: Path) -> Corpus:
    """A corpus, refused where what is made of it would lie in its own folder."""
    from ..corpus import CorpusError

    if corpus.root.resolve() == out.resolve():
        raise CorpusError(f"-o {out}: is the input itself, expected another folder")
    return corpus


def run_stage(stage: Callable[..., Any], corpus: Corpus, out: Path, *, on: Place, **told: Any) -> None:
    """Run a stage in processes here or on a cluster, and say what came out."""
    from ..corpus.executors import open_executor

    workers, executor, scheduler = on
    with open_executor(executor, scheduler) as cluster:
        report = stage(corpus, out, workers=cores(workers), executor=cluster, **told)
    print(report.summary())


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """NAME=VALUE options."""
    wrong = [text for text in given or [] if not text.partition("=")[2]]
    if wrong:
        raise UserError(f"{option} {wrong[0]}: expected NAME=VALUE")
    return dict(text.split("=", 1) for text in given or [])


def cores(workers: int) -> int:
    """How many processes are meant: 0 is one a core that may be used."""
    return workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def table(rows: dict[str, Any]) -> None:
    """Print keys and values."""
    width = max(map(len, rows))
    for key, value in rows.items():
        print(f"{key:<{width}}  {value}")
