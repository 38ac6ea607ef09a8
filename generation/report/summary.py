"""The report on one screen of a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from .report import ALL, Report


def summarise(report: Report) -> str:
    """The headline numbers, a line each."""
    rows = list(_rows(report))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    card = report.card
    yield "corpus", f"{card.name}, {card.utterances} utterances in {card.dialogues} dialogues"
    if labels := card.counts.get("label"):
        yield "labels", ", ".join(f"{label} {count}" for label, count in labels.items())
    for name, found in (("words", report.words), ("seconds", report.seconds)):
        if found:
            group = found.groups[ALL]
            yield (
                name,
                f"{group.median:.3g} in the median, {group.min:.3g} to {group.max:.3g}{_published(report, name)}",
            )
    for corpus in report.variety.corpora:
        distinct = ", ".join("n/a" if d is None else f"{d:.3f}" for d in corpus.distinct)
        bleu = "n/a" if corpus.self_bleu is None else f"{corpus.self_bleu:.3f}"
        yield (
            f"variety of {corpus.name}",
            f"distinct-1/2/3 {distinct}, self-BLEU {bleu} (on {report.variety.sample} lines)",
        )
    yield "repeated lines", f"{report.repeats.exact} exactly, {report.repeats.near} nearly"
    if report.scenarios and report.scenarios.v is not None:
        yield (
            "scenario tells label",
            f"Cramér's V {report.scenarios.v:.3f}, by chance {report.scenarios.v_by_chance:.3f}",
        )
    if report.surface:
        yield "surface tells label", f"UAR {report.surface.uar:.3f}, by chance {report.surface.chance:.3f}"
    if report.naming:
        own, lines = (sum(getattr(n, what) for n in report.naming.values()) for what in ("own", "lines"))
        yield "name their emotion", f"{own} of {lines} lines"
    for check in report.contamination:
        yield f"lines of {check.name}?", check.sentence


def _published(report: Report, name: str) -> str:
    """What a datasheet says of the same."""
    if report.published is None:
        return ""
    low, middle, high = getattr(report.published, name)
    return f" (published: about {middle:.2g}, {low:.2g} to {high:.2g})"
