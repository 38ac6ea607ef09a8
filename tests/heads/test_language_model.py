"""Scores of a language model against its own logits, one full forward pass a candidate and utterance."""

from importlib import metadata
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.heads import tiny_llama
from zero_shot_emotion.heads import language_model as module
from zero_shot_emotion.heads.language_model import LanguageModel, LanguageModelError
from zero_shot_emotion.heads.settings import LanguageModelSettings

WORDS = ["neutral", "happy", "angry", "fearful", "sad"]
WIDTH = 32
# tokens of the tiny tokenizer: "angry" and "fearful" are two each
TOKENS = [["neutral"], ["happy"], ["ang", "ry"], ["fear", "ful"], ["sad"]]
PROMPT = "Name the emotion out of: {emotions}. Speech: <speech> Emotion:"


def load(folder: Path, words: list[str] = WORDS, **changes: object) -> LanguageModel:
    settings = LanguageModelSettings.model_validate(
        {"name": str(folder), "dtype": "float32", "instruction": PROMPT, **changes}
    )
    model = LanguageModel(settings, words)
    model.train(False)
    return model


def speech(batch: int = 3, tokens: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(batch, tokens, WIDTH, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def brute_force(folder: Path, before: str, after: str, vectors: Tensor, candidates: list[list[str]] = TOKENS) -> Tensor:
    """By transformers alone: the prompt in words, the candidates in tokens, one utterance and one candidate a pass."""
    from transformers import AutoTokenizer, LlamaForCausalLM

    model, tokenizer = LlamaForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    def embed(tokens: list[str]) -> Tensor:
        return model.model.embed_tokens(torch.tensor(tokenizer.convert_tokens_to_ids(tokens), dtype=torch.long))

    start, end = embed(before.split()), embed(after.split())
    scores = torch.empty(len(vectors), len(candidates))
    for i, vector in enumerate(vectors):
        for k, candidate in enumerate(candidates):
            whole = torch.cat([start, vector, end, embed(candidate)])
            logits = model(inputs_embeds=whole.unsqueeze(0)).logits[0].log_softmax(dim=-1)
            ids = tokenizer.convert_tokens_to_ids(candidate)
            first = len(whole) - len(ids)
            scores[i, k] = sum(logits[first + j - 1, token] for j, token in enumerate(ids)) / len(ids)
    return scores


LISTED = "neutral , happy , ang ry , fear ful , sad"
PLAIN = (f"<s> Name the emotion out of : {LISTED} . Speech :", "Emotion :")
CHAT = (f"<s> user : Name the emotion out of : {LISTED} . Speech :", "Emotion : assistant :")


@torch.no_grad()
@pytest.mark.parametrize("batch", [1, 4])
def test_scores_are_the_models_log_likelihoods(llama: Path, batch: int) -> None:
    model, vectors = load(llama), speech(batch)
    expected = brute_force(llama, *PLAIN, vectors)
    assert expected.std() > 0.5  # there is something to get wrong
    torch.testing.assert_close(model.scores(vectors), expected, rtol=0, atol=1e-4)


@torch.no_grad()
def test_a_chat_model_is_asked_in_its_own_way(chat_llama: Path) -> None:
    torch.testing.assert_close(
        load(chat_llama).scores(speech()), brute_force(chat_llama, *CHAT, speech()), rtol=0, atol=1e-4
    )


@torch.no_grad()
def test_the_kept_instruction_gives_the_same_scores_again(llama: Path) -> None:
    model = load(llama)
    first = model.scores(speech(4))
    model.scores(speech(2, tokens=9, seed=1))
    torch.testing.assert_close(model.scores(speech(4)), first, rtol=0, atol=0)
    torch.testing.assert_close(load(llama).scores(speech(4)[1:2]), first[1:2], rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    ("instruction", "prompt"),
    [("<speech> Emotion:", ("<s>", "Emotion :")), ("Name the emotion <speech>", ("<s> Name the emotion", ""))],
)
def test_speech_may_come_first_or_last(llama: Path, instruction: str, prompt: tuple[str, str]) -> None:
    scores = load(llama, instruction=instruction).scores(speech())
    torch.testing.assert_close(scores, brute_force(llama, *prompt, speech()), rtol=0, atol=1e-4)


@torch.no_grad()
def test_speech_may_come_first_to_a_model_without_a_first_token(tmp_path: Path, chat_llama: Path) -> None:
    from transformers import AutoTokenizer, LlamaForCausalLM

    LlamaForCausalLM.from_pretrained(chat_llama).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(chat_llama)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(tmp_path)
    scores = load(tmp_path, instruction="<speech> Emotion:").scores(speech())
    torch.testing.assert_close(scores, brute_force(tmp_path, "", "Emotion :", speech()), rtol=0, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("checkpointing", [False, True])
def test_candidates_may_begin_alike_and_one_may_go_on_where_another_ends(llama: Path, checkpointing: bool) -> None:
    words = ["hello", "hello words", "hello words dialogue", "hello turn", "sad"]
    model = load(llama, words, gradient_checkpointing=checkpointing, instruction="Name the emotion <speech> Emotion:")
    model.train(checkpointing)
    expected = brute_force(llama, "<s> Name the emotion", "Emotion :", speech(), [word.split() for word in words])
    torch.testing.assert_close(model.scores(speech()), expected, rtol=0, atol=1e-4)


def test_a_chat_model_is_not_told_the_date(tmp_path: Path) -> None:
    """Llama 3.1 and 3.2 are, by their templates: the same config would give other scores tomorrow."""
    from transformers import AutoTokenizer

    folder = tiny_llama.build(tmp_path / "dated", chat=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }} {{ messages[0]['content'] }}"
    tokenizer.save_pretrained(folder)
    before, _ = load(folder)._around_speech(WORDS)
    assert before.startswith("26 Jul 2024 Name the emotion")


def test_checkpointing_gives_the_same_scores_and_gradients(llama: Path) -> None:
    kept, computed_twice = load(llama), load(llama, gradient_checkpointing=True)
    computed_twice.train(True)
    layers: list[int] = []
    computed_twice.model.model.layers[0].self_attn.register_forward_hook(lambda *_: layers.append(1))
    gradients, scores = [], []
    for model in (kept, computed_twice):
        vectors = speech().requires_grad_()
        scores.append(model.scores(vectors))
        scores[-1].square().sum().backward()
        gradients.append(vectors.grad)
    assert len(layers) == 2 * 3  # once forward and once more backward: the prompt, and two candidates of two tokens
    torch.testing.assert_close(scores[0], scores[1], rtol=0, atol=1e-4)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-3, atol=1e-4)


def test_nothing_of_a_frozen_model_is_trained(llama: Path) -> None:
    model = load(llama)
    model.train(True)
    model.scores(speech().requires_grad_()).sum().backward()
    assert model.trainable == {}
    assert all(p.grad is None and not p.requires_grad for p in model.model.parameters())
    assert not any(layer.training for layer in model.model.modules())


def test_adapters_alone_are_trained(llama: Path) -> None:
    pytest.importorskip("peft", reason="LoRA needs peft")
    model = load(llama, lora={"rank": 2, "dropout": 0.5})
    described = model.describe(["The speaker sounds happy"])
    model.train(True)
    dropouts = [m for m in model.model.modules() if m.training]
    assert dropouts
    assert all(isinstance(m, torch.nn.Dropout | torch.nn.ModuleDict) for m in dropouts)
    before = load(llama).scores(speech())
    optimizer = torch.optim.SGD(model.trainable.values(), lr=0.5)
    for _ in range(2):  # the first step leaves what lies behind zeros as it is
        optimizer.zero_grad()
        model.scores(speech()).sum().backward()
        optimizer.step()
    assert all("lora" in name for name in model.trainable)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.trainable.values())
    assert all(p.grad is None for p in model.model.parameters() if not p.requires_grad)
    model.train(False)
    assert (model.scores(speech()) - before).abs().max() > 1e-3
    torch.testing.assert_close(model.describe(["The speaker sounds happy"]), described)
    torch.testing.assert_close(model.scores(speech()), model._whole(speech()), rtol=0, atol=1e-4)


