"""Weak labels from what a recogniser hears, beside those from the true words, held against MELD's human labels.

``python benchmarks/heard.py MELD ENCODER OUT [--engine flite] [--recogniser pocketsphinx] [--settings JSON]``: the
folder of MELD's CSV files, that of a sentence encoder such as all-MiniLM-L6-v2, and one to keep what was spoken and
heard, so that a run that was killed goes on. MELD's sound is not in its text release, so a balanced sample of its
lines is spoken by a speech engine: **the speech is synthetic and neutral**, and only the words can tell an emotion.

Each labeller reads three texts: as written; as written without capitals and punctuation, which some recognisers do not
write; as heard. What is heard as nothing has no label; in ``of all`` it counts as wrong. Labels of MELD are looked at
when all is decided, except that they balance the sample.
"""

import csv
import json
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np

from generation.weak_labels.settings import WeakLabelSettings
from generation.weak_labels.weak_label import weak_label
from tts import speak
from tts.quality import word_error_rate
from zero_shot_emotion.benchmark.subsets import with_prior
from zero_shot_emotion.corpus import Corpus, Utterance, label_set
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.metrics import confusion, uar

TAXONOMY = "four"
SEED = 0
WORD = re.compile(r"[\w']+")


def sample(meld: str, split: str, count: int) -> Corpus:
    """As many lines of each class, drawn at random, each out of its scene: the voices of an engine may be few."""
    corpus, _ = open_corpus(f"meld:{meld}#{split}").with_labels(label_set(TAXONOMY))
    sayable = corpus.where(lambda u: bool(WORD.search(u.text or "")))
    classes = label_set(TAXONOMY).classes
    balanced = with_prior(sayable, dict.fromkeys(classes, 1 / len(classes)), SEED)
    left = dict.fromkeys(classes, count // len(classes))
    keep = set()
    for index in np.random.default_rng(SEED).permutation(len(balanced)):
        utterance = balanced.utterances[index]
        if left[utterance.label or ""] > 0:
            left[utterance.label or ""] -= 1
            keep.add(utterance.id)
    lines = tuple(u.with_(dialogue=None, turn=None) for u in balanced if u.id in keep)
    return Corpus(corpus.name, corpus.root, lines, corpus.card)


def words_alone(text: str) -> str:
    """Without capitals and punctuation.

    >>> words_alone("No! It’s mine.")
    "no it's mine"
    """
    return " ".join(WORD.findall(text.lower().replace("\u2019", "'")))


def plain_file(corpus: Corpus, path: Path) -> Path:
    """The true words alone, as transcripts of one's own."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "text"])
        table.writerows([u.id, words_alone(u.text or "")] for u in corpus)
    return path


def said(utterance: Utterance) -> str:
    """What the engine was given to say: numbers as words and the like."""
    return words_alone(utterance.extra.get("spoken", utterance.text))


def errors(spoken: Corpus, heard: dict[str, str]) -> tuple[float, float]:
    """Word error rate over the whole corpus, and the share of utterances of which no word was heard."""
    rates = [word_error_rate(said(u), words_alone(heard.get(u.id, ""))) for u in spoken]
    lengths = [len(said(u).split()) for u in spoken]
    return float(np.average(rates, weights=lengths)), float(np.mean([not heard.get(u.id) for u in spoken]))


def of_all(spoken: Corpus, labelled: Corpus) -> float:
    """UAR over everything that was spoken: no label is a wrong label."""
    classes = list(label_set(TAXONOMY).classes)
    given = {u.id: classes.index(u.label or "") for u in labelled}
    truth = np.array([classes.index(u.label or "") for u in spoken])
    wrong = (truth + 1) % len(classes)
    predicted = np.array([given.get(u.id, int(other)) for u, other in zip(spoken, wrong, strict=True)])
    return uar(confusion(truth, predicted, len(classes)))


def shown(name: str, spoken: Corpus, labelled: Corpus) -> None:
    """Print a line of figures, and one by confidence."""
    human = labelled.card["human"]
    figures = human["labelled"]
    print(
        f"{name:32} {figures['utterances']:4} labelled  UAR {figures['UAR']:.3f} {figures['UAR_95']}  "
        f"of all {of_all(spoken, labelled):.3f}  kappa {figures['kappa']:.3f}"
    )
    for what in ("UAR", "WA"):
        tenths = " ".join(f"{tenth[what]:.2f}" for tenth in human["by_confidence"])
        print(f"{'':32} {what:3} by decile of confidence, lowest first: {tenths}", flush=True)


def main() -> None:
    """Speak, listen, label, print."""
    parser = ArgumentParser(description=__doc__)
    for name in ("meld", "encoder", "out"):
        parser.add_argument(name)
    parser.add_argument("--split", default="test")
    parser.add_argument("--utterances", type=int, default=600)
    parser.add_argument("--engine", default="flite")
    parser.add_argument("--recogniser", default="pocketsphinx")
    parser.add_argument("--settings", default="{}", type=json.loads, help="of the recogniser, as JSON")
    parser.add_argument("--nli", help="folder of a model for natural language inference")
    told = parser.parse_args()
    out = Path(told.out)
    lines = sample(told.meld, told.split, told.utterances)
    report = speak(lines, out / told.engine, engine=told.engine, seed=SEED, skip_errors=True)
    spoken = report.corpus
    print(f"{len(lines)} lines, {len(spoken)} spoken by {told.engine}, {len(report.failures)} not")
    texts: dict[str, dict[str, Any]] = {
        "written": {"engine": "given"},
        "words alone": {"engine": "given", "file": str(plain_file(spoken, out / f"{told.engine}.csv"))},
        "heard": {"engine": told.recogniser, "settings": told.settings},
    }
    labellers = {
        "similarity": {"kind": "similarity", "model": told.encoder},
        "examples": {"kind": "examples", "model": told.encoder},
        **({"entailment": {"kind": "entailment", "model": told.nli}} if told.nli else {}),
    }
    for text, transcripts in texts.items():
        for name, labeller in labellers.items():
            config = {"taxonomy": TAXONOMY, "transcripts": transcripts, "labellers": [labeller]}
            place = out / f"{told.engine}-{told.recogniser}-labelled"
            labelled = weak_label(spoken, place, WeakLabelSettings.model_validate(config), overwrite=True).corpus
            if text == "heard" and name == "similarity":
                rate, unheard = errors(spoken, {u.id: u.text or "" for u in labelled})
                print(f"{told.recogniser}: word error rate {rate:.1%}, nothing heard in {unheard:.1%}")
            shown(f"{name}, {text}", spoken, labelled)


if __name__ == "__main__":
    main()
