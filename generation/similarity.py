"""How near two texts are in meaning: by their characters, or by a multilingual sentence encoder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from zero_shot_emotion.hub_models import check_model

from .errors import GenerationError

if TYPE_CHECKING:
    import numpy as np

MIN_CHRF = 35.0
"""No two of the 98 different English sentences that ship reach it (the largest of their 9,506 scores is 34.7)."""

Similarity = Callable[[str, str], float]
"""Of two texts, from 0 to 100."""


def chrf(text: str, reference: str) -> float:
    """The chrF of two texts in one language: the F-score of their character n-grams (Popović 2015), from 0 to 100.

    >>> chrf("It snows in July.", "It snows in July.")
    100.0
    """
    return round(float(_chrf().sentence_score(text.casefold(), [reference.casefold()]).score), 1)


@cache
def _chrf():  # type: ignore[no-untyped-def] # sacrebleu's class is not to be imported before it is used
    from sacrebleu.metrics import CHRF

    return CHRF()


def by_encoder(name: str) -> Similarity:
    """The cosine, times 100, of the mean-pooled states of an encoder from Hugging Face's hub or a folder.

    For encoders trained to bring translations together, such as ``intfloat/multilingual-e5-small`` or
    ``sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2``.

    Raises:
        GenerationError: if there is no such encoder.
    """
    import numpy as np
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        check_model(name)
        tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval()
    except (OSError, ValueError) as error:
        raise GenerationError(
            f"--similarity-model: got {name!r}, expected an encoder of the Hugging Face hub or its folder: {error}"
        ) from None

    @torch.inference_mode()
    def encode(text: str) -> np.ndarray:
        inputs = tokenizer(text, return_tensors="pt", truncation=True)
        vector = model(**inputs).last_hidden_state[0].mean(0).numpy()
        return vector / np.linalg.norm(vector)

    return lambda text, other: round(100 * float(encode(text) @ encode(other)), 1)
