"""espeak-ng, out of the espeakng-loader wheel: no download, no program, over a hundred languages.

A voice is named wholly by its id, such as ``en-us+f3/p50/r175``: the language or accent, the variant
(espeak-ng's word for a speaker's timbre), the base pitch on espeak-ng's scale from 0 to 99 (50: the
variant's own; ten steps are about a tenth of F0) and the pace in words per minute.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import IO, Any, Literal, NamedTuple, cast

import numpy as np

from zero_shot_emotion.audio import SILENCE_DB, Audio

from .engine import SpeechError, Voice

# The variants whose files state a gender, less those that sound like no person (whisper, whisperf,
# croak, Demonic, UniRobot, anikaRobot, AnxiousAndy), that overload the synthesiser on its default
# level (antonio, Marco, Storm, steph2, steph3), or that lie over 10 dB below all others above 1 kHz
# (anika, steph, Lee). The klatt variants draw their noise from the C library's generator: two runs
# differ.
FEMALE = ("Alicia", "Andrea", "Annie", "aunty", "belinda", "f1", "f2", "f3", "f4", "f5", "grandma", "linda")
MALE = (
    *("Andy", "Denis", "Diogo", "Henrique", "Hugo", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"),
    *("michel", "miguel", "sandro", "travis", "victor"),
)
VARIANTS: Mapping[str, Literal["female", "male"]] = {
    **dict.fromkeys(FEMALE, "female"),
    **dict.fromkeys(MALE, "male"),
}
SETTINGS = {
    "female": ((40, 160), (50, 190), (60, 175)),
    "male": ((50, 190), (60, 160), (70, 175)),
}
"""Pitch and pace of the listed voices. espeak-ng's men are low: at pitch 50 to 70 their median F0 is 86 to
135 Hz, the women's at 40 to 60 is 155 to 275 Hz."""

OTHER_SCRIPTS = re.compile(r"-(latn|shaw)\b")
"""Voice files that want a romanised text or a special alphabet; left out."""

VOICE_ID = re.compile(r"(?P<language>[a-z0-9-]+)\+(?P<variant>\w+)/p(?P<pitch>\d{1,2})/r(?P<rate>\d{2,3})")
PACE = range(80, 451)
"""What espeak-ng's rate parameter takes, in words per minute."""
VOLUME = 50
"""Half of espeak-ng's default: its gain control, which pumps when the wave is too large, stays idle."""

LIFE = 500
"""Requests after which the speaking process is replaced: it leaks up to 180 kB at each."""


class EspeakVoice(NamedTuple):
    """The parts of a voice id."""

    language: str
    variant: str
    pitch: int
    rate: int

    def __str__(self) -> str:
        return f"{self.language}+{self.variant}/p{self.pitch}/r{self.rate}"

    @classmethod
    def parse(cls, voice_id: str) -> EspeakVoice:
        """Take an id apart.

        Raises:
            SpeechError: on another form, an unknown variant, or a pace out of range.
        """
        match = VOICE_ID.fullmatch(voice_id)
        if match is None:
            raise SpeechError(f"espeak-ng: voice {voice_id!r}: expected a form like 'en-us+f3/p50/r175'")
        voice = cls(match["language"], match["variant"], int(match["pitch"]), int(match["rate"]))
        if voice.variant not in VARIANTS:
            known = ", ".join(VARIANTS)
            raise SpeechError(f"espeak-ng: voice {voice_id!r}: unknown variant, expected one of {known}")
        if voice.rate not in PACE:
            raise SpeechError(
                f"espeak-ng: voice {voice_id!r}: got {voice.rate} words a minute, expected {PACE[0]} to {PACE[-1]}"
            )
        return voice


