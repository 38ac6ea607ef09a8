"""The stage from unlabelled speech, or text, to a weakly labelled corpus."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from zero_shot_emotion import __version__, recognition
from zero_shot_emotion.corpus import CARD, MANIFEST, Corpus, Utterance
from zero_shot_emotion.corpus.convert import place
from zero_shot_emotion.corpus.corpus import load_card, write_corpus
from zero_shot_emotion.corpus.stage import AUDIO, StageError, inherited, local_executor
from zero_shot_emotion.corpus.unfinished import unfinished
from zero_shot_emotion.taxonomy import Taxonomy, load_taxonomy

from . import segment
from .acoustic_view import acoustic_view
from .agreement import between_labellers, with_humans
from .asr import GIVEN
from .chunks import LabelTask, into_chunks, read_scores
from .errors import WeakLabelError
from .labeller import DIGITS, LABELLERS, Array, LabellerSpec, distinct_turns, reads_labels
from .noise import Mask, control, correct, entropies, margins
from .settings import WeakLabelSettings
from .sound import MeasureTask, in_words
from .sound_item import sound_items
from .steps import STEPS, Steps
from .summary import WeakLabelReport
from .transcripts import transcribe
from .turn import Turn, turns_of

ANSWERS = "raw"
"""Where answers lie that cost money; nothing throws them away."""
WEAK = "Labels that no listener gave: models read them from transcripts. Expect many to be wrong."
TRANSCRIBED = "Labels and utterances are the source's own, all of them; only the words are new, see transcript_source."
CHECKED = "Labels that the source had, held against what labellers read from the words."
NULL_TEXTS = ("", "N/A", "[MASK]")
"""Premises that say nothing (Zhao et al. 2021)."""


def weak_label(
    source: Corpus,
    out: str | Path,
    settings: WeakLabelSettings,
    *,
    workers: int = 1,
    skip_errors: bool = False,
    overwrite: bool = False,
    executor: Executor | None = None,
) -> WeakLabelReport:
    """Label a corpus or a folder of recordings without a listener.

    Args:
        source: with audio, text, or both; its own labels become ``human_label`` and decide nothing, unless a labeller
            reads them. If that one is alone, and nothing is cut or dropped, they stay: the corpus only gets words.
        out: the folder of the new corpus. Each line has ``label``, ``scores`` (of the whole taxonomy), ``margin``,
            ``entropy``, ``labeller``, ``transcript_source``, and where there are several labellers ``labels`` of each.
        settings: see `generation.weak_labels.settings`.
        workers: processes on this machine, where no executor is given. Each loads its own models.
        skip_errors: leave out what cannot be read, and count it.
        overwrite: replace the corpus of another run; the steps that fit are used again.
        executor: any `concurrent.futures.Executor`.

    Raises:
        WeakLabelError: if nothing can be labelled, all labellers read labels that are there, to drop by them, or a
            model of the hub cannot be had.
        StageError: if recordings failed, or the folder holds another run.
    """
    out, start = Path(out), time.monotonic()
    _check_labellers(settings)
    taxonomy = load_taxonomy(settings.taxonomy)
    fingerprint = _fingerprint(source, settings, taxonomy)
    if (card := _finished(out, fingerprint, overwrite)) is not None:
        return WeakLabelReport(out, card, {}, time.monotonic() - start)
    if not any((out / STEPS).glob("*")):  # a run that goes on may need no model
        _expect_models(settings)
    with unfinished(out, "weak-label"), local_executor(1 if executor else workers) as local:
        run = _Run(source, settings, taxonomy, Steps(out, executor or local, skip_errors))
        card = run.write(out, fingerprint)
    return WeakLabelReport(out, card, run.steps.seconds, time.monotonic() - start, frozenset(run.steps.resumed))


@dataclass(frozen=True)
class _Labelled:
    """What labellers make of the utterances that the first of them answers.

    Attributes:
        utterances: in the order of the corpus.
        tables: each labeller's distributions, corrected by its prior, shape (utterances, classes).
        priors: of the labellers, where they are corrected.
        drops: how many utterances have no words, or no answer.
    """

    utterances: list[Utterance]
    tables: dict[str, Array]
    priors: dict[str, Array | None]
    drops: dict[str, int]

    @property
    def scores(self) -> Array:
        """Of the first labeller, who gives the labels."""
        return next(iter(self.tables.values()))


@dataclass
class _Run:
    source: Corpus
    settings: WeakLabelSettings
    taxonomy: Taxonomy
    steps: Steps

    def write(self, out: Path, fingerprint: str) -> dict[str, Any]:
        """Do all steps and write the corpus."""
        corpus, failed = self._segment()
        corpus, unheard, hours = transcribe(corpus, self.settings.transcripts, self.steps)
        if self.settings.keeps_labels:
            card = {**self._origin(), "drops": unheard, "audio_hours": round(hours, 6), "fingerprint": fingerprint}
            return self._write_transcribed(corpus, out, card)
        measures = self._measure(corpus)
        sounds = in_words(corpus.utterances, measures) if measures else {}
        labelled = self._labelled(corpus, *self._label(corpus, sounds))
        kept, drops = self._control(labelled, measures)
        lines = self._lines(labelled, kept, sounds)
        _place_audio(corpus, lines, out)
        card = {
            **self._origin(),
            "labelled": len(labelled.utterances),
            "distinct_transcripts": len({u.text for u in labelled.utterances}),
            "drops": {**failed, **unheard, **labelled.drops, **drops},
            "audio_hours": round(hours, 6),
            **self._findings(labelled, kept),
            "fingerprint": fingerprint,
        }
        return write_corpus(out, lines, card)

    def _write_transcribed(self, corpus: Corpus, out: Path, card: dict[str, Any]) -> dict[str, Any]:
        """Write all utterances, those without words too: what a recogniser hears must not choose what is tested."""
        lines = list(corpus)
        wordless = sum(not (line.text and line.text.strip()) for line in lines)
        if wordless == len(lines):
            raise self._no_words()
        _place_audio(corpus, lines, out)
        return write_corpus(out, lines, {**card, "without_words": wordless})

    def _no_words(self) -> WeakLabelError:
        return WeakLabelError(f"corpus {self.source.name!r}: no utterance has words, expected a transcript of some")

    def _origin(self) -> dict[str, Any]:
        """What the card says of where the corpus comes from."""
        versions = {"zero_shot_emotion": __version__}
        for labeller in self.settings.labellers:
            versions |= LABELLERS.find(labeller.kind).versions()
        classes = {
            "labels": list(self.taxonomy.names),
            "taxonomy": self.taxonomy.model_dump(exclude={"unavailable", "classes"}),
        }
        name, description = self._kind()
        return {
            **inherited(self.source.card),
            "name": f"{self.source.name}-{name}",
            "stage": "weak-label",
            "description": description,
            **({} if self.settings.keeps_labels else classes),
            "config": self.settings.model_dump(mode="json", exclude_none=True),
            "source": {"name": self.source.name, "fingerprint": self.source.card.get("fingerprint")},
            "versions": dict(sorted(versions.items())),
        }

    def _kind(self) -> tuple[str, str]:
        """What the corpus is called, and what the card says of its labels."""
        if self.settings.keeps_labels:
            return "transcribed", TRANSCRIBED
        return ("checked", CHECKED) if self._reads_labels() else ("weak", WEAK)

    def _reads_labels(self) -> bool:
        return any(reads_labels(labeller.kind) for labeller in self.settings.labellers)

    def _findings(self, labelled: _Labelled, kept: Mask) -> dict[str, Any]:
        """What the card says of how labellers, and human labels where there were any, compare."""
        found: dict[str, Any] = {"mean_distribution": self._named(labelled.scores.mean(axis=0))}
        prior = next(iter(labelled.priors.values()))
        if prior is not None:
            found["prior"] = self._named(prior)
        if len(labelled.tables) > 1:
            found["agreement"] = between_labellers(labelled.tables)
        if self._reads_labels():  # what was chosen by labels cannot be compared with them
            return found
        utterances = labelled.utterances
        human = [u.label for u in utterances]
        compared = with_humans(human, labelled.scores, kept, self.taxonomy.label_set(), _groups(utterances))
        return found if compared is None else {**found, "human": compared}

    def _labelled(
        self, corpus: Corpus, scores: Mapping[str, Mapping[str, Array]], nulls: Mapping[str, Array]
    ) -> _Labelled:
        """What there is to choose from, corrected.

        Raises:
            WeakLabelError: if it is nothing.
        """
        first = next(iter(scores))
        spoken = [u for u in corpus if u.id in scores[first]]
        if not spoken:
            raise self._no_words()
        utterances = [u for u in spoken if not np.isnan(scores[first][u.id]).any()]
        if not utterances:
            raise WeakLabelError(f"corpus {self.source.name!r}: {first} labels none of its {len(spoken)} utterances")
        tables = {name: np.array([rows[u.id] for u in utterances]) for name, rows in scores.items()}
        priors = {name: self._prior(table, nulls.get(name)) for name, table in tables.items()}
        corrected = {name: correct(table, priors[name]) for name, table in tables.items()}
        drops = {"no words": len(corpus) - len(spoken), f"no answer of {first}": len(spoken) - len(utterances)}
        return _Labelled(utterances, corrected, priors, drops)

    def _segment(self) -> tuple[Corpus, dict[str, int]]:
        settings = self.settings.segments
        if settings is None:
            return self.source, {}
        items = sound_items(self.source)
        if not items:
            raise WeakLabelError(f"corpus {self.source.name!r}: has no audio to cut, expected segments: null")
        card = {**settings.model_dump(), "versions": segment.versions()}
        segments, report = self.steps.run("segment", items, segment.SegmentTask(settings), card)
        failed = {"bad recordings": len(report.failures)} if report.failures else {}
        return Corpus(self.source.name, segments.root, segments.utterances, self.source.card), failed

    def _measure(self, corpus: Corpus) -> dict[str, dict[str, Any]]:
        """Measures of the sound by id, where they are asked for."""
        if not self.settings.hears:
            return {}
        items = sound_items(corpus)
        if not items:
            raise WeakLabelError(f"corpus {self.source.name!r}: has no audio, expected a config without sound")
        lines, _ = self.steps.run("measure", items, MeasureTask(), {})
        return {line.id: line.extra for line in lines}

    def _label(self, corpus: Corpus, sounds: Mapping[str, str]) -> tuple[dict[str, dict[str, Array]], dict[str, Array]]:
        """Each labeller's distributions by utterance, and what it makes of turns that say nothing."""
        found, nulls = {}, {}
        for labeller in self.settings.labellers:
            told, name = labeller.settings, labeller.title
            heard = sounds if told.sound else None
            turns = turns_of(corpus, told.context, heard, with_labels=reads_labels(labeller.kind))
            rows = self._rows(labeller, name, list(turns.values()))
            found[name] = {utterance: rows[turn.key] for utterance, turn in turns.items()}
            if self.settings.noise.prior == "null":
                silent = [Turn(text=text) for text in NULL_TEXTS]
                nulls[name] = np.array(list(self._rows(labeller, f"{name}-null", silent).values()))
        return found, nulls

    def _rows(self, labeller: LabellerSpec, step: str, turns: list[Turn]) -> dict[str, Array]:
        """A labeller's distributions by the keys of turns."""
        lines, _ = self.steps.run(
            step,
            into_chunks(distinct_turns(turns), self.settings.chunk),
            LabelTask(labeller, self.taxonomy, str(self.steps.out / ANSWERS)),
            {
                "kind": labeller.kind,
                "settings": labeller.settings.model_dump(mode="json"),
                "classes": self.taxonomy.classes,
                **({"files": labeller.contents} if labeller.contents else {}),
            },
            alone=getattr(LABELLERS.find(labeller.kind), "alone", False),
            skip_errors=False,  # a chunk without scores is no bad utterance, but a model that fails
        )
        return read_scores(lines, len(self.taxonomy.names))

    def _prior(self, table: Array, null: Array | None) -> Array | None:
        """What a labeller's distributions are divided by."""
        if self.settings.noise.prior == "none":
            return None
        said = table if null is None else null
        known = said[~np.isnan(said).any(axis=1)]
        if not len(known):
            raise WeakLabelError("noise.prior: null: a labeller gives turns without words no distribution; take mean")
        return np.asarray(known.mean(axis=0))

    def _control(self, labelled: _Labelled, measures: Mapping[str, Mapping[str, Any]]) -> tuple[Mask, dict[str, int]]:
        noise, names, utterances = self.settings.noise, list(labelled.tables), labelled.utterances
        if noise.confident_learning == "acoustics":
            labels, classes = labelled.scores.argmax(axis=1).tolist(), len(self.taxonomy.names)
            view: Array | None = acoustic_view(utterances, labels, classes, measures, self.settings.seed)
        else:
            view = labelled.tables.get(noise.confident_learning or "")
        others = {name: labelled.tables[name] for name in names[1:]}
        return control(noise, labelled.scores, others, view, [u.id for u in utterances])

    def _lines(self, labelled: _Labelled, kept: Mask, sounds: Mapping[str, str]) -> list[Utterance]:
        margin, entropy = margins(labelled.scores), entropies(labelled.scores)
        lines = []
        for i in np.flatnonzero(kept).tolist():
            utterance, given = labelled.utterances[i], self._given(labelled, i)
            changes = {
                "label": next(iter(given.values())),
                "human_label": utterance.label,
                "scores": self._named(labelled.scores[i]),
                "margin": round(float(margin[i]), DIGITS),
                "entropy": round(float(entropy[i]), DIGITS),
                "labeller": next(iter(given)),
                "labels": given if len(given) > 1 else None,
                "sound": sounds.get(utterance.id),
            }
            lines.append(utterance.with_(**{key: value for key, value in changes.items() if value is not None}))
        return lines

    def _given(self, labelled: _Labelled, i: int) -> dict[str, str | None]:
        """Each labeller's label for an utterance, None where it gives none."""
        rows = {name: table[i] for name, table in labelled.tables.items()}
        return {n: None if np.isnan(row).any() else self.taxonomy.names[int(row.argmax())] for n, row in rows.items()}

    def _named(self, row: Array) -> dict[str, float]:
        return {name: round(float(p), DIGITS) for name, p in zip(self.taxonomy.names, row, strict=True)}


