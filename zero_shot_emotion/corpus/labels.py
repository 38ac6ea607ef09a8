"""Emotion labels: the canonical codes, the label sets, and the way from one to the other.

A corpus keeps its own emotions in canonical codes (IEMOCAP's excitement stays ``exc``). A label set
says what a task makes of each: a class, a merge into a class, or a drop. An emotion that the set
does not mention is an error, never a silent drop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import UserError

EMOTIONS: Mapping[str, str] = {
    "neu": "neutral",
    "hap": "happy",
    "ang": "angry",
    "sad": "sad",
    "fea": "fearful",
    "dis": "disgusted",
    "sur": "surprised",
    "exc": "excited",
    "fru": "frustrated",
    "cal": "calm",
    "bor": "bored",
    "con": "contemptuous",
    "oth": "other",
    "xxx": "without agreement",
}
"""Canonical code of every emotion that a reader may yield, with its English adjective."""


class LabelError(UserError, ValueError):
    """A label that is not what the corpus or the label set allows."""


@dataclass(frozen=True)
class LabelSet:
    """What a classification task makes of a corpus's emotions.

    Args:
        name: how the set is called in configs.
        classes: the classes in the order of the model's outputs.
        merge: emotions that count as a class, such as ``{"exc": "hap"}``.
        drop: emotions that are left out, and counted.

    Raises:
        LabelError: when a merge leads to no class, or an emotion has two fates.

    >>> FOUR.of("exc")
    'hap'
    >>> FOUR.of("fru") is None
    True
    >>> FOUR.of("hapy")
    Traceback (most recent call last):
        ...
    zero_shot_emotion.corpus.labels.LabelError: label 'hapy' is unknown to the label set 'four': \
its classes are neu, hap, ang, sad, it merges exc and drops fea, dis, sur, fru, cal, bor, con, oth, xxx
    """

    name: str
    classes: tuple[str, ...]
    merge: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise LabelError(
                f"label set {self.name!r}: expected at least two different classes, got {list(self.classes)}"
            )
        for emotion, target in self.merge.items():
            if target not in self.classes:
                raise LabelError(
                    f"label set {self.name!r}: {emotion!r} is merged into {target!r}, "
                    f"which is none of its classes {list(self.classes)}"
                )
        fates = [*self.classes, *self.merge, *self.drop]
        twice = sorted({emotion for emotion in fates if fates.count(emotion) > 1})
        if twice:
            raise LabelError(f"label set {self.name!r}: {', '.join(twice)} has more than one fate")

    def of(self, emotion: str) -> str | None:
        """The class of an emotion, or None if the set drops it.

        Raises:
            LabelError: if the set does not know the emotion.
        """
        if emotion in self.classes:
            return emotion
        if emotion in self.merge:
            return self.merge[emotion]
        if emotion in self.drop:
            return None
        raise LabelError(
            f"label {emotion!r} is unknown to the label set {self.name!r}: its classes are "
            f"{', '.join(self.classes)}, it merges {', '.join(self.merge) or 'nothing'} "
            f"and drops {', '.join(self.drop) or 'nothing'}"
        )


def _set(name: str, *classes: str, **merge: str) -> LabelSet:
    """A label set of canonical emotions that drops every emotion it does not name."""
    drop = tuple(emotion for emotion in EMOTIONS if emotion not in classes and emotion not in merge)
    return LabelSet(name, classes, merge, drop)


FOUR = _set("four", "neu", "hap", "ang", "sad", exc="hap")
"""IEMOCAP's four classes, excitement counted as happiness; the order is the seed work's."""
SIX = _set("six", "neu", "hap", "ang", "sad", "fea", "dis", exc="hap")
"""CREMA-D's six classes."""
SEVEN = _set("seven", "neu", "hap", "ang", "sad", "fea", "dis", "sur", exc="hap")
"""Ekman's six and neutral: MELD's classes."""
EIGHT = _set("eight", "neu", "hap", "ang", "sad", "fea", "dis", "sur", "con", exc="hap")
"""MSP-PODCAST's eight primary classes."""

LABEL_SETS: Mapping[str, LabelSet] = {s.name: s for s in (FOUR, SIX, SEVEN, EIGHT)}


def label_set(name: str) -> LabelSet:
    """The label set of a name, or one of the classes that are listed; excitement counts as happiness if it is no class.

    Args:
        name: such as ``four``, or canonical codes such as ``neu,hap,ang,fru``, in the order of the model's outputs.

    Raises:
        LabelError: if there is none, naming those there are.

    >>> label_set("neu,hap,fru").merge
    {'exc': 'hap'}
    """
    if name in LABEL_SETS:
        return LABEL_SETS[name]
    classes = name.split(",")
    unknown = [code for code in classes if code not in EMOTIONS or code == "xxx"]
    if unknown:
        what = (
            f"unknown label set {name!r}" if len(classes) == 1 else f"label set {name!r}: unknown label {unknown[0]!r}"
        )
        known = ", ".join(code for code in EMOTIONS if code != "xxx")
        raise LabelError(f"{what}: expected one of {', '.join(LABEL_SETS)}, or several of {known}, with commas")
    return _set(name, *classes, **({"exc": "hap"} if "hap" in classes and "exc" not in classes else {}))
