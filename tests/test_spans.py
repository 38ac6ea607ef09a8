import pytest
from pydantic import TypeAdapter, ValidationError

from zero_shot_emotion.spans import Span


def test_a_span_rises():
    span = TypeAdapter(Span)
    assert span.validate_python([1, 2]) == (1.0, 2.0)
    assert span.validate_python([2, 2]) == (2.0, 2.0)
    with pytest.raises(ValidationError, match="the lower number first"):
        span.validate_python([2, 1])
