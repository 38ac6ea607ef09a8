"""A chat-completions server on this machine that answers by script, on bad days too."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from time import time
from typing import Any

EMOTIONS = ("neutral", "happy", "angry", "sad", "frustrated")
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "xo", "yu", "za")


@dataclass(frozen=True)
class Reply:
    """What the server does with an attempt: wait, send a part or all of a response, and hang up if it was a part."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    sent: float = 1.0
    """Share of the response that is sent."""


@dataclass
class ChatServer:
    """Runs ``script(body, attempt)`` for every attempt; ``bodies`` are the requests, as they came."""

    script: Callable[[dict[str, Any], int], Reply]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    answered: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0
    stop: Callable[[], object] = object
    _at_once: int = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        attempt = self.bodies.count(body)
        self.bodies.append(body)
        self.authorizations.add(headers.get("authorization", ""))
        reply = self.script(body, attempt)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(reply.delay)
        self._at_once -= 1
        payload = reply.body.encode()
        lines = {"Content-Type": "application/json", "Content-Length": str(len(payload)), **reply.headers}
        head = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
        response = "\r\n".join(head).encode() + payload
        writer.write(response[: int(len(response) * reply.sent)])
        await writer.drain()
        if reply.status == 200 and reply.sent == 1:
            self.answered.append(body)
        return reply.sent == 1


@contextmanager
def serving(script: Callable[[dict[str, Any], int], Reply]) -> Iterator[ChatServer]:
    """A server in a thread of its own, for as long as the context lasts."""
    server, ready = ChatServer(script), threading.Event()

    async def run() -> None:
        listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        server.stop = partial(asyncio.get_running_loop().call_soon_threadsafe, asyncio.current_task().cancel)
        ready.set()
        with suppress(asyncio.CancelledError):
            await listening.serve_forever()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def completion(content: str | None, *, finish: str = "stop", refusal: str | None = None, **fields: Any) -> Reply:
    """An answer, with 100 tokens read and 50 written."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return Reply(body=json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}), **fields)


def failure(status: int, message: str = "no", **fields: Any) -> Reply:
    """An error, as OpenAI words it."""
    code = fields.pop("code", None)
    return Reply(status, json.dumps({"error": {"message": message, "type": "x", "code": code}}), **fields)


def sentence(rng: random.Random) -> str:
    """Words of no language: no two sentences are alike."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(rng.randint(4, 10))]
    return " ".join(words).capitalize() + "."


def turns(seed: int, count: int = 9) -> list[dict[str, str]]:
    """A dialogue that follows from a seed."""
    rng = random.Random(seed)
    return [{"speaker": "AB"[i % 2], "emotion": rng.choice(EMOTIONS), "text": sentence(rng)} for i in range(count)]


def good(body: dict[str, Any], attempt: int = 0) -> Reply:
    """A dialogue of its own for each request."""
    return completion(json.dumps({"turns": turns(body["seed"])}))


PASSING: tuple[Callable[[], Reply], ...] = (
    lambda: failure(429, headers={"Retry-After": "0"}),
    lambda: failure(429, headers={"Retry-After": formatdate(time() + 1, usegmt=True)}),
    lambda: failure(429),
    lambda: failure(500),
    lambda: Reply(503, "<html>busy</html>"),
    lambda: completion("late", delay=60),
    lambda: Reply(sent=0.0),
    lambda: completion("half", sent=0.7),
    lambda: Reply(body='{"choices": [{"message": {"content": "half'),
    lambda: Reply(body='{"error": {"message": "upstream"}}'),
)
"""What an endpoint may do on a bad day, and do better at the next attempt."""

USELESS: tuple[Callable[[], Reply], ...] = (
    lambda: completion(json.dumps({"turns": [{"speaker": "A", "emotion": "ecstatic", "text": "Wow."}] * 8})),
    lambda: completion(""),
    lambda: completion(None),
    lambda: completion("I'm sorry, but I can't help with that."),
    lambda: completion(None, refusal="I can't."),
    lambda: completion(None, finish="content_filter"),
    lambda: completion(json.dumps({"turns": turns(1)})),
    lambda: completion(json.dumps({"turns": turns(2)})[:400], finish="length"),
)
"""Answers that are paid for and bring nothing, or nothing new, or half of it."""


def bad_day(body: dict[str, Any], attempt: int) -> Reply:
    """Three attempts in ten go wrong, two of them so that another one helps; what happens follows from the request."""
    rng = random.Random(f"{body['seed']} {attempt}")
    fate = rng.random()
    if fate < 0.2:
        return rng.choice(PASSING)()
    return rng.choice(USELESS)() if fate < 0.3 else good(body)
