"""M5SER's two stages at a toy's size, offline: what do the stages, the contrasts and the adversaries change?

    python benchmarks/m5ser.py -t emodb:FOLDER -t nemo:FOLDER

English dialogues that ship (stage 1) and parallel sentences in five languages (stage 2), spoken by espeak-ng, emotion
by rule; log-mel bands, stored once; a LLaMA of two layers that this script trains on lines of dialogue and their
emotions for a minute or two. German is left out of stage 2, because EmoDB is German. Seeds are of the training and
its dev split; the corpora are made once. Prints a Markdown table: UAR on each target, all seeds together, 95% over
its speakers, and how well linear probes tell emotion, language and speaker from the emotional space on held-out
sentences and speakers, before stage 1 too. The first seed's spaces are drawn in ``space.svg``, all probes with their
intervals are in ``probes.json``. What is done already is not done again.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import yaml

from zero_shot_emotion import metrics
from zero_shot_emotion.benchmark.fingerprint import AudioHashes, fingerprint
from zero_shot_emotion.benchmark.row import Cost, Row, read_rows, write_rows
from zero_shot_emotion.benchmark.run import versions
from zero_shot_emotion.benchmark.space import Probe, What, draw_spaces, probe, read_space, write_probes
from zero_shot_emotion.benchmark.tested import as_tested, copy_predictions
from zero_shot_emotion.config_files import find_config
from zero_shot_emotion.corpus import EMOTIONS, FOUR, Corpus, atomic_write
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.results import read_predictions, read_results

LANGUAGES = ("en", "fr", "es", "it", "cmn")
PROBED = "held-out"
UPSTREAM = "baseline_local"
MEL = """
win_ms: 25
hop_ms: 40
n_freq: 201
n_mels: 40
n_mfcc: 13
input: {feat_type: mel, channel: 0, log: true, delta: 0, cmvn: false}
"""
"""Few frames, so that a training takes a minute."""
NO_CONTRAST = {"text_contrast": 0.0, "emotion_contrast": 0.0}
ADVERSARIES = {"speaker_adversary": 0.1, "language_adversary": 0.1}
STRONG = {"speaker_adversary": 1.0, "language_adversary": 1.0}
# name: the stage, what changes its losses, and what it starts from
SYSTEMS: dict[str, tuple[int, dict[str, float], str | None]] = {
    "stage 1, no contrast": (1, NO_CONTRAST, None),
    "stage 1": (1, {}, None),
    "stages 1+2, no contrast": (2, NO_CONTRAST, "stage 1, no contrast"),
    "stages 1+2": (2, {}, "stage 1"),
    "stages 1+2, adversaries": (2, ADVERSARIES, "stage 1"),
    "stages 1+2, adversaries of weight 1": (2, STRONG, "stage 1"),
}
BEFORE = "before stage 1"
"""Where stage 1 starts with a seed: the untrained Q-Former on the same frames. No system, a space to compare with."""
DRAWN = (BEFORE, "stage 1", "stages 1+2", "stages 1+2, adversaries of weight 1")


def make_corpora(work: Path, workers: int, seed: int = 0) -> None:
    """English for stage 1, five languages for stage 2, half of it held out: a language probe needs many speakers."""
    root = work / "corpora"
    if (root / "many" / "emotional" / "corpus.json").exists():
        return
    from generation.generate import generate
    from generation.parallel import generate_parallel
    from injection.inject import inject
    from tts.speak import speak

    generate(root / "english" / "text", datasheet="iemocap", labels=FOUR, utterances=200, seed=seed)
    generate_parallel(
        root / "many" / "text", languages=LANGUAGES, labels=FOUR, utterances=640, test_ratio=0.5, seed=seed
    )
    for name in ("english", "many"):
        folder = root / name
        speak(Corpus.load(folder / "text"), folder / "spoken", seed=seed, workers=workers)
        inject(Corpus.load(folder / "spoken"), folder / "emotional", seed=seed, workers=workers)


def train_llama(folder: Path, steps: int = 400, batch: int = 16) -> Path:
    """A LLaMA of two layers and a tokenizer for it, trained on the shipped English lines and their emotions."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from generation.generate import generate
    from zero_shot_emotion.heads.settings import LanguageModelSettings, LossSettings

    if (folder / "model.safetensors").exists():
        return folder
    generate(folder.with_name("lines"), datasheet="iemocap", labels=FOUR)
    lines = [(u.text or "", EMOTIONS[u.label or ""]) for u in Corpus.load(folder.with_name("lines"))]
    words = ", ".join(EMOTIONS[name] for name in FOUR.classes)
    prompt = LanguageModelSettings().instruction.format(emotions=words)
    said = LossSettings().text
    texts = [f"{prompt.replace('<speech>', text)} {emotion}" for text, emotion in lines]
    texts += [said.format(emotion=emotion, text=text) for text, emotion in lines]

    byte_pairs = Tokenizer(models.BPE())
    byte_pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    byte_pairs.decoder = decoders.ByteLevel()
    byte_pairs.train_from_iterator(texts, trainer)
    byte_pairs.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_pairs, bos_token="<s>", eos_token="</s>")
    tokenizer.pad_token = "</s>"

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=192,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            bos_token_id=0,
            eos_token_id=1,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rng = np.random.default_rng(0)
    for step in range(steps):
        chosen = [texts[i] for i in rng.integers(len(texts), size=batch)]
        inputs = tokenizer(chosen, return_tensors="pt", padding=True, truncation=True, max_length=128)
        targets = inputs.input_ids.masked_fill(inputs.attention_mask == 0, -100)
        loss = model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"LLaMA, step {step + 1}: {loss.item():.2f}", flush=True)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def store(work: Path, corpora: list[Corpus]) -> Path:
    """Filter banks of whatever is not there yet."""
    from zero_shot_emotion.features import UpstreamSpec, extract

    with atomic_write(work / "mel.yaml") as file:
        file.write(MEL)
    spec = UpstreamSpec(UPSTREAM, config=str(work / "mel.yaml"))
    print(extract(corpora, spec, work / "store", keep="frames", device="cpu").summary())
    return work / "store"