def _place_audio(corpus: Corpus, lines: list[Utterance], out: Path) -> None:
    """Link the audio of what is kept into the corpus, in the lines too."""
    shutil.rmtree(out / AUDIO, ignore_errors=True)
    for i, line in enumerate(lines):
        if line.file_name is None:
            continue
        path = corpus.audio_path(line)
        file_name = f"{AUDIO}/{line.id}{path.suffix}"
        place(path, out / file_name, "link")
        lines[i] = line.with_(file_name=file_name)


def _groups(utterances: list[Utterance]) -> list[str] | None:
    """Speakers if all are known, else dialogues, else nothing."""
    for key in ("speaker", "dialogue"):
        values = [getattr(u, key) for u in utterances]
        if all(values):
            return values
    return None


def _check_labellers(settings: WeakLabelSettings) -> None:
    """Refuse labellers that would only repeat what is there.

    Raises:
        WeakLabelError: if there is no other.
    """
    if not settings.keeps_labels and all(reads_labels(labeller.kind) for labeller in settings.labellers):
        listed = ", ".join(labeller.title for labeller in settings.labellers)
        raise WeakLabelError(
            f"labellers: got {listed} alone, expected one beside it that reads the words: a corpus's own labels are "
            "there to be held against others; or one labeller without segments and noise, who leaves them as they are"
        )


