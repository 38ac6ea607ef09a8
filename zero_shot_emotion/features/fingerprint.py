"""Hashes of content: what tells one sound, one checkpoint, one model from another, wherever it lies."""

from __future__ import annotations

from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__

if TYPE_CHECKING:
    from torch import nn


OURS, THEIRS = "zero-shot-emotion", ("s3prl", "torchaudio")
COMPUTED = {
    "logmel_functionals": (OURS,),
    **dict.fromkeys(("egemaps", "egemaps_lld"), (OURS, "opensmile")),
    **dict.fromkeys(("baseline", "baseline_local", "fbank", "fbank_no_cmvn", "linear", "mel", "mfcc"), THEIRS),
    **dict.fromkeys(("spectrogram", "stft_mag"), THEIRS),
}
"""Upstreams that have no weights, and the packages that do their work: versions tell them apart."""


def code_version(upstream: str) -> str | None:
    """The versions of what computes an upstream's features; None where its weights tell it from others."""
    if upstream not in COMPUTED:
        return None
    return ", ".join(f"{package} {_version(package)}" for package in COMPUTED[upstream])


def _version(package: str) -> str:
    if package == OURS:
        return __version__
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def audio_hash(path: str | Path) -> bytes:
    """SHA-256 of an audio file's bytes: 32 bytes. Nothing is decoded, so a set is looked up at the speed of reading."""
    with Path(path).open("rb") as file:
        return file_digest(file, "sha256").digest()


def path_hash(path: str | Path | None) -> str | None:
    """SHA-256 of a file, or of a folder's files and their names; the words themselves where there is no such path.

    Hidden files of a folder are left out: what a download or a version control keeps there differs with each copy.

    >>> path_hash(None) is None
    True
    >>> path_hash("facebook/hubert-base-ls960")
    'name:facebook/hubert-base-ls960'
    """
    if path is None:
        return None
    path = Path(path)
    if path.is_file():
        return audio_hash(path).hex()
    if path.is_dir():
        digest = sha256()
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            name = file.relative_to(path)
            if not any(part.startswith(".") for part in name.parts):
                digest.update(name.as_posix().encode() + b"\0" + audio_hash(file))
        return digest.hexdigest()
    return f"name:{path}"


def weights_hash(model: nn.Module) -> str:
    """SHA-256 of all parameters and buffers with their names: tells models apart whose files have the same name."""
    import torch

    digest = sha256()
    for name, value in sorted(model.state_dict().items()):
        if isinstance(value, torch.Tensor):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}\0".encode())
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