@torch.no_grad()
def test_descriptions_do_not_depend_on_padding(llama: Path) -> None:
    model = load(llama)
    texts = ["happy", "The speaker sounds sad and says: hello hello words", "angry words"]
    together = model.describe(texts)
    assert together.shape == (3, WIDTH)
    for text, vector in zip(texts, together, strict=True):
        torch.testing.assert_close(model.describe([text])[0], vector, rtol=0, atol=1e-5)


@torch.no_grad()
def test_a_free_answer_is_what_the_model_says_greedily(llama: Path) -> None:
    from transformers import AutoTokenizer

    model, tokenizer = load(llama, max_new_tokens=4), AutoTokenizer.from_pretrained(llama)
    said = model.generate(speech())
    prompt = model._prompt(speech())
    for i, text in enumerate(said):
        tokens: list[int] = []
        for _ in range(4):
            whole = torch.cat([prompt[i : i + 1], model._embed(tokens)], dim=1)
            tokens.append(int(model.model(inputs_embeds=whole).logits[0, -1].argmax()))
            if tokens[-1] == tokenizer.eos_token_id:
                break
        assert text == tokenizer.decode(tokens, skip_special_tokens=True).strip()


@torch.no_grad()
def test_half_precision_names_the_same(llama: Path) -> None:
    whole, half = load(llama).scores(speech(8)), load(llama, dtype="bfloat16").scores(speech(8))
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, rtol=0.1, atol=0.5)


