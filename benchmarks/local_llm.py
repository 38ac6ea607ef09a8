"""A whole corpus from a real model server: a tiny LLaMA that is trained here, served by ``transformers serve``.

    pip install fastapi uvicorn accelerate
    python benchmarks/local_llm.py -o result/local-llm

It trains a language model of three million parameters, for minutes on one core, on the podcast excerpts that ship: the
prompt of each, of which the model's chat template keeps the lines that tell one prompt from another, and its answer as
JSON. It starts the server, runs ``zero-shot-emotion generate`` against it (options that it does not know, such as
``--timeout 600``, are handed on), and prints what came of it, the realism report, and how many of the lines are copies
of lines that the model was trained on. Such a model writes copies and nonsense: what is tested is the way from the
command to the corpus, on a server that was not written for the test.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generation.datasheet import Datasheet, load_datasheet
from generation.near_duplicates import NearDuplicates, normalise
from generation.prompt import fill_template, speaker_name, template_text
from generation.shipped import ShippedDialogue, shipped_dialogues
from zero_shot_emotion.corpus import EMOTIONS, Corpus

SHEET = "msp-podcast"
VOCABULARY = 3072
WIDTH, LAYERS, HEADS = 256, 3, 4
CONTEXT = 1024
BATCH, RATE = 8, 3e-3
USER, ASSISTANT, END = "<|user|>", "<|assistant|>", "<|end|>"
CHAT = (
    "{% for message in messages %}{% if message.role == 'user' %}"
    + USER
    + "{% for line in message.content.split('\\n') %}"
    "{% if line.startswith('- Speaker ') or line.startswith('Over the whole ') or line[:1].isdigit() %}{{ line }}\n"
    "{% endif %}{% endfor %}{% else %}" + ASSISTANT + "{{ message.content }}" + END + "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}" + ASSISTANT + "{% endif %}"
)
"""Of a prompt, the roles and what is planned for the turns: the rest is the same in all of them."""


def pairs() -> Iterator[tuple[str, str]]:
    """Prompts that the shipped dialogues answer, and the answers."""
    template, sheet = template_text("dialogue"), load_datasheet(SHEET)
    for dialogue in shipped_dialogues(SHEET):
        yield fill_template(template, variables(sheet, dialogue)), json.dumps(dialogue.response, ensure_ascii=False)


def variables(sheet: Datasheet, dialogue: ShippedDialogue) -> dict[str, Any]:
    """What a prompt's template may use, as this dialogue has it; no template need use all of it."""
    turns = dialogue.response["turns"]
    labels, there = [EMOTIONS[label] for label in sheet.labels], Counter(turn["emotion"] for turn in turns)
    roles = sheet.scenario(dialogue.scenario).roles
    return {
        "description": sheet.description,
        "language": sheet.language_name,
        "roles": [
            {"name": speaker_name(i), "gender": gender, "situation": role.situation, "emotion": EMOTIONS[role.emotion]}
            for i, (role, gender) in enumerate(zip(roles, dialogue.genders.values(), strict=False))
        ],
        "turns": len(turns),
        "plan": [{"speaker": t["speaker"], "emotion": t["emotion"], "length": len(t["text"].split())} for t in turns],
        "unit": "words",
        "words_min": 1,
        "words_median": 10,
        "words_max": 30,
        "labels": labels,
        "wanted": {label: there[label] for label in labels if there[label]},
        "avoid": [],
    }


