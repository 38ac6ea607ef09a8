"""The labeller of LanSER: what does the transcript entail about the speaker's emotion (Gong et al., Interspeech 2023).

The transcript is the premise, a prompt filled with an emotion's word is the hypothesis. Over one prompt the scores are
those of transformers' zero-shot-classification pipeline: a softmax over the candidates' entailment logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from zero_shot_emotion import pretrained
from zero_shot_emotion.batches import Batcher
from zero_shot_emotion.taxonomy import Taxonomy

from .errors import WeakLabelError
from .labeller import Array, LabellerSettings, softmax
from .prompts import Templates, Words, pool_words, spread_words
from .turn import Turn

TEMPLATE = "The emotion of the conversation is {}."
"""The best of those that the paper tried."""


class Entailment:
    """Labels by natural language inference.

    Several prompts are pooled by the mean of their logits, that is by the geometric mean of their distributions: what
    a prompt adds to all candidates alike cancels, and no prompt can carry a candidate that another refutes. Several
    words of a class are pooled by the mean of their probabilities: the class holds if any of them does, and a class
    with more words gains nothing.

    Args:
        settings: its own.
        taxonomy: the classes.
    """

    hub_models = ("model",)

    class Settings(LabellerSettings):
        """What it can be told.

        Attributes:
            model: any sequence classifier for natural language inference, by name or folder.
            revision: of the hub.
            templates: prompts, each with one pair of braces for the emotion's word.
            words: the first word of each class, or all of them.
            device: of torch; by default a GPU if there is one.
            batch_tokens: of a batch, padding included; it is halved for the rest of the run where memory does not
                suffice. On a CPU a batch that fits its caches is the fastest.
            half: compute in 16 bits on a GPU.
        """

        model: str = "FacebookAI/roberta-large-mnli"
        revision: str | None = None
        templates: Templates = (TEMPLATE,)
        words: Words = "first"
        device: str | None = None
        batch_tokens: int | None = Field(default=None, ge=1)
        half: bool = False

    def __init__(self, settings: Entailment.Settings, taxonomy: Taxonomy) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.settings = settings
        device = pretrained.device_of(settings.device)
        half = {"dtype": torch.float16} if settings.half and device.startswith("cuda") else {}
        name, revision = settings.model, settings.revision
        side = "left" if settings.context else "right"  # the utterance itself comes last, after its context
        self._tokenizer = pretrained.load(AutoTokenizer, "model", name, revision, truncation_side=side)
        model = pretrained.load(AutoModelForSequenceClassification, "model", name, revision, **half).to(device).eval()
        self._entailment = entailment_index(name, model.config.label2id)
        self._model, self._device = pretrained.fastest(model, device), device
        self._longest = pretrained.longest_input(self._tokenizer, self._model.config)
        self._batcher = Batcher(settings.batch_tokens or (65536 if device.startswith("cuda") else 2048))
        self._words = spread_words(taxonomy, settings.words)
        self._hypotheses = [template.format(word) for template in settings.templates for word in self._words.texts]

    @staticmethod
    def versions() -> Mapping[str, str]:
        return pretrained.versions()

    def label(self, turns: Sequence[Turn]) -> Array:
        logits = self.logits([turn.told for turn in turns])
        pooled = logits.reshape(len(turns), len(self.settings.templates), -1).mean(axis=1)
        return pool_words(softmax(pooled), self._words)

    def logits(self, premises: Sequence[str]) -> Array:
        """The entailment logit of each hypothesis, shape (premises, templates * words)."""
        if not premises:
            return np.empty((0, len(self._hypotheses)))
        width = len(self._hypotheses)
        pairs = self._tokenizer(
            [premise for premise in premises for _ in self._hypotheses],
            self._hypotheses * len(premises),
            truncation="only_first",
            max_length=self._longest,
        )
        rows = [{key: pairs[key][i] for key in pairs} for i in range(len(premises) * width)]
        lengths = [len(ids) for ids in pairs["input_ids"]]
        # the candidates of a premise stay together: they are as long as the longest of them
        longest = np.repeat(np.reshape(lengths, (-1, width)).max(axis=1), width)
        logits = self._batcher.run(rows, longest.tolist(), self._forward)
        return np.reshape(logits, (len(premises), width))

    def _forward(self, rows: Sequence[dict[str, Any]]) -> list[float]:
        import torch

        batch = pretrained.pad(self._tokenizer, rows).to(self._device)
        with torch.inference_mode():
            return list(self._model(**batch).logits[:, self._entailment].float().tolist())


def entailment_index(name: str, label2id: Mapping[str, int]) -> int:
    """Where a model's entailment logit is: it is not always the last.

    Raises:
        WeakLabelError: if the model's config does not tell.
    """
    found = [index for label, index in label2id.items() if label.lower().startswith("entail")]
    if len(found) != 1:
        raise WeakLabelError(
            f"model: {name!r} has the labels {', '.join(label2id)}, expected one whose name begins with 'entail', as "
            "models for natural language inference have"
        )
    return found[0]