def test_a_model_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LanguageModelError, match=r"language_model.name: got '.*/nothing', expected a causal lang"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("package", "changes", "told"),
    [
        (
            "bitsandbytes",
            {"load_in_4bit": True},
            r"load_in_4bit: needs the package bitsandbytes: pip install 'zero-shot-emotion\[4bit\]'$",
        ),
        ("accelerate", {"device_map": "auto"}, r"device_map: needs the package accelerate: pip install 'accelerate'$"),
        ("peft", {"lora": {"rank": 2}}, r"lora.rank: needs the package peft: pip install 'zero-shot-emotion\[lora\]'"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(
    llama: Path, package: str, changes: dict, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else find(name))
    with pytest.raises(LanguageModelError, match=told):
        load(llama, **changes)


def loaded_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool = True, **changes: object
) -> tuple[LanguageModel, dict]:
    """A model, and what transformers was told to load: bitsandbytes and a GPU are pretended, nothing is quantised."""
    from transformers import AutoModelForCausalLM

    told: dict = {}
    load_whole, find, version = AutoModelForCausalLM.from_pretrained, module.find_spec, metadata.version

    def note(name: str, **options: object) -> object:
        told.update(options)
        return load_whole(name, **{k: v for k, v in options.items() if k != "quantization_config"})

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", note)
    monkeypatch.setattr(module, "find_spec", lambda name: True if name == "bitsandbytes" else find(name))
    monkeypatch.setattr(metadata, "version", lambda name: "0.46.0" if name == "bitsandbytes" else version(name))
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: gpu)
    return load(folder, **changes), told


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_four_bits_are_asked_for_as_nf4_quantised_twice(
    llama: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import BitsAndBytesConfig

    model, told = loaded_with(llama, monkeypatch, load_in_4bit=True, dtype=dtype)
    config = told.pop("quantization_config")
    assert isinstance(config, BitsAndBytesConfig)
    assert config.quantization_method() == "nf4"
    assert config.bnb_4bit_use_double_quant
    assert config.bnb_4bit_compute_dtype == getattr(torch, dtype)
    assert told == {"revision": None, "dtype": getattr(torch, dtype), "device_map": None}
    assert model.model.get_input_embeddings().weight.dtype == getattr(torch, dtype)


def test_without_four_bits_nothing_is_quantised(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, told = loaded_with(llama, monkeypatch, revision="main")
    assert told == {"revision": "main", "dtype": torch.float32, "device_map": None}


def test_four_bits_without_a_gpu_are_refused(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LanguageModelError, match=r"load_in_4bit: needs a GPU, and torch sees none: expected False"):
        loaded_with(llama, monkeypatch, gpu=False, load_in_4bit=True)


@torch.no_grad()
@pytest.mark.parametrize("device_map", ["cpu", "auto"])
def test_a_device_map_places_the_model_and_nobody_moves_it(
    llama: Path, device_map: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, told = loaded_with(llama, monkeypatch, gpu=False, device_map=device_map)
    assert told["device_map"] == device_map
    placed = model.model.device
    moved: list[object] = []
    monkeypatch.setattr(type(model.model), "to", lambda *places, **_: moved.append(places))
    model.to(torch.device("meta"))
    assert (moved, model.model.device) == ([], placed)
    monkeypatch.undo()
    expected = load(llama).scores(speech())
    torch.testing.assert_close(model.scores(speech()).cpu(), expected, rtol=0, atol=1e-4)


def test_a_device_map_that_is_none_is_named(llama: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"expected a causal language model .*device_map.*nowhere"):
        load(llama, device_map="nowhere")


def test_words_that_the_tokenizer_cannot_tell_apart_are_refused(llama: Path) -> None:
    with pytest.raises(LanguageModelError, match=r"makes the same of 'cheery' and 'gloomy': see modelrc"):
        load(llama, ["cheery", "gloomy"])
    with pytest.raises(LanguageModelError, match=r"makes the same of 'sad' and 'sad': see modelrc"):
        load(llama, ["happy", "sad", "sad"])


def test_a_chat_template_that_drops_the_speech_is_refused(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = tiny_llama.build(tmp_path / "deaf", chat=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "nothing"
    tokenizer.save_pretrained(folder)
    with pytest.raises(LanguageModelError, match="its chat template leaves nothing of <speech>"):
        load(folder)


@pytest.mark.parametrize("instruction", ["no speech", "<speech> <speech>", "{other} <speech>", "{ <speech>"])
def test_an_instruction_is_checked(instruction: str) -> None:
    with pytest.raises(ValueError, match="a text "):
        LanguageModelSettings(instruction=instruction)
