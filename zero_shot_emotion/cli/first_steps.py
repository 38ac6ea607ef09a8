"""The commands to begin with: a demo of everything, and what is usable here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Seed, Workers, cores


def demo(
    target: Annotated[
        list[str] | None,
        typer.Option(help="Real speech as the unseen target, as READER:PATH or a corpus folder; may be repeated."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of everything the demo makes.")] = Path("demo"),
    upstream: Annotated[str, typer.Option("-u", "--upstream", help="Any upstream of s3prl's hub.")] = "fbank",
    config: Annotated[
        str, typer.Option("-c", "--config", help="Downstream config, by name or path; its corpora are filled in.")
    ] = "demo",
    utterances: Annotated[int, typer.Option("-n", min=40, help="Size of the synthetic corpus.")] = 240,
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """Make a synthetic emotional corpus, train on it, test it, show the result. Needs no network."""
    from ..demo import run_demo

    print(
        run_demo(
            out,
            target or [],
            upstream=upstream,
            config=config,
            utterances=utterances,
            seed=seed,
            workers=cores(workers),
        )
    )


def doctor(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="A downstream config whose corpora are checked too.")
    ] = None,
) -> None:
    """What is usable here, and what to do about what is not."""
    from ..doctor import examine

    checks = examine(config)
    print("\n".join(str(check) for check in checks))
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)
