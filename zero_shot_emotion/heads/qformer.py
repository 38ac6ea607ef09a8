"""M5SER's head: an Emotion Q-Former between an upstream's frames and a frozen language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from ..corpus import EMOTIONS
from .contrast import Adversary, supervised_contrast, text_contrast
from .language_model import LanguageModel, LanguageModelError
from .settings import EmotionQFormerSettings, QFormerSettings

if TYPE_CHECKING:
    from ..sources import Entry

GROUPS: dict[str, Callable[[Entry], str | None]] = {
    "speaker": lambda entry: f"{entry.corpus}/{entry.speaker}" if entry.speaker else None,
    "language": lambda entry: _language(entry),
}
"""What an adversary may listen for; corpora number their speakers alike."""


class EmotionQFormer(nn.Module):
    """Learnt queries that ask the frames of an utterance: transformers' ``Blip2QFormerModel``.

    Args:
        input_dim: width of the frames.
        settings: sizes.
    """

    def __init__(self, input_dim: int, settings: QFormerSettings) -> None:
        from transformers import Blip2QFormerConfig, Blip2QFormerModel

        super().__init__()
        config = Blip2QFormerConfig(
            hidden_size=settings.width,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.heads,
            intermediate_size=4 * settings.width,
            encoder_hidden_size=input_dim,
            cross_attention_frequency=settings.cross_attention_frequency,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
        )
        self.norm = nn.LayerNorm(input_dim)  # upstreams' features are of any size
        self.queries = nn.Parameter(torch.randn(1, settings.queries, settings.width) * config.initializer_range)
        self.model = Blip2QFormerModel(config)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """What the queries found, shape (batch, queries, width), of one (frames, features) tensor an utterance."""
        lengths = torch.tensor([len(frames) for frames in features], device=features[0].device)
        padded = self.norm(pad_sequence(list(features), batch_first=True))
        inside = torch.arange(padded.shape[1], device=padded.device) < lengths.unsqueeze(1)
        found: Tensor = self.model(
            query_embeds=self.queries.expand(len(features), -1, -1),
            encoder_hidden_states=padded,
            encoder_attention_mask=inside.long(),
        ).last_hidden_state
        return found


class SpeechLanguageModel(nn.Module):
    """Names the emotion of an utterance by a language model that is given what the Q-Former found.

    Its state holds the Q-Former, the projections, the adversaries and the adapters; never the language model.

    Args:
        input_dim: width of the upstream's features.
        classes: in the order of the logits.
        settings: sizes, language model, losses.
        trained_on: the training set, whose speakers and languages the adversaries listen for; none where nothing is
            trained.
    """

    def __init__(
        self,
        input_dim: int,
        classes: Sequence[str],
        settings: EmotionQFormerSettings,
        trained_on: Sequence[Entry] = (),
    ) -> None:
        super().__init__()
        self._settings = settings
        self.words = _words(classes, settings.words)
        self._language_model = LanguageModel(settings.language_model, self.words)
        width, loss = settings.qformer.width, settings.loss
        self.qformer = EmotionQFormer(input_dim, settings.qformer)
        self.to_language_model = _as_large_as_words(nn.Linear(width, self._language_model.width), self._language_model)
        self.to_space = nn.Linear(width, loss.dimensions)
        self.text_to_space = nn.Linear(self._language_model.width, loss.dimensions)
        self.adapters = nn.ParameterDict(self._language_model.trainable)
        self.adversaries = nn.ModuleDict()
        for column, group in GROUPS.items():
            if getattr(loss, f"{column}_adversary"):
                names = sorted({name for entry in trained_on if (name := group(entry)) is not None})
                if trained_on and len(names) < 2:
                    raise LanguageModelError(
                        f"modelrc.EmotionQFormer.loss.{column}_adversary: expected two {column}s or more in the "
                        f"training set, got {', '.join(names) or 'none'}"
                    )
                self.adversaries[column] = Adversary(width, tuple(names))
        print(f"[Expert] - {self.about()}")

    def about(self) -> str:
        """What is trained, and what comes from elsewhere."""
        trained = sum(p.numel() for p in self.parameters())
        model = self._settings.language_model
        return (
            f"language model {model.name} ({self._language_model.parameters:,} parameters, {model.dtype}"
            f"{', 4 bits' if model.load_in_4bit else ''}) is loaded from there and in no checkpoint; "
            f"checkpoints hold {trained:,} parameters of Q-Former, projections"
            f"{', adversaries' if self.adversaries else ''}{', adapters' if self.adapters else ''}"
        )

    def train(self, mode: bool = True) -> SpeechLanguageModel:
        super().train(mode)
        self._language_model.train(mode)
        return self

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Scores of the classes, shape (batch, classes): mean log-likelihood of the tokens of each word."""
        return self._scores(self.qformer(features))

    def answer(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """As `forward`, and the emotional space: unit vectors of shape (batch, dimensions)."""
        found = self.qformer(features)
        return self._scores(found), self._space(found.mean(dim=1))

    def say(self, features: Sequence[Tensor]) -> list[str] | None:
        """What the language model says by itself; None unless the settings have it answer freely."""
        if self._settings.language_model.answer != "free":
            return None
        found = self.qformer(features)
        self._language_model.to(found.device)
        return self._language_model.generate(self.to_language_model(found))

    def loss(
        self,
        features: Sequence[Tensor],
        labels: Tensor,
        entries: Sequence[Entry],
        class_weights: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What is minimised, and the scores of the classes.

        Args:
            features: one (frames, features) tensor an utterance.
            labels: class indices, shape (batch,).
            entries: the utterances.
            class_weights: in the language model's cross-entropy, shape (classes,).
        """
        found = self.qformer(features)
        scores = self._scores(found)
        weights, pooled = self._settings.loss, found.mean(dim=1)
        space = self._space(pooled)
        total = weights.language_model * nn.functional.nll_loss(scores, labels, class_weights)
        if weights.text_contrast:
            total = total + weights.text_contrast * self._text_contrast(space, labels, entries)
        if weights.emotion_contrast:
            positives = _positives(labels, entries, weights.positives)
            total = total + weights.emotion_contrast * supervised_contrast(space, positives, weights.temperature)
        for column, adversary in self.adversaries.items():
            weight = getattr(weights, f"{column}_adversary")
            total = total + weight * adversary(pooled, [GROUPS[column](entry) for entry in entries])
        return total, scores

    def _scores(self, found: Tensor) -> Tensor:
        self._language_model.to(found.device)
        return self._language_model.scores(self.to_language_model(found)).to(found.device)

    def _space(self, pooled: Tensor) -> Tensor:
        return nn.functional.normalize(self.to_space(pooled), dim=1)

    def _text_contrast(self, space: Tensor, labels: Tensor, entries: Sequence[Entry]) -> Tensor:
        template = self._settings.loss.text
        said = [template.format(emotion=self.words[k], text=e.text or "") for k, e in zip(labels, entries, strict=True)]
        described = self._language_model.describe(said).to(space.device, self.text_to_space.weight.dtype)
        text = nn.functional.normalize(self.text_to_space(described), dim=1)
        alike = _texts_alike(said, labels, entries)
        return text_contrast(space, text, alike, self._settings.loss.temperature)


def _words(classes: Sequence[str], given: Mapping[str, str]) -> list[str]:
    unknown = [name for name in given if name not in classes]
    if unknown:
        raise LanguageModelError(
            f"modelrc.EmotionQFormer.words: got the class {unknown[0]!r}, expected one of {', '.join(classes)}"
        )
    return [given.get(name, EMOTIONS.get(name, name)) for name in classes]


def _as_large_as_words(layer: nn.Linear, model: LanguageModel) -> nn.Linear:
    """Speech tokens that begin in the model's range: their inputs come from a layer norm."""
    with torch.no_grad():
        nn.init.normal_(layer.weight, std=model.deviation / layer.in_features**0.5)
        nn.init.zeros_(layer.bias)
    return layer


def _texts_alike(said: Sequence[str], labels: Tensor, entries: Sequence[Entry]) -> Tensor:
    """Which pairs of a batch are described alike, in whatever language, shape (batch, batch).

    A sentence and its translation with the same emotion are no negatives: telling them apart would keep the language.
    """
    emotions = labels.tolist()
    spoken = list(zip(said, emotions, entries, strict=True))
    alike = [
        [a == b or (k == m and _sentence(e) is not None and _sentence(e) == _sentence(f)) for b, m, f in spoken]
        for a, k, e in spoken
    ]
    return torch.tensor(alike, device=labels.device)


def _positives(labels: Tensor, entries: Sequence[Entry], kind: str) -> Tensor:
    """Which pairs of a batch are alike, shape (batch, batch)."""
    alike = labels.unsqueeze(0) == labels.unsqueeze(1)
    if kind == "emotion":
        return alike
    translations = [[_translates(a, b) for b in entries] for a in entries]
    return alike | torch.tensor(translations, device=labels.device)


def _translates(one: Entry, other: Entry) -> bool:
    """Whether two say the same sentence, for certain in two languages."""
    languages = {_language(one), _language(other)}
    same = _sentence(one) is not None and _sentence(one) == _sentence(other)
    return same and None not in languages and len(languages) == 2


def _sentence(entry: Entry) -> tuple[str, str] | None:
    """Corpora number their sentences alike."""
    return None if entry.sentence is None else (entry.corpus, entry.sentence)


def _language(entry: Entry) -> str | None:
    """Without its region: an accent is no other language."""
    return entry.language and entry.language.split("-")[0]
