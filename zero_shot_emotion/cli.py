"""The command ``zero-shot-emotion``: parses, calls, prints. What is heavy is imported where it is used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from . import __version__
from .errors import UserError

if TYPE_CHECKING:
    from .corpus import Corpus

app = typer.Typer(
    help="Speech emotion recognition for a corpus of which nothing may be used.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
corpus_app = typer.Typer(help="Look at corpora, check them, convert them.", no_args_is_help=True)
app.add_typer(corpus_app, name="corpus")
datasheet_app = typer.Typer(help="Describe a corpus that may not be used.", no_args_is_help=True)
app.add_typer(datasheet_app, name="datasheet")
leaderboard_app = typer.Typer(
    help="Look at results, make a page of them, merge those of several people.", no_args_is_help=True
)
app.add_typer(leaderboard_app, name="leaderboard")

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the new corpus.")]
CORPUS_HELP = "A corpus folder, or READER:PATH; #SPLIT takes a split, #@fr a language."
Input = Annotated[str, typer.Argument(metavar="CORPUS", help=CORPUS_HELP)]
Seed = Annotated[int, typer.Option(help="Fixes everything that is drawn.")]
Workers = Annotated[int, typer.Option("-j", "--workers", min=0, help="Processes; 0 takes one a core.")]
ExecutorOption = Annotated[
    Literal["local", "dask"] | None,
    typer.Option("--executor", help="Where the work is done: processes here (default), or a Dask cluster."),
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Of a Dask cluster, such as tcp://host:8786; implies dask.")
]
Shards = Annotated[
    int | None, typer.Option(min=1, help="Folders to spread the audio over; by default one for each 10,000 utterances.")
]
SkipErrors = Annotated[bool, typer.Option(help="Leave out what fails, and count it.")]
Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="A folder of results, which a benchmark wrote.")]
Baseline = Annotated[
    str | None, typer.Option(metavar="SOURCE", help="Compare every other source with this one, system by system.")
]
Overwrite = Annotated[bool, typer.Option(help="Throw away what the folder holds of another run.")]
_LLM = "Language model (its key: environment variable OPENAI_API_KEY)"


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print and stop.")
    ] = False,
) -> None:
    pass


@app.command()
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
    from .demo import run_demo

    print(
        run_demo(
            out,
            target or [],
            upstream=upstream,
            config=config,
            utterances=utterances,
            seed=seed,
            workers=_cores(workers),
        )
    )


@app.command()
def generate(
    out: Out,
    datasheet: Annotated[str, typer.Option(help="A shipped datasheet's name, or the path of one.")] = "iemocap",
    language: Annotated[str | None, typer.Option(help="One of the datasheet's; by default its first.")] = None,
    utterances: Annotated[
        int | None, typer.Option("-n", help="How many; without a model by default all that ship, balanced.")
    ] = None,
    labels: Annotated[str, typer.Option(help="Label set: four, six, seven or eight.")] = "four",
    test_ratio: Annotated[float, typer.Option(min=0, max=0.9, help="Share held out as the split 'test'.")] = 0.0,
    parallel: Annotated[
        str | None,
        typer.Option(help="The same sentences in several languages, from those that ship: all, or such as en,fr,de."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="For the model: dialogue (default), seed, or the path of a template.")
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    model: Annotated[
        str | None, typer.Option(help="Language model to ask, as its endpoint calls it.", rich_help_panel=_LLM)
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--llm-base-url", help="Endpoint, such as http://localhost:11434/v1.", rich_help_panel=_LLM),
    ] = None,
    llm_config: Annotated[
        str | None, typer.Option(help="Settings: ollama, vllm, openai, or the path of a YAML.", rich_help_panel=_LLM)
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Of sampling; 1 by default.", rich_help_panel=_LLM)] = None,
    top_p: Annotated[float | None, typer.Option(help="Of sampling.", rich_help_panel=_LLM)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Of one answer.", rich_help_panel=_LLM)] = None,
    json_mode: Annotated[str | None, typer.Option(help="auto, schema, object or none.", rich_help_panel=_LLM)] = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests at a time.", rich_help_panel=_LLM)] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one attempt.", rich_help_panel=_LLM)] = None,
    max_requests: Annotated[int | None, typer.Option(help="Budget.", rich_help_panel=_LLM)] = None,
    max_prompt_tokens: Annotated[int | None, typer.Option(help="Budget, in all.", rich_help_panel=_LLM)] = None,
    max_completion_tokens: Annotated[int | None, typer.Option(help="Budget, in all.", rich_help_panel=_LLM)] = None,
    max_cost: Annotated[float | None, typer.Option(help="Budget; needs prices.", rich_help_panel=_LLM)] = None,
    prompt_price: Annotated[float | None, typer.Option(help="Of a million tokens.", rich_help_panel=_LLM)] = None,
    completion_price: Annotated[float | None, typer.Option(help="Of a million tokens.", rich_help_panel=_LLM)] = None,
) -> None:
    """Datasheet to text corpus, from a language model (--model) or from the dialogues that ship with the project."""
    from generation.endpoint import load_endpoint
    from generation.generate import generate as run

    from .corpus import label_set

    settings = {
        "model": model,
        "base_url": base_url,
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "json_mode": json_mode,
        "concurrency": concurrency,
        "timeout": timeout,
        "budget": {
            "requests": max_requests,
            "prompt_tokens": max_prompt_tokens,
            "completion_tokens": max_completion_tokens,
            "money": max_cost,
        },
        "prices": {"prompt": prompt_price, "completion": completion_price},
    }
    asks_a_model = any(
        told is not None
        for told in [llm_config, model, base_url, temperature, top_p, max_tokens, json_mode, concurrency, timeout]
    )
    if parallel is not None:
        from generation.parallel import generate_parallel

        if asks_a_model or prompt is not None:
            raise UserError("--parallel: takes sentences that ship; a model's text is brought to others by translate")
        report = generate_parallel(
            out,
            languages=[] if parallel == "all" else parallel.split(","),
            labels=label_set(labels),
            utterances=utterances,
            test_ratio=test_ratio,
            seed=seed,
            overwrite=overwrite,
        )
        print(report.summary())
        return
    report = run(
        out,
        datasheet=datasheet,
        language=language,
        labels=label_set(labels),
        utterances=utterances,
        test_ratio=test_ratio,
        seed=seed,
        endpoint=load_endpoint(llm_config, settings) if asks_a_model else None,
        prompt=prompt,
        overwrite=overwrite,
    )
    print(report.summary())


@app.command()
def translate(
    corpus: Input,
    out: Out,
    to: Annotated[str, typer.Option(help="Tags of the languages, such as fr,de,it,cmn,es.")],
    prompt: Annotated[str, typer.Option(help="A shipped prompt's name, or the path of one.")] = "translate",
    check_prompt: Annotated[str, typer.Option(help="Of the check.")] = "translation-check",
    similarity_model: Annotated[
        str | None, typer.Option(help="Sentence encoder of the Hugging Face hub, or its folder, instead of chrF.")
    ] = None,
    min_similarity: Annotated[float | None, typer.Option(min=0, max=100, help="Below it, the meaning is lost.")] = None,
    balance: Annotated[bool, typer.Option(help="Equally many of each language and emotion.")] = True,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    model: Annotated[str | None, typer.Option(help="As its endpoint calls it.", rich_help_panel=_LLM)] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--llm-base-url", help="Endpoint, such as http://localhost:11434/v1.", rich_help_panel=_LLM),
    ] = None,
    llm_config: Annotated[
        str | None, typer.Option(help="Settings: ollama, vllm, openai, or the path of a YAML.", rich_help_panel=_LLM)
    ] = None,
    concurrency: Annotated[int | None, typer.Option(help="Requests at a time.", rich_help_panel=_LLM)] = None,
    max_requests: Annotated[int | None, typer.Option(help="Budget.", rich_help_panel=_LLM)] = None,
) -> None:
    """Text corpus to the same in further languages too, by a language model that checks meaning and emotion."""
    from generation.endpoint import load_endpoint
    from generation.translate import translate as run

    changes = {"model": model, "base_url": base_url, "concurrency": concurrency, "budget": {"requests": max_requests}}
    report = run(
        _input(corpus, out),
        out,
        languages=[tag for tag in to.split(",") if tag],
        endpoint=load_endpoint(llm_config, changes),
        prompt=prompt,
        check_prompt=check_prompt,
        similarity_model=similarity_model,
        min_similarity=min_similarity,
        balance=balance,
        seed=seed,
        overwrite=overwrite,
    )
    print(report.summary())


@app.command("make-corpus")
def make_corpus(
    config: Annotated[str, typer.Argument(help="m5ser, m5ser-llm, or the path of a YAML.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Gets a folder for each stage; the last is 'emotional'.")],
    utterances: Annotated[int | None, typer.Option("-n", help="How many; goes before the config's.")] = None,
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """A whole synthetic corpus from one config: generate, translate, speak, inject."""
    from .make_corpus import make_corpus as run

    for summary in run(config, out, utterances=utterances, seed=seed, workers=_cores(workers)):
        print(summary)


@app.command()
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

    from .corpus.executors import open_executor

    with open_executor(executor, scheduler) as cluster:
        report = run(
            _input(corpus, out),
            out,
            engine=engine,
            settings=parse_settings(settings or []),
            quality=read_quality(parse_settings(quality or [])),
            seed=seed,
            workers=_cores(workers),
            skip_errors=skip_errors,
            overwrite=overwrite,
            executor=cluster,
            shards=shards,
        )
    print(report.summary())


@app.command()
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

    from .corpus.executors import open_executor

    with open_executor(executor, scheduler) as cluster:
        report = run(
            _input(corpus, out),
            out,
            method=method,
            settings=parse_settings(settings or []),
            rules=rules,
            intensity=intensity,
            neutral=neutral,
            seed=seed,
            workers=_cores(workers),
            skip_errors=skip_errors,
            overwrite=overwrite,
            executor=cluster,
            shards=shards,
        )
    print(report.summary())


@app.command()
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
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Speech as a target's channel would carry it: room, noise, microphone, codec, level."""
    from augmentation.augment import augment as run

    report = run(
        _input(corpus, out),
        out,
        channel=channel,
        copies=copies,
        original=original,
        seed=seed,
        workers=_cores(workers),
        skip_errors=skip_errors,
        overwrite=overwrite,
    )
    print(report.summary())


