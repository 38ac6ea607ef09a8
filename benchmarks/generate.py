"""How fast and how lean generation is, against a chat-completions server on this machine that does nothing but wait.

Run it in the environment that the package is installed in: ``python benchmarks/generate.py``. It prints

- the throughput at a latency of 200 ms, as a ratio to what that latency allows at all, and the processor time a
  request, which another load disturbs less: of a bare HTTP client, of our client alone, and of the whole provider
  (planning, prompts, storing, parsing, deduplicating), all of it imported before;
- the time to parse and deduplicate 100,000 utterances, and what a prompt costs;
- the memory of whole runs that end with 10,000 and with 100,000 utterances.
"""

import asyncio
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from generation.client import Client
from generation.completion import Completion
from generation.datasheet import load_datasheet
from generation.endpoint import Budget, Endpoint
from generation.generate import generate
from generation.harvest import Harvest
from generation.plan import Plan
from generation.prompt import render, template_text
from generation.shipped import shipped_dialogues
from zero_shot_emotion.corpus import FOUR

LATENCY = 0.2
CONCURRENCY = 64
REQUESTS = 2000
IDEAL = CONCURRENCY / LATENCY
"""Requests a second."""
UTTERANCES = 100_000
EMOTIONS = ("neutral", "happy", "angry", "sad")
SPAWN = multiprocessing.get_context("spawn")


def vocabulary() -> list[str]:
    """The words of the shipped dialogues, as often as they occur: new sentences share shingles as real ones do."""
    turns = [turn for dialogue in shipped_dialogues("iemocap") for turn in dialogue.response["turns"]]
    return [word for turn in turns for word in turn["text"].split()]


def answer(rng: random.Random, words: list[str], earlier: list[str]) -> str:
    """A dialogue of nine turns; one line in ten has been said before."""
    lines = [" ".join(rng.choices(words, k=rng.randint(3, 16))) for _ in range(9)]
    if earlier and rng.random() < 0.9:
        lines[rng.randrange(9)] = rng.choice(earlier)
    earlier[rng.randrange(1000) : 1000] = lines[:1]
    turns = [{"speaker": "AB"[i % 2], "emotion": rng.choice(EMOTIONS), "text": line} for i, line in enumerate(lines)]
    return json.dumps({"turns": turns})


