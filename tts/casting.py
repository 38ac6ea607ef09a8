"""Who speaks with which voice."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
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


@dataclass
class _Role:
    """What is known of a speaker."""

    key: str
    gender: str | None
    language: str
    dialogues: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"speaker {self.key!r} (gender {self.gender or 'unknown'}, language {self.language})"


def speaker_key(utterance: Utterance) -> str:
    """Whom an utterance is spoken by; one without a speaker is its own. No speaker's name has a blank."""
    return utterance.speaker or f"utterance {utterance.id}"


def cast(corpus: Corpus, voices: Sequence[Voice], seed: int = 0) -> dict[str, Voice]:
    """Give every speaker a voice.

    A speaker keeps it through the corpus, the speakers of a dialogue differ, and no voice is used
    again while a fitting one was used less.

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
    uses = np.zeros(len(order), dtype=np.int64)
    fitting: dict[tuple[str | None, str], npt.NDArray[np.int64]] = {}
    taken: dict[str, list[int]] = defaultdict(list)
    chosen: dict[str, Voice] = {}
    for role in _roles(corpus):
        wanted = (role.gender, role.language)
        if wanted not in fitting:
            fitting[wanted] = np.array([i for i, voice in enumerate(order) if _fits(voice, *wanted)], dtype=np.int64)
        free = np.setdiff1d(fitting[wanted], [i for dialogue in role.dialogues for i in taken[dialogue]])
        if not len(free):
            raise CastingError(_no_voice(role, len(fitting[wanted])))
        best = int(free[uses[free].argmin()])
        uses[best] += 1
        chosen[role.key] = order[best]
        for dialogue in role.dialogues:
            taken[dialogue].append(best)
    return chosen


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
        if utterance.dialogue is not None and utterance.dialogue not in role.dialogues:
            role.dialogues.append(utterance.dialogue)
    return list(roles.values())


def _fits(voice: Voice, gender: str | None, language: str) -> bool:
    """A language tag takes in the more specific ones: ``en`` its accents, ``en-us`` no other English."""
    tag = MACROLANGUAGES.get(language, language)
    return gender in (None, voice.gender) and f"{voice.language}-".startswith(f"{tag}-")


def _no_voice(role: _Role, fitting: int) -> str:
    if fitting:
        return f"no voice is left for {role}: the others of the dialogue have all {fitting} that fit"
    return f"no voice fits {role}: the engine has none of this gender and language"