@app.command()
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
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; by default a GPU if there is one.")] = None,
    batch_seconds: Annotated[float | None, typer.Option(min=0, help="Seconds of audio in a batch.")] = None,
    skip_errors: SkipErrors = False,
    overwrite: Overwrite = False,
) -> None:
    """Features of a frozen upstream, computed once: train on them with -u stored -k STORE."""
    from .corpus.readers import open_corpus
    from .features import UpstreamSpec
    from .features import extract as run

    report = run(
        [open_corpus(corpus) for corpus in corpora],
        UpstreamSpec(upstream, ckpt, config),
        out,
        keep=keep,
        device=device,
        batch_seconds=batch_seconds,
        skip_errors=skip_errors,
        overwrite=overwrite,
    )
    print(report.summary())


@app.command()
def benchmark(
    config: Annotated[str, typer.Argument(metavar="GRID", help="A shipped grid's name, or the path of one.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of everything; a second run does what is missing.")],
    path: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="NAME=FOLDER", help="What ${NAME} stands for in the grid; may be repeated."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many, instead of the grid's.")] = None,
    skip_missing: Annotated[bool, typer.Option(help="Leave out corpora and checkpoints that are not here.")] = False,
    allow_leakage: Annotated[bool, typer.Option(help="Go on where a source shares sound with a target.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would run and what is done, and stop.")] = False,
    row: Annotated[list[str] | None, typer.Option(help="Only the row of this id; may be repeated.")] = None,
    contributor: Annotated[str, typer.Option(help="Who runs it; goes into the rows.")] = "",
    workers: Workers = 0,
    executor: ExecutorOption = None,
    scheduler: Scheduler = None,
) -> None:
    """Run a grid: sources x upstreams x targets x seeds, audited first, with statistics and a page over the rows."""
    from .benchmark.run import run_grid
    from .corpus.executors import open_executor

    with open_executor(executor, scheduler) as cluster:
        report = run_grid(
            config,
            out,
            paths=_pairs(path or [], "--path"),
            seeds=seeds,
            skip_missing=skip_missing,
            allow_leakage=allow_leakage,
            dry_run=dry_run,
            only=row or [],
            contributor=contributor,
            workers=_cores(workers),
            executor=cluster,
        )
    print(report.summary)
    if report.failures:
        raise typer.Exit(1)


