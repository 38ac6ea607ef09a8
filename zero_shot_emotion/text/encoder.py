"""Frozen text encoders: any of Hugging Face's, by name or folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..errors import UserError, in_short
from ..hub_models import check_model
from .settings import EncoderSettings

States = npt.NDArray[np.float32]
"""Hidden states of an utterance's tokens, shape (tokens, width)."""
Words = tuple[str, tuple[str, ...]]
"""An utterance: its text, and the turns before it, the nearest last."""

PROBE = "I DON'T know, na\u00efve \u2013 42%!! \U0001f600"
"""A text that tokenizers of one vocabulary may take apart differently."""
ORIGIN = ("_name_or_path", "transformers_version", "dtype", "torch_dtype")
"""Parts of a config that say who wrote it, and how."""


class EncoderError(UserError, RuntimeError):
    """An encoder that cannot be loaded."""


def load_tokenizer(settings: EncoderSettings) -> Any:
    """The encoder's tokenizer, which knows how many tokens the encoder takes; context is cut at its beginning."""
    from transformers import AutoConfig, AutoTokenizer

    tokenizer = load_model(AutoTokenizer, settings, truncation_side="left")
    positions = getattr(load_model(AutoConfig, settings), "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:  # many tokenizers do not know it
        tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer


def tokenise(tokenizer: Any, words: Words, max_length: int) -> dict[str, list[int]]:
    """Token ids of an utterance, its context as the first of two segments and the first to be cut."""
    text, before = words
    max_length = min(max_length, tokenizer.model_max_length)
    if not before:
        return dict(tokenizer(text, truncation=True, max_length=max_length))
    try:
        return dict(tokenizer(" ".join(before), text, truncation="only_first", max_length=max_length))
    except Exception:  # the text alone is too long, which tokenizers tell in different ways
        return dict(tokenizer(text, truncation=True, max_length=max_length))


def load_model(auto: Any, settings: EncoderSettings, **options: Any) -> Any:
    """A model, or whatever else, by one of transformers' auto classes.

    Raises:
        EncoderError: if there is none of the name, or it cannot be read.
    """
    try:
        check_model(settings.name, settings.revision)
        return auto.from_pretrained(settings.name, revision=settings.revision, **options)
    except Exception as error:  # a broken or foreign folder is told in a dozen ways
        raise EncoderError(
            f"encoder.name: got {settings.name!r}, expected a text model of the Hugging Face hub, or a folder that "
            f"holds one: {in_short(error)}"
        ) from None


class TextEncoder:
    """A frozen encoder in evaluation mode.

    Args:
        settings: which, and how much of it.
        device: of torch.
    """

    def __init__(self, settings: EncoderSettings, device: str = "cpu") -> None:
        from transformers import AutoModel

        self._settings, self._device = settings, device
        self.tokenizer = load_tokenizer(settings)
        self._model = load_model(AutoModel, settings).to(device).eval().requires_grad_(False)
        layers = int(self._model.config.num_hidden_layers)
        if not -layers - 1 <= settings.layer <= layers:
            raise EncoderError(f"encoder.layer: got {settings.layer}, expected {-layers - 1} to {layers}")

    @property
    def width(self) -> int:
        """Of the hidden states."""
        return int(self._model.config.hidden_size)

    @cached_property
    def fingerprint(self) -> str:
        """Tells one encoder from another by its weights, its architecture, its tokenizer and what is taken of it."""
        digest = sha256(f"{self._settings.layer} {self._settings.max_length}".encode())
        digest.update(_tokenizer_content(self.tokenizer).encode())
        digest.update(_architecture(self._model.config).encode())
        for name, weight in self._model.state_dict().items():
            digest.update(name.encode() + weight.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:16]

    def encode(self, utterances: Sequence[Words]) -> Iterator[tuple[int, States]]:
        """The token states of some utterances, each with its position; utterances of one length together.

        No batch holds padding, so an utterance's states do not depend on its company.
        """
        encodings = [tokenise(self.tokenizer, words, self._settings.max_length) for words in utterances]
        by_length: dict[int, list[int]] = {}
        for position, encoding in enumerate(encodings):
            by_length.setdefault(len(encoding["input_ids"]), []).append(position)
        for length in sorted(by_length):
            size = max(1, self._settings.batch_tokens // length)
            positions = by_length[length]
            for start in range(0, len(positions), size):
                batch = positions[start : start + size]
                yield from zip(batch, self._states([encodings[i] for i in batch]), strict=True)

    @torch.inference_mode()
    def _states(self, encodings: list[dict[str, list[int]]]) -> States:
        inputs = {key: torch.tensor([e[key] for e in encodings], device=self._device) for key in encodings[0]}
        states = self._model(**inputs, output_hidden_states=True).hidden_states[self._settings.layer]
        numbers: States = states.float().cpu().numpy()
        return numbers


def _tokenizer_content(tokenizer: Any) -> str:
    """What turns text into tokens: the vocabulary, and what becomes of case, accents, signs and pairs."""
    return repr((sorted(tokenizer.get_vocab().items()), tokenizer(PROBE, PROBE)["input_ids"]))


def _architecture(config: Any) -> str:
    """What a config says of the network, and nothing of where it lay or who wrote it."""
    return json.dumps({k: v for k, v in config.to_diff_dict().items() if k not in ORIGIN}, sort_keys=True, default=str)


def encoder_path(name: str) -> str:
    """An encoder's folder as an absolute path, and its name on the hub as it is."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name
