import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from zero_shot_emotion.config_values import ExistingFolder, ExistingPath, Span


@pytest.mark.parametrize(
    ("kind", "value", "taken"),
    [
        (Span, [1, 2], (1.0, 2.0)),
        (Span, [2, 2], (2.0, 2.0)),
        (ExistingPath, __file__, Path(__file__)),
        (ExistingPath, str(Path(__file__).parent), Path(__file__).parent),
        (ExistingFolder, str(Path(__file__).parent), Path(__file__).parent),
    ],
)
def test_takes(kind: Any, value: object, taken: object) -> None:
    assert TypeAdapter(kind).validate_python(value) == taken


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Span, [2, 1], "Value error, the lower number first"),
        (ExistingPath, "/nowhere", "Value error, a file or folder that exists"),
        (ExistingFolder, "/nowhere", "Value error, a folder that exists"),
        (ExistingFolder, __file__, "Value error, a folder that exists"),
    ],
)
def test_refuses(kind: Any, value: object, message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        TypeAdapter(kind).validate_python(value)