def config(work: Path, system: str, targets: dict[str, str], llama: Path) -> dict[str, Any]:
    """A tiny config that ships, with this run's corpora and losses."""
    stage, losses, _ = SYSTEMS["stage 1" if system == BEFORE else system]
    made: dict[str, Any] = yaml.safe_load(find_config("downstream", f"m5ser-tiny-stage{stage}").read_text("utf-8"))
    root = work / "corpora"
    train = root / "english" / "emotional" if stage == 1 else f"{root / 'many' / 'emotional'}#train"
    section = made["downstream_expert"]
    section["datarc"] |= {
        "train": [str(train)],
        "targets": {PROBED: f"{root / 'many' / 'emotional'}#test", **targets},
    }
    head = deepcopy(section["modelrc"]["EmotionQFormer"])
    head["language_model"]["name"] = str(llama)
    head["loss"] |= losses
    section["modelrc"]["EmotionQFormer"] = head
    if system == BEFORE:  # s3prl saves nothing before its first step: one that leaves every weight as it is
        made["optimizer"]["lr"] = 0.0
        made["runner"] |= {"total_steps": 1, "eval_step": 1, "save_step": 1}
    return made


def folder_of(work: Path, system: str, seed: int) -> Path:
    return work / "experiments" / f"{system.replace(', ', '-').replace(' ', '-')}-{seed}"


