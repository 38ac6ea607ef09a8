"""Recordings of corpora for the page: short, mono, compressed, inside the page itself."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from ...audio import RATE, Audio, AudioError, read_audio
from ...corpus import Corpus, Utterance
from ...corpus.readers import open_corpus
from ...errors import UserError

EACH = 4
"""Utterances of a corpus, unless told otherwise."""
LONGEST = 8.0
"""Seconds of a recording that are kept."""
FADE = 0.05
"""Seconds over which a recording that was cut ends."""
MOST_BYTES = 3_000_000
"""Of all recordings together: a page should open at once."""
MP3_QUALITY = 0.6
"""libsndfile's compression level, 0 to 1: about 30 kbit/s for speech at 16 kHz, which is all it needs."""


class SampleError(UserError, ValueError):
    """Samples that cannot be had."""


@dataclass(frozen=True)
class Clip:
    """What one corpus has of an utterance.

    Attributes:
        url: a data URL of the recording; None where the corpus is text, or where it did not fit.
        seconds: of what is in the page.
        cut: whether the recording goes on.
    """

    url: str | None = None
    seconds: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Sample:
    """An utterance with what each corpus has of it, by the corpus's name."""

    id: str
    text: str | None
    label: str | None
    speaker: str | None
    clips: dict[str, Clip]


@dataclass(frozen=True)
class Samples:
    """What to listen to.

    Attributes:
        corpora: their names, in the order in which they were asked for.
        utterances: those of the first corpus first; a stage's utterance stands beside that of the stage before.
        left_out: recordings that could not be read or did not fit, by reason.
        size: of the recordings, in bytes.
    """

    corpora: tuple[str, ...]
    utterances: tuple[Sample, ...]
    left_out: dict[str, int]
    size: int


def read_samples(specs: Sequence[str], most_bytes: int = MOST_BYTES) -> Samples:
    """Choose utterances and put their recordings into data URLs.

    Args:
        specs: a corpus each, as `open_corpus` takes it; ``:NUMBER`` behind it says how many utterances.
        most_bytes: of recordings; what comes later is left out and counted.

    Raises:
        SampleError: on a number that is none, or a corpus without an utterance.
        CorpusError: as `open_corpus` does.
    """
    asked = [_parse(spec) for spec in specs]
    corpora = _named([open_corpus(spec) for spec, _ in asked])
    chosen: dict[str, Utterance] = {}
    for (_, each), corpus in zip(asked, corpora.values(), strict=True):
        chosen |= {u.id: u for u in _choose(corpus, each, tuple(chosen)) if u.id not in chosen}
    recorder = _Recorder(most_bytes)
    utterances = tuple(_sample(utterance, corpora, recorder) for utterance in chosen.values())
    return Samples(tuple(corpora), utterances, recorder.left_out, recorder.size)


def _parse(spec: str) -> tuple[str, int]:
    """Take the number off what names a corpus.

    >>> _parse("emodb:/data/emodb:3")
    ('emodb:/data/emodb', 3)
    >>> _parse("corpora/spoken")
    ('corpora/spoken', 4)
    """
    corpus, _, number = spec.rpartition(":")
    if not corpus or not number.lstrip("-").isdigit():
        return spec, EACH
    if int(number) < 1:
        raise SampleError(f"--samples {spec}: got {number}, expected at least 1 utterance")
    return corpus, int(number)


def _named(corpora: Sequence[Corpus]) -> dict[str, Corpus]:
    """By name; those of a name that was there before, such as two runs of a stage, are numbered."""
    named: dict[str, Corpus] = {}
    for corpus in corpora:
        tries = (f"{corpus.name} ({number})" if number > 1 else corpus.name for number in count(1))
        named[next(name for name in tries if name not in named)] = corpus
    return named


def _choose(corpus: Corpus, each: int, before: Sequence[str]) -> list[Utterance]:
    """So many utterances: those that an earlier stage showed, then the labels in turn, spread over the corpus."""
    own = {u.id: u for u in corpus}
    if not own:
        raise SampleError(f"--samples: the corpus {corpus.name!r} has no utterance")
    known = [own[key] for key in before if key in own]
    if known:
        return known[:each]
    by_label: dict[str | None, list[Utterance]] = {}
    for utterance in corpus:
        by_label.setdefault(utterance.label, []).append(utterance)
    columns = [_spread(by_label[label], each) for label in sorted(by_label, key=str)]
    turns = [column[k] for k in range(each) for column in columns if k < len(column)]
    return turns[:each]


def _spread(utterances: Sequence[Utterance], most: int) -> list[Utterance]:
    places = np.linspace(0, len(utterances), min(most, len(utterances)), endpoint=False).astype(int)
    return [utterances[k] for k in places]


def _sample(utterance: Utterance, corpora: dict[str, Corpus], recorder: _Recorder) -> Sample:
    clips = {}
    for name, corpus in corpora.items():
        found = next((u for u in corpus if u.id == utterance.id), None)
        if found is not None:
            clips[name] = recorder.clip(corpus, found)
    return Sample(utterance.id, utterance.text, utterance.label, utterance.speaker, clips)


class _Recorder:
    """Encodes recordings until the page is full."""

    def __init__(self, most_bytes: int) -> None:
        self.size = 0
        self.left_out: dict[str, int] = {}
        self._most = most_bytes

    def clip(self, corpus: Corpus, utterance: Utterance) -> Clip:
        if utterance.file_name is None:
            return Clip()
        try:
            audio = read_audio(corpus.audio_path(utterance))
        except AudioError as error:
            return self._leave_out(error.reason)
        short = _shorten(audio)
        kind, data = _encode(short)
        if self.size + len(data) > self._most:
            return self._leave_out("no room left")
        self.size += len(data)
        url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
        return Clip(url, short.seconds, short.seconds < audio.seconds)

    def _leave_out(self, reason: str) -> Clip:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1
        return Clip()


def _shorten(audio: Audio) -> Audio:
    most = int(LONGEST * audio.rate)
    if len(audio.wave) <= most:
        return audio
    wave = audio.wave[:most].copy()
    fade = int(FADE * audio.rate)
    wave[-fade:] *= np.linspace(1, 0, fade, dtype=wave.dtype)
    return Audio(wave, audio.rate)


def _encode(audio: Audio) -> tuple[str, bytes]:
    """Its media type and bytes: MP3, which every browser plays; WAV where libsndfile is too old to write it."""
    import soundfile

    file = io.BytesIO()
    wave = np.clip(audio.wave, -1.0, 1.0)
    if "MP3" in soundfile.available_formats():
        soundfile.write(file, wave, RATE, format="MP3", compression_level=MP3_QUALITY, bitrate_mode="VARIABLE")
        return "audio/mpeg", file.getvalue()
    soundfile.write(file, wave, RATE, format="WAV", subtype="PCM_16")
    return "audio/wav", file.getvalue()
