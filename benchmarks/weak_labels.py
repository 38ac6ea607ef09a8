"""How weak labels agree with human ones on MELD's text, for some labellers and with noise control.

``python benchmarks/weak_labels.py MELD ENCODER [--split dev] [--taxonomy four] [--only examples]``: the folder of
MELD's CSV files and that of a sentence encoder such as all-MiniLM-L6-v2. The labellers are

- similarity: the encoder as it is;
- examples: the encoder as it is, and a linear classifier on the plain lines that ship with the project;
- made-nli: the same encoder fine-tuned as an entailment model on the dialogues that ship with the project ("the emotion
  of the conversation is X" follows from a line marked X, and does not from one marked otherwise). No MNLI model, and no
  word of MELD;
- both, where they agree, and with the other noise control.

MELD's labels are looked at when all is decided.
"""

import random
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import torch
from tqdm import trange

from generation.shipped import shipped_dialogues
from generation.weak_labels.entailment import TEMPLATE
from generation.weak_labels.settings import WeakLabelSettings
from generation.weak_labels.weak_label import weak_label
from zero_shot_emotion.corpus.readers import open_corpus

EPOCHS = 3
BATCH = 32
LEARNING_RATE = 5e-5
REFUTED = 2
"""Hypotheses that a line refutes, for each that it entails."""
LABELLERS = ("similarity", "examples", "made-nli")
LABELS = {"entailment": 0, "contradiction": 1}


def marked_lines() -> list[tuple[str, str]]:
    """Lines of the shipped dialogues, each with the emotion that its writer meant."""
    dialogues = [d for sheet in ("iemocap", "msp-podcast") for d in shipped_dialogues(sheet)]
    return [(turn["text"], turn["emotion"].lower()) for d in dialogues for turn in d.response["turns"]]


def pairs(seed: int = 0) -> list[tuple[str, str, int]]:
    """Premise, hypothesis, label."""
    rng, lines = random.Random(seed), marked_lines()
    words = sorted({word for _, word in lines})
    made = []
    for text, word in lines:
        made.append((text, TEMPLATE.format(word), LABELS["entailment"]))
        others = rng.sample([other for other in words if other != word], REFUTED)
        made += [(text, TEMPLATE.format(other), LABELS["contradiction"]) for other in others]
    return made


def train_nli(encoder: Path, out: Path) -> Path:
    """Fine-tune an encoder as an entailment model; done once."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if (out / "config.json").exists():
        return out
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    id2label = {index: name for name, index in LABELS.items()}
    model = AutoModelForSequenceClassification.from_pretrained(encoder, label2id=LABELS, id2label=id2label)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    data, rng = pairs(), random.Random(0)
    steps = EPOCHS * (len(data) // BATCH)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    model.train()
    for step in trange(steps, desc=f"train on {len(data)} pairs", mininterval=10):
        if step % (len(data) // BATCH) == 0:
            rng.shuffle(data)
        start = step * BATCH % (len(data) - BATCH)
        premises, hypotheses, labels = zip(*data[start : start + BATCH], strict=True)
        batch = tokenizer(list(premises), list(hypotheses), padding=True, truncation=True, return_tensors="pt")
        loss = model(**batch, labels=torch.tensor(labels)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    tokenizer.save_pretrained(out)
    model.save_pretrained(out)
    return out


def runs_of(encoder: str, nli: str) -> dict[str, dict[str, Any]]:
    """What to run, by name: the labeller, a comma, and how it differs from the plain run."""
    similarity = {"kind": "similarity", "model": encoder}
    examples = {"kind": "examples", "model": encoder}
    entailment = {"kind": "entailment", "name": "made-nli", "model": nli}
    return {
        "similarity": {"labellers": [similarity]},
        "similarity, all words": {"labellers": [{**similarity, "words": "all"}]},
        "similarity, prior: mean": {"labellers": [similarity], "noise": {"prior": "mean"}},
        "similarity, prior: null": {"labellers": [similarity], "noise": {"prior": "null"}},
        "examples": {"labellers": [examples]},
        "examples, prior: mean": {"labellers": [examples], "noise": {"prior": "mean"}},
        "examples, margin 0.3": {"labellers": [examples], "noise": {"min_margin": 0.3}},
        "examples, agreement": {"labellers": [examples, similarity], "noise": {"agreement": True}},
        "made-nli": {"labellers": [entailment]},
        "made-nli, prior: mean": {"labellers": [entailment], "noise": {"prior": "mean"}},
        "made-nli, prior: null": {"labellers": [entailment], "noise": {"prior": "null"}},
        "made-nli, margin 0.3": {"labellers": [entailment], "noise": {"min_margin": 0.3}},
        "made-nli, agreement": {"labellers": [entailment, similarity], "noise": {"agreement": True}},
        "made-nli, confident learning": {
            "labellers": [entailment, similarity],
            "noise": {"confident_learning": "similarity"},
        },
    }


def main() -> None:
    """Train, label, print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("meld")
    parser.add_argument("encoder")
    parser.add_argument("out", nargs="?")
    parser.add_argument("--split", default="test")
    parser.add_argument("--taxonomy", default="seven")
    parser.add_argument("--only", nargs="+", default=LABELLERS, choices=LABELLERS)
    told = parser.parse_args()
    folder = Path(told.out or tempfile.mkdtemp())
    corpus = open_corpus(f"meld:{told.meld}#{told.split}")
    nli = str(train_nli(Path(told.encoder), folder / "nli")) if "made-nli" in told.only else ""
    for name, config in runs_of(told.encoder, nli).items():
        if name.split(",")[0] not in told.only:
            continue
        settings = WeakLabelSettings.model_validate({"taxonomy": told.taxonomy, **config})
        card = weak_label(corpus, folder / "labelled", settings, overwrite=True).card  # scores are computed once
        kept, everything = card["human"]["kept"], card["human"]["labelled"]
        share = kept["utterances"] / everything["utterances"]
        print(f"{name:30} kept {share:4.0%}  UAR {kept['UAR']:.3f} {kept['UAR_95']}  kappa {kept['kappa']:.3f}")
        if name in LABELLERS:
            deciles = " ".join(f"{tenth['UAR']:.2f}" for tenth in card["human"]["by_confidence"])
            agreed = " ".join(f"{tenth['WA']:.2f}" for tenth in card["human"]["by_confidence"])
            print(f"{'':30} UAR by decile of confidence, lowest first: {deciles}")
            print(f"{'':30} WA  by decile of confidence, lowest first: {agreed}")
        for pair, found in card.get("agreement", {}).items():
            print(f"{'':30} {pair}: kappa {found['kappa']}")


if __name__ == "__main__":
    main()
