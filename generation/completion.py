"""What an endpoint answered: one chat completion, from a JSON body or from a stream of events."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

CHARACTERS_PER_TOKEN = 4
"""To estimate the tokens of a text where an endpoint does not tell."""
DONE = "[DONE]"
"""The last event of a stream; not every server sends it."""
_DECODER = json.JSONDecoder(strict=False)
_EVENT = re.compile(r"^data:[ \t]*(.+?)\s*$", re.MULTILINE)
"""Lines end in a line feed alone here: JSON holds other separators of lines as they are, which splitlines would cut."""


class BodyError(ValueError):
    """A body that is no chat completion: cut off, or something else altogether."""


@dataclass(frozen=True)
class Completion:
    """The first choice of an answer.

    Attributes:
        text: what the model wrote.
        refused: the endpoint itself says that the model refused, or that a filter stepped in.
        cut_off: the limit of tokens ended it, whether the endpoint says so or the JSON just ends.
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
        BodyError: if there is none, or half of one, or an error in the place of one.
    """
    if not body.lstrip().startswith("{") and (events := _EVENT.findall(body)):
        return _from_events(events)
    try:
        completion = json.loads(body)
    except ValueError:
        raise BodyError(f"expected JSON, got {body[:80]!r}" if body.strip() else "an empty body") from None
    if not isinstance(completion, dict) or _choice(completion) is None:
        said = told(completion.get("error")) if isinstance(completion, dict) else None
        found = f"an error: {said}" if said else repr(body[:200])
        raise BodyError(f"expected a chat completion with choices, got {found}")
    return completion


def _from_events(events: list[str]) -> dict[str, Any]:
    try:
        decoded = [json.loads(event) for event in events if event != DONE]
    except ValueError:
        raise BodyError("expected events of JSON, got a stream that broke off") from None
    chunks = [chunk for chunk in decoded if isinstance(chunk, dict)]
    if errors := [said for chunk in chunks if (said := told(chunk.get("error")))]:
        raise BodyError(f"expected a stream with an answer, got an error: {errors[0]}")
    choices = [choice for chunk in chunks if (choice := _choice(chunk)) is not None]
    finish = next((choice["finish_reason"] for choice in reversed(choices) if choice.get("finish_reason")), None)
    if finish is None and not (choices and DONE in events):
        raise BodyError("expected a stream that ends with a finish_reason, got one that broke off")
    deltas = [choice.get("delta") or {} for choice in choices]
    message = {key: "".join(delta.get(key) or "" for delta in deltas) for key in ("content", "refusal")}
    usage = next((chunk["usage"] for chunk in reversed(chunks) if chunk.get("usage")), None)
    return {"choices": [{"message": message, "finish_reason": finish or "stop"}], "usage": usage}


def told(error: object) -> str | None:
    """What an endpoint's error says, in whatever shape it does: OpenAI's, FastAPI's, or a mere text.

    >>> told({"message": "no such model", "type": "invalid_request_error"})
    'no such model'
    >>> told({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]})
    'body.seed: Extra inputs are not permitted'
    """
    if isinstance(error, dict):
        said = next((said for key in ("message", "detail", "error", "msg") if (said := told(error.get(key)))), None)
        place = error.get("loc")
        return f"{'.'.join(map(str, place))}: {said}" if said and isinstance(place, list) else said
    if isinstance(error, list):
        return "; ".join(said for part in error if (said := told(part))) or None
    return " ".join(error.split()) or None if isinstance(error, str) else None


def _choice(completion: dict[str, Any]) -> dict[str, Any] | None:
    choices = completion.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None


def completion_of(body: dict[str, Any]) -> Completion:
    """The first choice of a chat completion; what a model or an endpoint leaves out is taken as empty."""
    choice = _choice(body) or {}
    message, usage = choice.get("message") or {}, body.get("usage") or {}
    text = _text(message.get("content"))
    return Completion(
        text=text,
        refused=bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter",
        cut_off=choice.get("finish_reason") == "length" or _just_ends(text),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
    )


def _just_ends(text: str) -> bool:
    """Whether a text begins an object of JSON and ends within it: transformers' server says "stop" of that, too."""
    text = text.strip()
    if not text.startswith("{"):
        return False
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        return error.pos == len(text) or error.msg.startswith("Unterminated")
    except RecursionError:
        pass
    return False


def _text(content: Any) -> str:
    """Content is a text, a list of parts, or nothing."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def estimated_tokens(text: str) -> int:
    """Roughly, of a text whose tokens nobody counted."""
    return -(-len(text.encode()) // CHARACTERS_PER_TOKEN)
