"""Where the words of utterances come from: one's own file, the corpus, or a speech recogniser."""

from __future__ import annotations

import json
from pathlib import Path

from zero_shot_emotion.corpus import Corpus

from .asr import GIVEN, TranscribeTask, describe
from .errors import WeakLabelError
from .settings import Transcripts
from .sound_item import durations, sound_batches, sound_items
from .steps import Steps
from .tables import read_table

BAD_AUDIO = "bad audio"
SHOWN = 3


def transcribe(corpus: Corpus, settings: Transcripts, steps: Steps) -> tuple[Corpus, dict[str, int], float]:
    """The corpus with words, each line saying where they come from in ``transcript_source``.

    Returns:
        the corpus without what has bad audio, how many that costs, and the hours of audio that are left.

    Raises:
        WeakLabelError: if audio is bad and is not to be skipped.
    """
    own = {} if settings.file is None else read_transcripts(settings.file)
    sources = dict.fromkeys(own, "file")
    if settings.file is not None and not any(u.id in own for u in corpus):
        raise WeakLabelError(
            f"{settings.file}: none of its {len(own)} ids is in the corpus {corpus.name!r}, whose ids are such as "
            f"{next((u.id for u in corpus), None)!r}"
        )
    seconds, failures = durations(corpus)
    if settings.engine == GIVEN:
        given = {u.id: u.text for u in corpus if u.text and u.id not in own}
        own, sources = own | given, sources | dict.fromkeys(given, GIVEN)
    else:
        told = json.dumps(settings.settings, sort_keys=True)
        items = [item for item in sound_items(corpus) if item.id not in own and item.id not in failures]
        lines, _ = steps.run(
            "transcribe",
            sound_batches(items, settings.batch, seconds),
            TranscribeTask(settings.engine, told),
            describe(settings.engine, settings.settings),
        )
        failures |= {line.id: line.extra["failure"] for line in lines if "failure" in line.extra}
        heard = {line.id: line.text or "" for line in lines if line.id not in failures}
        own, sources = own | heard, sources | dict.fromkeys(heard, settings.engine)
    if failures and not steps.skip_errors:
        listed = "; ".join(list(failures.values())[:SHOWN])
        raise WeakLabelError(
            f"corpus {corpus.name!r}: bad audio: {len(failures)} of {len(corpus)} utterances: {listed}. All else is "
            "kept; mend the audio and run again, or leave it out with --skip-errors"
        )
    utterances = tuple(
        u.with_(text=own.get(u.id), transcript_source=sources.get(u.id)) for u in corpus if u.id not in failures
    )
    hours = sum(length for name, length in seconds.items() if name not in failures) / 3600
    drops = {BAD_AUDIO: len(failures)} if failures else {}
    return Corpus(corpus.name, corpus.root, utterances, corpus.card), drops, hours


def read_transcripts(path: Path) -> dict[str, str]:
    """Transcripts by id.

    Raises:
        WeakLabelError: naming file, line and what was expected.
    """
    found: dict[str, str] = {}
    for number, row in read_table("transcripts.file", path, ("id", "text")):
        if row["id"] in found:
            raise WeakLabelError(
                f"{path}:{number}: id: got {row['id']!r}, expected unique ids, but it was there before"
            )
        found[row["id"]] = row["text"]
    return found
