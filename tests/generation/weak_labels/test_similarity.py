import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from generation.weak_labels.embedding import Embedder
from generation.weak_labels.similarity import Similarity
from generation.weak_labels.turn import Turn
from tests.generation.weak_labels.conftest import TEXTS
from zero_shot_emotion.taxonomy import load_taxonomy

SEVEN = load_taxonomy("seven")


def reference(folder, texts):
    """One text at a time, without padding."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    vectors = []
    for text in texts:
        with torch.inference_mode():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(dim=0).double().numpy()
        vectors.append(mean / np.linalg.norm(mean))
    return np.array(vectors)


def test_embeddings_are_unit_means_whatever_the_batch(encoder):
    for batch_tokens in (1, 30, 10_000):
        found = Embedder(encoder, device="cpu", batch_tokens=batch_tokens).embed(TEXTS)
        np.testing.assert_allclose(found, reference(encoder, TEXTS), atol=1e-5)


def test_scores_are_a_softmax_of_cosines_over_the_temperature(encoder):
    settings = Similarity.Settings(model=encoder, device="cpu", templates=("I feel {}.",), temperature=0.1)
    found = Similarity(settings, SEVEN).label([Turn(text=text) for text in TEXTS])
    prompts = reference(encoder, [f"I feel {words[0]}." for words in SEVEN.classes.values()])
    powers = np.exp(reference(encoder, TEXTS) @ prompts.T / 0.1)
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), atol=1e-4)


def test_the_sound_is_read_with_the_words(encoder):
    labeller = Similarity(Similarity.Settings(model=encoder, device="cpu"), SEVEN)
    without, told = labeller.label([Turn(text="so angry"), Turn(text="so angry", sound="very calm")])
    assert not np.allclose(without, told)
