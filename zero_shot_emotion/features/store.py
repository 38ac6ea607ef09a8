"""The store: a folder of safetensors shards, read through memory maps, and a card that says what made them.

::

    store.json                      the card: key, width, rate, versions
    features-000000.safetensors     shards; each is written whole or not at all, and never changed
    bad.jsonl                       audio that cannot be used, and why

A shard holds for each of its utterances the hash of its audio file (``audio``), its length at 16 kHz (``samples``)
and its ``frames``; and as ``features`` either each layer's mean over the frames, float32 of shape
(utterances, layers, width), or all frames one after another, float16 of shape (frames, layers, width).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acoustics import Conditioning
from ..corpus import atomic_write
from ..errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

CARD = "store.json"
BAD = "bad.jsonl"
FORMAT = 1
MOST_ROWS = 2**24
"""A row travels to the upstream as a float32 sample: beyond this, whole numbers are no longer told apart."""


class StoreError(UserError, ValueError):
    """A store that does not hold, or cannot do, what is asked of it."""


@dataclass(frozen=True)
class Stored:
    """What the store knows of one utterance besides its features."""

    row: int
    samples: int
    frames: int


class FeatureStore:
    """Features of utterances, found by the hash of their audio.

    Args:
        folder: of the store.

    Attributes:
        card: what ``store.json`` holds.
        bad: reason and message of audio that cannot be used, by its hash.

    Raises:
        StoreError: if the folder is no store, or one of a newer format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.card = read_card(self.folder)
        self.bad = read_bad(self.folder)
        self._index: dict[bytes, Stored] = {}
        self._shards: list[Tensor] = []
        self._places: list[tuple[int, int, int]] = []  # shard, and where in its features a row begins and ends
        for shard in shard_paths(self.folder):
            self._add(shard)
        if len(self) > MOST_ROWS:
            raise StoreError(f"{self.folder}: holds {len(self)} utterances, expected at most {MOST_ROWS}")

    def _add(self, path: Path) -> None:
        from safetensors import safe_open

        with safe_open(path, framework="pt") as shard:  # the tensors are memory maps: nothing is read yet
            audio = shard.get_tensor("audio").numpy()
            samples, frames = (shard.get_tensor(name).tolist() for name in ("samples", "frames"))
            self._shards.append(shard.get_tensor("features"))
        ends = np.cumsum([self._length(count) for count in frames]).tolist()
        for digest, count, length, end in zip(audio, samples, frames, ends, strict=True):
            self._index.setdefault(digest.tobytes(), Stored(len(self._places), count, length))
            self._places.append((len(self._shards) - 1, end - self._length(length), end))

    def _length(self, frames: int) -> int:
        """How many vectors a layer a row of so many frames takes."""
        return 1 if self.keeps_means else frames

    @property
    def key(self) -> dict[str, Any]:
        """What made the features; two stores with the same key hold the same features for the same audio."""
        return dict(self.card["key"])

    @property
    def conditioning(self) -> Conditioning:
        """What was done to the audio first."""
        return conditioning_in(self.card["key"])

    @property
    def keeps_means(self) -> bool:
        return bool(self.card["key"]["keep"] == "means")

    @property
    def layers(self) -> int:
        return int(self.card["key"]["layers"])

    @property
    def width(self) -> int:
        return int(self.card["key"]["width"])

    def __len__(self) -> int:
        return len(self._places)

    def get(self, audio: bytes) -> Stored | None:
        """What is known of an utterance, None if its features are not here.

        Args:
            audio: its hash, as `zero_shot_emotion.features.audio_hash` gives it.
        """
        return self._index.get(audio)

    def steps(self, stored: Stored) -> int:
        """How long the sequence is that a head sees: 1 for a mean."""
        return self._length(stored.frames)

    def features(self, row: int) -> Tensor:
        """Features of a row, of shape (layers, width) for means, (frames, layers, width) else, as they are stored."""
        shard, start, end = self._places[row]
        return self._shards[shard][start] if self.keeps_means else self._shards[shard][start:end]

    def command(self, corpus: str = "CORPUS") -> str:
        """The command that stores a corpus here."""
        made = self.card["made_from"]
        options = "".join(f" {flag} {made[name]}" for flag, name in (("-k", "ckpt"), ("-g", "config")) if made[name])
        keep = "" if self.keeps_means else " --keep frames"
        options += f"{keep}{self.conditioning.flags} -o {self.folder}"
        return f"zero-shot-emotion extract {corpus} -u {self.card['key']['upstream']}{options}"


def conditioning_in(key: Mapping[str, Any]) -> Conditioning:
    """What the key of a store says of the audio; one that says nothing is of audio as it is."""
    return Conditioning(key.get("level_db"), key.get("trim", False))


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard lies."""
    return folder / f"features-{number:06d}.safetensors"


def shard_paths(folder: Path) -> list[Path]:
    """The shards there are, in the order of their rows."""
    return sorted(folder.glob("features-*.safetensors"))


def stored_hashes(folder: Path) -> set[bytes]:
    """Hashes of the audio whose features are there, without the features' own maps."""
    from safetensors import safe_open

    hashes: set[bytes] = set()
    for path in shard_paths(folder):
        with safe_open(path, framework="np") as shard:
            hashes.update(digest.tobytes() for digest in shard.get_tensor("audio"))
    return hashes


def write_shard(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a shard, whole or not at all."""
    from safetensors.torch import save

    with atomic_write(path, "wb") as file:
        file.write(save(dict(tensors)))


def read_card(folder: Path) -> dict[str, Any]:
    """What ``store.json`` holds."""
    path = folder / CARD
    if not path.is_file():
        raise StoreError(f"{folder}: no {CARD} in it, expected a store that zero-shot-emotion extract made")
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        known = card["format"] == FORMAT
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path}: expected a store's card in JSON: {error!r}") from None
    if not known:
        raise StoreError(f"{path}: format: got {card['format']!r}, expected {FORMAT}")
    return dict(card)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``store.json``."""
    with atomic_write(folder / CARD) as file:
        json.dump({"format": FORMAT, **card}, file, indent=2, ensure_ascii=False)
        file.write("\n")


def read_bad(folder: Path) -> dict[bytes, tuple[str, str]]:
    """Reason and message of audio that cannot be used, by its hash."""
    path = folder / BAD
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {bytes.fromhex(line["audio"]): (line["reason"], line["message"]) for line in lines}


def write_bad(folder: Path, bad: Mapping[bytes, tuple[str, str]]) -> None:
    """Write the list of audio that cannot be used; none if there is none."""
    if not bad:
        (folder / BAD).unlink(missing_ok=True)
        return
    with atomic_write(folder / BAD) as file:
        for digest, (reason, message) in sorted(bad.items()):
            line = {"audio": digest.hex(), "reason": reason, "message": message}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def clear(folder: Path) -> None:
    """Throw a store away; the card goes first, for without it the folder no longer counts as one."""
    names: Iterable[Path] = (folder / CARD, folder / BAD, *folder.glob(".plan.json"), *shard_paths(folder))
    for path in names:
        path.unlink(missing_ok=True)