def make_tokenizer(texts: list[str]) -> Any:
    """Byte-level pairs, and the chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    pieces = Tokenizer(models.BPE())
    # at blanks alone, so that the syntax of an answer is a few pieces a turn
    pieces.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(" ", "merged_with_next"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        eos_token=END,
        pad_token=END,
        chat_template=CHAT,
        model_input_names=["input_ids", "attention_mask"],  # token_type_ids make the server's thread die
    )


def examples(tokenizer: Any, said: list[tuple[str, str]]) -> list[dict[str, list[int]]]:
    """Tokens of prompt and answer; only those of the answer are learnt."""
    made = []
    for prompt, answer in said:
        asked = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
        answered = tokenizer(answer + END)["input_ids"]
        made.append({"input_ids": asked + answered, "labels": [-100] * len(asked) + answered})
    return [example for example in made if len(example["input_ids"]) <= CONTEXT]


def train(folder: Path, epochs: float) -> None:
    """Train a model and save it with its tokenizer."""
    import torch
    from transformers import (
        DataCollatorForSeq2Seq,
        GenerationConfig,
        LlamaConfig,
        LlamaForCausalLM,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    torch.set_num_threads(1)
    set_seed(0)
    said = list(pairs())
    tokenizer = make_tokenizer([text for pair in said for text in pair])
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH * 11 // 4,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=2 * CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    data = examples(tokenizer, said)
    tokens = sum(len(example["input_ids"]) for example in data)
    print(f"{model.num_parameters():,} parameters, {len(data)} dialogues, {tokens:,} tokens", flush=True)
    settings = TrainingArguments(
        str(folder / "run"),
        per_device_train_batch_size=BATCH,
        num_train_epochs=epochs,
        learning_rate=RATE,
        lr_scheduler_type="cosine",
        warmup_ratio=0.05,
        weight_decay=0.1,
        adam_beta2=0.95,
        group_by_length=True,
        bf16=True,
        use_cpu=True,
        logging_steps=10,
        save_strategy="no",
        report_to=[],
        seed=0,
    )
    Trainer(model, settings, DataCollatorForSeq2Seq(tokenizer), train_dataset=data).train()
    # the server samples only where the model says so, whatever temperature it is sent
    model.generation_config = GenerationConfig(
        do_sample=True, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a ``transformers serve`` of this environment; what it prints goes into ``serve.log``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--log_level", "warning"]
    command = [sys.executable, "-m", "transformers.commands.transformers_cli", "serve", *options]
    with (folder / "serve.log").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            while not answers(f"http://127.0.0.1:{port}/health"):
                if process.poll() is not None:
                    sys.exit(f"the server ended, see {log.name}")
                time.sleep(1)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether somebody is there."""
    try:
        with urllib.request.urlopen(url, timeout=60):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


def copies(corpus: Path) -> str:
    """How many lines repeat, or nearly, a line that the model was trained on."""
    lines = [utterance.text or "" for utterance in Corpus.load(corpus)]
    learnt, exact = NearDuplicates(), set()
    for dialogue in shipped_dialogues(SHEET):
        for turn in dialogue.response["turns"]:
            learnt.add(turn["text"])
            exact.add(normalise(turn["text"]))
    same = sum(normalise(line) in exact for line in lines)
    near = sum(learnt.add(line) is not None for line in lines)
    return f"of {len(lines)} lines {same} are copies of lines that the model was trained on, {near} copies or nearly"


def main() -> None:
    """Train what is not trained yet, ask it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder; what it holds already is not made again")
    parser.add_argument("-n", "--utterances", type=int, default=500)
    parser.add_argument("--epochs", type=float, default=4, help="of training")
    options, more = parser.parse_known_args()  # more goes to `zero-shot-emotion generate`
    model, corpus = options.out / "model", options.out / "corpus"
    if not (model / "config.json").exists():
        train(model, options.epochs)
    cli = [sys.executable, "-m", "zero_shot_emotion.cli"]
    with serving(options.out) as url:
        asked = ["--datasheet", SHEET, "--llm-base-url", url, "--model", str(model), "-n", str(options.utterances)]
        subprocess.run([*cli, "generate", *asked, "-o", str(corpus), *more], check=True)
    subprocess.run([*cli, "corpus", "report", str(corpus), "-o", str(options.out / "report.html")], check=True)
    print(copies(corpus))


if __name__ == "__main__":
    main()
