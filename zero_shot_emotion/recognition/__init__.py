"""Speech recognition: what writes down what was said, by name, for weak labels and for the gate of synthetic speech."""

from .recogniser import (
    RECOGNISERS,
    Recogniser,
    RecognitionError,
    Settings,
    describe,
    expect_models,
    language_code,
    load_recogniser,
)

__all__ = [
    "RECOGNISERS",
    "Recogniser",
    "RecognitionError",
    "Settings",
    "describe",
    "expect_models",
    "language_code",
    "load_recogniser",
]
