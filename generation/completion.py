"""What an endpoint answered: one chat completion, from a JSON body or from a stream of events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4
"""To estimate the tokens of a text where an endpoint does not tell."""


class BodyError(ValueError):
    """A body that is no chat completion: cut off, or something else altogether."""


@dataclass(frozen=True)
class Completion:
    """The first choice of an answer.

    Attributes:
        text: what the model wrote.
        refused: the endpoint itself says that the model refused, or that a filter stepped in.
        cut_off: the limit of tokens ended it.
        prompt_tokens: as billed, None if the endpoint does not tell.
        completion_tokens: likewise.
    """

    text: str
    refused: bool
    cut_off: bool
    prompt_tokens: int | None
    completion_tokens: int | None


def read_body(body: str) -> dict[str, Any]:
    """The chat completion in the body of an HTTP response.

    Some servers stream whatever they are asked for; their events are put together again.

    Raises:
        BodyError: if there is none, or half of one.
    """
    if body.lstrip().startswith("data:"):
        return _from_events(body)
    try:
        completion = json.loads(body)
    except ValueError:
        raise BodyError(f"expected JSON, got {body[:80]!r}" if body.strip() else "an empty body") from None
    if not isinstance(completion, dict) or _choice(completion) is None:
        raise BodyError(f"expected a chat completion with choices, got {body[:200]!r}")
    return completion


def _from_events(body: str) -> dict[str, Any]:
    events = [line.removeprefix("data:").strip() for line in body.splitlines() if line.startswith("data:")]
    try:
        chunks = [json.loads(event) for event in events if event != "[DONE]"]
    except ValueError:
        raise BodyError("expected events of JSON, got a stream that broke off") from None
    choices = [choice for chunk in chunks if isinstance(chunk, dict) and (choice := _choice(chunk)) is not None]
    finish = next((choice["finish_reason"] for choice in reversed(choices) if choice.get("finish_reason")), None)
    if finish is None:
        raise BodyError("expected a stream that ends with a finish_reason, got one that broke off")
    deltas = [choice.get("delta") or {} for choice in choices]
    message = {key: "".join(delta.get(key) or "" for delta in deltas) for key in ("content", "refusal")}
    usage = next((chunk["usage"] for chunk in reversed(chunks) if chunk.get("usage")), None)
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _choice(completion: dict[str, Any]) -> dict[str, Any] | None:
    choices = completion.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


def completion_of(body: dict[str, Any]) -> Completion:
    """The first choice of a chat completion; what a model or an endpoint leaves out is taken as empty."""
    choice = _choice(body) or {}
    message, usage = choice.get("message") or {}, body.get("usage") or {}
    return Completion(
        text=_text(message.get("content")),
        refused=bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter",
        cut_off=choice.get("finish_reason") == "length",
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
    )


def _text(content: Any) -> str:
    """Content is a text, a list of parts, or nothing."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def estimated_tokens(text: str) -> int:
    """Roughly, of a text whose tokens nobody counted."""
    return -(-len(text.encode()) // CHARACTERS_PER_TOKEN)
