"""The report on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from .features import ALL, CEPSTRUM, SOUND, SPEECH
from .realness import EVERY
from .report import CorpusInNumbers, SpeechReport


def summarise(report: SpeechReport) -> str:
    """The headline numbers, a line each."""
    rows = [row for corpus in report.corpora for row in _rows(corpus)]
    rows += [
        (f"{pair.corpus} or {pair.real}?", f"AUC {_shown(pair.auc[SPEECH][EVERY])} (.5: cannot be told apart)")
        for pair in report.realness
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _rows(corpus: CorpusInNumbers) -> Iterator[tuple[str, str]]:
    counts = ", ".join(f"{label} {count}" for label, count in corpus.counts.items())
    dropped = f"; left out: {', '.join(f'{r} {c}' for r, c in corpus.drops.items())}" if corpus.drops else ""
    yield corpus.name, f"{corpus.utterances} utterances ({counts}), {corpus.hours:.2f} h{dropped}"
    for name in (ALL, SOUND, CEPSTRUM):
        told = corpus.told[name]
        if told is None:
            continue
        yield (
            f"  class from {name}",
            f"UAR {told.uar}, chance {1 / len(told.recall):.3f}, labels shuffled {told.shuffled:.3f}, p {told.p:.2f}",
        )
    if judged := verdict(corpus):
        yield "  verdict", judged[1]
    if found := corpus.voice_label:
        yield (
            f"  class from the {found.by}",
            f"Cramér's V {found.v:.3f}, by chance {found.v_by_chance:.3f}, p {found.p:.2f}",
        )


def verdict(corpus: CorpusInNumbers) -> tuple[str, str] | None:
    """Whether neutral speech gives the class away: no, perhaps or yes, and why; None where emotion may tell."""
    above = {name for name, told in corpus.told.items() if told and told.above_chance}
    if not corpus.neutral or corpus.told[ALL] is None:
        return None
    if above & {SOUND, CEPSTRUM}:
        return (
            "yes",
            "neutral speech gives the class away: p is small and the interval above chance. Look first at "
            "the text, its length and punctuation; what words sound like stays, so hold emotional speech against "
            "its control (inject --neutral), which says the same words",
        )
    if above & {ALL, "timing"}:
        return (
            "perhaps",
            "neutral speech gives the class away by its timing alone: some classes' lines are longer",
        )
    return "no", "neutral speech is at chance, as it must be"


def _shown(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
