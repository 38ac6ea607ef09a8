"""What an utterance costs by entailment, against transformers' zero-shot-classification pipeline on the same model.

``python benchmarks/entailment.py [TEXTS [LAYERS WIDTH [MELD]]]``. The model is random: only its shape matters for time.
Texts are the lines of the shipped dialogues, or those of MELD's test set where its folder is given, which repeat as
conversation does. All figures are of one run on one device, so their ratios hold whatever else it does.

The pipeline runs as it does by default, one pair of transcript and candidate at a time, and with batches of 64 pairs.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, pipeline

from generation.shipped import shipped_dialogues
from generation.weak_labels.entailment import TEMPLATE
from generation.weak_labels.labeller import LabellerSpec, label
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.taxonomy import load_taxonomy

LABELS = {"contradiction": 0, "neutral": 1, "entailment": 2}
BATCH = 64


def random_model(folder: Path, texts: list[str], layers: int, width: int) -> str:
    """A BERT of a given shape whose words are those of the texts."""
    words = sorted(
        {word for text in [*texts, TEMPLATE] for word in "".join(c if c.isalnum() else " " for c in text).split()}
    )
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    (folder / "vocab.txt").write_text("\n".join([*special, *dict.fromkeys(word.lower() for word in words)]))
    tokenizer = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=512)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        label2id=LABELS,
        id2label={index: name for name, index in LABELS.items()},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def lines(meld: str | None, most: int) -> list[str]:
    """Texts of conversation."""
    if meld:
        return [u.text or "" for u in open_corpus(f"meld:{meld}#test")][:most]
    found = [turn["text"] for dialogue in shipped_dialogues("iemocap") for turn in dialogue.response["turns"]]
    return found[:most]


def main(most: str = "100", layers: str = "12", width: str = "768", meld: str | None = None) -> None:
    """Time both, compare their scores, print."""
    texts, taxonomy = lines(meld, int(most)), load_taxonomy("seven")
    words = [words[0] for words in taxonomy.classes.values()]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    seconds, scores = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(Path(folder), texts, int(layers), int(width))
        reference = pipeline("zero-shot-classification", model=model, device=device)
        spec = LabellerSpec(kind="entailment", model=model)
        utterances = [Utterance(id=f"u{i}", text=text) for i, text in enumerate(texts)]
        label(utterances[:2], spec, taxonomy)  # loads
        reference(texts[:2], words)
        for name, options in {"pipeline": {}, f"pipeline, batches of {BATCH}": {"batch_size": BATCH}}.items():
            start = time.perf_counter()
            found = reference(texts, words, hypothesis_template=TEMPLATE, **options)
            seconds[name] = time.perf_counter() - start
            scores[name] = np.array(
                [[dict(zip(f["labels"], f["scores"], strict=True))[w] for w in words] for f in found]
            )
        start = time.perf_counter()
        scores["ours"] = label(utterances, spec, taxonomy)
        seconds["ours"] = time.perf_counter() - start
    shape = f"{layers} layers of {width}, {device}"
    print(f"{len(texts)} utterances, {len(set(texts))} distinct, {len(words)} candidates, {shape}")
    for name, took in seconds.items():
        difference = np.abs(scores[name] - scores["pipeline"]).max()
        print(
            f"{name:26} {1000 * took / len(texts):8.2f} ms an utterance, {took / seconds['ours']:5.2f} times ours, "
            f"scores differ by {difference:.1e} at most"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