@app.command()
def predict(
    checkpoint: Annotated[
        Path, typer.Argument(help="Such as dev-best.ckpt of an experiment, or the folder classifier of one on text.")
    ],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="Wavs: a file, a folder that is searched. Text: a .txt, .csv or .jsonl. Or a corpus."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .csv or .jsonl file.")],
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:N; by default a GPU if there is one.")] = None,
) -> None:
    """Wavs or texts in, emotions with probabilities out, with the upstream or encoder that was trained on."""
    from .predict import predict as run

    print(run(checkpoint, source, out, device).summary())


@app.command(
    "run-downstream",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run_downstream(context: typer.Context) -> None:
    """s3prl's run_downstream.py with its own options: -m train -n EXP -u data2vec -d zero_shot_emotion -c CONFIG."""
    from .s3prl_plugin.launcher import run_downstream as run

    run(context.args)


@app.command("train-text")
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
    from .text.experiment import run_text_experiment
    from .text.settings import read_text_settings

    data: dict[str, Any] = {"train": train} if train else {}
    if target:
        data["targets"] = _pairs(target, "--target")
    changes = {"data": data} if data else {}
    settings = read_text_settings(config, changes | ({"encoder": {"name": encoder}} if encoder else {}))
    print(run_text_experiment(settings, out, seed=seed, store=store, device=device, overwrite=overwrite).summary())


@app.command()
def fuse(
    speech: Annotated[Path, typer.Option(help="Experiment on speech, with predictions on dev and the targets.")],
    text: Annotated[Path, typer.Option(help="Experiment on text, with the same train corpora and seed.")],
    target: Annotated[list[str], typer.Option(help="Name of a set that both were tested on; may be repeated.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the results.")],
) -> None:
    """Late fusion of speech and text, weighed by dev; speech alone and text alone stand beside it."""
    from .fusion import fuse as run

    print(run(speech, text, target, out).summary())


@app.command("weak-label")
def weak_label(
    source: Annotated[
        str, typer.Argument(metavar="AUDIO_DIR_OR_CORPUS", help="A folder of audio, a corpus folder, or READER:PATH.")
    ],
    out: Out,
    config: Annotated[
        str, typer.Option("-c", "--config", help="lanser, offline, check, or the path of a YAML.")
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

    from .corpus.executors import open_executor

    settings = read_settings(config, {} if taxonomy is None else {"taxonomy": taxonomy})
    with open_executor(executor, scheduler) as cluster:
        report = run(
            open_source(source),
            out,
            settings,
            workers=_cores(workers),
            executor=cluster,
            skip_errors=skip_errors,
            overwrite=overwrite,
        )
    print(report.summary())


@app.command()
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
    from .benchmark.space import compare_spaces
    from .corpus import label_set
    from .corpus.readers import open_corpus

    corpora = [open_corpus(spec) for spec in corpus]
    told = label_set(labels) if labels else None
    print(compare_spaces(experiments, corpora, out, set_name=set_name, labels=told, method=method, seed=seed))
    print(out)


@app.command("leave-one-language-out")
def leave_one_language_out(
    config: Annotated[str, typer.Argument(help="A downstream config, by name or path; its corpora are replaced.")],
    corpus: Input,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the configs, one for each language.")],
) -> None:
    """Write a downstream config for each language of a corpus: trained on all others, tested on it."""
    from .benchmark.leave_one_out import write_leave_one_language_out

    for path in write_leave_one_language_out(config, corpus, out):
        print(path)


@app.command()
def lanser(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="paper, open, or the path of a YAML.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of everything; a second run does what is missing.")],
    path: Annotated[
        list[str] | None,
        typer.Option("--path", metavar="NAME=FOLDER", help="What ${NAME} stands for in the config; may be repeated."),
    ] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many, instead of the config's.")] = None,
    skip_errors: SkipErrors = False,
    allow_leakage: Annotated[bool, typer.Option(help="Go on where the speech holds sound of a test.")] = False,
    contributor: Annotated[str, typer.Option(help="Who runs it; goes into the rows.")] = "",
    workers: Annotated[int, typer.Option("-j", "--workers", min=0, help="Processes; 0 takes one a core.")] = 1,
) -> None:
    """LanSER whole: label speech weakly, pre-train on it, fine-tune on shares of a target, draw the curve."""
    from .lanser.run import run_lanser

    report = run_lanser(
        config,
        out,
        paths=_pairs(path or [], "--path"),
        seeds=seeds,
        workers=_cores(workers),
        skip_errors=skip_errors,
        allow_leakage=allow_leakage,
        contributor=contributor,
    )
    print(report.summary)
    if report.failures:
        raise typer.Exit(1)


@app.command()
def doctor(
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="A downstream config whose corpora are checked too.")
    ] = None,
) -> None:
    """What is usable here, and what to do about what is not."""
    from .doctor import examine

    checks = examine(config)
    print("\n".join(str(check) for check in checks))
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)


