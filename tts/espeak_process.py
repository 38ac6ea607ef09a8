"""The process that speaks for `tts.espeak`: requests come in, sound goes out, one at a time.

espeak-ng keeps the phase of its pitch flutter and of its echo in static variables that not even
``espeak_Terminate`` resets, so what was spoken before would change the next sound. Here every request
gets a fresh image of the library, unloaded afterwards; that takes a few milliseconds, and the sound
depends on the request alone. What the library does not free (180 kB a request where it switches to
English in between, as the Mandarin voice always does) ends with this process, which `tts.espeak`
replaces now and then. Nor does a text that crashes the library take a worker with it.

Run as a script, without the package around it, so it starts in milliseconds: it imports only the
standard library. A request is a line of JSON, an answer a line of JSON and the samples it announces.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import os
import signal
import sys
from typing import Any

# From speak_lib.h.
RETRIEVAL, DONT_EXIT = 2, 0x8000
RATE, VOLUME, PITCH = 1, 2, 3
CHARACTERS, UTF8 = 1, 1
OK = 0
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

_unload = getattr(_ctypes, "FreeLibrary" if os.name == "nt" else "dlclose")


def synthesise(library_path: str, data_path: str, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer a request: ``voice``, ``pitch``, ``rate``, ``volume`` and ``text``."""
    library = ctypes.CDLL(library_path)
    chunks: list[bytes] = []

    @CALLBACK
    def collect(wave: int | None, samples: int, _events: int | None) -> int:
        if wave and samples > 0:
            chunks.append(ctypes.string_at(wave, 2 * samples))
        return 0

    try:
        sample_rate = library.espeak_Initialize(RETRIEVAL, 0, os.fsencode(data_path), DONT_EXIT)
        if sample_rate <= 0:
            return {"error": f"does not start with the data in {data_path}"}, b""
        library.espeak_SetSynthCallback(collect)
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        if library.espeak_SetVoiceByName(request["voice"].encode()) != OK:
            return {"error": f"its data has no voice {request['voice']!r}"}, b""
        for parameter, value in ((RATE, "rate"), (VOLUME, "volume"), (PITCH, "pitch")):
            library.espeak_SetParameter(parameter, request[value], 0)
        text = request["text"].replace("\0", " ").encode()
        library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, CHARACTERS, 0, UTF8, None, None)
        library.espeak_Synchronize()
        library.espeak_Terminate()
    finally:
        _unload(library._handle)
    samples = b"".join(chunks)
    return {"rate": sample_rate, "bytes": len(samples)}, samples


def main() -> None:
    """Answer until the input ends, which it does when the asking process ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the asking process
    for line in sys.stdin.buffer:
        answer, samples = synthesise(sys.argv[1], sys.argv[2], json.loads(line))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + samples)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
