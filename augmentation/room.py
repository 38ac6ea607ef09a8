"""Rooms: impulse responses, simulated or recorded, and speech in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

ORDER = 30
"""Most reflections: at an absorption of .25 the last lies 37 dB below the direct sound."""
WALL = 0.3
"""Mouth and microphone keep so far from the walls, in m."""
TAIL_DB = 60.0
"""A response ends where it stays below its peak by more than this, in dB."""


def simulate(size: Array, absorption: float, mouth: Array, microphone: Array, rate: int) -> Array:
    """The impulse response of a box, by the image source method: the same samples on any machine.

    Args:
        size: of the room in m, shape (3,).
        absorption: share of energy that the walls take.
        mouth: where it is, in m, shape (3,).
        microphone: where it is.
        rate: in Hz.
    """
    import pyroomacoustics

    pyroomacoustics.constants.set("num_threads", 1)  # sums in the same order, however many cores there are
    material = pyroomacoustics.Material(absorption)
    room = pyroomacoustics.ShoeBox(size, fs=rate, materials=material, max_order=ORDER, air_absorption=True)
    room.add_source(mouth)
    room.add_microphone(microphone)
    room.compute_rir()
    response: Array = np.asarray(room.rir[0][0], dtype=np.float64)
    return response


def place(size: Array, distance: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Mouth and microphone in a room, so far from one another, or as far as the room allows; in m."""
    low, high = np.full(3, WALL), size - WALL
    mouth = rng.uniform(low, high)
    direction = rng.standard_normal(3)
    direction /= np.linalg.norm(direction)
    direction *= np.where(mouth > size / 2, -1, 1) * np.sign(direction)  # towards the middle, where there is room
    return mouth, np.clip(mouth + distance * direction, low, high)


def reverberate(wave: Array, response: Array) -> Array:
    """Speech in a room. The way of the direct sound is taken off; what rings on after the speech is kept."""
    from scipy.signal import fftconvolve

    size = np.abs(response)
    start = int(size.argmax())
    end = int(np.flatnonzero(size > size[start] * 10 ** (-TAIL_DB / 20))[-1]) + 1
    made: Array = fftconvolve(wave, response[start:end] / size[start])
    return made
