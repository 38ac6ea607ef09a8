"""The settings of a language model's endpoint: where it is, how it samples, how patient and how costly a run may be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from zero_shot_emotion.config_files import find_config, read_mapping, validated
from zero_shot_emotion.corpus import explain

from .errors import EndpointError

KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"
OPENAI_URL = "https://api.openai.com/v1"

JsonMode = Literal["auto", "schema", "object", "none"]
Count = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Budget(_Section):
    """What a corpus may cost in all, over all the runs that its folder sees. None means no limit.

    Attributes:
        requests: answers to be asked for; one that is retried counts once.
        prompt_tokens: to be read by the model.
        completion_tokens: to be written by the model.
        money: in the currency of the prices.
    """

    requests: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    money: Amount | None = None


class Prices(_Section):
    """Of a million tokens, in whatever currency."""

    prompt: Annotated[float, Field(ge=0)] = 0.0
    completion: Annotated[float, Field(ge=0)] = 0.0

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What some tokens cost."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6


class Patience(_Section):
    """How failures that may pass are met: another attempt, after a wait that doubles up to a limit.

    Attributes:
        attempts: of one request.
        wait: before the second attempt, in seconds; jitter takes up to half of it away.
        wait_max: the longest such wait, in seconds.
        retry_after_max: the longest wait that an endpoint may ask for, in seconds; more ends the run.
    """

    attempts: Count = 10
    wait: Annotated[float, Field(ge=0)] = 1.0
    wait_max: Annotated[float, Field(ge=0)] = 60.0
    retry_after_max: Annotated[float, Field(ge=0)] = 300.0


class Endpoint(_Section):
    """A server that speaks OpenAI's chat completions, and how it is to be used.

    Attributes:
        base_url: up to and including the version, such as ``http://localhost:11434/v1``.
        model: as the endpoint calls it.
        temperature: None leaves it to the endpoint, and so for ``top_p`` and ``max_tokens``.
        top_p: nucleus sampling.
        seed: every request is sent a seed of its own, drawn from this one; None sends none.
        max_tokens: of one answer.
        extra_body: further fields of each request, for what is particular to an endpoint.
        json_mode: ``schema`` asks for answers by JSON schema, ``object`` for any JSON object, ``none`` for text;
            ``auto`` takes the first of them that the endpoint accepts. A prompt that does not speak of JSON is
            always answered in text.
        timeout: of one attempt, in seconds.
        concurrency: requests at a time.
        patience: with failures.
        budget: of the corpus.
        prices: of tokens.
    """

    base_url: str = Field(default_factory=lambda: os.environ.get(URL_VARIABLE) or OPENAI_URL, validate_default=True)
    model: Annotated[str, Field(min_length=1)]
    temperature: Annotated[float, Field(ge=0)] | None = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = 0
    max_tokens: Count | None = 2048
    extra_body: dict[str, Any] = {}
    json_mode: JsonMode = "auto"
    timeout: Amount = 120.0
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 8
    patience: Patience = Patience()
    budget: Budget = Budget()
    prices: Prices = Prices()

    @field_validator("base_url")
    @classmethod
    def _is_public(cls, url: str) -> str:
        """An address that may be shown: it goes into the card and into messages."""
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query:
            raise ValueError(f"an address without user, password or query (a key goes into {KEY_VARIABLE})")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address such as http://localhost:11434/v1")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _has_prices(self) -> Endpoint:
        if self.budget.money is not None and not (self.prices.prompt or self.prices.completion):
            raise ValueError("prices of a million tokens (prices.prompt, prices.completion) to go with budget.money")
        return self

    def sampling(self) -> dict[str, Any]:
        """What shapes an answer, besides its prompt."""
        fields = {"temperature", "top_p", "seed", "max_tokens", "extra_body"}
        return {"model": self.model, **self.model_dump(include=fields, exclude_none=True, exclude_defaults=False)}


def load_endpoint(config: str | Path | None = None, changes: Mapping[str, Any] | None = None) -> Endpoint:
    """Read the settings of an endpoint.

    Args:
        config: a shipped config's name, or the path of one; by default everything is at its default.
        changes: settings that go before the config's, sections as mappings; those that are None change nothing.

    Raises:
        MissingConfigError: if there is no such config.
        EndpointError: naming file, setting, value and what was expected.
    """
    path = None if config is None else find_config("generation", config)
    settings = {} if path is None else read_mapping(path, EndpointError)
    return validated(Endpoint, _changed(settings, changes or {}), path or "endpoint", EndpointError, tell=_explain)


def _changed(settings: Any, changes: Mapping[str, Any]) -> Any:
    """Settings with some of them changed, section by section."""
    if not isinstance(settings, Mapping):
        return settings
    changed = dict(settings)
    for key, value in changes.items():
        if isinstance(value, Mapping):
            value = _changed(changed.get(key) or {}, value)
        if value is not None:
            changed[key] = value
    return changed


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The error in one line; an address that may hold a secret is not repeated."""
    first = error.errors()[0]
    if first["loc"] == ("model",) and first["type"] == "missing":
        return "model: missing, expected the name of a model (--model)"
    if first["type"] == "value_error" and first["loc"]:
        return f"{'.'.join(map(str, first['loc']))}: expected {first['msg'].removeprefix('Value error, ')}"
    return explain(error, model)


def key_from_environment() -> str | None:
    """The endpoint's key, None if there is none: a server of one's own asks for none.

    Raises:
        EndpointError: if it is none that a request can carry. The message does not hold it.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or not key.isprintable():
        raise EndpointError(f"{KEY_VARIABLE}: got something that no header can carry, expected printable ASCII")
    return key or None
