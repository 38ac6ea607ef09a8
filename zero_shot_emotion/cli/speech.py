"""The commands that make speech, or label it: each turns a corpus into a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    ExecutorOption,
    Input,
    Out,
    Overwrite,
    Scheduler,
    Seed,
    Shards,
    SkipErrors,
    Workers,
    cores,
    elsewhere,
    input_corpus,
    run_stage,
)


def make_corpus(
    config: Annotated[str, typer.Argument(help="m5ser, m5ser-llm, or the path of a YAML.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Gets a folder for each stage; the last is 'emotional'.")],
    utterances: Annotated[int | None, typer.Option("-n", help="How many; goes before the config's.")] = None,
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """A whole synthetic corpus from one config: generate, translate, speak, inject."""
    from ..make_corpus import make_corpus as run

    for summary in run(config, out, utterances=utterances, seed=seed, workers=cores(workers)):
        print(summary)


def speak(
    corpus: Input,
    out: Out,
    engine: Annotated[
        str, typer.Option(help="espeak-ng, coqui, openai, flite, piper, or one that another package offers.")
    ] = "espeak-ng",
    settings: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="KEY=VALUE", help="A setting of the engine; may be repeated."),
    ] = None,
    quality: Annotated[
        list[str] | None,
        typer.Option("-q", "--quality", metavar="KEY=VALUE", help="A bound of the quality gate; may be repeated."),
    ] = None,
    seed: Seed = 0,
    workers: Workers = 0,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
    shards: Shards = None,
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Text corpus to neutral speech: each speaker keeps one voice of the right gender and language."""
    from tts.engine import parse_settings
    from tts.quality import read_quality
    from tts.speak import speak as run

    how = {"seed": seed, "shards": shards, "skip_errors": skip_errors, "overwrite": overwrite}
    run_stage(
        run,
        input_corpus(corpus, out),
        out,
        on=(workers, executor, scheduler),
        engine=engine,
        settings=parse_settings(settings or []),
        quality=read_quality(parse_settings(quality or [])),
        **how,
    )


def inject(
    corpus: Input,
    out: Out,
    method: Annotated[
        str, typer.Option(help="rules, expressive, voice-conversion, or one that another package offers.")
    ] = "rules",
    settings: Annotated[
        list[str] | None,
        typer.Option("-s", "--set", metavar="KEY=VALUE", help="A setting of the method; may be repeated."),
    ] = None,
    rules: Annotated[
        str | None, typer.Option(help="A shipped rule set's name, or the path of one; acted by default.")
    ] = None,
    intensity: Annotated[float, typer.Option(min=0, max=2, help="0 is neutral, 1 is the emotion.")] = 1.0,
    neutral: Annotated[bool, typer.Option(help="The control: treat every utterance as neutral.")] = False,
    seed: Seed = 0,
    workers: Workers = 0,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
    shards: Shards = None,
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Neutral speech to emotional speech: by prosody rules, by conversion, or spoken anew by an expressive engine."""
    from injection.inject import inject as run
    from tts.engine import parse_settings

    how = {"seed": seed, "shards": shards, "skip_errors": skip_errors, "overwrite": overwrite}
    run_stage(
        run,
        input_corpus(corpus, out),
        out,
        on=(workers, executor, scheduler),
        method=method,
        settings=parse_settings(settings or []),
        rules=rules,
        intensity=intensity,
        neutral=neutral,
        **how,
    )


def augment(
    corpus: Input,
    out: Out,
    channel: Annotated[
        str,
        typer.Option(
            "-c", "--config", help="varied, room, noise, codec, podcast, telephone, or the path of one's own."
        ),
    ] = "varied",
    copies: Annotated[int, typer.Option(min=1, help="Of each utterance, each with a draw of its own.")] = 1,
    original: Annotated[bool, typer.Option(help="Keep each utterance as it is, too.")] = False,
    seed: Seed = 0,
    workers: Workers = 0,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
    shards: Shards = None,
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Speech as a target's channel would carry it: room, noise, microphone, codec, level."""
    from augmentation.augment import augment as run

    how = {"seed": seed, "shards": shards, "skip_errors": skip_errors, "overwrite": overwrite}
    run_stage(
        run,
        input_corpus(corpus, out),
        out,
        on=(workers, executor, scheduler),
        channel=channel,
        copies=copies,
        original=original,
        **how,
    )


def weak_label(
    source: Annotated[
        str, typer.Argument(metavar="AUDIO_DIR_OR_CORPUS", help="A folder of audio, a corpus folder, or READER:PATH.")
    ],
    out: Out,
    config: Annotated[
        str, typer.Option("-c", "--config", help="lanser, offline, check, transcribe, or the path of a YAML.")
    ] = "lanser",
    taxonomy: Annotated[
        str | None, typer.Option(help="seven, goemotions, prosody-48, ..., or the path of one; before the config's.")
    ] = None,
    workers: Annotated[
        int, typer.Option("-j", "--workers", min=0, help="Processes, each with models of its own; 0 takes one a core.")
    ] = 1,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
    skip_errors: SkipErrors = False,
    overwrite: Annotated[
        bool, typer.Option(help="Replace the corpus of another run; steps that fit are kept.")
    ] = False,
) -> None:
    """Label speech without a listener: segments, transcripts, labels by entailment or otherwise, noise control."""
    from generation.weak_labels.recordings import open_source
    from generation.weak_labels.settings import read_settings
    from generation.weak_labels.weak_label import weak_label as run

    settings = read_settings(config, {} if taxonomy is None else {"taxonomy": taxonomy})
    run_stage(
        run,
        elsewhere(open_source(source), out),
        out,
        on=(workers, executor, scheduler),
        settings=settings,
        skip_errors=skip_errors,
        overwrite=overwrite,
    )
