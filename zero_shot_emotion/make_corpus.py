"""A whole synthetic corpus from one config: generate, translate, speak, inject, and the picture of what came of it.

Each stage writes a corpus of its own and goes on where it was stopped, as by its own command.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .config_files import find_config, read_mapping, validated
from .corpus import Corpus, LabelError, UserError, label_set
from .corpus.distributions import draw_distributions
from .corpus.stage import StageReport

TEXT, TRANSLATED, NEUTRAL, EMOTIONAL, CONTROL = "text", "translated", "neutral", "emotional", "control"
"""Folders of the stages' corpora."""
PICTURE = "distributions.svg"


class RecipeError(UserError, ValueError):
    """A config of a corpus that is not what it should be."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _AsksAModel(_Section):
    """Whatever has a language model asked; named as on the command line."""

    model: str | None = None
    llm_config: str | None = None
    llm_base_url: str | None = None

    @property
    def asks(self) -> bool:
        """Whether an endpoint is named."""
        return any(value is not None for value in (self.model, self.llm_config, self.llm_base_url))

    def endpoint(self) -> Any:
        """The endpoint's settings."""
        from generation.endpoint import load_endpoint

        return load_endpoint(self.llm_config, {"model": self.model, "base_url": self.llm_base_url})


class GenerateRecipe(_AsksAModel):
    """The text: sentences in parallel that ship, or dialogues after a datasheet."""

    parallel: tuple[str, ...] | Literal["all"] | None = None
    datasheet: str | None = None
    language: str | None = None
    prompt: str | None = None
    labels: str = "seven"
    utterances: Annotated[int, Field(ge=1)] | None = None
    test_ratio: Annotated[float, Field(ge=0, le=0.9)] = 0.0

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.parallel is None) == (self.datasheet is None):
            raise ValueError("either 'parallel' or 'datasheet'")
        if self.parallel is not None and (self.asks or self.language or self.prompt):
            raise ValueError("'parallel' alone: its sentences ship, no model is asked for them")
        return self


class TranslateRecipe(_AsksAModel):
    """Into which languages the text is brought."""

    to: tuple[str, ...]
    min_similarity: Annotated[float, Field(ge=0, le=100)] | None = None
    prompt: str | None = None
    check_prompt: str | None = None


class SpeakRecipe(_Section):
    """Who speaks."""

    engine: str = "espeak-ng"
    settings: dict[str, Any] = {}
    quality: dict[str, Any] = {}
    skip_errors: bool = False


class InjectRecipe(_Section):
    """How emotion comes into the speech."""

    method: str = "rules"
    rules: str | None = None
    settings: dict[str, Any] = {}
    intensity: float = 1.0
    skip_errors: bool = False


class Recipe(_Section):
    """A config of `make_corpus`. With ``control``, the same utterances are made without emotion too."""

    generate: GenerateRecipe
    translate: TranslateRecipe | None = None
    speak: SpeakRecipe = SpeakRecipe()
    inject: InjectRecipe = InjectRecipe()
    control: bool = False


def read_recipe(config: str | Path) -> Recipe:
    """Read a config by its shipped name or by path.

    Raises:
        MissingConfigError: if there is none of that name.
        RecipeError: naming file, key, value and what was expected.
    """
    path = find_config("corpora", config)
    recipe = validated(Recipe, read_mapping(path, RecipeError), path, RecipeError)
    try:
        label_set(recipe.generate.labels)
    except LabelError as error:
        raise RecipeError(f"{path}: generate.labels: {error}") from None
    return recipe


def make_corpus(
    config: str | Path, out: Path, *, utterances: int | None = None, seed: int = 0, workers: int = 1
) -> Iterator[str]:
    """Make a corpus, stage by stage.

    Args:
        config: a shipped config's name, or the path of one.
        out: gets a folder for each stage, and the picture beside the last one's card.
        utterances: goes before the config's.
        seed: of all stages.
        workers: processes that speak and inject.

    Yields:
        the summary of each stage as it ends, and where the picture is.
    """
    recipe = read_recipe(config)
    report = _text(recipe.generate, out / TEXT, utterances, seed)
    yield report.summary()
    if recipe.translate is not None:
        report = _translated(recipe.translate, report.corpus, out / TRANSLATED, seed)
        yield report.summary()
    report = _spoken(recipe.speak, report.corpus, out / NEUTRAL, seed, workers)
    yield report.summary()
    neutral = report.corpus
    report = _injected(recipe.inject, neutral, out / EMOTIONAL, seed, workers)
    yield report.summary()
    if recipe.control:
        yield _injected(recipe.inject, neutral, out / CONTROL, seed, workers, neutral=True).summary()
    yield f"  picture   {draw_distributions(report.corpus, out / EMOTIONAL / PICTURE)}"


def _text(recipe: GenerateRecipe, out: Path, utterances: int | None, seed: int) -> StageReport:
    options: dict[str, Any] = {
        "labels": label_set(recipe.labels),
        "utterances": recipe.utterances if utterances is None else utterances,
        "test_ratio": recipe.test_ratio,
        "seed": seed,
    }
    if recipe.parallel is not None:
        from generation.parallel import generate_parallel

        languages = () if recipe.parallel == "all" else recipe.parallel
        return generate_parallel(out, languages=languages, **options)
    from generation.generate import generate

    assert recipe.datasheet is not None
    endpoint = recipe.endpoint() if recipe.asks else None
    return generate(
        out, datasheet=recipe.datasheet, language=recipe.language, endpoint=endpoint, prompt=recipe.prompt, **options
    )


def _translated(recipe: TranslateRecipe, corpus: Corpus, out: Path, seed: int) -> StageReport:
    from generation.translate import translate

    given = recipe.model_dump(include={"min_similarity", "prompt", "check_prompt"}, exclude_none=True)
    return translate(corpus, out, languages=recipe.to, endpoint=recipe.endpoint(), seed=seed, **given)


def _spoken(recipe: SpeakRecipe, corpus: Corpus, out: Path, seed: int, workers: int) -> StageReport:
    from tts.quality import read_quality
    from tts.speak import speak

    options = {**recipe.model_dump(), "quality": read_quality(recipe.quality), "seed": seed, "workers": workers}
    return speak(corpus, out, **options)


def _injected(
    recipe: InjectRecipe, corpus: Corpus, out: Path, seed: int, workers: int, neutral: bool = False
) -> StageReport:
    from injection.inject import inject

    return inject(corpus, out, **recipe.model_dump(), seed=seed, workers=workers, neutral=neutral)
