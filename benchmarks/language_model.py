"""Scoring candidates over a kept instruction against a full forward pass for each candidate: time, and the same scores.

    python benchmarks/language_model.py

A random LLaMA on the CPU; both ways in the same run, in turns, in seconds of the processor, so that a busy machine does
not matter.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from zero_shot_emotion.corpus import EMOTIONS
from zero_shot_emotion.corpus.labels import SEVEN
from zero_shot_emotion.heads.language_model import LanguageModel
from zero_shot_emotion.heads.settings import LanguageModelSettings

AT_LEAST, TOLERANCE = 3.0, 1e-4
INSTRUCTION = (
    "You are an expert in the psychology of speech. You hear one utterance of a speaker whom you have never heard "
    "before, in a language that you may not know. Do not go by the words alone: listen to pitch, loudness, tempo, "
    "pauses and the quality of the voice, and to how they change in the course of the utterance. Name "
    "the emotion of the speaker in one word, out of: {emotions}. Speech: <speech> Emotion:"
)


def make_llama(folder: Path, layers: int, width: int, words: list[str]) -> Path:
    """A random LLaMA that knows the words of the instruction; an emotion is two or three tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pieces = [word[i : i + 4] for word in words for i in range(0, len(word), 4)]
    known = dict.fromkeys(["<unk>", "<s>", "</s>", *re.findall(r"\w+|[^\w\s]+", INSTRUCTION), *pieces])
    word_piece = models.WordPiece(
        {token: i for i, token in enumerate(known)}, unk_token="<unk>", continuing_subword_prefix=""
    )
    splitting = Tokenizer(word_piece)
    splitting.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=splitting, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=4,
        initializer_range=0.1,  # the default makes all candidates nearly as likely as each other
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@torch.no_grad()
def brute_force(model: LanguageModel, speech: Tensor) -> Tensor:
    """The whole prompt again before each candidate."""
    prompt, scores = model._prompt(speech), []
    for ids in model._candidates:
        whole = torch.cat([prompt, model._embed(ids).expand(len(speech), -1, -1)], dim=1)
        said = model.model(inputs_embeds=whole, use_cache=False).logits[:, prompt.shape[1] - 1 : -1].log_softmax(dim=-1)
        scores.append(torch.stack([said[:, j, token] for j, token in enumerate(ids)]).mean(dim=0))
    return torch.stack(scores, dim=1)


@torch.no_grad()
def shared(model: LanguageModel, speech: Tensor) -> Tensor:
    return model.scores(speech)


def timed(job: Callable[[LanguageModel, Tensor], Tensor], model: LanguageModel, speech: Tensor) -> tuple[Tensor, float]:
    start = time.process_time()
    return job(model, speech), time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--queries", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    words = [EMOTIONS[name] for name in SEVEN.classes]
    with tempfile.TemporaryDirectory() as folder:
        name = str(make_llama(Path(folder), options.layers, options.width, words))
        model = LanguageModel(LanguageModelSettings(name=name, dtype="float32", instruction=INSTRUCTION), words)
    speech = torch.randn(options.batch, options.queries, model.width)
    shared(model, speech[:1])  # the instruction is read once, whatever comes after it
    slow_times, fast_times, differences = [], [], []
    for _ in range(options.rounds):
        expected, slow = timed(brute_force, model, speech)
        scores, fast = timed(shared, model, speech)
        slow_times.append(slow)
        fast_times.append(fast)
        differences.append(float((scores - expected).abs().max()))
    slow, fast, difference = statistics.median(slow_times), statistics.median(fast_times), max(differences)
    print(
        f"{model.parameters:,} parameters, {len(model._before)} tokens before {options.queries} of speech, "
        f"{len(words)} candidates of up to {max(map(len, model._candidates))} tokens, batch {options.batch}"
    )
    print(f"a full pass for each candidate {slow:.2f} s, kept and shared {fast:.2f} s: {slow / fast:.1f} times as fast")
    print(f"scores differ by at most {difference:.1e}")
    if slow / fast < AT_LEAST or difference > TOLERANCE:
        sys.exit(f"expected at least {AT_LEAST} times as fast, and scores within {TOLERANCE}")


if __name__ == "__main__":
    main()
