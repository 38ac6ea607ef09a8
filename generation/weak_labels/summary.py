"""One screen about a weak labelling run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zero_shot_emotion.corpus import Corpus

SHOWN = 12


@dataclass(frozen=True)
class WeakLabelReport:
    """What a run did.

    Attributes:
        out: folder of the corpus.
        card: of the corpus.
        step_seconds: that each step took in this run.
        seconds: all of it took.
        resumed: steps of which an earlier run had done something.
    """

    out: Path
    card: dict[str, Any]
    step_seconds: dict[str, float]
    seconds: float
    resumed: frozenset[str] = frozenset()

    @property
    def corpus(self) -> Corpus:
        """The corpus that was written."""
        return Corpus.load(self.out)

    def summary(self) -> str:
        """Counts, drops, agreement, what each step took, how fast that is, and where the output lies."""
        card = self.card
        commonest = sorted(card["counts"].items(), key=lambda entry: -entry[1])
        counts = ", ".join(f"{label} {count}" for label, count in commonest[:SHOWN])
        more = f" and {len(commonest) - SHOWN} other classes" if len(commonest) > SHOWN else ""
        drops = ", ".join(f"{count} {step}" for step, count in card["drops"].items() if count)
        if "without_words" in card:
            done = f"{card['utterances']} utterances with labels of their own, {card['without_words']} without words"
        else:
            done = f"{card['utterances']} of {card['labelled']} labelled utterances kept"
        lines = [
            f"weak-label: {done} ({counts}{more})",
            f"  output    {self.out}",
            f"  dropped   {drops or 'nothing'}",
        ]
        for pair, found in card.get("agreement", {}).items():
            lines.append(f"  agreement {pair}: kappa {found['kappa']}, equal {found['equal']}")
        if (human := card.get("human")) is not None:
            lines += [f"  human     {what}: {_compared(human[what])}" for what in ("labelled", "kept")]
        if hours := card["audio_hours"]:
            lines.append(f"  audio     {hours:.3g} hours{self._speed(hours)}")
        lines.append(f"  time      {self.seconds:.1f} s{self._steps()}")
        return "\n".join(lines)

    def _speed(self, hours: float) -> str:
        """Hours of audio an hour: of the whole run, or of the steps that are all this run's own.

        What an earlier run did would be in the hours and not in the seconds.
        """
        own = {name: seconds for name, seconds in self.step_seconds.items() if name not in self.resumed and seconds}
        if not own:
            return ""
        if not self.resumed:
            return f", {_an_hour(hours, self.seconds)} hours of audio an hour"
        told = ", ".join(f"{name} {_an_hour(hours, seconds)}" for name, seconds in own.items())
        return f", hours of audio an hour: {told}; of the other steps something was there already"

    def _steps(self) -> str:
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.step_seconds.items())
        return f" ({steps})" if steps else ", it was there already"


def _an_hour(hours: float, seconds: float) -> str:
    return f"{3600 * hours / seconds:.3g}"


def _compared(found: dict[str, Any]) -> str:
    if "UAR" not in found:
        return "none with a human label"
    interval = "[{:.3f}, {:.3f}]".format(*found["UAR_95"]) if "UAR_95" in found else ""
    return f"{found['utterances']} with human labels: UAR {found['UAR']:.3f} {interval}, kappa {found['kappa']}"
