import asyncio
import json
import logging
from email.utils import formatdate
from time import monotonic, time
from types import SimpleNamespace

import pytest

from generation.client import HELLO_ATTEMPTS, Client, UnansweredError
from generation.completion import completion_of
from generation.endpoint import Endpoint, Patience
from generation.errors import EndpointError
from tests.generation.chat_server import PASSING, PATIENCE, ChatServer, Reply, completion, failure, good, late, serving

KEY = "sk-a-secret-that-nobody-may-see"
QUICK = Patience(attempts=6, wait=0.001, wait_max=0.01)
SCHEMA = {"type": "object"}
TO_JSON = "Answer in JSON."


def endpoint(server: ChatServer, **settings) -> Endpoint:
    return Endpoint(**{"base_url": server.url, "model": "m", "patience": QUICK, "timeout": 60, **settings})


def ask(settings: Endpoint, *prompts: str, key: str | None = None) -> tuple[list, Client]:
    """The answers, in the order of the prompts; what was raised is an answer too."""

    async def work() -> tuple[list, Client]:
        async with Client(settings, key) as client:
            asked = [client.ask(prompt, name="mine", schema=SCHEMA, seed=i) for i, prompt in enumerate(prompts)]
            return await asyncio.gather(*asked, return_exceptions=True), client

    return asyncio.run(work())


def texts(answers: list) -> list[str]:
    return [completion_of(answer).text for answer in answers]


def test_the_request_holds_the_settings_that_are_given_and_no_others() -> None:
    with serving(good) as server:
        ask(endpoint(server, top_p=0.9, max_tokens=None, extra_body={"top_k": 5}), "Hello")

    assert server.bodies == [
        {
            "model": "m",
            "temperature": 1.0,
            "top_p": 0.9,
            "seed": 0,
            "messages": [{"role": "user", "content": "Hello"}],
            "top_k": 5,
        }
    ]


@pytest.mark.parametrize("reply", PASSING)
def test_what_may_pass_is_tried_again(reply) -> None:
    with serving(lambda body, attempt: reply() if attempt == 0 else completion("at last")) as server:
        answers, client = ask(endpoint(server, timeout=PATIENCE if reply is late else 60), "Hello")

    assert texts(answers) == ["at last"]
    assert len(server.bodies) == 2
    assert sum(client.retries.values()) == 1


@pytest.mark.parametrize("header", [lambda: "1", lambda: formatdate(time() + 2, usegmt=True)])
def test_retry_after_is_honoured_in_seconds_and_as_a_date(header) -> None:
    def script(body, attempt):
        return failure(429, headers={"Retry-After": header()}) if attempt == 0 else completion("at last")

    with serving(script) as server:
        start = monotonic()
        answers, _ = ask(endpoint(server), "Hello")

    assert texts(answers) == ["at last"]
    assert 0.9 < monotonic() - start < 4


def test_a_wait_that_is_too_long_to_be_sensible_ends_the_run() -> None:
    with serving(lambda *_: failure(429, "slow down", headers={"Retry-After": "3600"})) as server:
        (error,), _ = ask(endpoint(server), "Hello")

    assert isinstance(error, EndpointError)
    assert "HTTP 429 (it asks to wait for 3600 s): slow down" in str(error)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (failure(401, "wrong key"), "HTTP 401: wrong key; expected a key that it accepts in .* OPENAI_API_KEY"),
        (failure(404, "no such model"), "model 'm': HTTP 404: no such model; expected a model that it has"),
        (failure(400, "the prompt is too long"), "HTTP 400: the prompt is too long"),
        (failure(429, "pay first", code="insufficient_quota"), "HTTP 429: pay first"),
    ],
)
def test_what_will_not_pass_is_told_at_once(reply: Reply, message: str) -> None:
    with serving(lambda *_: reply) as server:
        (error,), _ = ask(endpoint(server), "Hello")

    with pytest.raises(EndpointError, match=message):
        raise error
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("status", "attempts"), [(500, HELLO_ATTEMPTS), (502, HELLO_ATTEMPTS), (503, QUICK.attempts), (429, QUICK.attempts)]
)
def test_an_endpoint_that_has_never_answered_ends_the_run(status: int, attempts: int) -> None:
    with serving(lambda *_: failure(status, "out of memory")) as server:
        (error,), client = ask(endpoint(server), "Hello")

    said = rf"model 'm': has not answered once, the last failure: HTTP {status}: out of memory\. .* run the same"
    with pytest.raises(EndpointError, match=said):
        raise error
    assert len(server.bodies) == attempts
    assert client.retries == {f"HTTP {status}": attempts - 1}


