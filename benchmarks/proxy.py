"""What the LLM proxy costs, beside direct calls in the same run.

A model on loopback, the proxy and this client are a process each. Calls, and first bytes of
streams, are made in turn, direct and through the proxy; then many streams run at once, direct and
through the proxy, each at 50 tokens a second. All that passes is recorded.

    python -m benchmarks.proxy [--calls N] [--streams N] [--tokens N] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from benchmarks._proxy_upstream import PACE

_TARGET = 2.0  # milliseconds added to a call


@dataclass(frozen=True, slots=True)
class Streams:
    """How many streams at once went.

    Args:
        tokens_per_second: Of the slowest stream.
        first_ms: Until its first byte, at the median, and of the slowest 1 %.
        late_ms: How late tokens came after their time, at the median, and of the slowest 1 %.
    """

    tokens_per_second: float
    first_ms: tuple[float, float]
    late_ms: tuple[float, float]


class Connection:
    """A keep-alive connection that sends a prepared request and reads the answer."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def call(self, body: bytes) -> float:
        """Make a call; gives its seconds."""
        began = time.perf_counter()
        self._writer.write(request(body))
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        return time.perf_counter() - began

    async def stream(self, body: bytes) -> list[float]:
        """Make a call that is streamed; gives when each token came, from the request on."""
        began = time.perf_counter()
        self._writer.write(request(body))
        await self._reader.readuntil(b"\r\n\r\n")
        came: list[float] = []
        while size := int(await self._reader.readline(), 16):
            data = await self._reader.readexactly(size + 2)
            came += [time.perf_counter() - began] * data.count(b"data: {")
        await self._reader.readline()
        return came


def request(body: bytes) -> bytes:
    """A request over the wire."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
    return f"{head}authorization: Bearer sk-0123456789abcdef0123456789\r\n\r\n".encode() + body


def asked(number: int, *, tokens: int = 0) -> bytes:
    """The body of a request of a usual size; every one another conversation."""
    system = {"role": "system", "content": "You are a helpful assistant. " * 40}
    user = {"role": "user", "content": f"Question {number}: does it rain?"}
    more = {"stream": True, "user": str(tokens)} if tokens else {}
    return json.dumps({"model": "m", "messages": [system, user], **more}).encode()


async def calls(direct: int, proxied: int, count: int) -> dict[str, float]:
    """Calls and first bytes of streams in turn, direct and proxied: medians in milliseconds."""
    seconds: dict[str, list[float]] = {"direct": [], "proxied": []}
    first: dict[str, list[float]] = {"direct": [], "proxied": []}
    connections = {"direct": Connection(direct), "proxied": Connection(proxied)}
    for connection in connections.values():
        await connection.open()
    for number in range(count + 20):
        for name, connection in connections.items():
            seconds[name].append(await connection.call(asked(number)))
            first[name].append((await connection.stream(asked(-number, tokens=1)))[0])
    for connection in connections.values():
        connection.close()
    found = {name: _ms(statistics.median(taken[20:])) for name, taken in seconds.items()}
    begun = {f"{name}_first": _ms(statistics.median(taken[20:])) for name, taken in first.items()}
    return {
        **found,
        "added": round(found["proxied"] - found["direct"], 3),
        **begun,
        "added_first": round(begun["proxied_first"] - begun["direct_first"], 3),
    }


async def streams(port: int, count: int, tokens: int) -> Streams:
    """Many streams at once."""
    opened = [Connection(port) for _ in range(count)]
    for connection in opened:
        await connection.open()

    async def one(number: int, connection: Connection) -> list[float]:
        await asyncio.sleep(number / count)  # they begin within a second, one after the other
        return await connection.stream(asked(number, tokens=tokens))

    came = await asyncio.gather(*(one(*each) for each in enumerate(opened)))
    for connection in opened:
        connection.close()
    rates = [(tokens - 1) / (times[tokens - 1] - times[0]) for times in came]
    late = [
        at - times[0] - number * PACE for times in came for number, at in enumerate(times[:tokens])
    ]
    return Streams(round(min(rates), 2), _spread([times[0] for times in came]), _spread(late))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return _ms(statistics.median(ordered)), _ms(ordered[int(len(ordered) * 0.99)])


@contextmanager
def child(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that says on its first line, of both outputs, which port it listens on."""
    with subprocess.Popen(
        [sys.executable, "-m", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.search(r"(?:127\.0\.0\.1:|^)([0-9]+)(?: \(Ctrl-C|$)", line)
            if found is None:
                raise SystemExit(line + process.stdout.read())
            yield process, int(found[1])
        finally:
            process.terminate()


def measured(*, count: int, at_once: int, tokens: int) -> dict[str, object]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder, child("benchmarks._proxy_upstream") as up:
        direct = up[1]
        program = ("playhead", "record", "llm", "--upstream", f"http://127.0.0.1:{direct}")
        with child(*program, "--port", "0", "--store", f"{folder}/tapes.db") as (process, proxied):
            found: dict[str, object] = {"calls_ms": asyncio.run(calls(direct, proxied, count))}
            for name, port in (("direct", direct), ("proxied", proxied)):
                found[f"streams_{name}"] = asdict(asyncio.run(streams(port, at_once, tokens)))
            process.terminate()
            assert process.stdout is not None
            told = process.stdout.read()
    recorded = re.search(r"recorded ([0-9,]+) model calls$", told.strip())
    kept = int(recorded[1].replace(",", "")) if recorded is not None else told
    return {**found, "made": 2 * (count + 20) + at_once, "recorded": kept}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=250)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args(arguments)
    found = measured(count=wanted.calls, at_once=wanted.streams, tokens=wanted.tokens)
    if wanted.json:
        print(json.dumps(found))
        return 0
    for name, figures in found.items():
        print(f"{name:16} {figures}")
    print(f"target: at most {_TARGET} ms added to a call; {1 / PACE:g} tokens a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