@corpus_app.command()
def validate(
    corpus: Input,
    audio: Annotated[bool, typer.Option(help="Read all audio too.")] = True,
    min_seconds: Annotated[float, typer.Option(help="Shorter audio is bad.")] = 0.1,
) -> None:
    """Check manifest, labels and audio; the exit status tells whether anything is wrong."""
    from collections import Counter

    from .corpus.readers import open_corpus
    from .corpus.summary import check_all_audio

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


@corpus_app.command()
def summarise(
    corpus: Input,
    picture: Annotated[
        Path | None, typer.Option(help="Draw languages, emotions and their table into a .svg or .png.")
    ] = None,
) -> None:
    """Counts, speakers, dialogues, languages, splits, drops."""
    from .corpus.distributions import draw_distributions
    from .corpus.readers import open_corpus
    from .corpus.summary import summarise as facts

    opened = open_corpus(corpus)
    _table(facts(opened))
    if picture is not None:
        print(draw_distributions(opened, picture))


@corpus_app.command()
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

    from .corpus.readers import open_corpus

    print(write_report(open_corpus(corpus), out, real=real or [], datasheet=datasheet, seed=seed))


@corpus_app.command("report-speech")
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
    labels: Annotated[str, typer.Option(help="Label set: four, six, seven or eight.")] = "four",
    seed: Seed = 0,
    workers: Workers = 0,
) -> None:
    """What in the sound gives the class away, and how far it lies from real speech. One HTML page."""
    from .corpus import label_set
    from .corpus.readers import open_corpus
    from .speech_report import write_speech_report

    print(
        write_speech_report(
            [open_corpus(spec) for spec in corpora],
            out,
            real=[open_corpus(spec) for spec in real or []],
            labels=label_set(labels),
            seed=seed,
            workers=_cores(workers),
        )
    )


