"""Sentence embeddings: the mean of a Hugging Face encoder's last states over the tokens, of length 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from zero_shot_emotion import pretrained
from zero_shot_emotion.batches import Batcher

from .labeller import Array


class Embedder:
    """An encoder of sentences.

    Args:
        model: by name or folder.
        revision: of the hub.
        device: of torch; by default a GPU if there is one.
        batch_tokens: of a batch, padding included.
        cut: which end of a text that is too long.
    """

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        device: str | None = None,
        batch_tokens: int | None = None,
        cut: Literal["left", "right"] = "right",
    ) -> None:
        from transformers import AutoModel, AutoTokenizer

        self._device = pretrained.device_of(device)
        self._tokenizer = pretrained.load(AutoTokenizer, "model", model, revision, truncation_side=cut)
        self._model = pretrained.load(AutoModel, "model", model, revision).to(self._device).eval()
        self._longest = pretrained.longest_input(self._tokenizer, self._model.config)
        self._batcher = Batcher(batch_tokens or (65536 if self._device.startswith("cuda") else 2048))

    @staticmethod
    def versions() -> Mapping[str, str]:
        """Of what runs the model."""
        return pretrained.versions()

    def embed(self, texts: Sequence[str]) -> Array:
        """Unit vectors, shape (texts, width)."""
        if not texts:
            return np.empty((0, int(self._model.config.hidden_size)))
        encoded = self._tokenizer(list(texts), truncation=True, max_length=self._longest)
        rows = [{key: encoded[key][i] for key in encoded} for i in range(len(texts))]
        return np.array(self._batcher.run(rows, [len(row["input_ids"]) for row in rows], self._forward))

    def _forward(self, rows: Sequence[dict[str, Any]]) -> list[Array]:
        import torch

        batch = pretrained.pad(self._tokenizer, rows).to(self._device)
        with torch.inference_mode():
            states = self._model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return list(torch.nn.functional.normalize(mean, dim=1).cpu().double().numpy())
