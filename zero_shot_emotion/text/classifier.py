"""Trained text classifiers: predict, save, load. What was frozen is not saved but named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..corpus import atomic_write
from ..errors import UserError
from .encoder import States, TextEncoder, Words, load_model, load_tokenizer, tokenise
from .heads import CNNHead, LinearHead, pad
from .settings import EncoderSettings, HeadSettings

CONFIG = "classifier.json"
HEAD = "head.safetensors"
FINE_TUNED = "model"
BATCH = 128

Probabilities = npt.NDArray[np.float64]
"""Shape (utterances, classes)."""


class ClassifierError(UserError, ValueError):
    """A folder that holds no classifier."""


@dataclass(frozen=True)
class About:
    """What a classifier is, beside its weights.

    Attributes:
        encoder: that it stands on.
        head: its kind.
        classes: in the order of its outputs.
        context: how many previous turns it was trained with.
    """

    encoder: EncoderSettings
    head: HeadSettings
    classes: tuple[str, ...]
    context: int


class TextClassifier(Protocol):
    """Names the emotion of text."""

    about: About

    def predict(self, utterances: Sequence[Words]) -> Probabilities:
        """Probabilities of the classes, shape (utterances, classes), whatever the batch or its padding."""

    def save(self, folder: Path) -> None:
        """Write what was trained, and the names of what was not."""

    @property
    def parameters(self) -> int:
        """How many were trained."""


class HeadClassifier:
    """A head on a frozen encoder.

    Args:
        encoder: that it stands on.
        head: trained.
        about: what it is.
        device: of torch.
    """

    def __init__(self, encoder: TextEncoder, head: nn.Module, about: About, device: str = "cpu") -> None:
        self.encoder, self.about = encoder, about
        self._head, self._device = head.to(device).eval(), device

    def predict(self, utterances: Sequence[Words]) -> Probabilities:
        states: dict[int, States] = dict(self.encoder.encode(utterances))
        return self.predict_states([states[i] for i in range(len(utterances))])

    @torch.inference_mode()
    def predict_states(self, states: Sequence[States]) -> Probabilities:
        """As `predict`, of states that are there already."""
        parts = [np.zeros((0, len(self.about.classes)))]
        for start in range(0, len(states), BATCH):
            padded, lengths = pad(states[start : start + BATCH])
            logits: Tensor = self._head(padded.to(self._device), lengths.to(self._device))
            parts.append(logits.double().softmax(dim=1).cpu().numpy())
        return np.concatenate(parts)

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self._head.parameters())

    def save(self, folder: Path) -> None:
        from safetensors.torch import save

        with atomic_write(folder / HEAD, "wb") as file:
            file.write(save({name: weight.cpu() for name, weight in self._head.state_dict().items()}))
        _write_config(folder, self.about, self.encoder.fingerprint)


class FineTunedClassifier:
    """An encoder that was trained whole.

    Args:
        model: one of transformers' sequence classifiers.
        tokenizer: of the encoder.
        about: what it is.
        device: of torch.
    """

    def __init__(self, model: Any, tokenizer: Any, about: About, device: str = "cpu") -> None:
        self.about = about
        self._model, self._tokenizer, self._device = model.to(device).eval(), tokenizer, device

    @torch.inference_mode()
    def predict(self, utterances: Sequence[Words]) -> Probabilities:
        from transformers import DataCollatorWithPadding

        collate: Any = DataCollatorWithPadding(self._tokenizer)
        encodings = [tokenise(self._tokenizer, words, self.about.encoder.max_length) for words in utterances]
        order = sorted(range(len(encodings)), key=lambda i: len(encodings[i]["input_ids"]))
        probabilities = np.zeros((len(utterances), len(self.about.classes)))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            inputs = collate([encodings[i] for i in batch]).to(self._device)
            probabilities[batch] = self._model(**inputs).logits.double().softmax(dim=1).cpu().numpy()
        return probabilities

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self._model.parameters())

    def save(self, folder: Path) -> None:
        self._model.save_pretrained(folder / FINE_TUNED)
        self._tokenizer.save_pretrained(folder / FINE_TUNED)
        _write_config(folder, self.about, None)


def new_head(width: int, classes: int, settings: HeadSettings) -> CNNHead | LinearHead:
    """An untrained head on a frozen encoder of a width."""
    if settings.select == "CNN":
        return CNNHead(width, classes, settings.CNN)
    return LinearHead(width, classes, settings.linear)


def load_classifier(folder: str | Path, device: str = "cpu") -> TextClassifier:
    """The classifier that a folder holds.

    Raises:
        ClassifierError: if it holds none, or one whose encoder is no longer what it was.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ClassifierError(f"{folder}: holds no {CONFIG}, expected a folder that train-text wrote")
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    about = About(
        EncoderSettings(**config["encoder"]),
        HeadSettings(**config["head"]),
        tuple(config["classes"]),
        config["context"],
    )
    if about.head.select == "finetune":
        return _fine_tuned(folder, about, device)
    return _with_head(folder, about, config["fingerprint"], device)


def _fine_tuned(folder: Path, about: About, device: str) -> FineTunedClassifier:
    from transformers import AutoModelForSequenceClassification

    saved = about.encoder.model_copy(update={"name": str(folder / FINE_TUNED), "revision": None})
    model = load_model(AutoModelForSequenceClassification, saved)
    return FineTunedClassifier(model, load_tokenizer(saved), about, device)


def _with_head(folder: Path, about: About, fingerprint: str, device: str) -> HeadClassifier:
    from safetensors.torch import load_file

    encoder = TextEncoder(about.encoder, device)
    if encoder.fingerprint != fingerprint:
        raise ClassifierError(
            f"{folder}: was trained on another {about.encoder.name!r} than the one there is now (its weights or its "
            "vocabulary differ): give the encoder that it was trained on, or train again"
        )
    head = new_head(encoder.width, len(about.classes), about.head)
    head.load_state_dict(load_file(folder / HEAD))
    return HeadClassifier(encoder, head, about, device)


def _write_config(folder: Path, about: About, fingerprint: str | None) -> None:
    config = {
        "classes": about.classes,
        "context": about.context,
        "encoder": about.encoder.model_dump(mode="json"),
        "head": about.head.model_dump(mode="json"),
        "fingerprint": fingerprint,
    }
    with atomic_write(folder / CONFIG) as file:
        json.dump(config, file, indent=2)
        file.write("\n")
