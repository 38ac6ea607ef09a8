"""The downstream expert: what s3prl's runner drives with ``-d zero_shot_emotion``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from . import metrics
from .audio import read_audio
from .corpus import atomic_write
from .dataset import (
    EmotionDataset,
    ResumableLoader,
    StoredDataset,
    class_weights,
    collate,
    derived_seed,
    rank,
    train_batches,
)
from .earlier import find_earlier, set_aside
from .errors import DivergedError
from .features import FeatureStore, StoreError, check_stand_in
from .features.frozen import is_centred
from .features.stand_in import UPSTREAM, find, ticket
from .heads.carry_over import carry_over, output_layer
from .heads.qformer import SpeechLanguageModel
from .model import EmotionClassifier
from .results import SPLITS, Predictions, confusion_figure, write_embeddings, write_predictions, write_report
from .s3prl_plugin.ending import UNCHANGED
from .schedule import RunnerSettings, read_schedule, warnings
from .settings import RESERVED, ConfigError, ModelSettings, read_settings
from .sources import Entry, Sources

TAG = "zero_shot_emotion"
STORE_KEY = "features.json"
"""What the features were that an experiment was trained on, if they were stored ones."""
STRIKES = 20
"""So many batches in a row whose loss is no number, and the training is given up: s3prl skips them in silence."""


class DownstreamExpert(nn.Module):
    """Speech emotion recognition on any upstream, trained on some corpora and tested on others.

    Args:
        upstream_dim: width of the upstream's features.
        upstream_rate: samples a frame.
        downstream_expert: the config section of that name.
        expdir: the experiment folder.
        kwargs: the other config sections and the command line's arguments, as the runner passes them.
    """

    best_score: Tensor
    position: Tensor

    def __init__(
        self, upstream_dim: int, upstream_rate: int, downstream_expert: dict[str, Any], expdir: str, **kwargs: Any
    ) -> None:
        super().__init__()
        settings = read_settings(downstream_expert)
        self.datarc = settings.datarc
        self.classes = settings.datarc.label_set.classes
        self.expdir = Path(expdir)
        self._arguments = kwargs
        self._seed = int(kwargs.get("seed", 0))
        soft = settings.datarc.soft_labels
        self._sources = Sources(settings.datarc, self._seed, fold=kwargs.get("downstream_variant"), soft_labels=soft)
        self._datasets: dict[str, EmotionDataset] = {}
        self._runner = self._check_training() if kwargs.get("mode") == "train" else None
        self._store = self._open_store(settings.modelrc) if kwargs.get("upstream") == UPSTREAM else None
        self._afresh = self._runner is not None and not kwargs.get("past_exp")
        self._earlier = find_earlier(self.expdir) if self._afresh else []
        self._unheard = {True, False} if self._runner and settings.modelrc.hears_means_alone else set()
        self._strikes = 0

        with torch.random.fork_rng(devices=[]):  # an upstream that draws, or draws none, must not change the head
            torch.manual_seed(derived_seed(self._seed))
            self.classifier = self._new_classifier(upstream_dim, settings.modelrc)
        self._class_weights: Tensor | None = None
        self._trained_on: dict[str, Entry] = {}
        self._soft: dict[str, tuple[float, ...]] = {}
        # Below any score: a first dev score of 0 is a best one too.
        self.register_buffer("best_score", torch.full((1,), -1.0))
        # Epoch, and batches of it that were trained on: s3prl saves the first only.
        self.register_buffer("position", torch.zeros(2, dtype=torch.long))
        # s3prl evaluates in one process of several: a forward pass there must not wait for the others to share buffers.
        self._ddp_params_and_buffers_to_ignore = [name for name, _ in self.named_buffers()]

    def _new_classifier(self, input_dim: int, model: ModelSettings) -> EmotionClassifier | SpeechLanguageModel:
        if model.select != "EmotionQFormer":
            return EmotionClassifier(input_dim, len(self.classes), model)
        entries: tuple[Entry, ...] = ()
        if self._arguments.get("mode") == "train":
            entries = self._sources.get("train").entries
        return SpeechLanguageModel(input_dim, self.classes, model.EmotionQFormer, entries)

    def _open_store(self, model: ModelSettings) -> FeatureStore:
        """The store that the upstream serves; refused where it would train or test another model than before."""
        store = FeatureStore(self._arguments["upstream_ckpt"])
        check_stand_in(store, model, self._arguments, self.datarc.conditioning)
        trained_on = self.expdir / STORE_KEY
        afresh = self._arguments.get("mode") == "train" and not self._arguments.get("past_exp")
        if not afresh and trained_on.exists() and json.loads(trained_on.read_text(encoding="utf-8")) != store.key:
            raise StoreError(
                f"{store.folder}: holds other features than those that {self.expdir} was trained on ({trained_on})"
            )
        return store

    def _check_training(self) -> RunnerSettings:
        """Refuse now what would fail at the first evaluation, or after the training, and warn of what may surprise."""
        runner = read_schedule(self._arguments)
        evaluated = runner.eval_dataloaders
        for warning in warnings(self._arguments):
            print(f"[Expert] - WARNING: {warning}")
        for split in evaluated:
            if split not in self._sources.names:
                known = ", ".join(self._sources.names)
                raise ConfigError(f"config: runner.eval_dataloaders: got {split!r}, expected one of {known}")
        targets = [split for split in evaluated if split not in RESERVED]
        if targets:
            print(
                f"[Expert] - WARNING: runner.eval_dataloaders names the target {', '.join(targets)}. It selects no "
                "checkpoint, but whoever looks at its curve selects on it: such results are not zero-shot."
            )
        self._sources.check_targets(self.datarc.bad_audio)
        return runner

    # interface
    def get_dataloader(self, split: str, epoch: int | None = None) -> DataLoader | ResumableLoader:
        """Batches of (waves, labels, ids) of a set.

        Args:
            split: the set's name.
            epoch: the runner gives it when it trains, which shuffles by seed and epoch; it gives none when it
                evaluates.
        """
        dataset = self._dataset(split)
        if epoch is not None:
            return self._train_loader(dataset, epoch)
        return DataLoader(
            dataset,
            batch_size=self.datarc.eval_batch_size,
            num_workers=self._num_workers,
            collate_fn=collate,
        )

    @property
    def _num_workers(self) -> int:
        """Processes that load ahead; there is nothing to load where features are stored."""
        return self.datarc.num_workers if self._store is None else 0

    def _dataset(self, split: str) -> EmotionDataset:
        if split not in self._datasets:
            rc = self.datarc
            entries = self._sources.get(split).entries
            if self._store is None:
                dataset = EmotionDataset(entries, split, rc.bad_audio, rc.min_seconds, rc.pre_load, rc.conditioning)
            else:
                dataset = StoredDataset(entries, split, self._store, rc.bad_audio, rc.min_seconds)
            self._datasets[split] = dataset
            if split == "train":
                self._prepare_training(self._datasets[split])
        return self._datasets[split]

    def _prepare_training(self, dataset: EmotionDataset) -> None:
        """Write down what is trained on, and weigh the classes if asked to."""
        if self.datarc.balance == "loss":
            weights = class_weights(dataset.labels, len(self.classes))
            # No buffer: a checkpoint that holds them would not load where nothing is trained.
            self._class_weights = torch.tensor(weights, dtype=torch.float)
        self._trained_on = {entry.id: entry for entry in dataset.entries}
        self._soft = {entry.id: entry.soft for entry in dataset.entries if entry.soft is not None}
        if self._runner is not None and rank() == 0:
            self._begin(self._runner)
        train, dev = self._sources.train_and_dev
        with atomic_write(self.expdir / SPLITS) as file:
            json.dump({"train": [e.id for e in train.entries], "dev": [e.id for e in dev.entries]}, file, indent=0)

    def _begin(self, runner: RunnerSettings) -> None:
        """Read what will be evaluated, so that bad audio is known now; then make room for the new training's files."""
        for split in runner.evaluated:
            self._dataset(split)
        if self._earlier:
            print(f"[Expert] - {set_aside(self.expdir, self._earlier)}")
            self._earlier = []
        if self._afresh and self._store is not None:
            with atomic_write(self.expdir / STORE_KEY) as file:
                json.dump(self._store.key, file, indent=2)

    def _train_loader(self, dataset: EmotionDataset, epoch: int) -> ResumableLoader:
        rc = self.datarc
        balanced = rc.balance == "sampling"
        batches = train_batches(dataset, rc.train_batch_size, len(self.classes), balanced, self._seed, epoch)
        done = int(self.position[1]) if int(self.position[0]) == epoch else 0

        def advance(position: int) -> None:
            if rank() > 0 and epoch * len(batches) + position >= self._batches_in_all:
                # s3prl counts steps in the leading process alone: the others would go on for ever.
                raise SystemExit
            self.position.copy_(torch.tensor([epoch, position + 1]))

        return ResumableLoader(
            dataset, batches, done, self._num_workers, lambda i: derived_seed(self._seed, epoch, i), advance
        )

    @property
    def _batches_in_all(self) -> float:
        """How many batches each process trains on."""
        runner = self._arguments.get("runner", {})
        return runner.get("total_steps", math.inf) * runner.get("gradient_accumulate_steps", 1)

    # interface
    def forward(
        self,
        split: str,
        features: list[Tensor],
        labels: list[int],
        ids: list[str],
        records: dict[str, list],
        **kwargs: Any,
    ) -> Tensor:
        """The loss of a batch, classes weighed in training alone; what was predicted goes into the records."""
        if self.training in self._unheard:  # SpecAugment may hide in training what an evaluation shows
            self._check_means(features)
        loss, logits = self._loss(features, labels, ids, records)
        self._check_loss(loss.item())
        records["loss"] += [loss.item()] * len(labels)
        records["id"] += ids
        records["truth"] += labels
        records["probabilities"] += logits.detach().float().softmax(dim=-1).cpu().tolist()
        return loss

    def _check_means(self, features: list[Tensor]) -> None:
        """Refuse features of which the head would hear nothing, at the first batch.

        Raises:
            ConfigError: if the mean of each utterance is zero, as s3prl's CMVN makes it.
        """
        self._unheard.discard(self.training)
        if all(is_centred(frames) for frames in features):
            raise ConfigError(
                f"-u {self._arguments.get('upstream')}: its features have a mean of zero over each utterance, and the "
                "mean is all that this head hears: nothing would be learnt. Take an upstream that does not subtract "
                "it, such as fbank_no_cmvn, or a head that looks at frames, such as pooling: AttentivePooling or a "
                "pre_net with hiddens in modelrc.UtteranceLevel"
            )

    def _check_loss(self, loss: float) -> None:
        """Tell of losses that are no numbers, and give up where they stay so.

        Raises:
            DivergedError: then.
        """
        if not self.training or math.isfinite(loss):
            self._strikes = 0
            return
        self._strikes += 1
        told = f"the loss of a batch is {loss}"
        if self._strikes == 1:
            self._log(f"WARNING: {told}: it teaches nothing")
        if self._strikes == STRIKES:
            rate = self._arguments.get("optimizer", {}).get("lr")
            raise DivergedError(
                f"{told}, as were those of the {STRIKES - 1} before it: the model has diverged, or the features are no "
                f"numbers. Try a lower learning rate (optimizer.lr is {rate}), or a lower runner.gradient_clipping"
            )

    def _loss(
        self, features: list[Tensor], labels: list[int], ids: list[str], records: dict[str, list]
    ) -> tuple[Tensor, Tensor]:
        """What is minimised, and the logits; where the head has an emotional space, a test notes who stands where."""
        truth = torch.tensor(labels, device=features[0].device)
        if not isinstance(self.classifier, SpeechLanguageModel):
            logits = self.classifier(features)
        elif self.training:
            entries = [self._trained_on[name] for name in ids]
            weights = None if self._class_weights is None else self._class_weights.to(truth.device)
            return self.classifier.loss(features, truth, entries, weights)
        else:
            logits, space = self.classifier.answer(features)
            records["embedding"] += space.float().cpu().tolist()
        weights = self._class_weights if self.training else None
        aim = truth if not (self.training and self._soft) else logits.new_tensor([self._soft[name] for name in ids])
        return nn.functional.cross_entropy(logits, aim, None if weights is None else weights.to(logits.device)), logits

    # interface
    def log_records(
        self, split: str, records: dict[str, list], logger: Any, global_step: int, **kwargs: Any
    ) -> list[str]:
        """Metrics over all predictions since the last call; names the checkpoint to save if dev is at its best."""
        predictions = Predictions(
            records["id"], np.array(records["truth"]), np.array(records["probabilities"]), self.classes
        )
        self._check_predictions(split, predictions)
        scores = {name: metric(predictions.confusion) for name, metric in metrics.METRICS.items()}
        for name, value in {**scores, "loss": float(np.mean(records["loss"]))}.items():
            logger.add_scalar(f"{TAG}/{split}-{name}", value, global_step=global_step)
        self._log(f"{split} at step {global_step}: " + ", ".join(f"{name} {s:.4f}" for name, s in scores.items()))
        if self.training:  # the runner turns training off while it evaluates, be it on the training set
            return []
        if self._arguments.get("mode") == "evaluate":
            write_predictions(self.expdir, split, self._sources.get(split), predictions)
            if space := records.get("embedding"):
                write_embeddings(self.expdir, split, predictions.ids, np.array(space, dtype=np.float32))
            self._report(split, predictions)
            return []
        best = self._best(split, scores[self.datarc.dev_metric], global_step)
        if best or split != "dev":  # what lies there of dev is what dev-best.ckpt says: a fusion is weighed by it
            write_predictions(self.expdir, split, self._sources.get(split), predictions)
            # drawing costs as much as a hundred steps on stored features
            logger.add_figure(f"{TAG}/{split}-confusion", confusion_figure(predictions), global_step=global_step)
        return best

    def _check_predictions(self, split: str, predictions: Predictions) -> None:
        """Tell of probabilities that are no numbers, which count as the first class.

        Raises:
            DivergedError: if no utterance has any, and it is a test or an evaluation on the way.
        """
        wrong = ~np.isfinite(predictions.probabilities).all(axis=1)
        if wrong.all() and not self.training:
            raise DivergedError(f"{split}: the model says no number of any utterance: it diverged in its training")
        if wrong.any():
            first = predictions.ids[int(wrong.argmax())]
            self._log(
                f"WARNING: {split}: the probabilities of {wrong.sum()} of {len(wrong)} utterances are no numbers, "
                f"such as those of {first}: they count as {self.classes[0]}"
            )

    def _best(self, split: str, score: float, step: int) -> list[str]:
        if split != "dev" or np.float32(score) <= self.best_score.item():  # the buffer has 32 bits: a tie is no best
            return []
        self.best_score.fill_(score)
        self._log(f"New best on {split} at step {step}: {self.datarc.dev_metric} {score:.4f}")
        return [f"{split}-best.ckpt"]

    def _report(self, split: str, predictions: Predictions) -> None:
        """The full report of a test, with intervals. The runner throws its own logger's files away here."""
        from tensorboardX import SummaryWriter

        arguments = self._arguments
        about = {
            "upstream": arguments.get("upstream"),
            "upstream_ckpt": arguments.get("upstream_ckpt"),
            "checkpoint": arguments.get("init_ckpt"),
            "seed": self._seed,
            "bad_audio": self._dataset(split).bad,
        }
        if self._store is not None:
            about["features"] = self._store.key
        report = write_report(self.expdir, split, self._sources.get(split), predictions, about)
        # The suffix: files are named by the second, and tests of several targets may run at once.
        with SummaryWriter(str(self.expdir), filename_suffix=f".{split}") as writer:
            writer.add_figure(f"{TAG}/{split}-confusion", confusion_figure(predictions))
        for name in metrics.METRICS:
            print(f"{split} {name}: {metrics.Interval(**report[name])}")
        print(f"[Expert] - results in {self.expdir / 'results.json'}")

    def _log(self, line: str) -> None:
        print(line)
        with (self.expdir / "log.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    # interface of our own start-up hook, for Ctrl-C in a training
    def say_what_is_kept(self) -> str:
        """Which checkpoints there are, and how to go on."""
        if self._earlier:
            return UNCHANGED
        steps = [int(path.stem.removeprefix("states-")) for path in self.expdir.glob("states-*.ckpt")]
        best = "dev-best.ckpt" if (self.expdir / "dev-best.ckpt").exists() else ""
        if not steps:
            kept = f"{best} alone" if best else "no checkpoint"
            return f"{self.expdir} keeps {kept}: the training cannot go on, and the same command begins anew"
        how = f"-m train -e {self.expdir}" if self._arguments.get("past_exp") else "the same command with -a"
        return f"{self.expdir} keeps states-{max(steps)}.ckpt{best and f' and {best}'}; {how} goes on from there"

    # interface of our own start-up hook, for ``-m train -i CKPT``
    def carry_over(self, checkpoint: dict[str, Any]) -> None:
        """Start from another experiment's weights; its classes may be others. What becomes of each is printed."""
        name = self._arguments.get("init_ckpt")
        try:
            before = read_settings(checkpoint["Config"]["downstream_expert"]).datarc.label_set.classes
        except (KeyError, TypeError, ConfigError) as error:
            raise ConfigError(
                f"-i {name}: expected a checkpoint of the downstream zero_shot_emotion: {error}"
            ) from None
        own = [name for name, _ in self.named_buffers() if "." not in name]
        done = carry_over(self, checkpoint["Downstream"], self._of_training_set(before == self.classes), own)
        print(f"[Expert] - {name} ({', '.join(before)}): {done}")

    def _of_training_set(self, same_classes: bool) -> tuple[str, ...]:
        """Names of the weights that make sense with the training set alone on which they were trained."""
        if isinstance(self.classifier, SpeechLanguageModel):  # its classes are words: no layer knows them
            return tuple(name for name in self.state_dict() if name.startswith("classifier.adversaries."))
        return () if same_classes else output_layer(self)

    # interface
    def load_audio(self, path: str | Path) -> Tensor:
        """A file of any rate and channel count as a mono wave at 16 kHz, for ``-m inference``.

        Raises:
            StoreError: if the upstream serves stored features and has none of this file.
        """
        if self._store is not None:
            stored = find(self._store, Path(path), str(path), min_seconds=0.0)
            if stored is None:
                raise StoreError(f"{path}: is not in {self._store.folder}, expected the upstream itself for new files")
            return torch.from_numpy(ticket(self._store, stored))
        heard = self.datarc.conditioning(read_audio(path))
        return torch.from_numpy(heard.wave.astype(np.float32, copy=False))

    # interface
    def inference(self, features: list[Tensor], filenames: list[str]) -> list[dict[str, Any]]:
        """Name the emotion of each utterance, print it, and write it into the experiment folder."""
        shares = self.classifier(features).softmax(dim=-1).cpu().tolist()
        said = self.classifier.say(features) if isinstance(self.classifier, SpeechLanguageModel) else None
        answers: list[dict[str, Any]] = []
        for i, (name, probabilities) in enumerate(zip(filenames, shares, strict=True)):
            by_class = {c: round(p, 6) for c, p in zip(self.classes, probabilities, strict=True)}
            emotion, _ = max(by_class.items(), key=lambda share: share[1])
            answers.append({"id": name, "emotion": emotion, "probabilities": by_class})
            if said is not None:
                answers[-1]["said"] = said[i]
            print(json.dumps(answers[-1]))
            with atomic_write(self.expdir / f"inference-{name}.json") as file:
                json.dump(answers[-1], file, indent=2)
                file.write("\n")
        return answers
