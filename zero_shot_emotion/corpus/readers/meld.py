"""MELD: utterances from the TV series Friends, as text and as video clips.

Poria et al., "MELD: a multimodal multi-party dataset for emotion recognition in conversations", ACL 2019;
https://github.com/declare-lab/MELD. The text is three CSV files; ``MELD.Raw`` adds a clip for each row::

    train_sent_emo.csv  dev_sent_emo.csv  test_sent_emo.csv      (train's also in train/)
    train/train_splits/dia0_utt0.mp4                             (each also without its outer folder)
    dev/dev_splits_complete/dia0_utt0.mp4
    test/output_repeated_splits_test/dia0_utt0.mp4
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..atomic import atomic_write
from ..corpus import Corpus, CorpusError
from ..utterance import Utterance
from .source import build, existing, identifier, integer, native, one_line, rows

ROOT = "the folder that holds train_sent_emo.csv, or MELD.Raw, or the folder that holds that"

LABELS = {
    "neutral": "neu",
    "joy": "hap",
    "anger": "ang",
    "sadness": "sad",
    "fear": "fea",
    "disgust": "dis",
    "surprise": "sur",
}
"""Ekman's six and neutral, as the paper names them."""

CLIPS = {
    "train": "train_splits",
    "dev": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
"""The splits and the folders of their clips. The test folder holds more clips than rows: rows decide."""

UNUSABLE = {"train_dia125_utt3", "dev_dia110_utt7"}
"""The first clip is corrupt, the second one absent, in every release; 13,706 usable clips are left."""

CACHE = ".wav16k"

FFMPEG = ("ffmpeg", "-nostdin", "-v", "error", "-y")
WAV_16K = ("-vn", "-ac", "1", "-ar", "16000", "-c:a", "pcm_s16le", "-f", "wav")
"""Clips differ in their number of channels and in rate; what is cached is mono at 16 kHz."""

_log = logging.getLogger(__name__)


def read(root: Path) -> Corpus:
    """Read the text, and the audio where there are clips.

    A split whose clips are absent is text alone. Where they are there, ffmpeg extracts their audio once
    into ``<root>/.wav16k/<split>/``, which takes minutes for the whole corpus, and rows whose clip is
    unusable, missing or unreadable are dropped and counted. A wav beside a clip, or in its place, is taken
    as it is. Dialogues are numbered anew in each split, so an id names the split too.

    Args:
        root: the folder of the three CSV files, or ``MELD.Raw``, or the folder that holds it.

    Raises:
        CorpusError: naming the path, or file, line and value, and what was expected; also if there are
            clips to extract and no ffmpeg.
    """
    if (root / "MELD.Raw").is_dir():
        root = root / "MELD.Raw"
    utterances = [utterance for split in CLIPS for utterance in _rows(root, split)]
    clips = {id_: clip for split in CLIPS for id_, clip in _clips(root, split).items()}
    heard = {id_.partition("_")[0] for id_ in clips}
    usable = {utterance.id for utterance in utterances} - UNUSABLE
    wavs = _wavs(root, {id_: clip for id_, clip in clips.items() if id_ in usable})
    drops: Counter[str] = Counter()
    kept: list[Utterance] = []
    for utterance in utterances:
        if utterance.split not in heard:
            kept.append(utterance)
        elif utterance.id in wavs:
            kept.append(utterance.with_(file_name=wavs[utterance.id].relative_to(root).as_posix()))
        elif utterance.id in UNUSABLE:
            drops["unusable clip"] += 1
        else:
            drops["unreadable clip" if utterance.id in clips else "no clip"] += 1
    return build("meld", root, kept, drops)


def _rows(root: Path, split: str) -> Iterator[Utterance]:
    name = f"{split}_sent_emo.csv"
    columns = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "Season", "Episode")
    for where, row in rows(existing(root / name, root / split / name), columns):
        dialogue = f"{split}_dia{row['Dialogue_ID']}"
        yield Utterance(
            id=f"{dialogue}_utt{row['Utterance_ID']}",
            text=one_line(row["Utterance"]),
            label=native(LABELS, row["Emotion"], where, "Emotion"),
            speaker=identifier(row["Speaker"]) or None,
            language="en",
            dialogue=dialogue,
            turn=integer(row["Utterance_ID"], where, "Utterance_ID"),
            split=split,
            sentiment=row["Sentiment"],
            season=integer(row["Season"], where, "Season"),
            episode=integer(row["Episode"], where, "Episode"),
        )


def _clips(root: Path, split: str) -> dict[str, Path]:
    """The best that there is of each clip by its utterance: a wav before a video, the cache before all."""
    found: dict[str, Path] = {}
    for folder in (root / CLIPS[split], root / split / CLIPS[split], root / CACHE / split):
        for suffix in (".mp4", ".wav"):
            found.update({f"{split}_{path.stem}": path for path in folder.glob(f"dia*_utt*{suffix}")})
    return found


def _wavs(root: Path, clips: Mapping[str, Path]) -> dict[str, Path]:
    """A wav for each clip; those that ffmpeg could not read are left out."""
    videos = {id_: clip for id_, clip in clips.items() if clip.suffix == ".mp4"}
    extracted: dict[str, Path] = {}
    if videos:
        if shutil.which("ffmpeg") is None:
            raise CorpusError(
                f"{root}: {len(videos)} clips are MP4 and ffmpeg is not on the PATH: install it to extract their "
                "audio, or give a folder that holds the three CSV files alone to read only the text"
            )
        extracted = _extract(root / CACHE, videos)
    return {id_: extracted.get(id_, clip) for id_, clip in clips.items() if id_ not in videos or id_ in extracted}


def _extract(cache: Path, videos: Mapping[str, Path]) -> dict[str, Path]:
    """Extract many clips at once; each wav takes its name only when it is complete."""
    from tqdm import tqdm

    targets = {id_: cache / id_.partition("_")[0] / f"{clip.stem}.wav" for id_, clip in videos.items()}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(_extract_one, videos.values(), targets.values())
        try:
            fine = list(tqdm(done, desc="meld: extracting audio", total=len(videos), unit="clip", mininterval=1))
        except OSError as error:
            raise CorpusError(f"{cache}: cannot keep the extracted audio: {error}") from error
    return {id_: target for (id_, target), ok in zip(targets.items(), fine, strict=True) if ok}


def _extract_one(clip: Path, wav: Path) -> bool:
    try:
        with atomic_write(wav, "wb") as file:
            subprocess.run([*FFMPEG, "-i", str(clip), *WAV_16K, file.name], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        _log.warning("%s: ffmpeg cannot read it: %s", clip, error.stderr.decode(errors="replace").strip())
        return False
    return True
