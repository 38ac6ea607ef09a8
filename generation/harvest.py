"""What of the answers becomes the corpus: each line is taken or left, and the reason is counted."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator

from zero_shot_emotion.corpus import LabelSet, Utterance

from .completion import Completion
from .datasheet import Datasheet
from .near_duplicates import NearDuplicates, normalise
from .plan import Round
from .response import Dialogue, ResponseError, Turn, parse
from .utterances import utterance_of

REMEMBERED = 64
"""Lines of each scenario, the latest, that prompts choose from to say what exists already."""
RECENT = 16
"""Rounds whose yield tells what further rounds will yield."""
FIRST_YIELD = 9.0
"""Usable utterances that a round is expected to bring before any has come back."""


class Harvest:
    """The state of a corpus that grows. Rounds are gathered in the order of the plan, whenever their answers came.

    Args:
        sheet: of the corpus to be imitated.
        labels: the classes that are wanted.
        utterances: how many, divided over the classes as evenly as it goes.
        model: that is asked; each utterance says so.

    Attributes:
        missing: utterances of each class that are still to be had.
        lines: of each scenario, those that were accepted last.
        answers: counted by what they were.
        drops: turns that were left, counted by reason.
        turns: in all answers.
        accepted: utterances.
        barren: rounds since the last that brought an utterance.
    """

    def __init__(self, sheet: Datasheet, labels: LabelSet, utterances: int, model: str) -> None:
        each, more = divmod(utterances, len(labels.classes))
        self.missing = {label: each + (i < more) for i, label in enumerate(labels.classes)}
        self.lines: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self.answers: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()
        self.turns = 0
        self.accepted = 0
        self.barren = 0
        self._sheet = sheet
        self._labels = labels
        self._model = model
        self._seen = NearDuplicates()
        self._recent: deque[int] = deque(maxlen=RECENT)

    def unusable(self) -> int:
        """Answers without a dialogue in them."""
        return self.answers.total() - self.answers["dialogue"] - self.answers["cut off"]

    def calls_for_more(self, under_way: int) -> bool:
        """Whether another round is called for, beside those whose answers have not been gathered yet."""
        expected = sum(self._recent) / len(self._recent) if self._recent else FIRST_YIELD
        return under_way * expected < sum(self.missing.values())

    def gather(self, asked: Round, answer: Completion | None) -> list[Utterance]:
        """The utterances that a round brings.

        Args:
            asked: the round.
            answer: what came back, None if nothing did.
        """
        dialogue, kind = self._read(asked, answer)
        self.answers[kind] += 1
        self.drops.update(dialogue.drops)
        self.turns += len(dialogue.turns) + sum(dialogue.drops.values())
        taken = [utterance for turn in dialogue.turns for utterance in self._take(asked, turn)]
        self._recent.append(len(taken))
        self.barren = 0 if taken else self.barren + 1
        self.accepted += len(taken)
        return taken

    def _read(self, asked: Round, answer: Completion | None) -> tuple[Dialogue, str]:
        """The dialogue in an answer, and what kind of answer it is."""
        nothing = Dialogue((), {})
        if answer is None:
            return nothing, "failed"
        if answer.refused:
            return nothing, "refusal"
        try:
            dialogue = parse(answer.text, asked.request.speakers, self._sheet.labels)
        except ResponseError as error:
            return nothing, error.reason
        if not dialogue.turns and not dialogue.drops:
            return nothing, "no dialogue"
        return dialogue, "cut off" if answer.cut_off else "dialogue"

    def _take(self, asked: Round, turn: Turn) -> Iterator[Utterance]:
        """The utterance of a turn, if it is wanted and new."""
        label = self._labels.of(turn.label)
        if label is None:
            self.drops[f"emotion {turn.label}"] += 1
        elif self.missing[label] == 0:
            self.drops["over the class balance"] += 1
        elif (earlier := self._seen.add(turn.text)) is not None:
            exact = normalise(earlier) == normalise(turn.text)
            self.drops["duplicate" if exact else "near-duplicate"] += 1
        else:
            scenario = asked.request.scenario.id
            self.missing[label] -= 1
            self.lines[scenario].append(turn.text)
            dialogue = f"{scenario}-{asked.key}"
            speakers = asked.request.speakers
            yield utterance_of(
                turn, label, self._sheet, scenario, dialogue, speakers, model=self._model, request=asked.key
            )