def run_seed(work: Path, seed: int, targets: dict[str, str], llama: Path, features: Path) -> None:
    """Train and test all systems of a seed by s3prl's own command, in one process."""
    commands: list[list[str]] = []
    for system in (BEFORE, *SYSTEMS):
        expdir = folder_of(work, system, seed)
        todo = [name for name in tested_on(system, targets) if name not in read_results(expdir)]
        if not todo:
            continue
        made, path = config(work, system, targets, llama), expdir.with_suffix(".yaml")
        with atomic_write(path) as file:
            yaml.safe_dump(made, file, sort_keys=False)
        base = None if system == BEFORE else SYSTEMS[system][2]
        start = ["-i", str(folder_of(work, base, seed) / "dev-best.ckpt")] if base else []
        if not (expdir / f"states-{made['runner']['total_steps']}.ckpt").exists():
            what = ["-u", "stored", "-k", str(features), "-d", "zero_shot_emotion", "-c", str(path), *start]
            commands.append(["-m", "train", *what, "--seed", str(seed), "-p", str(expdir), "--device", "cpu"])
        best = ["-m", "evaluate", "-e", str(expdir / "dev-best.ckpt"), "--device", "cpu"]
        commands += [[*best, "-t", name] for name in todo]
    if not commands:
        return
    joined = list(chain.from_iterable(("--", *command) for command in commands))
    print(f"seed {seed}: {len(commands)} commands of s3prl", flush=True)
    with (work / f"log-{seed}.txt").open("a", encoding="utf-8") as log:
        subprocess.run(
            [sys.executable, "-m", "zero_shot_emotion.s3prl_plugin.launcher", *joined],
            check=True,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


def tested_on(system: str, targets: dict[str, str]) -> tuple[str, ...]:
    """Its targets; of what is not trained the space alone is of interest."""
    return (PROBED,) if system == BEFORE else (*targets, PROBED)


def probes(expdir: Path, corpus: Corpus) -> list[Probe]:
    """`space`'s probes, which are asked emotion, language and speaker of a point in the emotional space."""
    space = read_space(expdir, [corpus], PROBED)
    return [found for what in get_args(What) if (found := probe(space, what))]


def draw(work: Path, seed: int, corpus: Corpus) -> Path:
    """The spaces of a seed by t-SNE, before stage 1, after it and after stage 2."""
    spaces = [replace(read_space(folder_of(work, name, seed), [corpus], PROBED), name=name) for name in DRAWN]
    return draw_spaces(spaces, work / "space.svg")


def pooled(work: Path, system: str, seeds: list[int], target: str) -> str:
    """UAR: mean and deviation over the seeds, and the interval over speakers of all seeds' predictions together."""
    truth, guess, groups, each = [], [], [], []
    for seed in seeds:
        test = read_predictions(folder_of(work, system, seed), target)
        each.append(metrics.uar(test.predictions.confusion))
        truth += test.predictions.truth.tolist()
        guess += test.predictions.predicted.tolist()
        groups += [entry.speaker or entry.id for entry in test.entries]
    report = metrics.report(np.array(truth), np.array(guess), FOUR.classes, groups)
    interval = report["UAR"]
    spread = np.std(each, ddof=1) if len(each) > 1 else 0.0
    return f"{np.mean(each):.3f} ± {spread:.3f} [{interval['low']:.2f}, {interval['high']:.2f}]"


def table(work: Path, seeds: list[int], targets: list[str]) -> str:
    """UAR on each target and of each probe, mean and deviation over the seeds; all probes go into ``probes.json``."""
    held_out = open_corpus(f"{work / 'corpora' / 'many' / 'emotional'}#test")
    found = {
        (system, seed): {p.what: p for p in probes(folder_of(work, system, seed), held_out)}
        for system, seed in product((BEFORE, *SYSTEMS), seeds)
    }
    write_probes({f"{name}, seed {seed}": list(p.values()) for (name, seed), p in found.items()}, work / "probes.json")
    asked = found[BEFORE, seeds[0]].values()
    heads = [f"{p.what} probe (chance {p.chance:.3f})" for p in asked]
    lines = [
        f"| system, {len(seeds)} seeds | {' | '.join((*targets, PROBED, *heads))} |",
        "|" + "---|" * (len(targets) + 2 + len(heads)),
    ]
    for system in (BEFORE, *SYSTEMS):
        tested = tested_on(system, dict.fromkeys(targets, ""))
        cells = [pooled(work, system, seeds, name) if name in tested else "-" for name in (*targets, PROBED)]
        for what in (p.what for p in asked):
            values = [found[system, seed][what].uar.value for seed in seeds]
            cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.3f}")
        lines.append(f"| {system} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_results(work: Path, seeds: list[int], targets: dict[str, str], command: str = "") -> list[Row]:
    """Write ``results.jsonl`` and the predictions of what is tested by now; rows that were there keep their lines."""
    hashes = AudioHashes(work / "hashes.json")
    made = {name: Corpus.load(work / "corpora" / name / "emotional") for name in ("english", "many")}
    tested = {PROBED: f"{work / 'corpora' / 'many' / 'emotional'}#test", **targets}
    corpora = {**made, **{name: open_corpus(spec).with_labels(FOUR)[0] for name, spec in tested.items()}}
    known = {name: fingerprint(corpus, hashes.of(corpus)) for name, corpus in corpora.items()}
    before = {row.id: row for row in read_rows(work)}
    rows: list[Row] = []
    for (system, (stage, _, base)), seed in product(SYSTEMS.items(), seeds):
        expdir = folder_of(work, system, seed)
        for target in tested if set(tested) <= set(read_results(expdir)) else ():
            sources = ("english", "many")[:stage]
            fingerprints = {name: known[name] for name in (*sources, target)}
            losses = [losses_of(name) for name in (base, system) if name]
            about = {"losses": losses, "upstream": MEL, "seed": seed, "target": target}
            config = {"system": system, **about, "protocol": protocol_of(system), "fingerprints": fingerprints}
            row_id, test = Row.id_for(config), as_tested(expdir, target)
            if row_id not in before or before[row_id].test != test:  # trained again by other code, it may be another
                before[row_id] = Row(
                    id=row_id,
                    benchmark="m5ser-tiny",
                    modality="speech",
                    system=UPSTREAM,
                    head="EmotionQFormer",
                    source="-then-".join(sources),
                    source_kind="synthetic",
                    target=target,
                    seed=seed,
                    labels=FOUR.classes,
                    protocol=protocol_of(system),
                    test=test,
                    cost=Cost(device="cpu"),
                    fingerprints=fingerprints,
                    config=config,
                    command=command,
                    versions=versions(),
                    made=datetime.now(UTC).isoformat(timespec="seconds"),
                )
                copy_predictions(expdir, work, before[row_id])
            rows.append(before[row_id])
    write_rows(work, rows)
    return rows


def protocol_of(system: str) -> dict[str, Any]:
    """What systems of one source differ in: ``--baseline english`` compares stage 2 with the stage 1 nearest in it."""
    losses = losses_of(system)
    contrast, adversaries = losses["text_contrast"], losses["speaker_adversary"]
    return {"dev metric": shipped(system)["datarc"]["dev_metric"], "contrast": contrast, "adversaries": adversaries}


def losses_of(system: str) -> dict[str, Any]:
    """The weights of a system's losses: the config's that ships, with what the system changes."""
    return {**shipped(system)["modelrc"]["EmotionQFormer"]["loss"], **SYSTEMS[system][1]}


def shipped(system: str) -> dict[str, Any]:
    """The section ``downstream_expert`` of the config that a system starts from."""
    path = find_config("downstream", f"m5ser-tiny-stage{SYSTEMS[system][0]}")
    section: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["downstream_expert"]
    return section


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-t", "--target", action="append", required=True, help="READER:PATH or a corpus folder")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=Path("result/m5ser"))
    parser.add_argument("-j", "--workers", type=int, default=2)
    options = parser.parse_args()
    opened = [open_corpus(spec) for spec in options.target]
    targets = {corpus.name: spec for corpus, spec in zip(opened, options.target, strict=True)}
    work, seeds = options.work, list(range(options.seeds))
    llama = train_llama(work / "llama")
    make_corpora(work, options.workers)
    made = [Corpus.load(work / "corpora" / name / "emotional") for name in ("english", "many")]
    features = store(work, [*made, *(corpus.with_labels(FOUR)[0] for corpus in opened)])
    for seed in seeds:
        run_seed(work, seed, targets, llama, features)
    command = shlex.join(["python", "benchmarks/m5ser.py", *sys.argv[1:]])
    rows = write_results(work, seeds, targets, command)
    print(f"{len(rows)} rows: zero-shot-emotion leaderboard show {work} --baseline english")
    print(table(work, seeds, list(targets)))
    held_out = open_corpus(f"{work / 'corpora' / 'many' / 'emotional'}#test")
    print(f"spaces of seed {seeds[0]}: {draw(work, seeds[0], held_out)}")


if __name__ == "__main__":
    main()
