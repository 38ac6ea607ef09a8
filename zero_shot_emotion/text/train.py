"""Training: logistic regression by scikit-learn, convolutions and fine-tuning by transformers' Trainer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import metrics
from ..errors import DivergedError
from ..sources import Entry
from .classifier import BATCH, About, FineTunedClassifier, HeadClassifier, TextClassifier, new_head
from .encoder import States, TextEncoder, Words, load_model, load_tokenizer, tokenise
from .heads import LinearHead, pad
from .settings import EncoderSettings, TextSettings
from .store import TextStore

ITERATIONS = 5000


@dataclass(frozen=True)
class Examples:
    """A labelled set, encoded or as words."""

    inputs: Sequence[Any]
    labels: Sequence[int]

    def __len__(self) -> int:
        return len(self.labels)


def words(entry: Entry) -> Words:
    """What an utterance says, and what was said before."""
    return entry.text or "", entry.before


def train(
    settings: TextSettings,
    sets: dict[str, Sequence[Entry]],
    store: Path,
    out: Path,
    seed: int,
    device: str,
) -> TextClassifier:
    """Train a classifier, choosing by dev alone.

    Args:
        settings: of the experiment.
        sets: ``train`` and ``dev``.
        store: folder of encoded texts, for what leaves the encoder frozen.
        out: folder of checkpoints of a training under way.
        seed: of initialisation, order and dropout.
        device: of torch.
    """
    classes = tuple(settings.data.label_set.classes)
    about = About(settings.encoder, settings.head, classes, settings.data.context)
    if settings.head.select == "finetune":
        return FineTunedClassifier(*_fine_tuned(settings, sets, out, seed, device), about, device)
    encoder = TextEncoder(settings.encoder, device)
    states = TextStore(store, encoder)
    encoded = {
        name: Examples(states.states([words(e) for e in entries], name), [e.label for e in entries])
        for name, entries in sets.items()
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = new_head(encoder.width, len(classes), settings.head)
    if isinstance(head, LinearHead):
        _fit_linear(head, encoded, settings, len(classes))
    else:
        _run_trainer(_WithLoss(head), encoded, _collate_states, settings, out, seed, device)
    return HeadClassifier(encoder, head, about, device)


def _fit_linear(head: LinearHead, encoded: dict[str, Examples], settings: TextSettings, classes: int) -> None:
    """Fit one logistic regression for each strength of the penalty, and keep the best on dev."""
    from sklearn.linear_model import LogisticRegression

    options, score = settings.head.linear, metrics.METRICS[settings.data.dev_metric]
    vectors = {name: _pooled(head, examples.inputs) for name, examples in encoded.items()}
    truth = {name: np.array(examples.labels) for name, examples in encoded.items()}
    best = -1.0
    for strength in options.C:
        weights = "balanced" if options.balance == "loss" else None
        fitted = LogisticRegression(C=strength, class_weight=weights, max_iter=ITERATIONS)
        fitted.fit(vectors["train"], truth["train"])
        value = score(metrics.confusion(truth["dev"], fitted.predict(vectors["dev"]), classes))
        if value > best:
            best = value
            _take(head, fitted, classes)


def _take(head: LinearHead, fitted: Any, classes: int) -> None:
    """Put a logistic regression's coefficients into the layer; a class that it never saw is never named."""
    weight = torch.zeros(classes, fitted.coef_.shape[1])
    bias = torch.full((classes,), -1e4)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercepts, intercepts]) / 2,
        )
    weight[fitted.classes_] = torch.tensor(coefficients, dtype=torch.float)
    bias[fitted.classes_] = torch.tensor(intercepts, dtype=torch.float)
    with torch.no_grad():
        head.output.weight.copy_(weight)
        head.output.bias.copy_(bias)


@torch.inference_mode()
def _pooled(head: LinearHead, states: Sequence[States]) -> np.ndarray:
    batches = (states[start : start + BATCH] for start in range(0, len(states), BATCH))
    return np.concatenate([head.pool(*pad(batch)).numpy() for batch in batches])


