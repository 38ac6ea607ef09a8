"""Coqui's models, through the public ``TTS.api``: one by name, XTTS with reference recordings, or a local checkpoint.

Which voices there are, the model tells (its speakers, or the recordings given); gender and accent come from
a list, see `tts.voice_list`. Models such as VITS sample noise, so every utterance gets its own seed, of the
engine's seed, the voice and the text: the sound depends on neither the order nor the worker. It does depend
on the kind of device, which is part of the version.
"""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from zero_shot_emotion.audio import Audio
from zero_shot_emotion.config_values import ExistingFolder, ExistingPath

from .engine import Settings, SpeechError, Voice
from .voice_list import VoiceFacts, VoiceList, check_voice, in_languages, in_one_language, read_voices

DEFAULT_MODEL = "tts_models/en/vctk/vits"
REFERENCES = (".wav", ".flac", ".ogg")
"""Files of a folder of reference recordings that count as voices."""
LICENCE = "; a model that asks whether its licence is agreed to needs COQUI_TOS_AGREED=1 where nobody can answer"
ONLY_VOICE = "default"
"""The id of the voice of a model that has but one."""


class CoquiSettings(Settings):
    """What the engine ``coqui`` can be told.

    Attributes:
        model: a name that ``tts --list_models`` shows; downloaded when first used.
        model_path: a checkpoint of one's own, instead of a name; for XTTS its folder.
        config_path: the checkpoint's ``config.json``; by default the one beside it.
        speaker_wavs: a folder of recordings, one a voice, for models that clone (XTTS, YourTTS).
        voices: genders and languages, see `tts.voice_list`: only voices of the list are cast. By default
            ``vctk`` for models of that name, and ``voices.yaml`` in the folder of recordings.
        languages: of the model's, those to cast in; by default all.
        language: of a model that has one and does not tell which; by default as in the model's name, or ``en``.
        device: ``auto`` takes a GPU where there is one, each worker another.
        seed: of the noise that models sample.
    """

    model: str = DEFAULT_MODEL
    model_path: ExistingPath | None = None
    config_path: ExistingPath | None = None
    speaker_wavs: ExistingFolder | None = None
    voices: VoiceList | None = None
    languages: tuple[str, ...] | None = None
    language: str | None = None
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    seed: int = 0


