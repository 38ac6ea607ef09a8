"""Who speaks with which voice."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zero_shot_emotion.corpus import Corpus, UserError, Utterance

from .engine import Voice

DEFAULT_LANGUAGE = "en"
"""Of an utterance that names none."""
MACROLANGUAGES = {"zh": "cmn", "no": "nb"}
"""Tags that stand for several languages in BCP 47, and the one that is meant mostly."""


class CastingError(UserError, ValueError):
    """A speaker whom no voice fits, or who is not one person."""


Spares = Mapping[str, tuple[Voice, ...]]


@dataclass
class _Role:
    """What is known of a speaker."""

    key: str
    gender: str | None
    language: str
    dialogues: dict[str, None] = field(default_factory=dict)  # a set that keeps their order
    labels: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"speaker {self.key!r} (gender {self.gender or 'unknown'}, language {self.language})"


def speaker_key(utterance: Utterance) -> str:
    """Whom an utterance is spoken by; one without a speaker is its own. No speaker's name has a blank."""
    return utterance.speaker or f"utterance {utterance.id}"


def cast(corpus: Corpus, voices: Sequence[Voice], seed: int = 0) -> dict[str, Voice]:
    """Give every speaker a voice.

    A speaker keeps it through the corpus, the speakers of a dialogue differ, and no voice is used
    again while a fitting one was used less. Among those used least, the one is taken that has said the
    least with this speaker's labels so far: that spreads every voice over the classes.

    Args:
        corpus: whose speakers are cast, in the order of their first utterances.
        voices: of an engine.
        seed: shuffles the voices.

    Returns:
        the voice of each `speaker_key`.

    Raises:
        CastingError: if no voice fits a speaker, or a speaker has two genders or languages.
    """
    order = random.Random(seed).sample(list(voices), len(voices))
    roles = _roles(corpus)
    classes = {label: n for n, label in enumerate(dict.fromkeys(label for role in roles for label in role.labels))}
    uses = np.zeros(len(order), dtype=np.int64)
    said = np.zeros((len(order), len(classes)))
    fitting: dict[tuple[str | None, str], npt.NDArray[np.int64]] = {}
    taken: dict[str, list[int]] = defaultdict(list)
    chosen: dict[str, Voice] = {}
    for role in roles:
        wanted = (role.gender, role.language)
        if wanted not in fitting:
            fitting[wanted] = np.array([i for i, voice in enumerate(order) if _fits(voice, *wanted)], dtype=np.int64)
        free = np.setdiff1d(fitting[wanted], [i for dialogue in role.dialogues for i in taken[dialogue]])
        if not len(free):
            raise CastingError(_no_voice(role, len(fitting[wanted]), voices))
        says = np.array([role.labels[label] for label in classes], dtype=np.float64)
        least = free[uses[free] == uses[free].min()]
        best = int(least[(said[least] @ says).argmin()])
        uses[best] += 1
        said[best] += says
        chosen[role.key] = order[best]
        for dialogue in role.dialogues:
            taken[dialogue].append(best)
    return chosen


def understudies(corpus: Corpus, voices: Sequence[Voice], chosen: Mapping[str, Voice], seed: int, most: int) -> Spares:
    """The voices that take over, in this order, where a speaker's own fails at an utterance.

    They fit the speaker as the own one does and belong to nobody in the speaker's dialogues. The order is
    the speaker's, so that all utterances that fail once are said by the same second voice.

    Args:
        corpus: as it was cast.
        voices: of the engine.
        chosen: what `cast` returned.
        seed: of the casting.
        most: voices a speaker.

    Returns:
        up to ``most`` voices for each `speaker_key`.
    """
    roles = _roles(corpus)
    present: dict[str, set[str]] = defaultdict(set)
    for role in roles:
        for dialogue in role.dialogues:
            present[dialogue].add(chosen[role.key].id)
    fitting: dict[tuple[str | None, str], list[Voice]] = {}
    spares: dict[str, tuple[Voice, ...]] = {}
    for role in roles:
        wanted = (role.gender, role.language)
        if wanted not in fitting:
            fitting[wanted] = [voice for voice in voices if _fits(voice, *wanted)]
        taken = {chosen[role.key].id}.union(*(present[dialogue] for dialogue in role.dialogues))
        count = min(len(fitting[wanted]), most + len(taken))
        drawn = random.Random(f"{seed}/{role.key}").sample(fitting[wanted], count)
        spares[role.key] = tuple(voice for voice in drawn if voice.id not in taken)[:most]
    return spares


def _roles(corpus: Corpus) -> list[_Role]:
    roles: dict[str, _Role] = {}
    for utterance in corpus:
        key = speaker_key(utterance)
        language = (utterance.language or DEFAULT_LANGUAGE).lower()
        role = roles.setdefault(key, _Role(key, utterance.gender, language))
        role.gender = role.gender or utterance.gender
        if utterance.gender not in (None, role.gender) or language != role.language:
            raise CastingError(
                f"{role} has gender {utterance.gender or 'unknown'} and language {language} in the utterance "
                f"{utterance.id!r}, expected one person in one language"
            )
        if utterance.label is not None:
            role.labels[utterance.label] += 1
        if utterance.dialogue is not None:
            role.dialogues[utterance.dialogue] = None
    return list(roles.values())


def _fits(voice: Voice, gender: str | None, language: str) -> bool:
    """A language tag takes in the more specific ones: ``en`` its accents, ``en-us`` no other English."""
    tag = MACROLANGUAGES.get(language, language)
    return gender in (None, voice.gender) and f"{voice.language}-".startswith(f"{tag}-")


def _no_voice(role: _Role, fitting: int, voices: Sequence[Voice]) -> str:
    if fitting:
        return f"no voice is left for {role}: the others of the dialogue have all {fitting} that fit"
    told = f"no voice fits {role}: the engine has none of this gender and language"
    unknown = sum(voice.gender is None and _fits(voice, None, role.language) for voice in voices)
    if unknown and role.gender:
        told += f"; of {unknown} of this language the gender is not known: a list tells it, -s voices=FILE.yaml"
    return told
