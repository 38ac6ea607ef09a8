"""What an utterance costs by entailment, against transformers' zero-shot-classification pipeline on the same model.

``python benchmarks/entailment.py [TEXTS [LAYERS WIDTH [MELD]]]``. The model is random: only its shape matters for time.
Texts are the lines of the shipped dialogues, or those of MELD's test set where its folder is given, which repeat as
conversation does. All ways take turns in one run, and the best round of each counts; on a CPU in seconds of the
processor, so that a busy machine does not matter. Ends with an error below twice the speed of the pipeline as it is by
default, or where scores differ.

The pipeline runs as it does by default, one pair of transcript and candidate at a time; with the candidates of a
transcript as a batch, which need no padding; and with batches of 64 pairs. Each distinct transcript is labelled once by
ours: how many of them are distinct is printed, and a long corpus has more that are not than its first lines.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, pipeline

from generation.shipped import shipped_dialogues
from generation.weak_labels.entailment import TEMPLATE
from generation.weak_labels.labeller import Array, LabellerSpec, label
from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.corpus.readers import open_corpus
from zero_shot_emotion.taxonomy import load_taxonomy

LABELS = {"contradiction": 0, "neutral": 1, "entailment": 2}
BATCH = 64
ROUNDS = 2
AT_LEAST, TOLERANCE = 2.0, 1e-5


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


def timed(job: Callable[[], Array], clock: Callable[[], float]) -> tuple[Array, float]:
    start = clock()
    return job(), clock() - start


def main(most: str = "100", layers: str = "12", width: str = "768", meld: str | None = None) -> None:
    """Time all ways in turns, compare their scores, print."""
    texts, taxonomy = lines(meld, int(most)), load_taxonomy("seven")
    words = [words[0] for words in taxonomy.classes.values()]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    clock = time.process_time if device == "cpu" else time.perf_counter  # a processor that waits for a GPU says nothing
    seconds: dict[str, float] = {}
    scores: dict[str, Array] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(Path(folder), texts, int(layers), int(width))
        reference = pipeline("zero-shot-classification", model=model, device=device)
        spec = LabellerSpec(kind="entailment", model=model)
        utterances = [Utterance(id=f"u{i}", text=text) for i, text in enumerate(texts)]

        def by_pipeline(**options: int) -> Array:
            found = reference(texts, words, hypothesis_template=TEMPLATE, **options)
            return np.array([[dict(zip(f["labels"], f["scores"], strict=True))[w] for w in words] for f in found])

        def batched(size: int) -> Callable[[], Array]:
            return lambda: by_pipeline(batch_size=size)

        ways: dict[str, Callable[[], Array]] = {
            "pipeline": by_pipeline,
            **{f"pipeline, batches of {size}": batched(size) for size in (len(words), BATCH)},
            "ours": lambda: label(utterances, spec, taxonomy),
        }
        label(utterances[:2], spec, taxonomy)  # loads
        reference(texts[:2], words)
        for _ in range(ROUNDS):
            for name, way in ways.items():
                scores[name], took = timed(way, clock)
                seconds[name] = min(took, seconds.get(name, took))
    processor = f"{device}, {torch.get_num_threads()} threads" if device == "cpu" else device
    shape = f"{layers} layers of {width}, {processor}"
    print(f"{len(texts)} utterances, {len(set(texts))} distinct, {len(words)} candidates, {shape}")
    differences = {name: float(np.abs(found - scores["pipeline"]).max()) for name, found in scores.items()}
    for name, took in seconds.items():
        print(
            f"{name:26} {1000 * took / len(texts):8.2f} ms an utterance, {took / seconds['ours']:5.2f} times ours, "
            f"scores differ by {differences[name]:.1e} at most"
        )
    if seconds["pipeline"] / seconds["ours"] < AT_LEAST or not differences["ours"] <= TOLERANCE:
        sys.exit(f"expected at least {AT_LEAST} times as fast as the pipeline, and scores within {TOLERANCE}")


if __name__ == "__main__":
    main(*sys.argv[1:])
