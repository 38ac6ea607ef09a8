"""Pre-trained models of the Hugging Face hub, by name or folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import UserError, in_short
from .hub_models import check_model


class PretrainedError(UserError, ValueError):
    """A model that is not there."""


def load(auto: Any, key: str, name: str, revision: str | None = None, **options: Any) -> Any:
    """A model, a tokenizer or a processor, by one of transformers' classes.

    Raises:
        PretrainedError: if there is none of the name.
    """
    try:
        check_model(name, revision)
        return auto.from_pretrained(name, revision=revision, **options)
    except (OSError, ValueError) as error:
        raise _no_model(key, name, error) from None


def expect(key: str, name: str, revision: str | None = None) -> None:
    """Raise where a model that will be loaded cannot be, before hours of other work.

    Raises:
        PretrainedError: as `load` does.
    """
    try:
        check_model(name, revision)
    except OSError as error:
        raise _no_model(key, name, error) from None


def _no_model(key: str, name: str, error: Exception) -> PretrainedError:
    return PretrainedError(
        f"{key}: got {name!r}, expected a model of the Hugging Face hub, or a folder that holds one: {in_short(error)}"
    )


def device_of(asked: str | None) -> str:
    """The device to run on: what is asked for, or a GPU if there is one."""
    import torch

    return asked or ("cuda" if torch.cuda.is_available() else "cpu")


def fastest(model: Any, device: str) -> Any:
    """The model with its linear layers as oneDNN's where those are faster, which is on a CPU with AVX-512.

    torch leaves them to MKL, which does not use AVX-512 on processors that are not Intel's. The sums are the same up to
    their order.
    """
    import torch
    from torch.utils.mkldnn import to_mkldnn

    if device != "cpu" or not torch.backends.mkldnn.is_available():
        return model
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return model
    for module in list(model.modules()):
        for name, part in module.named_children():
            if type(part) is torch.nn.Linear:  # converted whole, convolutions would answer in a layout of their own
                setattr(module, name, to_mkldnn(part))
    return model


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