class Coqui:
    """The engine ``coqui``."""

    Settings = CoquiSettings

    def __init__(self, settings: CoquiSettings) -> None:
        self.settings = settings

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        return f"coqui-tts {version('coqui-tts')}; a model downloads when first used, or give model_path"

    @cached_property
    def version(self) -> str:
        import torch

        facts = [f"torch {torch.__version__}", "cuda" if self._on_gpu else "cpu"]
        if files := [*self._checkpoint_files(), *self._references.values()]:
            facts.append(f"files {_digest(files)}")
        return f"{version('coqui-tts')} ({', '.join(facts)})"

    def most_workers(self) -> int | None:
        """One worker a GPU; on the CPU as many as one likes, each on one thread."""
        import torch

        return torch.cuda.device_count() if self._on_gpu else None

    def voices(self) -> Sequence[Voice]:
        names, languages = self._names, self._languages
        if languages is None:
            return in_one_language(names, self._facts, self._own_language)
        return in_languages(names, self._facts, languages)

    def speak(self, text: str, voice_id: str) -> Audio:
        check_voice("coqui", voice_id, self._voice_ids)
        name, _, language = voice_id.rpartition("/") if self._languages is not None else (voice_id, "", "")
        arguments: dict[str, Any] = {"language": language} if language else {}
        if name in self._references:
            arguments["speaker_wav"] = str(self._references[name])
        elif name != ONLY_VOICE or self._model.is_multi_speaker:
            arguments["speaker"] = name
        with _seeded(f"{self.settings.seed}\0{voice_id}\0{text}"):
            wave = self._model_on_device.tts(text, split_sentences=False, **arguments)
        # Coqui's padding between sentences, exact zeros, goes: it would be the same in every utterance.
        trimmed = np.trim_zeros(np.asarray(wave, dtype=np.float32), "b")
        if not len(trimmed):
            raise SpeechError(f"coqui: voice {voice_id!r} has no sound for the text {text!r}")
        return Audio(trimmed, int(self._model.synthesizer.output_sample_rate))

    @cached_property
    def _model(self) -> Any:
        from TTS.api import TTS

        try:
            if self.settings.model_path is None:
                return TTS(self.settings.model, progress_bar=False)
            return TTS(model_path=str(self.settings.model_path), config_path=str(self._config_path))
        except Exception as error:  # whatever a download, a broken file or a foreign config raises
            raise SpeechError(
                f"coqui: the model {self.settings.model_path or self.settings.model} cannot be loaded: "
                f"{type(error).__name__}: {error}; expected a name of tts --list_models that can be downloaded, or "
                f"model_path=CHECKPOINT{LICENCE if isinstance(error, EOFError) else ''}"
            ) from error

    @cached_property
    def _model_on_device(self) -> Any:
        return self._model.to(self._device)

    @cached_property
    def _names(self) -> list[str]:
        names = list(self._references) or self._model.speakers or [ONLY_VOICE]
        if not self._facts or names == [ONLY_VOICE]:
            return list(names)
        listed = [name for name in names if name in self._facts]
        if not listed:
            raise SpeechError(f"coqui: the list of voices has none of the model's, such as {names[0]!r}")
        return listed

    @cached_property
    def _voice_ids(self) -> list[str]:
        return [voice.id for voice in self.voices()]

    @cached_property
    def _facts(self) -> Mapping[str, VoiceFacts]:
        settings = self.settings
        if settings.voices is not None:
            return read_voices(settings.voices)
        if settings.speaker_wavs is not None and (settings.speaker_wavs / "voices.yaml").is_file():
            return read_voices(str(settings.speaker_wavs / "voices.yaml"))
        named_vctk = settings.model_path is None and "/vctk/" in settings.model and settings.speaker_wavs is None
        return read_voices("vctk") if named_vctk else {}

    @cached_property
    def _languages(self) -> list[str] | None:
        """Those to cast in, in the model's own tags; None where the model has but one."""
        if not self._model.is_multi_lingual:
            return None
        own = list(self._model.languages)
        if unknown := sorted({*(self.settings.languages or ())} - {*own}):
            raise SpeechError(f"coqui: languages: got {unknown[0]!r}, expected some of {', '.join(own)}")
        return [language for language in own if language in (self.settings.languages or own)]

    @property
    def _own_language(self) -> str:
        named = re.match(r"tts_models/([a-z-]+)/", self.settings.model) if self.settings.model_path is None else None
        return self.settings.language or (named[1] if named else "en")

    @cached_property
    def _references(self) -> dict[str, Path]:
        folder = self.settings.speaker_wavs
        if folder is None:
            return {}
        found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in REFERENCES}
        if not found:
            raise SpeechError(f"coqui: {folder}: no recordings, expected files with {', '.join(REFERENCES)}")
        return found

    @property
    def _config_path(self) -> Path:
        path = self.settings.model_path or Path()
        return self.settings.config_path or (path if path.is_dir() else path.parent) / "config.json"

    def _checkpoint_files(self) -> list[Path]:
        path = self.settings.model_path
        if path is None:
            return []
        weights = sorted(path.glob("*.pth")) if path.is_dir() else [path]
        return [*weights, self._config_path]

    @property
    def _on_gpu(self) -> bool:
        import torch

        return self.settings.device.startswith("cuda") or (self.settings.device == "auto" and torch.cuda.is_available())

    @property
    def _device(self) -> str:
        """A worker process takes the GPU of its number; Dask's workers have one each in sight."""
        import torch

        if not self._on_gpu:
            return "cpu"
        if self.settings.device != "auto":
            return self.settings.device
        number = re.search(r"-(\d+)$", multiprocessing.current_process().name)
        return f"cuda:{(int(number[1]) - 1 if number else 0) % torch.cuda.device_count()}"


def _digest(files: Sequence[Path]) -> str:
    """Tells one set of files from another by what is in them."""
    digest = sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]


@contextmanager
def _seeded(key: str) -> Iterator[None]:
    """Noise of a key, on one thread and without autotuning; what was before comes back afterwards."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(), torch.backends.cudnn.flags(benchmark=False, deterministic=True), torch.no_grad():
        torch.manual_seed(int.from_bytes(sha256(key.encode()).digest()[:7], "big"))
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