class _WithLoss(nn.Module):
    """A head as transformers' Trainer drives it."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, states: Tensor, lengths: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.head(states, lengths)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def _collate_states(samples: Sequence[tuple[States, int]]) -> dict[str, Tensor]:
    states, labels = zip(*samples, strict=True)
    padded, lengths = pad(states)
    return {"states": padded, "lengths": lengths, "labels": torch.tensor(labels)}


def _fine_tuned(
    settings: TextSettings, sets: dict[str, Sequence[Entry]], out: Path, seed: int, device: str
) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding

    encoder: EncoderSettings = settings.encoder
    tokenizer = load_tokenizer(encoder)
    classes = settings.data.label_set.classes
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = load_model(
            AutoModelForSequenceClassification,
            encoder,
            num_labels=len(classes),
            id2label=dict(enumerate(classes)),
            label2id={name: i for i, name in enumerate(classes)},
        )
    encoded = {
        name: Examples([tokenise(tokenizer, words(e), encoder.max_length) for e in entries], [e.label for e in entries])
        for name, entries in sets.items()
    }
    collate = DataCollatorWithPadding(tokenizer)

    def batch(samples: Sequence[tuple[dict[str, list[int]], int]]) -> Any:
        encodings, labels = zip(*samples, strict=True)
        return {**collate(list(encodings)), "labels": torch.tensor(labels)}

    _run_trainer(model, encoded, batch, settings, out, seed, device)
    return model, tokenizer


def _run_trainer(
    model: nn.Module,
    encoded: dict[str, Examples],
    collate: Any,
    settings: TextSettings,
    out: Path,
    seed: int,
    device: str,
) -> None:
    """Train in place with transformers' Trainer, which resumes from its last checkpoint and ends at the best one."""
    from transformers import Trainer, TrainingArguments

    rc = settings.training
    by_loss = rc.select == "loss"
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=rc.batch_size,
        per_device_eval_batch_size=rc.batch_size,
        learning_rate=rc.lr,
        weight_decay=rc.weight_decay,
        num_train_epochs=rc.epochs,
        warmup_ratio=rc.warmup_ratio,
        lr_scheduler_type=rc.schedule,
        max_grad_norm=rc.clip or 0.0,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="eval_loss" if by_loss else f"eval_{settings.data.dev_metric}",
        greater_is_better=not by_loss,
        logging_strategy="epoch",
        report_to=["tensorboard"],
        remove_unused_columns=False,
        label_names=["labels"],
        seed=seed,
        data_seed=seed,
        use_cpu=device == "cpu",
    )
    classes = len(settings.data.label_set.classes)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=_Rows(encoded["train"]),
        eval_dataset=_Rows(encoded["dev"]),
        data_collator=collate,
        compute_metrics=lambda output: _scores(output, classes),
    )
    trainer.train(resume_from_checkpoint=_last_whole_checkpoint(out))


def _last_whole_checkpoint(out: Path) -> str | None:
    """The newest of the Trainer's checkpoints; those that a kill left half written are thrown away."""
    from transformers.trainer import TRAINER_STATE_NAME
    from transformers.trainer_utils import get_last_checkpoint

    while out.is_dir() and (newest := get_last_checkpoint(str(out))) is not None:
        try:
            json.loads((Path(newest) / TRAINER_STATE_NAME).read_text(encoding="utf-8"))  # what is written last
        except (OSError, ValueError):
            shutil.rmtree(newest)
        else:
            return str(newest)
    return None


class _Rows(torch.utils.data.Dataset):
    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._examples.inputs[index], self._examples.labels[index]


def _scores(output: Any, classes: int) -> dict[str, float]:
    if not np.isfinite(output.predictions).all():
        raise DivergedError("dev: the model says no numbers: it has diverged. Try a lower learning rate (training.lr)")
    table = metrics.confusion(output.label_ids, output.predictions.argmax(axis=1), classes)
    return {name: metric(table) for name, metric in metrics.METRICS.items()}
