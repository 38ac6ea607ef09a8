"""The method ``voice-conversion``: Coqui's models convert neutral speech towards emotional recordings of one's own.

These models move the timbre, and with it breath and brightness, of the reference; most keep the pace and much of the
melody of what they convert. They cannot be told how strongly. As they also carry over who speaks, each speaker of the
corpus is given, where the references name their speakers, the recordings of one speaker who has all emotions: else the
voice would tell the label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from zero_shot_emotion.audio import Audio, write_audio
from zero_shot_emotion.config_values import ExistingPath
from zero_shot_emotion.corpus import Corpus, Utterance
from zero_shot_emotion.corpus.readers import open_corpus

from .loudness import REFERENCE_DB, finish
from .method import NEUTRAL, InjectionError, Settings
from .torch_models import Device, most_workers, noise_of, place

DEFAULT_MODEL = "voice_conversion_models/multilingual/vctk/freevc24"
OWN = "the utterance itself"
"""The reference of neutral speech where there is no neutral recording: it goes through the same model."""


class ConversionSettings(Settings):
    """What the method ``voice-conversion`` can be told.

    Attributes:
        references: emotional recordings: a folder with one sub-folder a label, a corpus folder, or ``READER:PATH``.
        model: a name that ``tts --list_models`` shows (freevc24, openvoice_v1, openvoice_v2, knnvc); downloaded
            when first used.
        model_path: a checkpoint of one's own, instead of a name.
        config_path: the checkpoint's ``config.json``; by default the one beside it.
        device: ``auto`` takes a GPU where there is one, each worker another.
        level_db: active level of what is written, in dB of full scale; None keeps the model's.
    """

    references: str
    model: str = DEFAULT_MODEL
    model_path: ExistingPath | None = None
    config_path: ExistingPath | None = None
    device: Device = "auto"
    level_db: float | None = REFERENCE_DB


class VoiceConversion:
    """Converts each utterance towards a reference of its emotion, drawn by its seed."""

    Settings = ConversionSettings
    graded = False

    def __init__(self, settings: ConversionSettings) -> None:
        self.settings = settings
        self._references = open_corpus(settings.references)
        if not any(u.label and u.file_name for u in self._references):
            raise InjectionError(f"voice-conversion: references: {settings.references!r} has no labelled recordings")

    @staticmethod
    def finding() -> str:
        """What the doctor says of it."""
        return f"coqui-tts {version('coqui-tts')}; a model downloads when first used, or give model_path"

    @property
    def emotions(self) -> Collection[str]:
        return sorted({NEUTRAL, *(u.label for u in self._references if u.label is not None)})

    @cached_property
    def config(self) -> Mapping[str, Any]:
        import torch

        return {
            **self.settings.model_dump(mode="json", exclude_none=True),
            "reference_files": {"number": len(self._references), "digest": _digest(self._references)},
            "versions": {"coqui-tts": version("coqui-tts"), "torch": torch.__version__},
        }

    def most_workers(self) -> int | None:
        """One worker a GPU."""
        return most_workers(self.settings.device)

    def inject(
        self, audio: Audio | None, emotion: str, intensity: float, rng: np.random.Generator, utterance: Utterance
    ) -> tuple[Audio, dict[str, str]]:
        if audio is None:
            raise InjectionError("voice-conversion: got no audio, expected neutral speech")
        reference = self.choose(utterance, emotion if intensity else NEUTRAL, rng.random())
        with TemporaryDirectory() as folder, noise_of(rng):
            source = Path(folder) / "source.wav"
            write_audio(source, audio)
            target = self._references.audio_path(reference) if reference else source
            wave, rate = _convert(self.settings, source, target)
        if not len(wave) or not np.isfinite(wave).all() or not np.any(wave):
            raise InjectionError(f"voice-conversion: no sound for {utterance.id!r} with the reference {target.name!r}")
        named = {"reference": reference.id} if reference else {"reference": OWN}
        if reference and reference.speaker:
            named["reference_speaker"] = reference.speaker
        return Audio(finish(wave, rate, self.settings.level_db), rate), named

    def choose(self, utterance: Utterance, emotion: str, drawn: float) -> Utterance | None:
        """A reference of an emotion: of the utterance's gender if there is one, and of its speaker's partner.

        Args:
            utterance: to be converted.
            emotion: of the reference.
            drawn: from 0 to 1, which of those that fit.

        Returns:
            None where neutral speech has no reference.
        """

        def alike(reference: Utterance) -> bool:
            return utterance.gender is not None and reference.gender == utterance.gender

        # Who is heard is settled before the emotion is looked at: else one who lacks an emotion would tell it.
        heard = _prefer(self._of_all, alike)
        if partners := sorted({u.speaker or "" for u in heard}):
            key = sha256((utterance.speaker or utterance.id).encode()).digest()
            partner = partners[int.from_bytes(key[:8], "big") % len(partners)]
            fitting = [u for u in heard if u.speaker == partner and u.label == emotion]
        else:
            fitting = _prefer([u for u in self._usable if u.label == emotion], alike)
        return fitting[int(drawn * len(fitting))] if fitting else None

    @cached_property
    def _usable(self) -> list[Utterance]:
        return [u for u in self._references if u.label is not None and u.file_name is not None]

    @cached_property
    def _of_all(self) -> list[Utterance]:
        """Recordings of the speakers who have every emotion that there are references of."""
        own: dict[str | None, set[str | None]] = {}
        for utterance in self._usable:
            own.setdefault(utterance.speaker, set()).add(utterance.label)
        labels = {u.label for u in self._usable}
        return [u for u in self._usable if u.speaker is not None and own[u.speaker] == labels]


def _prefer(utterances: Sequence[Utterance], fits: Callable[[Utterance], bool]) -> list[Utterance]:
    """Those that fit, or all where none does."""
    return [u for u in utterances if fits(u)] or list(utterances)


def _convert(settings: ConversionSettings, source: Path, target: Path) -> tuple[np.ndarray, int]:
    model = _load(settings, place(settings.device))
    wave = model.voice_conversion(source_wav=str(source), target_wav=str(target))
    return np.asarray(wave, dtype=np.float64), int(model.voice_converter.output_sample_rate)


@cache
def _load(settings: ConversionSettings, device: str) -> Any:
    """Coqui's model, once a process."""
    from TTS.api import TTS
    from TTS.utils.synthesizer import Synthesizer

    try:
        if settings.model_path is None:
            return TTS(settings.model, progress_bar=False).to(device)
        config = settings.config_path or settings.model_path.parent / "config.json"
        model = TTS(progress_bar=False)
        model.voice_converter = Synthesizer(vc_checkpoint=str(settings.model_path), vc_config=str(config))
        return model.to(device)
    except Exception as error:  # whatever a download, a broken file or a foreign config raises
        raise InjectionError(
            f"voice-conversion: the model {settings.model_path or settings.model} cannot be loaded: "
            f"{type(error).__name__}: {error}; expected a voice conversion model of tts --list_models that can be "
            "downloaded, or model_path=CHECKPOINT"
        ) from error


def _digest(references: Corpus) -> str:
    """Tells one set of references from another by their names, labels and sizes."""
    digest = sha256()
    for utterance in references:
        size = references.audio_path(utterance).stat().st_size if utterance.file_name else 0
        digest.update(f"{utterance.id}\0{utterance.label}\0{size}\n".encode())
    return digest.hexdigest()[:12]