class EspeakNg:
    """The engine ``espeak-ng``."""

    def __init__(self) -> None:
        self._speaker = _Speaker()

    @classmethod
    def finding(cls) -> str:
        """What the doctor says of it."""
        voices = cls().voices()
        return f"{len(voices)} voices in {len({voice.language for voice in voices})} languages"

    @cached_property
    def version(self) -> str:
        import ctypes

        import espeakng_loader

        info = ctypes.CDLL(espeakng_loader.get_library_path()).espeak_Info
        info.restype = ctypes.c_char_p
        return str(info(None).decode())

    @cached_property
    def _languages(self) -> dict[str, str]:
        return _languages(_data_path() / "lang")

    def voices(self) -> Sequence[Voice]:
        return [
            Voice(str(EspeakVoice(language, variant, pitch, rate)), language, gender)
            for language in self._languages
            for variant, gender in VARIANTS.items()
            for pitch, rate in SETTINGS[gender]
        ]

    def speak(self, text: str, voice_id: str) -> Audio:
        voice = EspeakVoice.parse(voice_id)
        if voice.language not in self._languages:
            known = ", ".join(self._languages)
            raise SpeechError(f"espeak-ng: voice {voice_id!r}: unknown language, expected one of {known}")
        if not text.strip():
            raise SpeechError("espeak-ng: the text is empty, expected words to speak")
        audio = self._speaker.ask(
            voice=f"{self._languages[voice.language]}+{voice.variant}",
            pitch=voice.pitch,
            rate=voice.rate,
            volume=VOLUME,
            text=text,
        )
        if not len(audio.wave) or np.abs(audio.wave).max() < 10 ** (SILENCE_DB / 20):
            raise SpeechError(f"espeak-ng: voice {voice_id!r} has no sound for the text {text!r}")
        return audio


class _Speaker:
    """The process that holds the library, see `tts.espeak_process`: started at need, replaced when it has aged."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._asked = 0

    def ask(self, **request: Any) -> Audio:
        """Have a request spoken; one at a time.

        Raises:
            SpeechError: if espeak-ng refuses it or crashes.
        """
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._asked >= LIFE:
                self._process = self._start()
            self._asked += 1
            try:
                answer, samples = _exchange(self._process, request)
            except (OSError, ValueError):
                self._stop()
                raise SpeechError(f"espeak-ng: voice {request['voice']!r}: crashed on {request['text']!r}") from None
            except BaseException:  # an interrupt leaves an answer behind that the next request must not take
                self._stop()
                raise
        if "error" in answer:
            raise SpeechError(f"espeak-ng: {answer['error']}")
        return Audio(np.frombuffer(samples, dtype="<i2").astype(np.float32) / 32768, answer["rate"])

    def _start(self) -> subprocess.Popen[bytes]:
        import espeakng_loader

        self._stop()
        script = Path(__file__).with_name("espeak_process.py")
        paths = (espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
        self._owner, self._asked = os.getpid(), 0
        command = [sys.executable, "-I", "-S", script, *paths]
        # A group of its own: Ctrl-C is meant for the run, and ends this process with its input.
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)

    def _stop(self) -> None:
        """End the process by ending its input; one that was inherited by a fork is its owner's."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.communicate()

    def __del__(self) -> None:
        self._stop()


def _exchange(process: subprocess.Popen[bytes], request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Send a request and read the answer; ValueError or OSError where the process has died."""
    stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    stdin.write(json.dumps(request).encode() + b"\n")
    stdin.flush()
    answer = json.loads(stdout.readline())
    samples = stdout.read(answer.get("bytes", 0))
    if len(samples) < answer.get("bytes", 0):
        raise ValueError("the answer is cut short")
    return answer, samples


def _data_path() -> Path:
    import espeakng_loader

    return Path(espeakng_loader.get_data_path())


def _languages(folder: Path) -> dict[str, str]:
    """The tag that each voice file states first, and the file relative to the folder."""
    languages: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        tag = re.search(r"^language\s+(\S+)", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if tag is not None and not OTHER_SCRIPTS.search(path.name.lower()):
            languages.setdefault(tag[1].lower(), path.relative_to(folder).as_posix())
    return dict(sorted(languages.items()))
