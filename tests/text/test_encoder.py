import shutil

import numpy as np
import pytest
import torch

from tests.text import tiny_bert
from zero_shot_emotion.text.encoder import EncoderError, TextEncoder
from zero_shot_emotion.text.settings import EncoderSettings
from zero_shot_emotion.text.store import TextStore

TEXTS = [("i am so happy today", ()), ("why", ()), ("it is fine", ()), ("what is that", ("you are angry", "i am not"))]


def encoder(bert, **settings):
    return TextEncoder(EncoderSettings(name=str(bert), **settings))


def states_of(encoder_, words):
    states = dict(encoder_.encode(words))
    return [states[i] for i in range(len(words))]


def test_states_are_those_of_transformers(bert):
    from transformers import AutoModel, AutoTokenizer

    model, tokenizer = AutoModel.from_pretrained(bert).eval(), AutoTokenizer.from_pretrained(bert)
    with torch.inference_mode():
        expected = model(**tokenizer("it is fine", return_tensors="pt")).last_hidden_state[0].numpy()
    np.testing.assert_allclose(states_of(encoder(bert), TEXTS)[2], expected, atol=1e-5)


def test_states_do_not_depend_on_the_company(bert):
    together = states_of(encoder(bert), TEXTS)
    for alone, states in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(states_of(encoder(bert), [alone])[0], states, atol=1e-5)


def test_context_is_a_segment_before_the_text_and_is_cut_first(bert):
    tokenizer = encoder(bert).tokenizer
    from zero_shot_emotion.text.encoder import tokenise

    tokens = tokenizer.convert_ids_to_tokens(tokenise(tokenizer, TEXTS[3], 64)["input_ids"])
    assert tokens == ["[CLS]", "you", "are", "angry", "i", "am", "not", "[SEP]", "what", "is", "that", "[SEP]"]
    tokens = tokenizer.convert_ids_to_tokens(tokenise(tokenizer, TEXTS[3], 8)["input_ids"])
    assert tokens == ["[CLS]", "am", "not", "[SEP]", "what", "is", "that", "[SEP]"]


def test_a_text_that_is_too_long_is_cut_with_context_or_without(bert):
    long = ("i am so very happy today " * 9, ("why",))
    assert states_of(encoder(bert, max_length=16), [long])[0].shape == (16, 32)


def test_another_layer_gives_other_states(bert):
    assert np.abs(states_of(encoder(bert, layer=0), TEXTS)[0] - states_of(encoder(bert), TEXTS)[0]).max() > 0.1


def test_a_layer_that_is_not_there_is_refused(bert):
    with pytest.raises(EncoderError, match=r"encoder.layer: got 7, expected -3 to 2"):
        encoder(bert, layer=7)


def test_an_encoder_that_cannot_be_loaded_is_named(tmp_path):
    with pytest.raises(EncoderError, match=r"encoder.name: got '.*nothing', expected a text model of the Hugging Face"):
        encoder(tmp_path / "nothing")


@pytest.mark.parametrize(("file", "content"), [("model.safetensors", b"\0" * 9), ("config.json", b"{")])
def test_a_broken_encoder_is_named(bert, tmp_path, file, content):
    broken = shutil.copytree(bert, tmp_path / "broken")
    (broken / file).write_bytes(content)
    with pytest.raises(EncoderError, match=r"encoder.name: got '.*broken', expected a text model"):
        encoder(broken)


def test_fingerprints_tell_weights_and_layers_apart(bert, tmp_path):
    prints = {
        encoder(bert).fingerprint,
        encoder(bert, layer=0).fingerprint,
        encoder(tiny_bert.build(tmp_path / "other", seed=1)).fingerprint,
    }
    assert len(prints) == 3
    assert encoder(bert).fingerprint in prints


def changed(bert, folder, file, old, new):
    """A copy of an encoder, one file of which says something else."""
    shutil.copytree(bert, folder)
    path = folder / file
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("tokenizer_config.json", '"do_lower_case": true', '"do_lower_case": false'),
        ("config.json", '"hidden_act": "gelu"', '"hidden_act": "relu"'),
        ("config.json", '"num_attention_heads": 4', '"num_attention_heads": 2'),
    ],
)
def test_fingerprints_tell_apart_what_shares_weights_and_vocabulary(bert, tmp_path, file, old, new):
    other = encoder(changed(bert, tmp_path / "other", file, old, new))
    said = [("I AM so happy", ())]
    assert states_of(other, said)[0].tobytes() != states_of(encoder(bert), said)[0].tobytes()
    assert other.fingerprint != encoder(bert).fingerprint


def test_a_fingerprint_does_not_depend_on_the_place_or_on_what_was_encoded(bert, tmp_path):
    used = encoder(shutil.copytree(bert, tmp_path / "moved"))
    states_of(used, TEXTS)
    assert used.fingerprint == encoder(bert).fingerprint


@pytest.mark.parametrize("before", [(), ("you are angry " * 40,)])
def test_a_text_longer_than_the_encoder_takes_is_cut(bert, before):
    """The tiny one has 64 positions, as its config says and its tokenizer does not; the default cuts at 256."""
    assert states_of(encoder(bert), [("i am so very happy today " * 40, before)])[0].shape == (64, 32)


def test_a_store_gives_what_the_encoder_gives_and_asks_it_once(bert, tmp_path, monkeypatch):
    fresh = encoder(bert)
    expected = states_of(fresh, TEXTS)
    for got, states in zip(TextStore(tmp_path, fresh).states(TEXTS), expected, strict=True):
        np.testing.assert_allclose(got, states, atol=1e-6)

    def never(self, words):
        raise AssertionError(words)

    monkeypatch.setattr(TextEncoder, "encode", never)
    again = TextStore(tmp_path, fresh).states([TEXTS[2], TEXTS[0], TEXTS[2]])
    np.testing.assert_allclose(again[0], expected[2], atol=1e-6)
    assert again[0].tobytes() == again[2].tobytes()


def test_a_store_keeps_what_was_encoded_before_a_break(bert, tmp_path, monkeypatch):
    from zero_shot_emotion.text import store as module

    monkeypatch.setattr(module, "COMMIT", 1)
    fresh = encoder(bert)
    whole, seen = TextEncoder.encode, []

    def breaks(self, words):
        for number, pair in enumerate(whole(self, words)):
            if number == 2:
                raise KeyboardInterrupt
            yield pair

    monkeypatch.setattr(TextEncoder, "encode", breaks)
    with pytest.raises(KeyboardInterrupt):
        TextStore(tmp_path, fresh).states(TEXTS)

    def counts(self, words):
        seen.extend(words)
        return whole(self, words)

    monkeypatch.setattr(TextEncoder, "encode", counts)
    TextStore(tmp_path, fresh).states(TEXTS)
    assert len(seen) == 2
