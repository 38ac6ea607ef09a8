"""One utterance through a channel, with all that was drawn for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from zero_shot_emotion.acoustics import active_level
from zero_shot_emotion.audio import Audio, read_audio, resample
from zero_shot_emotion.noise import coloured

from .band import limit_band
from .channel import Channel, Codec, Gain, Noise, Room
from .codec import CODECS, code
from .noise import Array, add, piece
from .room import place, reverberate, simulate

RATE = 16_000
"""Hz. What the upstreams hear."""
Drawn = dict[str, Any]
"""What was drawn for an utterance, by name."""


def carry(audio: Audio, channel: Channel, seed: int) -> tuple[Audio, Drawn]:
    """Send an utterance through a channel.

    What is drawn depends on the seed alone, never on the sound or its label; each step draws from a generator of its
    own, so that a step that is taken away changes no other. The active level of the utterance is kept up to the gain:
    the energy that an emotion was given still tells.

    Args:
        audio: speech at any rate.
        channel: what it goes through.
        seed: of this utterance and copy.

    Returns:
        the speech at 16 kHz, and what was drawn.
    """
    dice = dict(zip(("room", "noise", "gain", "band", "codec"), np.random.default_rng(seed).spawn(5), strict=True))
    wave = resample(audio, RATE).wave.astype(np.float64)
    level = active_level(wave, RATE)
    drawn: Drawn = {}
    if channel.room and _taken(channel.room.chance, dice["room"]):
        wave, drawn["room"] = _in_room(wave, channel.room, dice["room"])
    if channel.noise and _taken(channel.noise.chance, dice["noise"]):
        wave, drawn["noise"] = _in_noise(wave, channel.noise, dice["noise"])
    if channel.band and _taken(channel.band.chance, dice["band"]):
        drawn["band"] = {key: dice["band"].uniform(*getattr(channel.band, key)) for key in ("low_hz", "high_hz")}
        wave = limit_band(wave, RATE, **drawn["band"])
    wave, drawn["level"] = _at_level(wave, level, channel.gain, dice["gain"])
    if channel.codec and _taken(channel.codec.chance, dice["codec"]):
        drawn["codec"] = _drawn_codec(channel.codec, dice["codec"])
        wave = code(Audio(wave, RATE), **drawn["codec"]).wave.astype(np.float64)
    return Audio(np.clip(wave, -1, 1), RATE), drawn


def _taken(chance: float, dice: np.random.Generator) -> bool:
    return bool(dice.random() < chance)


def _in_room(wave: Array, room: Room, dice: np.random.Generator) -> tuple[Array, Drawn]:
    if room.responses:
        path = str(dice.choice(room.responses))
        return reverberate(wave, read_audio(path, RATE).wave.astype(np.float64)), {"response": path}
    size = np.array([dice.uniform(*span) for span in (room.length, room.width, room.height)])
    absorption, distance = dice.uniform(*room.absorption), dice.uniform(*room.distance)
    mouth, microphone = place(size, distance, dice)
    drawn = {"size": [float(edge) for edge in size], "absorption": absorption}
    drawn["distance"] = float(np.linalg.norm(mouth - microphone))
    return reverberate(wave, simulate(size, absorption, mouth, microphone, RATE)), drawn


def _in_noise(wave: Array, noise: Noise, dice: np.random.Generator) -> tuple[Array, Drawn]:
    snr_db = dice.uniform(*noise.snr_db)
    if noise.files:
        drawn: Drawn = {"snr_db": snr_db, "file": str(dice.choice(noise.files))}
        sound = piece(read_audio(drawn["file"], RATE).wave, len(wave), dice)
    else:
        drawn = {"snr_db": snr_db, "slope_db": dice.uniform(*noise.slope_db)}
        sound = coloured(len(wave), RATE, drawn["slope_db"], dice)
    return add(wave, sound, active_level(wave, RATE) - snr_db), drawn


def _drawn_codec(codec: Codec, dice: np.random.Generator) -> Drawn:
    kind = str(dice.choice(codec.kinds))
    told = {"compression": dice.uniform(*codec.compression)} if CODECS[kind].compressible else {}
    return {"kind": kind, **told}


def _at_level(wave: Array, level: float, gain: Gain | None, dice: np.random.Generator) -> tuple[Array, Drawn]:
    """A wave at the active level that it came with, but for the gain."""
    gain_db = dice.uniform(*gain.db) if gain and _taken(gain.chance, dice) else 0.0
    made = wave * 10 ** ((level + gain_db - active_level(wave, RATE)) / 20)
    return made, {"gain_db": gain_db, "clipped": float((np.abs(made) > 1).mean())}
