"""The commands that make and translate text, and those of the group ``datasheet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UserError
from .options import Input, Labels, Out, Overwrite, Seed, input_corpus, table

_LLM = "Language model (its key: environment variable OPENAI_API_KEY)"
BaseUrl = Annotated[
    str | None,
    typer.Option("--llm-base-url", help="Endpoint, such as http://localhost:11434/v1.", rich_help_panel=_LLM),
]
LLMConfig = Annotated[
    str | None, typer.Option(help="Settings: ollama, vllm, openai, or the path of a YAML.", rich_help_panel=_LLM)
]
Concurrency = Annotated[int | None, typer.Option(help="Requests at a time.", rich_help_panel=_LLM)]
MaxRequests = Annotated[int | None, typer.Option(help="Budget.", rich_help_panel=_LLM)]


def generate(
    out: Out,
    datasheet: Annotated[str, typer.Option(help="A shipped datasheet's name, or the path of one.")] = "iemocap",
    language: Annotated[str | None, typer.Option(help="One of the datasheet's; by default its first.")] = None,
    utterances: Annotated[
        int | None, typer.Option("-n", help="How many; without a model by default all that ship, balanced.")
    ] = None,
    labels: Labels = "four",
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
    base_url: BaseUrl = None,
    llm_config: LLMConfig = None,
    temperature: Annotated[float | None, typer.Option(help="Of sampling; 1 by default.", rich_help_panel=_LLM)] = None,
    top_p: Annotated[float | None, typer.Option(help="Of sampling.", rich_help_panel=_LLM)] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Of one answer.", rich_help_panel=_LLM)] = None,
    json_mode: Annotated[str | None, typer.Option(help="auto, schema, object or none.", rich_help_panel=_LLM)] = None,
    concurrency: Concurrency = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for one attempt.", rich_help_panel=_LLM)] = None,
    max_requests: MaxRequests = None,
    max_prompt_tokens: Annotated[int | None, typer.Option(help="Budget, in all.", rich_help_panel=_LLM)] = None,
    max_completion_tokens: Annotated[int | None, typer.Option(help="Budget, in all.", rich_help_panel=_LLM)] = None,
    max_cost: Annotated[float | None, typer.Option(help="Budget; needs prices.", rich_help_panel=_LLM)] = None,
    prompt_price: Annotated[float | None, typer.Option(help="Of a million tokens.", rich_help_panel=_LLM)] = None,
    completion_price: Annotated[float | None, typer.Option(help="Of a million tokens.", rich_help_panel=_LLM)] = None,
) -> None:
    """Datasheet to text corpus, from a language model (--model) or from the dialogues that ship with the project."""
    from generation.endpoint import load_endpoint
    from generation.generate import generate as run

    from ..corpus import label_set

    settings: dict[str, Any] = {
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
    told = [llm_config, *settings.values(), *settings["budget"].values(), *settings["prices"].values()]
    asks_a_model = any(value is not None and not isinstance(value, dict) for value in told)
    if parallel is not None:
        from generation.parallel import generate_parallel

        if asks_a_model or prompt is not None:
            raise UserError("--parallel: takes sentences that ship; a model's text is brought to others by translate")
        if language is not None:
            raise UserError(f"--language {language}: got --parallel too, which says the languages itself")
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
    base_url: BaseUrl = None,
    llm_config: LLMConfig = None,
    concurrency: Concurrency = None,
    max_requests: MaxRequests = None,
) -> None:
    """Text corpus to the same in further languages too, by a language model that checks meaning and emotion."""
    from generation.endpoint import load_endpoint
    from generation.translate import translate as run

    changes = {"model": model, "base_url": base_url, "concurrency": concurrency, "budget": {"requests": max_requests}}
    report = run(
        input_corpus(corpus, out),
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


def new(path: Annotated[Path, typer.Argument(help="File to be written, such as my-corpus.yaml.")]) -> None:
    """Write a datasheet to be filled in; comments say what goes where, and where in a paper it stands."""
    from generation.datasheet import new_datasheet

    new_datasheet(path)
    print(f"{path}: fill it in, then run zero-shot-emotion datasheet check {path}")


def check(datasheet: Annotated[str, typer.Argument(help="A datasheet's path, or the name of a shipped one.")]) -> None:
    """Say what is open or wrong in a datasheet, or else what it holds."""
    from collections import Counter

    from generation.datasheet import load_datasheet
    from generation.lengths import lengths_of
    from generation.plan import lacking

    from ..corpus import LABEL_SETS

    sheet = load_datasheet(datasheet)
    lengths = lengths_of(sheet)
    shortest, median, longest = (lengths.words(share) for share in (0, 0.5, 1))
    roles = Counter(role.emotion for scenario in sheet.scenarios for role in scenario.roles)
    lacks = {name: lacking(sheet, labels) for name, labels in LABEL_SETS.items()}
    fits = [name for name, classes in lacks.items() if not classes]
    labels = "" if "four" in fits else f" --labels {fits[0] if fits else ','.join(sheet.labels)}"
    table(
        {
            "name": sheet.name,
            "title": sheet.title,
            "languages": ", ".join((sheet.language, *sheet.languages)),
            "labels": ", ".join(sheet.labels),
            "label sets": "; ".join(
                name + (f" lacks {', '.join(classes)}" if classes else "") for name, classes in lacks.items()
            ),
            "lengths": f"{shortest} to {longest} {lengths.rate.unit}, half of them up to {median}, "
            f"at {lengths.rate.per_second:g} a second",
            "scenarios": len(sheet.scenarios),
            "roles": ", ".join(f"{emotion} {count}" for emotion, count in roles.most_common()),
            "see": f"zero-shot-emotion datasheet prompt {datasheet}{labels}",
            "use it with": f"zero-shot-emotion generate --datasheet {datasheet}{labels} --llm-base-url URL "
            "--model MODEL -n 500 -o corpora/text",
        }
    )


def show_prompt(
    datasheet: Annotated[str, typer.Argument(help="A datasheet's path, or the name of a shipped one.")],
    language: Annotated[str | None, typer.Option(help="One of the datasheet's; by default its first.")] = None,
    prompt: Annotated[str, typer.Option(help="A shipped prompt's name, or the path of a template.")] = "dialogue",
    labels: Labels = "four",
    seed: Seed = 0,
) -> None:
    """Show the first prompt that a language model would be asked with."""
    from generation.datasheet import load_datasheet
    from generation.plan import first_prompt

    from ..corpus import label_set

    sheet = load_datasheet(datasheet)
    print(first_prompt(sheet if language is None else sheet.in_language(language), label_set(labels), prompt, seed))
