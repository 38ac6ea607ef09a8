import json

import pytest

from generation.completion import BodyError, Completion, completion_of, estimated_tokens, read_body


def body(message: dict | None = None, finish: str = "stop", **fields: object) -> dict:
    return {"choices": [{"message": message, "finish_reason": finish}], **fields}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            body({"content": "Hi"}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
            Completion("Hi", refused=False, cut_off=False, prompt_tokens=3, completion_tokens=1),
        ),
        (body({"content": None, "refusal": "No."}), Completion("", True, False, None, None)),
        (body({"content": "Hi"}, "content_filter"), Completion("Hi", True, False, None, None)),
        (body({"content": "Hi"}, "length"), Completion("Hi", False, True, None, None)),
        (body(None), Completion("", False, False, None, None)),
        (
            body({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
            Completion("ab", False, False, None, None),
        ),
    ],
)
def test_the_first_choice_is_read(answer: dict, expected: Completion) -> None:
    assert completion_of(read_body(json.dumps(answer))) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty body"),
        ("<html>busy</html>", "expected JSON, got '<html>busy"),
        ('{"choices": [{"mess', "expected JSON, got"),
        ('{"error": "upstream"}', "expected a chat completion with choices, got"),
        ('{"choices": []}', "expected a chat completion with choices"),
        ("[]", "expected a chat completion"),
        ('data: {"choices": [{"delta": {"content": "a"}}]}\n\n', "a stream that ends with a finish_reason"),
        ('data: {"choices": [{"delta": {"con', "a stream that broke off"),
    ],
)
def test_what_is_no_completion_is_an_error(text: str, message: str) -> None:
    with pytest.raises(BodyError, match=message):
        read_body(text)


def test_a_stream_is_put_together_with_its_usage() -> None:
    chunks = [
        {"choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "Hi "}}]},
        {"choices": [{"delta": {"content": "you"}, "finish_reason": "length"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    ]
    stream = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"

    assert completion_of(read_body(stream)) == Completion("Hi you", False, True, 3, 2)


def test_tokens_are_estimated_by_length() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "four", "fives")] == [0, 1, 1, 2]
