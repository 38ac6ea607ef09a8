"""From the turns of a dialogue to the utterances of a corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.splits import split_dev

from .datasheet import Datasheet, Gender
from .response import Turn


def utterance_of(
    turn: Turn,
    label: str,
    sheet: Datasheet,
    scenario: str,
    dialogue: str,
    genders: Mapping[str, Gender],
    **provenance: str,
) -> Utterance:
    """A turn as an utterance.

    Args:
        turn: of the dialogue.
        label: the class that its emotion counts as.
        sheet: of the corpus that is imitated.
        scenario: of the dialogue.
        dialogue: its id, unique in its datasheet.
        genders: of its speakers.
        provenance: further columns, that say where it comes from.
    """
    name = f"{sheet.name}-{dialogue}"
    return Utterance.model_validate(
        {
            "id": f"{name}-{turn.index:02d}",
            "text": turn.text,
            "label": label,
            "speaker": f"{name}-{turn.speaker}",
            "gender": genders[turn.speaker],
            "language": sheet.language,
            "dialogue": name,
            "turn": turn.index,
            "scenario": scenario,
            **provenance,
        }
    )


def draw_test_split(utterances: Sequence[Utterance], test_ratio: float, seed: int) -> dict[str, str | None]:
    """The split of each utterance, by id: ``test`` in dialogues of its own, all others ``train``; none for ratio 0."""
    if test_ratio == 0:
        return dict.fromkeys(u.id for u in utterances)
    train, test, _ = split_dev(Corpus("generated", Path(), tuple(utterances)), test_ratio, seed)
    return {u.id: name for name, part in (("train", train), ("test", test)) for u in part}
