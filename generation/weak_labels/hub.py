"""Models of the Hugging Face hub, by name or folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zero_shot_emotion.hub_models import check_model

from .errors import WeakLabelError


def load(auto: Any, key: str, name: str, revision: str | None = None, **options: Any) -> Any:
    """A model, a tokenizer or a processor, by one of transformers' classes.

    Raises:
        WeakLabelError: if there is none of the name.
    """
    try:
        check_model(name, revision)
        return auto.from_pretrained(name, revision=revision, **options)
    except (OSError, ValueError) as error:
        raise _no_model(key, name, error) from None


def expect(key: str, name: str, revision: str | None = None) -> None:
    """Raise where a model that will be loaded cannot be, before hours of other work.

    Raises:
        WeakLabelError: as `load` does.
    """
    try:
        check_model(name, revision)
    except OSError as error:
        raise _no_model(key, name, error) from None


def _no_model(key: str, name: str, error: Exception) -> WeakLabelError:
    reason = " ".join(str(error).split())[:300]
    return WeakLabelError(
        f"{key}: got {name!r}, expected a model of the Hugging Face hub, or a folder that holds one: {reason}"
    )


def device_of(asked: str | None) -> str:
    """The device to run on: what is asked for, or a GPU if there is one."""
    import torch

    return asked or ("cuda" if torch.cuda.is_available() else "cpu")


def pad(tokenizer: Any, rows: Sequence[dict[str, Any]]) -> Any:
    """Encoded texts as one batch of tensors."""
    # the advice to pad while encoding does not fit: batches are cut after lengths are known
    tokenizer.deprecation_warnings["Asking-to-pad-a-fast-tokenizer"] = True
    return tokenizer.pad(list(rows), return_tensors="pt")


def longest_input(tokenizer: Any, config: Any) -> int:
    """Tokens that a text model takes. RoBERTa's kind counts two positions more than it can use, such as 514."""
    positions = int(getattr(config, "max_position_embeddings", None) or 512)
    return min(int(tokenizer.model_max_length), positions - positions % 8)


def versions() -> Mapping[str, str]:
    """Of what runs the models."""
    from importlib.metadata import version

    return {"torch": version("torch"), "transformers": version("transformers")}
