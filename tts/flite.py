"""Flite, where its program is installed: small English voices of 2000s quality, unlike any others in timbre.

Flite knows ASCII alone and leaves out every other letter without a word: "café" is "caf" to it. So it gets "cafe".
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from anyascii import anyascii

from zero_shot_emotion.audio import Audio, read_audio

from .engine import Settings, SpeechError, Voice
from .voice_list import VoiceFacts, VoiceList, check_voice, in_one_language, read_voices

BUILT_IN = {
    "awb": VoiceFacts(gender="male", language="en-gb-scotland"),
    "kal": VoiceFacts(gender="male", language="en-us"),
    "kal16": VoiceFacts(gender="male", language="en-us"),
    "rms": VoiceFacts(gender="male", language="en-us"),
    "slt": VoiceFacts(gender="female", language="en-us"),
}
"""The voices that flite comes with, less awb_time, which can only tell the time (http://cmuflite.org)."""


class FliteSettings(Settings):
    """What the engine ``flite`` can be told.

    Attributes:
        program: by name or path.
        voices: instead of those that the program comes with: paths of ``.flitevox`` files, with gender and language.
        timeout: seconds that an utterance may take.
    """

    program: str = "flite"
    voices: VoiceList | None = None
    timeout: float = 60.0


class Flite:
    """The engine ``flite``."""

    Settings = FliteSettings

    def __init__(self, settings: FliteSettings) -> None:
        self.settings = settings

    @classmethod
    def finding(cls) -> str:
        """What the doctor says of it."""
        engine = cls(FliteSettings())
        return f"{engine.version}, {len(engine.voices())} voices"

    @cached_property
    def version(self) -> str:
        said = self._run("--version").stdout.decode(errors="replace")
        return next((line.split("version:")[1].strip() for line in said.splitlines() if "version:" in line), "unknown")

    def voices(self) -> Sequence[Voice]:
        return self._voices

    @cached_property
    def _voices(self) -> list[Voice]:
        if self.settings.voices is not None:
            facts = dict(read_voices(self.settings.voices))
            return in_one_language(facts, facts, "en")
        listed = self._run("-lv").stdout.decode(errors="replace").partition(":")[2].split()
        return in_one_language(sorted(BUILT_IN.keys() & {*listed}), BUILT_IN, "en")

    def speak(self, text: str, voice_id: str) -> Audio:
        check_voice("flite", voice_id, (voice.id for voice in self._voices))
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "speech.wav")
            done = self._run("-voice", voice_id, "-t", anyascii(text), "-o", str(out))
            if done.returncode or not out.is_file():
                said = done.stderr.decode(errors="replace").strip()[-200:]
                raise SpeechError(f"flite: voice {voice_id!r}: exit status {done.returncode} on {text!r}: {said}")
            return read_audio(out, rate=None)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        program = shutil.which(self.settings.program)
        if program is None:
            raise SpeechError(
                f"flite: no program {self.settings.program!r} on the path, expected flite 2 (apt install flite)"
            )
        try:
            return subprocess.run(
                [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=self.settings.timeout
            )
        except subprocess.TimeoutExpired:
            raise SpeechError(f"flite: took over {self.settings.timeout} s for {arguments}") from None
