"""What a corpus holds, and what of its audio cannot be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from ..audio import AudioError, check_audio, read_audio
from .corpus import Corpus
from .utterance import Utterance

THREADS = 4


def check_all_audio(corpus: Corpus, min_seconds: float = 0.1) -> tuple[dict[str, AudioError], float]:
    """Read all audio of a corpus.

    Returns:
        what is wrong by utterance id, and the seconds of speech that are fine.
    """
    from tqdm import tqdm

    def check(utterance: Utterance) -> AudioError | float:
        try:
            audio = read_audio(corpus.audio_path(utterance), rate=None)
            check_audio(audio, utterance.id, min_seconds)
        except AudioError as error:
            return error
        return audio.seconds

    spoken = [u for u in corpus if u.file_name is not None]
    problems: dict[str, AudioError] = {}
    seconds = 0.0
    with ThreadPoolExecutor(THREADS) as pool:
        for utterance, found in zip(
            spoken, tqdm(pool.map(check, spoken), total=len(spoken), desc="read audio", unit="file"), strict=True
        ):
            if isinstance(found, AudioError):
                problems[utterance.id] = found
            else:
                seconds += found
    return problems, seconds


def summarise(corpus: Corpus) -> dict[str, str]:
    """One screen of facts from the manifest alone; what is counted is utterances."""
    with_audio = sum(u.file_name is not None for u in corpus)
    words = [len(u.text.split()) for u in corpus if u.text]
    facts = {
        "name": corpus.name,
        "folder": str(corpus.root),
        "utterances": f"{len(corpus)}, {with_audio} with audio, {len(words)} with text",
        "labels": _counted(u.label for u in corpus),
        "splits": _counted(u.split for u in corpus),
        "speakers": _distinct(u.speaker for u in corpus),
        "genders": _counted(u.gender for u in corpus),
        "dialogues": _distinct(u.dialogue for u in corpus),
        "languages": _counted(u.language for u in corpus),
    }
    if words:
        facts["words"] = f"{sum(words)}, {sum(words) / len(words):.1f} an utterance"
    if corpus.card.get("drops"):
        facts["dropped"] = ", ".join(f"{reason} {count}" for reason, count in corpus.card["drops"].items())
    return facts


def _counted(values: Iterable[str | None]) -> str:
    counts = Counter(value for value in values if value is not None)
    return ", ".join(f"{value} {count}" for value, count in sorted(counts.items())) or "not given"


def _distinct(values: Iterable[str | None]) -> str:
    return str(len({value for value in values if value is not None}) or "not given")