def test_an_endpoint_that_gives_up_three_requests_in_succession_ends_the_run() -> None:
    first = iter([completion("fine")])
    with serving(lambda *_: next(first, failure(500, "out of memory"))) as server:
        (answer, *unanswered, error), _ = ask(endpoint(server, concurrency=1), *["Hello"] * 4)

    assert texts([answer]) == ["fine"]
    assert [(type(one), str(one)) for one in unanswered] == [(UnansweredError, "HTTP 500: out of memory")] * 2
    with pytest.raises(EndpointError, match=r"no answer, .* the last one: HTTP 500: out of memory\. .* run the same"):
        raise error
    assert len(server.bodies) == 1 + 3 * QUICK.attempts


def test_the_last_request_of_all_may_be_one_that_the_endpoint_cannot_answer() -> None:
    with serving(lambda body, _: failure(500) if "poison" in str(body) else completion("fine")) as server:
        (answer, error), _ = ask(endpoint(server, concurrency=1), "Hello", "poison")

    assert texts([answer]) == ["fine"]
    assert isinstance(error, UnansweredError)


def test_a_failing_request_waits_for_another_that_may_be_the_first_to_be_answered() -> None:
    def script(body, attempt):
        poison = body["messages"][0]["content"] == "poison"
        return failure(500) if poison and attempt < 4 else completion("fine", delay=0 if poison else 0.3)

    with serving(script) as server:
        answers, client = ask(endpoint(server), "poison", "Hello")

    assert texts(answers) == ["fine", "fine"]
    assert client.retries == {"HTTP 500": 4}


def test_every_retry_is_told() -> None:
    told: list[int] = []

    async def work(url: str) -> None:
        settings = Endpoint(base_url=url, model="m", patience=QUICK)
        async with Client(settings, on_retry=lambda: told.append(client.retries.total())) as client:
            await client.ask("Hello", name="mine", schema=SCHEMA)

    with serving(lambda _, attempt: failure(429) if attempt < 2 else completion("fine")) as server:
        asyncio.run(work(server.url))

    assert told == [1, 2]


def test_nobody_at_the_address_is_told_soon() -> None:
    with serving(good) as server:
        pass
    (error,), client = ask(endpoint(server), "Hello")

    with pytest.raises(EndpointError, match="no connection"):
        raise error
    assert client.retries == {"no connection": 2}


def test_a_request_that_fails_while_others_are_answered_is_given_up_alone() -> None:
    def script(body, attempt):
        return failure(500) if body["messages"][0]["content"] == "poison" else completion("fine")

    with serving(script) as server:
        answers, _ = ask(endpoint(server), "poison", *["Hello"] * 9)

    assert isinstance(answers[0], UnansweredError)
    assert texts(answers[1:]) == ["fine"] * 9


def test_no_more_requests_than_allowed_are_under_way() -> None:
    with serving(lambda *_: completion("fine", delay=0.1)) as server:
        ask(endpoint(server, concurrency=5), *map(str, range(30)))

    assert server.most_at_once == 5
    assert len(server.bodies) == 30


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (
            422,
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            r"HTTP 422: body\.seed: Extra inputs are not permitted; expected settings that it accepts, such as "
            r"\(in --llm-config\) seed: null$",
        ),
        (
            400,
            {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.", "code": "x"}},
            r"HTTP 400: Unsupported .*tokens'\.; expected settings that it accepts, .* max_tokens: null$",
        ),
        (
            422,
            {"detail": "Unused fields in the request: {'response_format'}"},
            "'response_format'}; .* json_mode: none$",
        ),
        (
            422,
            {"detail": [{"loc": ["stream"], "msg": "Field required"}]},
            r"stream: Field .* extra_body: {stream: true}$",
        ),
        (404, {"detail": "Not Found"}, "HTTP 404: Not Found; expected a model that it has, and an address that ends"),
        (400, {"object": "error", "message": "prompt too long"}, "HTTP 400: prompt too long$"),
        (400, "a mere text", "HTTP 400: a mere text$"),
    ],
)
def test_what_an_endpoint_says_is_shown_in_whatever_shape_it_says_it(status: int, body: object, message: str) -> None:
    with serving(lambda *_: Reply(status, body if isinstance(body, str) else json.dumps(body))) as server:
        (error,), _ = ask(endpoint(server), "Hello")

    with pytest.raises(EndpointError, match=message):
        raise error


