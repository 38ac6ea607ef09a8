"""Where stored features may stand in for their upstream, and what the dataset then reads instead of audio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acoustics import AS_IT_IS, Conditioning
from ..audio import RATE, AudioError, Wave
from .fingerprint import audio_hash, code_version, path_hash
from .store import FeatureStore, Stored, StoreError

if TYPE_CHECKING:
    from ..settings import ModelSettings

UPSTREAM = "stored"
"""What s3prl's hub calls the upstream that serves a store."""


def check_stand_in(
    store: FeatureStore, model: ModelSettings, arguments: Mapping[str, Any], conditioning: Conditioning = AS_IT_IS
) -> None:
    """Refuse what would train another model on stored features than on the upstream itself.

    Args:
        store: the features.
        model: the head.
        arguments: the other config sections and the command line's arguments, as s3prl's runner passes them.
        conditioning: what the config does to all audio.

    Raises:
        StoreError: with the reason.
    """
    if arguments.get("upstream_trainable"):
        raise StoreError("-f: stored features are of a frozen upstream, expected the upstream itself to train it")
    selection = arguments.get("upstream_feature_selection") or "hidden_states"
    if selection != store.key["selection"] and selection not in store.card["aliases"]:
        known = ", ".join([store.key["selection"], *store.card["aliases"]])
        raise StoreError(f"-s {selection}: is not stored in {store.folder}, expected one of {known}")
    _check_conditioning(store, conditioning)
    _check_made_by(store)
    if store.keeps_means:
        _check_linear(model, arguments, weighted=_weighted(store, arguments, selection))


def _weighted(store: FeatureStore, arguments: Mapping[str, Any], selection: str) -> bool:
    """Whether s3prl's featurizer sums layers; only then does it normalise."""
    return (
        store.layers > 1 and selection == store.key["selection"] and arguments.get("upstream_layer_selection") is None
    )


def _check_conditioning(store: FeatureStore, conditioning: Conditioning) -> None:
    for name, wanted in asdict(conditioning).items():
        found = getattr(store.conditioning, name)
        if found != wanted:
            raise StoreError(
                f"datarc.{name}: got {wanted!r}, but the features in {store.folder} are of audio with {found!r}: store "
                f"others in another folder with zero-shot-emotion extract{conditioning.flags}, or say {found!r}"
            )


def _check_made_by(store: FeatureStore) -> None:
    """Refuse features of a checkpoint or code that has changed since; one that is no longer there cannot be asked."""
    before, now = store.key.get("code"), code_version(store.key["upstream"])
    if before != now:
        raise StoreError(
            f"{store.folder}: its features were computed by {before or 'versions that it does not name'}, and here is "
            f"{now}; store them again: {store.command()} --overwrite"
        )
    for flag, name, key in (("-k", "ckpt", "checkpoint"), ("-g", "config", "config")):
        path = store.card["made_from"][name]
        if path is not None and Path(path).exists() and path_hash(path) != store.key[key]:
            raise StoreError(
                f"{store.folder}: {flag} {path} has changed since its features were stored; "
                f"store them again: {store.command()} --overwrite"
            )


def _check_linear(model: ModelSettings, arguments: Mapping[str, Any], weighted: bool) -> None:
    """A mean over frames can be taken first only where all before the pooling is linear in the frames."""
    head = model.UtteranceLevel
    reasons = {
        "specaug: masks frames": bool(arguments.get("specaug")),
        "--upstream_feature_normalize: normalises each frame": bool(arguments.get("upstream_feature_normalize"))
        and weighted,
        f"modelrc.select: {model.select} works on frames": model.select != "UtteranceLevel",
        f"modelrc.UtteranceLevel.pooling: {head.pooling} weighs frames": head.pooling != "MeanPooling",
        "modelrc.UtteranceLevel.pre_net: is not linear in the frames": head.pre_net is not None
        and not head.pre_net.is_linear,
    }
    if model.select != "UtteranceLevel":
        reasons = {reason: found for reason, found in reasons.items() if "UtteranceLevel." not in reason}
    for reason, found in reasons.items():
        if found:
            raise StoreError(
                f"{reason}, and the store keeps the mean over frames alone; store all frames with "
                "zero-shot-emotion extract --keep frames, or use the upstream itself"
            )


def find(store: FeatureStore, path: Path, name: str, min_seconds: float) -> Stored | None:
    """Look an utterance up.

    Returns:
        None if its features are not stored.

    Raises:
        AudioError: if its audio is missing, too short, or was found bad when its features were to be stored.
    """
    try:
        digest = audio_hash(path)
    except OSError as error:
        raise AudioError("missing", f"{name}: {path}: {error.strerror}") from None
    if digest in store.bad:
        reason, message = store.bad[digest]
        raise AudioError(reason, f"{name}: {message}")
    stored = store.get(digest)
    if stored is not None and stored.samples < min_seconds * RATE:
        seconds = stored.samples / RATE
        raise AudioError("too short", f"{name}: lasts {seconds:.3f} s, expected at least {min_seconds} s")
    return stored


def ticket(store: FeatureStore, stored: Stored) -> Wave:
    """What travels through s3prl's runner in place of a wave: a sample a step, each the number of the row."""
    return np.full(store.steps(stored), stored.row, dtype=np.float32)
