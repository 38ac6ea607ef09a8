"""A random LLaMA of some kilobytes, with a vocabulary in which some words are two tokens."""

from pathlib import Path
from typing import Any

import torch

WORDS = (
    "You hear one utterance of speech . Name the emotion speaker in word , out : Speech Emotion neutral happy ang ry "
    "sad fear ful disgusted surprised The sounds and says user assistant words turn dialogue hello"
)
CHAT = "{{ bos_token }}{% for m in messages %}user: {{ m['content'] }} {% endfor %}assistant:\n"


def build(folder: Path, chat: bool = False, seed: int = 0, **changes: Any) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate(["<unk>", "<s>", "</s>", *dict.fromkeys(WORDS.split())])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>", continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    fast.chat_template = CHAT if chat else None
    fast.save_pretrained(folder)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                **{**sizes, "num_key_value_heads": 2, "initializer_range": 0.5, "vocab_size": len(fast), **changes}
            )
        )
    model.save_pretrained(folder)
    return folder