@corpus_app.command()
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
    from .corpus import CorpusError, label_set
    from .corpus.convert import convert as write_folder
    from .corpus.readers import open_corpus
    from .corpus.seed_format import read_meta_data, write_meta_data
    from .corpus.shards import write_shards

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


@datasheet_app.command()
def new(path: Annotated[Path, typer.Argument(help="File to be written, such as my-corpus.yaml.")]) -> None:
    """Write a datasheet to be filled in; comments say what goes where, and where in a paper it stands."""
    from generation.datasheet import new_datasheet

    new_datasheet(path)
    print(f"{path}: fill it in, then run zero-shot-emotion datasheet check {path}")


@datasheet_app.command()
def check(datasheet: Annotated[str, typer.Argument(help="A datasheet's path, or the name of a shipped one.")]) -> None:
    """Say what is open or wrong in a datasheet, or else what it holds."""
    from collections import Counter

    from generation.datasheet import load_datasheet

    sheet = load_datasheet(datasheet)
    roles = Counter(role.emotion for scenario in sheet.scenarios for role in scenario.roles)
    _table(
        {
            "name": sheet.name,
            "title": sheet.title,
            "languages": ", ".join((sheet.language, *sheet.languages)),
            "labels": ", ".join(sheet.labels),
            "scenarios": len(sheet.scenarios),
            "roles": ", ".join(f"{emotion} {count}" for emotion, count in roles.most_common()),
            "use it with": f"zero-shot-emotion generate --datasheet {datasheet} --model MODEL -n 500 -o corpora/text",
        }
    )


