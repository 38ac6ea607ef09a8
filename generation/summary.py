"""What asking a language model came to, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zero_shot_emotion.corpus.stage import StageReport


@dataclass(frozen=True)
class GenerationReport(StageReport):
    """What a run did. ``resumed`` counts the answers that were there already, ``retries`` the attempts, by reason."""

    retries: Mapping[str, int] = field(default_factory=dict)

    def summary(self) -> str:
        """Counts, yield, what was dropped and why, tokens, cost, and what ended the run."""
        card = self.card
        answers = {kind: count for kind, count in card["answers"].items() if kind != "asked"}
        used, cost = card["tokens"], card["cost"]
        asked = f"{card['answers']['asked']} asked for" + (f", {self.resumed} of them before" if self.resumed else "")
        rows = {
            "output": self.out,
            "time": f"{self.seconds:.1f} s",
            "endpoint": f"{card['sampling']['model']} at {card['endpoint']}",
            "answers": f"{asked}: {_counts(answers)}",
            "turns": f"{card['turns']}, {card['yield']:.0%} of them used",
            "dropped": _counts(card["drops"]),
            "tokens": f"{used['prompt']} read, {used['completion']} written: {used['per_utterance']} an utterance",
            "cost": "" if cost is None else f"{cost:g}",
            "retries": _counts(self.retries),
            "ended by": card["stopped_by"],
        }
        heading = f"{self.name}: {card['utterances']} of {card['asked']} utterances ({_counts(card['counts'])})"
        return "\n".join([heading, *(f"  {name:<9} {value}" for name, value in rows.items() if value)])


def _counts(counts: Mapping[str, int]) -> str:
    """Counts in words, the largest first."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
