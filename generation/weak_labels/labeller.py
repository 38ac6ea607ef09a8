"""What a labeller is, and where labellers are found by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from zero_shot_emotion.corpus import Utterance
from zero_shot_emotion.pretrained import expect
from zero_shot_emotion.registry import Registry, checked_settings
from zero_shot_emotion.taxonomy import Taxonomy

from .errors import WeakLabelError
from .turn import Turn, turns_of

Array = npt.NDArray[np.float64]
"""Probabilities of the classes of a taxonomy, shape (turns, classes); NaN in the row of a turn that got none."""

LABELLERS = Registry(
    "labellers: kind",
    "zero_shot_emotion.labellers",
    {
        "entailment": "generation.weak_labels.entailment:Entailment",
        "similarity": "generation.weak_labels.similarity:Similarity",
        "examples": "generation.weak_labels.examples:Examples",
        "llm": "generation.weak_labels.by_llm:ByLLM",
        "open": "generation.weak_labels.open_set:OpenSet",
        "lexicon": "generation.weak_labels.lexicon:Lexicon",
        "given": "generation.weak_labels.given:Given",
    },
    WeakLabelError,
)
DIGITS = 6
"""Of a probability that is stored: what differs beyond them is the order of a sum on another device."""


class LabellerSettings(BaseModel):
    """What every labeller can be told. Goes on the card as it is, so it never holds a key.

    Attributes:
        context: turns of the dialogue on either side. A language model sees all; labellers that read one text see those
            before, and cut the oldest where they are too many.
        sound: tell it how the utterance sounds, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    context: int = Field(default=0, ge=0)
    sound: bool = False

    @property
    def files(self) -> tuple[Path, ...]:
        """What the labels depend on besides the settings: where such a file changes, labelling is done again."""
        return ()


class Labeller(Protocol):
    """What reads turns and answers with distributions.

    The class is called with an instance of its own ``Settings`` (a `LabellerSettings`) and the taxonomy. One whose runs
    must stay in the calling process, such as one that keeps a budget, says so in ``alone = True``. The corpus's own
    labels are hidden from labellers; one whose turns are to carry them says ``reads_labels = True``. ``hub_models``
    names the settings that are models of the Hugging Face hub: where one cannot be had, that is told before any work.
    """

    @staticmethod
    def versions() -> Mapping[str, str]:
        """Of what it runs on; goes on the card. Nothing is loaded for it."""

    def label(self, turns: Sequence[Turn]) -> Array:
        """The probability of each class of the taxonomy for each turn."""


class LabellerSpec(BaseModel):
    """A labeller as a config names it: its kind, a name where there are several of a kind, and its settings."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    name: str | None = None

    @property
    def title(self) -> str:
        """What it is called in lines and cards."""
        return self.name or self.kind

    @property
    def settings(self) -> LabellerSettings:
        """Its settings, validated.

        Raises:
            WeakLabelError: if there is no such labeller, or a setting is not one of its own.
        """
        made, given = LABELLERS.find(self.kind), self.model_extra or {}
        settings: LabellerSettings = checked_settings(made, given, f"labeller {self.title}", WeakLabelError)
        return settings

    @property
    def contents(self) -> tuple[str, ...]:
        """Hashes of the files that it reads.

        Raises:
            WeakLabelError: if one is missing.
        """
        files = self.settings.files
        for path in files:
            if not path.is_file():
                raise WeakLabelError(f"labeller {self.title}: {path}: no such file")
        return tuple(sha256(path.read_bytes()).hexdigest() for path in files)

    def expect_models(self) -> None:
        """Raise where a model of the hub that it loads cannot be had.

        Raises:
            PretrainedError: naming the labeller, the setting and the model.
        """
        settings = self.settings
        for key in getattr(LABELLERS.find(self.kind), "hub_models", ()):
            revision = getattr(settings, "revision", None)
            expect(f"labeller {self.title}: {key}", getattr(settings, key), revision)

    def load(self, taxonomy: Taxonomy) -> Labeller:
        """The labeller, made once a process."""
        return _load(self.kind, self.settings.model_dump_json(), taxonomy.model_dump_json(), self.contents)


@cache
def _load(kind: str, settings: str, taxonomy: str, contents: tuple[str, ...]) -> Labeller:
    made = LABELLERS.find(kind)
    loaded: Labeller = made(made.Settings.model_validate_json(settings), Taxonomy.model_validate_json(taxonomy))
    return loaded


def reads_labels(kind: str) -> bool:
    """Whether a kind of labeller is shown the corpus's own labels."""
    return bool(getattr(LABELLERS.find(kind), "reads_labels", False))


def label(
    utterances: Iterable[Utterance],
    labeller: LabellerSpec,
    taxonomy: Taxonomy,
    sounds: Mapping[str, str] | None = None,
    answers: Path | None = None,
) -> Array:
    """Label utterances in memory, as an untrained baseline does.

    Each distinct turn is labelled once; like lengths come together.

    Args:
        utterances: with words; dialogues and turns are heeded where the labeller reads context.
        labeller: as a config names it, such as ``LabellerSpec(kind="entailment", model="roberta-large-mnli")``.
        taxonomy: the classes.
        sounds: how utterances sound, by id, for a labeller with ``sound``.
        answers: folder where a labeller whose answers cost money keeps them (``raw/responses.jsonl``), and finds them
            again.

    Returns:
        the probability of each class, shape (utterances, classes); NaN where there are no words, or no answer.

    Raises:
        WeakLabelError: on a labeller that reads the corpus's own labels.
    """
    if reads_labels(labeller.kind):
        raise WeakLabelError(
            f"labeller {labeller.title}: reads the labels that are there, expected one that reads words"
        )
    utterances = list(utterances)
    settings = labeller.settings
    turns = turns_of(utterances, settings.context, sounds if settings.sound else None)
    distinct = distinct_turns(turns.values())
    loaded = labeller.load(taxonomy)
    if answers is not None:
        keep_answers(loaded, answers)
    rows = dict(zip((t.key for t in distinct), loaded.label(distinct), strict=True))
    nothing = np.full(len(taxonomy.names), np.nan)
    return np.array([rows[turns[u.id].key] if u.id in turns else nothing for u in utterances])


def keep_answers(labeller: Labeller, folder: Path) -> None:
    """Have a labeller whose answers cost money keep them in a folder; any other keeps none."""
    if keep := getattr(labeller, "keep_answers_in", None):
        keep(folder)


def distinct_turns(turns: Iterable[Turn]) -> list[Turn]:
    """Each turn once, the short ones first, in an order that does not depend on theirs."""
    return sorted({turn.key: turn for turn in turns}.values(), key=lambda t: (len(t.told), t.told, t.key))


def softmax(logits: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