@leaderboard_app.command()
def show(results: Results, baseline: Baseline = None) -> None:
    """A table a target: means over seeds, intervals, controls, and what differs from a baseline."""
    from rich.console import Console

    from .benchmark.leaderboard import load_board
    from .benchmark.leaderboard.table import render_tables

    console = Console(soft_wrap=False, highlight=False)
    for part in render_tables(load_board(results, baseline)):
        console.print(part)


@leaderboard_app.command("csv")
def as_csv(
    results: Results,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The file; by default it is printed.", dir_okay=False)
    ] = None,
    rows: Annotated[bool, typer.Option("--rows", help="A line for each row instead of one for all seeds.")] = False,
) -> None:
    """Results as CSV: a line for all seeds of a system, source and target, or one for each row."""
    from .benchmark.leaderboard import load_board
    from .benchmark.leaderboard.as_csv import write_each, write_entries
    from .corpus import atomic_write

    board = load_board(results)
    write = write_each if rows else write_entries
    if out is None:
        write(board, sys.stdout)
        return
    with atomic_write(out) as file:
        count = write(board, file)
    print(f"{count} lines written to {out}")


@leaderboard_app.command()
def page(
    results: Results,
    out: Annotated[Path, typer.Option("-o", "--out", help="The page.")] = Path("leaderboard.html"),
    baseline: Baseline = None,
    samples: Annotated[
        list[str] | None,
        typer.Option(metavar="CORPUS[:N]", help="A corpus to listen to, and how many utterances; may be repeated."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Of the page; by default the benchmark's name.")] = None,
) -> None:
    """One HTML file with all in it: sortable, filterable, with figures, recordings and how to repeat each row."""
    from .benchmark.leaderboard import load_board
    from .benchmark.leaderboard.page import write_page
    from .benchmark.leaderboard.samples import read_samples

    board = load_board(results, baseline)
    heard = read_samples(samples) if samples else None
    write_page(board, out, title, heard)
    print(f"{len(board.rows)} rows, {len(board.lines)} entries, {len(board.tables)} tables")
    if heard is not None:
        left_out = ", ".join(f"{count} {reason}" for reason, count in heard.left_out.items()) or "nothing"
        print(f"{len(heard.utterances)} utterances of {', '.join(heard.corpora)} to listen to; left out: {left_out}")
    print(f"page  {out}  ({out.stat().st_size / 1e6:.1f} MB)")


@leaderboard_app.command()
def merge(
    results: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results, at least two.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The new folder of results.")],
    contributor: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RESULTS", help="Who made a folder's rows; by default the folder's name."),
    ] = None,
) -> None:
    """Put results of several people into one folder; says what is there twice, and what cannot be compared."""
    from rich.console import Console

    from .benchmark.leaderboard import load_board
    from .benchmark.leaderboard.merging import merge as run
    from .benchmark.leaderboard.table import render_differing

    print(run(results, out, contributor or []).summary(out))
    console = Console(highlight=False)
    for part in render_differing(load_board(out)):
        console.print(part)


def _pairs(given: list[str], option: str) -> dict[str, str]:
    """NAME=VALUE options."""
    pairs = dict(text.split("=", 1) for text in given if "=" in text)
    wrong = [text for text in given if not text.partition("=")[2]]
    if wrong:
        raise UserError(f"{option} {wrong[0]}: expected NAME=VALUE")
    return pairs


def _input(spec: str, out: Path) -> Corpus:
    """A stage's input, refused where the stage would overwrite it."""
    from .corpus import CorpusError
    from .corpus.readers import open_corpus

    corpus = open_corpus(spec)
    if corpus.root.resolve() == out.resolve():
        raise CorpusError(f"-o {out}: is the input itself, expected another folder")
    return corpus


def _table(rows: dict[str, Any]) -> None:
    width = max(map(len, rows))
    for key, value in rows.items():
        print(f"{key:<{width}}  {value}")


def _cores(workers: int) -> int:
    import os

    return workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def main() -> None:
    """Run the command; what a user can mend ends in one line, not in a traceback."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