class Waiting(asyncio.Protocol):
    """One connection to the server."""

    latency, words, earlier, rng = 0.0, [], [], random.Random(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer after the latency, once the request is there."""
        self.data += data
        head, _, body = self.data.partition(b"\r\n\r\n")
        if body and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self.data = b""
            asyncio.get_running_loop().call_later(self.latency, self.transport.write, self.response())

    def response(self) -> bytes:
        """A completion."""
        message = {"role": "assistant", "content": answer(self.rng, self.words, self.earlier)}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700}
        body = json.dumps({"object": "chat.completion", "choices": choices, "usage": usage}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def serve(latency: float, ports: multiprocessing.SimpleQueue) -> None:
    """Run the server, until it is ended."""
    Waiting.latency, Waiting.words = latency, vocabulary()

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Waiting, "127.0.0.1", 0, backlog=1024)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def server(latency: float) -> Iterator[str]:
    """The address of a server in a process of its own."""
    ports = SPAWN.SimpleQueue()
    process = SPAWN.Process(target=serve, args=(latency, ports), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ports.get()}/v1"
    finally:
        process.terminate()
        process.join()


class Stopwatch:
    """How long something takes, and how much of a processor."""

    def __enter__(self) -> "Stopwatch":
        self.start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds, self.busy = time.perf_counter() - self.start[0], time.process_time() - self.start[1]

    def __str__(self) -> str:
        rate = REQUESTS / self.seconds
        share = f"{rate:.0f} requests/s, {rate / IDEAL:.3f} of the ideal {IDEAL:.0f}"
        return f"{share}, {self.busy / REQUESTS * 1e3:.2f} ms of processor time a request"


def server_seconds() -> float:
    """Of processor time that the servers have taken so far."""
    ticks = 0
    for process in multiprocessing.active_children():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def bare(url: str) -> Stopwatch:
    """A client that does nothing but write and read: what the machine and the server allow."""
    request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2500\r\n\r\n" + b"x" * 2500
    port = int(url.rpartition(":")[2].removesuffix("/v1"))
    todo = iter(range(REQUESTS))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in todo:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2]))

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))

    with Stopwatch() as watch:
        asyncio.run(all_of_them())
    return watch


def client_alone(url: str) -> Stopwatch:
    """Our client."""

    async def work() -> Stopwatch:
        endpoint = Endpoint(base_url=url, model="m", concurrency=CONCURRENCY)
        async with Client(endpoint) as client:
            prompt = "Answer in JSON. " + "x" * 2500
            with Stopwatch() as watch:
                await asyncio.gather(*(client.ask(prompt, name="any", schema={}, seed=i) for i in range(REQUESTS)))
            return watch

    return asyncio.run(work())


def provider(url: str, requests: int = REQUESTS) -> Stopwatch:
    """The whole provider, from the call until the corpus is written."""
    endpoint = Endpoint(base_url=url, model="m", concurrency=CONCURRENCY, budget=Budget(requests=requests))
    with tempfile.TemporaryDirectory() as out, Stopwatch() as watch:
        generate(out, labels=FOUR, utterances=10**6, endpoint=endpoint)
    return watch


def harvest_seconds() -> tuple[float, int, float]:
    """To parse and deduplicate, how many utterances were accepted, and for a round and its prompt."""
    sheet, words, rng = load_datasheet("iemocap"), vocabulary(), random.Random(1)
    plan = Plan(sheet, FOUR, {"model": "m"}, template_text("dialogue"), 0)
    harvest, earlier = Harvest(sheet, FOUR, 10**6, "m"), []
    answers = [answer(rng, words, earlier) for _ in range(UTTERANCES // 9)]
    parsing = planning = 0.0
    for index, text in enumerate(answers):
        start = time.perf_counter()
        asked = plan.round(index, harvest.missing, harvest.lines)
        render(sheet, asked.request)
        planned = time.perf_counter()
        harvest.gather(asked, Completion(text, False, False, 1, 1))
        planning += planned - start
        parsing += time.perf_counter() - planned
    return parsing, harvest.accepted, planning / len(answers)


def resident() -> float:
    """MiB that this process has held at most; getrusage would count those of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def peak(url: str, utterances: int) -> tuple[float, float, float]:
    """MiB at most of a whole run, before it and after it, and its seconds."""
    endpoint = Endpoint(base_url=url, model="m", concurrency=CONCURRENCY)
    with tempfile.TemporaryDirectory() as out:
        generate(Path(out) / "first", labels=FOUR, utterances=1000, endpoint=endpoint)  # has everything imported
        before = resident()
        start = time.perf_counter()
        generate(Path(out) / "second", labels=FOUR, utterances=utterances, endpoint=endpoint)
        seconds = time.perf_counter() - start
    return before, resident(), seconds


def throughput() -> None:
    """Print that of a bare client, of ours, and of the provider."""
    with server(LATENCY) as url:
        provider(url, requests=CONCURRENCY)  # has everything imported
        for name, run in {"bare HTTP": bare, "our client": client_alone, "whole provider": provider}.items():
            before = server_seconds()
            watch = run(url)
            served = (server_seconds() - before) / REQUESTS * 1e3
            print(f"{name:<15} {watch}; of the server's {served:.2f} ms; load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    """Print the figures."""
    throughput()
    parsing, accepted, planning = harvest_seconds()
    print(f"parse and deduplicate {UTTERANCES} utterances: {parsing:.1f} s, {accepted} accepted")
    print(f"plan and render a prompt: {planning * 1e3:.2f} ms")
    with server(0.0) as url:
        for utterances in (UTTERANCES // 10, UTTERANCES):
            with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
                before, after, seconds = pool.submit(peak, url, utterances).result()
            grown = (after - before) * 1024 / utterances
            print(
                f"whole run to {utterances} utterances: {seconds:.1f} s, from {before:.0f} to {after:.0f} MiB, "
                f"{grown:.2f} KiB an utterance"
            )


if __name__ == "__main__":
    sys.exit(main())
