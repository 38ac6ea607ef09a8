"""A frozen language model that names what it hears: candidates are scored by their log-likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import UserError, in_short
from ..hub_models import check_model
from .settings import LanguageModelSettings

if TYPE_CHECKING:
    from transformers import DynamicCache

SPEECH = "<speech>"
DATE = date(2024, 7, 26)
"""What a chat template that tells the date is given, as Llama's tell it where there is no clock: scores must not change
from day to day."""


class LanguageModelError(UserError, RuntimeError):
    """A language model that cannot be loaded, or cannot answer."""


class LanguageModel:
    """A causal language model, and the prompt around the speech tokens.

    It is no ``nn.Module``, so that no checkpoint of whatever holds it holds its weights; what is trained of it, the
    adapters, is given by `trainable`. What stands before the speech is the same for all utterances: its keys and
    values are computed once.

    Args:
        settings: which model, and its instruction.
        words: the candidates.
    """

    def __init__(self, settings: LanguageModelSettings, words: Sequence[str]) -> None:
        self._settings = settings
        self.tokenizer, self.model = _load(settings)
        self._templated = bool(getattr(self.tokenizer, "chat_template", None))
        before, after = self._around_speech(words)
        # A chat template has its special tokens already.
        self._before, self._after = self._ids(before, special=not self._templated), self._ids(after)
        self._candidates = [self._answer(after, word) for word in words]
        self._check(words)
        self._checkpointing = False
        self._cache: DynamicCache | None = None

    def _check(self, words: Sequence[str]) -> None:
        first: dict[tuple[int, ...], str] = {}
        for word, ids in zip(words, self._candidates, strict=True):
            if not ids:
                raise LanguageModelError(f"{self._settings.name}: its tokenizer makes nothing of the word {word!r}")
            if tuple(ids) in first:
                raise LanguageModelError(
                    f"{self._settings.name}: its tokenizer makes the same of {first[tuple(ids)]!r} and {word!r}: see "
                    "modelrc.EmotionQFormer.words"
                )
            first[tuple(ids)] = word

    @property
    def width(self) -> int:
        """Of its embeddings."""
        return int(self.model.get_input_embeddings().embedding_dim)

    @property
    def deviation(self) -> float:
        """Of the values of its embeddings: how large a word is."""
        return float(self.model.get_input_embeddings().weight.detach().float().std())

    @property
    def parameters(self) -> int:
        """How many it has."""
        return int(self.model.num_parameters())  # four-bit tensors hold two in a byte: it knows

    @property
    def trainable(self) -> dict[str, nn.Parameter]:
        """The adapters' parameters by name; empty where it is frozen whole."""
        return {name.replace(".", "-"): p for name, p in self.model.named_parameters() if p.requires_grad}

    def to(self, device: torch.device) -> None:
        """Move beside the head, unless a device map has placed it."""
        if self._settings.device_map is None and self.model.device != device:
            self.model.to(device)
            self._cache = None

    def train(self, mode: bool) -> None:
        """Dropout of the adapters, and checkpointing; whatever dropout the model itself has stays off."""
        from transformers.modeling_layers import GradientCheckpointingLayer

        self.model.eval()
        self._checkpointing = mode and self._settings.gradient_checkpointing
        for name, module in self.model.named_modules():
            if isinstance(module, GradientCheckpointingLayer):
                module.training = self._checkpointing
            elif ".lora_dropout." in name:
                module.training = mode

    def scores(self, speech: Tensor) -> Tensor:
        """The length-normalised log-likelihood of each candidate after each utterance.

        Args:
            speech: tokens in the space of the model's embeddings, shape (batch, tokens, width).

        Returns:
            mean log-probability of a candidate's tokens, shape (batch, candidates).
        """
        if self._checkpointing:
            return self._whole(speech)
        first, cache = self._read(speech)
        lengths = torch.tensor([len(ids) for ids in self._candidates], device=first.device)
        starts = torch.tensor([ids[0] for ids in self._candidates], device=first.device)
        total = first.log_softmax(dim=-1)[:, starts]
        longer = [i for i, ids in enumerate(self._candidates) if len(ids) > 1]
        if longer:
            rest = self._rest(cache, longer, len(speech)).to(total.device)
            total = total.index_add(1, torch.tensor(longer, device=total.device), rest)
        return total / lengths

    def _whole(self, speech: Tensor) -> Tensor:
        """As `scores`, long candidates each after the whole prompt: checkpointing keeps no keys and values."""
        prompt = self._prompt(speech)
        first = self.model(inputs_embeds=prompt, use_cache=False, logits_to_keep=1).logits[:, -1].float()
        first = first.log_softmax(dim=-1)
        scores = []
        for ids in self._candidates:
            if len(ids) == 1:
                scores.append(first[:, ids[0]])
                continue
            answer = self._embed(ids).expand(len(speech), -1, -1)
            logits = self.model(inputs_embeds=torch.cat([prompt, answer], dim=1), use_cache=False).logits
            gained = logits[:, prompt.shape[1] - 1 : -1].float().log_softmax(dim=-1)
            index = torch.tensor(ids, device=gained.device).expand(len(speech), -1).unsqueeze(2)
            scores.append(gained.gather(2, index).squeeze(2).mean(dim=1))
        return torch.stack(scores, dim=1)

    def _read(self, speech: Tensor) -> tuple[Tensor, DynamicCache]:
        """The logits after the prompt, shape (batch, vocabulary), and its keys and values."""
        prompt = torch.cat([speech.to(self._dtype), self._embed(self._after).expand(len(speech), -1, -1)], dim=1)
        cache = self._instruction(len(speech))
        output = self.model(inputs_embeds=prompt, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return output.logits[:, -1].float(), output.past_key_values

    def _rest(self, cache: DynamicCache, longer: Sequence[int], batch: int) -> Tensor:
        """What the tokens after the first add, shape (batch, longer): all candidates that have some, at once."""
        device, count = self.model.device, len(longer)
        words = [torch.tensor(self._candidates[i]) for i in longer]
        padded = nn.utils.rnn.pad_sequence(words, batch_first=True)
        inputs = padded[:, :-1].repeat(batch, 1).to(device)
        targets = padded[:, 1:].repeat(batch, 1).to(device)
        # Padding stands behind a word, where causal attention lets nothing see it.
        real = torch.arange(1, padded.shape[1]) < torch.tensor([[len(ids)] for ids in words])
        cache.batch_repeat_interleave(count)
        logits = self.model(input_ids=inputs, past_key_values=cache, use_cache=True).logits.float()
        gained = logits.log_softmax(dim=-1).gather(2, targets.unsqueeze(2)).squeeze(2)
        return (gained * real.repeat(batch, 1).to(device)).sum(dim=1).reshape(batch, count)

    def _instruction(self, batch: int) -> DynamicCache:
        """Keys and values of what stands before the speech, for each utterance of a batch."""
        from transformers import DynamicCache

        if not self._before:
            return DynamicCache()
        adapted = bool(self.trainable)
        if self._cache is None or adapted:  # adapters change from step to step
            with nullcontext() if adapted and torch.is_grad_enabled() else torch.no_grad():
                output = self.model(inputs_embeds=self._embed(self._before), use_cache=True, logits_to_keep=1)
            self._cache = output.past_key_values
        copy = DynamicCache()
        for layer, (keys, values) in enumerate(_layers(self._cache)):
            copy.update(keys.expand(batch, -1, -1, -1), values.expand(batch, -1, -1, -1), layer)
        if adapted:
            self._cache = None
        return copy

    def describe(self, texts: Sequence[str]) -> Tensor:
        """Mean of the last hidden states of some texts, shape (texts, width); adapters and gradients have no part."""
        without = self.model.disable_adapter() if self.trainable else nullcontext()
        with torch.no_grad(), without:
            ids = [torch.tensor(self._ids(text, special=True), dtype=torch.long) for text in texts]
            padded = nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self.model.device)
            lengths = torch.tensor([len(i) for i in ids], device=padded.device)
            inside = torch.arange(padded.shape[1], device=padded.device) < lengths.unsqueeze(1)
            states = self.model(input_ids=padded, attention_mask=inside.long(), output_hidden_states=True)
            last = states.hidden_states[-1].float() * inside.unsqueeze(2)
            return last.sum(dim=1) / lengths.unsqueeze(1)

    @torch.no_grad()
    def generate(self, speech: Tensor) -> list[str]:
        """What the model says freely after each utterance, greedily."""
        prompt = self._prompt(speech)
        mask = torch.ones(prompt.shape[:2], dtype=torch.long, device=prompt.device)
        pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.tokenizer.eos_token_id
        said = self.model.generate(
            inputs_embeds=prompt,
            attention_mask=mask,
            max_new_tokens=self._settings.max_new_tokens,
            do_sample=False,
            pad_token_id=pad,
        )
        return [text.strip() for text in self.tokenizer.batch_decode(said, skip_special_tokens=True)]

    @property
    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.model.get_input_embeddings().weight.dtype
        return dtype

    def _prompt(self, speech: Tensor) -> Tensor:
        """Instruction and speech, shape (batch, tokens, width)."""
        before, after = (self._embed(ids).expand(len(speech), -1, -1) for ids in (self._before, self._after))
        return torch.cat([before, speech.to(self._dtype), after], dim=1)

    def _embed(self, ids: Sequence[int]) -> Tensor:
        """Embeddings, shape (1, tokens, width)."""
        tokens = torch.tensor([ids], dtype=torch.long, device=self.model.device)
        embedded: Tensor = self.model.get_input_embeddings()(tokens)
        return embedded

    def _ids(self, text: str, special: bool = False) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=special).input_ids)

    def _around_speech(self, words: Sequence[str]) -> tuple[str, str]:
        """The prompt before and after the speech; a chat model gets it as a user's message."""
        told = self._settings.instruction.format(emotions=", ".join(words))
        if self._templated:
            message = [{"role": "user", "content": told}]
            told = self.tokenizer.apply_chat_template(
                message, tokenize=False, add_generation_prompt=True, strftime_now=DATE.strftime
            )
        before, found, after = told.partition(SPEECH)
        if not found:
            raise LanguageModelError(f"{self._settings.name}: its chat template leaves nothing of {SPEECH}")
        return before, after

    def _answer(self, after: str, word: str) -> list[int]:
        """The tokens of a candidate as it stands after the prompt.

        There is a space before it, unless the prompt ends in white space. Some tokenizers put a mark of their own
        before whatever they are given: so it is taken from behind the prompt, where it does not change that.
        """
        said = word if after[-1:].isspace() else f" {word}"
        together, alone = self._ids(after + said), self._ids(after)
        return together[len(alone) :] if together[: len(alone)] == alone else self._ids(said)