def test_an_error_in_the_place_of_an_answer_is_shown() -> None:
    with serving(lambda *_: Reply(200, json.dumps({"error": {"message": "no worker", "code": 502}}))) as server:
        (error,), client = ask(endpoint(server), "Hello")

    assert (
        "has not answered once, the last failure: expected a chat completion with choices, got an error: no worker"
        in (str(error))
    )
    assert client.retries == {"broken answer": 2}


def test_an_endpoint_that_is_too_slow_is_told_soon_and_how_to_wait_longer() -> None:
    with serving(lambda *_: completion("late", delay=2)) as server:
        (error,), client = ask(endpoint(server, timeout=0.1), "Hello")

    assert (
        "no answer in 0.1 s. Expected an endpoint that is up, with its model loaded, and a timeout and a conc"
        in str(error)
    )
    assert client.retries == {"timeout": 2}


def accepts(*kinds: str | None):
    """A server that knows some response formats only."""

    def script(body, attempt):
        kind = body.get("response_format", {}).get("type")
        return completion(str(kind)) if kind in kinds else failure(400, f"{kind} is not supported")

    return script


@pytest.mark.parametrize(
    ("kinds", "taken", "refused"),
    [
        (("json_schema", "json_object", None), "json_schema", 0),
        (("json_object", None), "json_object", 1),
        (("json_schema", None), "json_schema", 0),
        ((None,), "None", 2),
    ],
)
def test_the_json_mode_is_what_the_endpoint_accepts_settled_once(kinds, taken: str, refused: int) -> None:
    with serving(accepts(*kinds)) as server:
        answers, _ = ask(endpoint(server, concurrency=3), *[TO_JSON] * 30)

    assert texts(answers) == [taken] * 30
    assert 30 + refused <= len(server.bodies) <= 30 + 3 * refused


def test_the_schema_is_sent_under_its_name() -> None:
    with serving(good) as server:
        ask(endpoint(server), TO_JSON)

    assert server.bodies[0]["response_format"]["json_schema"] == {"name": "mine", "schema": SCHEMA, "strict": True}


def test_a_json_mode_that_is_insisted_on_may_be_refused() -> None:
    with serving(accepts(None)) as server:
        (error,), _ = ask(endpoint(server, json_mode="schema"), TO_JSON)

    assert "HTTP 400: json_schema is not supported" in str(error)


def test_a_prompt_for_text_gets_text() -> None:
    with serving(good) as server:
        ask(endpoint(server), "Line by line, please.")

    assert "response_format" not in server.bodies[0]


def test_a_filter_that_answers_400_is_a_refusal() -> None:
    with serving(lambda *_: failure(400, "filtered", code="content_filter")) as server:
        (answer,), _ = ask(endpoint(server), TO_JSON)

    assert completion_of(answer).refused


def test_a_stream_that_nobody_asked_for_is_put_together() -> None:
    chunks = [{"choices": [{"delta": {"content": c}}]} for c in "abc"]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    reply = Reply(body=events, headers={"Content-Type": "text/event-stream"})
    with serving(lambda *_: reply) as server:
        answers, _ = ask(endpoint(server), "Hello")

    assert texts(answers) == ["abc"]


def test_the_key_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(lambda *_: completion(f"Your key is {KEY}.")) as server:
        answers, _ = ask(endpoint(server), "Hello", key=KEY)
    with serving(lambda *_: failure(401, f"Incorrect key {KEY}")) as refusing:
        (error,), _ = ask(endpoint(refusing), "Hello", key=KEY)

    assert server.authorizations == {f"Bearer {KEY}"}
    assert texts(answers) == ["Your key is [key]."]
    assert "Incorrect key [key]" in str(error)
    assert KEY not in caplog.text


def test_a_server_without_a_key_is_asked_without_one() -> None:
    with serving(good) as server:
        ask(endpoint(server), "Hello")

    assert server.authorizations == {"Bearer none"}


def test_the_waits_grow_up_to_a_limit_and_are_drawn_from_the_requests_seed() -> None:
    client = Client(Endpoint(base_url="http://x/v1", model="m", patience=Patience(wait=1, wait_max=8)))

    def waits(seed: int) -> list[float]:
        return [client._wait(SimpleNamespace(attempt_number=n, outcome=None), seed) for n in range(1, 7)]

    assert waits(1) == waits(1) != waits(2)
    assert all(limit / 2 <= wait <= limit for wait, limit in zip(waits(1), (1, 2, 4, 8, 8, 8), strict=True))