def _expect_models(settings: WeakLabelSettings) -> None:
    """Raise where a model of the hub cannot be had, before hours of work that come before it.

    Raises:
        PretrainedError: naming setting and model.
    """
    if settings.transcripts.engine != GIVEN:
        recognition.expect_models(settings.transcripts.engine, settings.transcripts.settings)
    for labeller in settings.labellers:
        labeller.expect_models()


def _fingerprint(source: Corpus, settings: WeakLabelSettings, taxonomy: Taxonomy) -> str:
    digest = sha256(settings.model_dump_json().encode() + taxonomy.model_dump_json().encode())
    for labeller in settings.labellers:
        digest.update("".join(labeller.contents).encode())
    if settings.transcripts.file is not None and settings.transcripts.file.is_file():  # that it is none is said later
        digest.update(settings.transcripts.file.read_bytes())
    for utterance in source:
        digest.update(utterance.to_line().encode())
    return digest.hexdigest()[:16]


def _finished(out: Path, fingerprint: str, overwrite: bool) -> dict[str, Any] | None:
    """The card of a corpus that this very run completed before, None if there is something left to do."""
    ours = (out / STEPS).is_dir()
    if (out / CARD).exists():
        card = load_card(out)
        if card.get("fingerprint") == fingerprint:
            return card
    elif not (out / MANIFEST).exists() or ours:
        return None
    if not overwrite:
        raise StageError(
            f"{out} holds the output of another run (its config or its input differ): choose another folder, or "
            "replace that corpus with --overwrite; the steps that fit are used again"
        )
    (out / CARD).unlink(missing_ok=True)
    return None