def _load(settings: LanguageModelSettings) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"dtype": getattr(torch, settings.dtype), "device_map": settings.device_map}
    if settings.device_map is not None:
        _needs("accelerate", "accelerate", "device_map")
    if settings.load_in_4bit:
        _needs("bitsandbytes", "zero-shot-emotion[4bit]", "load_in_4bit")
        _needs("accelerate", "accelerate", "load_in_4bit")
        options["quantization_config"] = _four_bits(settings)
    try:
        check_model(settings.name, settings.revision)
        tokenizer = AutoTokenizer.from_pretrained(settings.name, revision=settings.revision)
        model = AutoModelForCausalLM.from_pretrained(settings.name, revision=settings.revision, **options)
    except (OSError, ValueError, ImportError) as error:
        raise LanguageModelError(
            f"modelrc.EmotionQFormer.language_model.name: got {settings.name!r}, expected a causal language model of "
            f"the Hugging Face hub, or a folder that holds one: {in_short(error)}"
        ) from None
    model = model.eval().requires_grad_(False)
    if settings.lora.rank:
        model = _adapted(model, settings)
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return tokenizer, model


def _needs(package: str, wanted: str, key: str) -> None:
    if find_spec(package) is None:
        raise LanguageModelError(
            f"modelrc.EmotionQFormer.language_model.{key}: needs the package {package}: pip install '{wanted}'"
        )


def _four_bits(settings: LanguageModelSettings) -> Any:
    from transformers import BitsAndBytesConfig

    if not torch.accelerator.is_available():
        raise LanguageModelError(
            "modelrc.EmotionQFormer.language_model.load_in_4bit: needs a GPU, and torch sees none: expected False, "
            "and a smaller model"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, settings.dtype),
    )


def _adapted(model: Any, settings: LanguageModelSettings) -> Any:
    _needs("peft", "zero-shot-emotion[lora]", "lora.rank")
    from peft import LoraConfig, get_peft_model

    lora = settings.lora
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules) if lora.target_modules else None,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _layers(cache: DynamicCache) -> Iterator[tuple[Any, Any]]:
    return ((layer.keys, layer.values) for layer in cache.layers)
