"""The commands of the group ``corpus``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Input, Labels, Seed, Workers, cores, table


def validate(
    corpus: Input,
    audio: Annotated[bool, typer.Option(help="Read all audio too.")] = True,
    min_seconds: Annotated[float, typer.Option(help="Shorter audio is bad.")] = 0.1,
) -> None:
    """Check manifest, labels and audio; the exit status tells whether anything is wrong."""
    from collections import Counter

    from ..corpus.readers import open_corpus
    from ..corpus.summary import check_all_audio

    opened = open_corpus(corpus)
    print(f"{opened.name}: {len(opened)} utterances, the manifest is fine")
    if not audio:
        return
    problems, seconds = check_all_audio(opened, min_seconds)
    print(f"audio: {seconds / 3600:.2f} h are fine, {len(problems)} files are not")
    for reason, count in Counter(problem.reason for problem in problems.values()).most_common():
        first = next(problem for problem in problems.values() if problem.reason == reason)
        print(f"  {count} {reason}, such as {first}")
    if problems:
        raise typer.Exit(1)


def summarise(
    corpus: Input,
    picture: Annotated[
        Path | None, typer.Option(help="Draw languages, emotions and their table into a .svg or .png.")
    ] = None,
) -> None:
    """Counts, speakers, dialogues, languages, splits, drops."""
    from ..corpus.distributions import draw_distributions
    from ..corpus.readers import open_corpus
    from ..corpus.summary import summarise as facts

    opened = open_corpus(corpus)
    table(facts(opened))
    if picture is not None:
        print(draw_distributions(opened, picture))


def report(
    corpus: Input,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page; its numbers go beside it as JSON.")] = Path(
        "report.html"
    ),
    real: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEC", help="Real text to compare with: a corpus, or a text file of one line each."),
    ] = None,
    datasheet: Annotated[
        str | None, typer.Option(help="Whose durations to compare with; by default what the card names.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """How real a corpus's text is: length, variety, what leaks labels, whether it copies a real one. One HTML page."""
    from generation.report import write_report

    from ..corpus.readers import open_corpus

    print(write_report(open_corpus(corpus), out, real=real or [], datasheet=datasheet, seed=seed))


def report_speech(
    corpora: Annotated[
        list[str],
        typer.Argument(metavar="CORPUS...", help="Stages to compare, such as neutral, emotional and control."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The page; its numbers go beside it as JSON.")] = Path(
        "speech.html"
    ),
    real: Annotated[
        list[str] | None, typer.Option(metavar="CORPUS", help="Real speech to compare with; may be repeated.")
    ] = None,
    labels: Labels = "four",
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """What in the sound gives the class away, and how far it lies from real speech. One HTML page."""
    from ..corpus import label_set
    from ..corpus.readers import open_corpus
    from ..speech_report import write_speech_report

    print(
        write_speech_report(
            [open_corpus(spec) for spec in corpora],
            out,
            real=[open_corpus(spec) for spec in real or []],
            labels=label_set(labels),
            seed=seed,
            workers=cores(workers),
        )
    )


def convert(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help="As elsewhere, or a *_meta_data.json with --root.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A corpus folder, or a *_meta_data.json.")],
    root: Annotated[Path | None, typer.Option(help="What the paths of a *_meta_data.json are relative to.")] = None,
    labels: Annotated[str, typer.Option(help="Label set of a *_meta_data.json to be written.")] = "four",
    audio: Annotated[str, typer.Option(help="link or copy the audio of a corpus folder to be written.")] = "link",
    form: Annotated[
        Literal["folder", "webdataset", "parquet"],
        typer.Option("--format", help="Of a folder: as usual, or in shards."),
    ] = "folder",
) -> None:
    """Any corpus to a corpus folder, to shards or to the seed work's meta_data JSON, and that JSON to any of these."""
    from ..corpus import CorpusError, label_set
    from ..corpus.convert import convert as write_folder
    from ..corpus.readers import open_corpus
    from ..corpus.seed_format import read_meta_data, write_meta_data
    from ..corpus.shards import write_shards

    if audio not in ("link", "copy"):
        raise CorpusError(f"--audio: got {audio!r}, expected link or copy")
    if corpus.endswith(".json"):
        if root is None:
            raise CorpusError("--root: missing, expected the folder that the paths of the JSON file are relative to")
        opened, _ = read_meta_data(corpus, root)
    else:
        opened = open_corpus(corpus)
    if out.suffix == ".json":
        write_meta_data(opened, label_set(labels), out)
    elif form != "folder":
        write_shards(opened, out, form)
    else:
        write_folder(opened, out, "copy" if audio == "copy" else "link")
    print(f"{opened.name}: {len(opened)} utterances written to {out}")
