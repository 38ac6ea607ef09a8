import json

import pytest

from generation.completion import BodyError, Completion, completion_of, estimated_tokens, read_body, told


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
    ("text", "cut_off"),
    [
        ('{"turns": [{"speaker": "A", "text": "Hel', True),
        ('{"turns": [{"speaker": "A", "text": "Hello."}', True),
        ('{"turns": [{"speaker": "A",', True),
        ('{"turns": [{"speaker": "A", "text": "Hello."}]}', False),
        ('{"turns": []} I hope this helps', False),
        ('{"turns": [{"text": "He said "no" twice."}]}', False),
        ('{"a":' * 10**5, False),
        ("A: Hello. [happy]\nB: Hel", False),
        ("", False),
    ],
)
def test_json_that_just_ends_was_cut_off_whatever_the_endpoint_says(text: str, cut_off: bool) -> None:
    assert completion_of(body({"content": text})).cut_off is cut_off


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty body"),
        ("<html>busy</html>", "expected JSON, got '<html>busy"),
        ('{"choices": [{"mess', "expected JSON, got"),
        ('{"error": "upstream"}', "expected a chat completion with choices, got an error: upstream"),
        ('{"error": {"message": "overloaded", "code": 502}}', "choices, got an error: overloaded"),
        ('{"object": "list"}', r"expected a chat completion with choices, got '\{\"object\": \"list\"\}'"),
        ('{"choices": []}', "expected a chat completion with choices"),
        ("[]", "expected a chat completion"),
        ('data: {"choices": [{"delta": {"content": "a"}}]}\n\n', "a stream that ends with a finish_reason"),
        ('data: {"choices": [{"delta": {"con', "a stream that broke off"),
        (
            'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {"error": "out of memory"}',
            "got an error: out of m",
        ),
        ("data: [DONE]\n\n", "a stream that ends with a finish_reason"),
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


@pytest.mark.parametrize("before", ["", ": OPENROUTER PROCESSING\n\n", "event: message\nid: 1\n"])
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
def test_a_stream_may_begin_with_a_comment_and_end_without_a_reason(before: str, end: str) -> None:
    stream = f'{before}data: {{"choices": [{{"delta": {{"content": "Hi"}}}}]}}{end}data: [DONE]{end}'

    assert completion_of(read_body(stream)) == Completion("Hi", False, False, None, None)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_separators_that_json_holds_as_they_are_do_not_cut_an_event(separator: str) -> None:
    chunk = {"choices": [{"delta": {"content": f"one{separator}two"}, "finish_reason": "stop"}]}
    stream = f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    assert completion_of(read_body(stream)).text == f"one{separator}two"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("no such model", "no such model"),
        ({"message": "too long", "code": 400}, "too long"),
        ({"error": {"message": "too long"}}, "too long"),
        ({"detail": "Unexpected keys in the request: {'top_k'}"}, "Unexpected keys in the request: {'top_k'}"),
        (
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}, {"msg": "and more"}]},
            "body.seed: Extra inputs; and more",
        ),
        ({"object": "error", "message": "", "detail": "empty prompt"}, "empty prompt"),
        ("<html>\n  <h1>Bad\n gateway</h1>", "<html> <h1>Bad gateway</h1>"),
        ({"code": 7}, None),
        ("  ", None),
        (None, None),
    ],
)
def test_errors_are_told_in_whatever_shape_they_come(error: object, said: str | None) -> None:
    assert told(error) == said


def test_tokens_are_estimated_by_length() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "four", "fives")] == [0, 1, 1, 2]
