"""What a labeller is shown of an utterance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from zero_shot_emotion.corpus import Utterance


class Turn(BaseModel):
    """An utterance's words, and what of its surroundings a labeller asks for.

    Attributes:
        text: its transcript.
        before: the transcripts of the turns before it in its dialogue, the nearest last.
        after: of those after it, the nearest first.
        sound: how it sounds, in words.
        label: that the corpus has itself; hidden, which is None, from labellers that do not ask for it.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    sound: str | None = None
    label: str | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_hidden(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """So that a turn's key tells nothing of labels that its labeller does not read."""
        return {name: value for name, value in serialise(self).items() if name != "label" or value is not None}

    @property
    def key(self) -> str:
        """Tells it from any other turn."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:24]

    @property
    def told(self) -> str:
        """What labellers that read one text are shown: the turns before it, its words, its sound.

        >>> Turn(text="No.", before=("Will you come?",), sound="very loud").told
        'Will you come? No. (The voice is very loud.)'
        """
        sound = () if self.sound is None else (f"(The voice is {self.sound}.)",)
        return " ".join((*self.before, self.text, *sound))


def turns_of(
    utterances: Iterable[Utterance],
    context: int = 0,
    sounds: Mapping[str, str] | None = None,
    *,
    with_labels: bool = False,
) -> dict[str, Turn]:
    """The turns of utterances with words, by id.

    Args:
        utterances: of a corpus; those without words give no turn, but count as none in a dialogue either.
        context: turns of a dialogue on either side.
        sounds: how utterances sound, by id.
        with_labels: turns carry the corpus's own labels.
    """
    spoken = [u for u in utterances if u.text and u.text.strip()]
    dialogues: dict[str, list[Utterance]] = {}
    if context:
        for utterance in spoken:
            if utterance.dialogue is not None and utterance.turn is not None:
                dialogues.setdefault(utterance.dialogue, []).append(utterance)
    around: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for turns in dialogues.values():
        turns.sort(key=lambda u: u.turn or 0)
        texts = [_one_line(u.text or "") for u in turns]
        for i, utterance in enumerate(turns):
            around[utterance.id] = (tuple(texts[max(0, i - context) : i]), tuple(texts[i + 1 : i + 1 + context]))
    found = {}
    for utterance in spoken:
        before, after = around.get(utterance.id, ((), ()))
        sound = (sounds or {}).get(utterance.id)
        label = utterance.label if with_labels else None
        text = _one_line(utterance.text or "")
        found[utterance.id] = Turn(text=text, before=before, after=after, sound=sound, label=label)
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split())
