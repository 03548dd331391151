"""What the tests of the MCP proxy share: servers, clients, and what became of a recording."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_kit import SDK

import playhead as ph
from playhead.govern import Redactor
from playhead.record.mcp import Capture, HttpProxy, Player, read_recording, record_stdio
from playhead.tape import Body, Tape
from playhead.tape.kinds import Connection, McpMessage, ToolCall, ToolError, ToolResult

PLAYHEAD = [sys.executable, "-m", "playhead"]
TIME = [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"]
GIT = [sys.executable, "-m", "mcp_server_git"]
MEANT = (ToolCall, ToolResult, ToolError)


def recording(path: Path, *words: str) -> list[str]:
    """The command line that a client has in the place of the server's."""
    return [*PLAYHEAD, "record", "mcp", "--store", str(path), *words, "--"]


def replaying(path: Path, *tapes: str) -> list[str]:
    return [*PLAYHEAD, "replay", "mcp", *(tapes or ("last",)), "--store", str(path)]


def capture(**options: Any) -> Capture:
    return Capture(options.pop("redactor", Redactor()), **options)


def bodies(tape: Tape, *kinds: type[Body]) -> list[Any]:
    return [step.body for step in tape if isinstance(step.body, kinds)]


def faults(tape: Tape) -> list[str]:
    return [body.fault for body in bodies(tape, McpMessage) if body.fault is not None]


def endings(tape: Tape) -> list[str | None]:
    return [body.message for body in bodies(tape, Connection) if body.event == "ended"]


def stdio(command: Sequence[str], errors: Any = None, **env: str) -> Any:
    parameters = StdioServerParameters(command=command[0], args=list(command[1:]), env=env or None)
    return stdio_client(parameters, errlog=errors or sys.stderr)


class Heard:
    """What a server says to a client beside its answers."""

    def __init__(self) -> None:
        self.progress: list[tuple[float, float | None, str | None]] = []

    async def __call__(self, done: float, total: float | None, message: str | None) -> None:
        self.progress.append((done, total, message))


async def everything(client: Client) -> list[Any]:
    """All that the sample server can do, as its client sees it."""
    heard = Heard()
    seen: list[Any] = [client.server_info, (await client.list_tools()).tools]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("point", {"x": 1, "y": 2}), ("picture", {}), ("sound", {}), ("broken", {}),
        ("large", {"size": 100_000}), ("point", {"x": "one"}), ("nothing", {}),
    ]  # fmt: skip
    for name, arguments in calls:
        seen.append(await outcome(client.call_tool(name, arguments)))
    seen.append(await client.call_tool("steps", {"count": 3}, progress_callback=heard))
    seen.append(heard.progress)
    seen.append((await client.list_resources()).resources)
    seen.append(await client.read_resource("note://picture"))
    seen.append(await outcome(client.read_resource("note://nowhere")))
    seen.append(await client.get_prompt("greet", {"who": "Ana"}))
    return seen


async def outcome(call: Any) -> Any:
    """What a call gives, or its error."""
    try:
        return await call
    except MCPError as error:
        return error.error


def sample(folder: Path) -> list[str]:
    return [sys.executable, str(SDK), str(folder), "stdio"]


async def with_client(transport: Any, use: Callable[[Client], Any], **options: Any) -> Any:
    async with asyncio.timeout(90):
        async with Client(transport, cache=None, **options) as client:
            return await use(client)


def http(url: str) -> Any:
    return streamable_http_client(url)


@contextlib.asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """An ASGI application on a port of its own, in this loop; gives its origin."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  (it tells nobody)
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def proxied(url: str, store: ph.SqliteStore, **options: Any) -> AsyncIterator[Any]:
    """The proxy before a server; gives it and the URL of the same path through it."""
    told: list[str] = []
    proxy = HttpProxy(url, store=store, capture=capture(**options), tell=told.append)
    async with served(proxy) as origin:
        yield proxy, origin + proxy.path
    assert told == proxy.faults or proxy.faults


class Pipes:
    """A connection over standard input and output in this process, as a client sees it."""

    def __init__(self, command: Sequence[str], store: Any, **options: Any) -> None:
        self.told: list[str] = []
        mine, theirs = os.pipe(), os.pipe()
        self.write, self.read = mine[1], theirs[0]
        self._theirs = (mine[0], theirs[1])
        env = options.pop("env", None)
        self._task = asyncio.ensure_future(
            record_stdio(
                command,
                store=store,
                capture=capture(**options),
                tell=self.told.append,
                env=env,
                reading=mine[0],
                writing=theirs[1],
            )
        )

    async def say(self, data: bytes) -> None:
        await asyncio.to_thread(_write_all, self.write, data)

    async def hear(self, size: int) -> bytes:
        """So many bytes, or less if no more come."""
        return await asyncio.to_thread(_read_exactly, self.read, size)

    async def close(self) -> Any:
        """Close the client's side, and see how it all ended."""
        os.close(self.write)
        return await self.end()

    async def end(self) -> Any:
        async with asyncio.timeout(60):
            ended = await self._task
        for descriptor in (*self._theirs, self.read):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        return ended


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read_exactly(descriptor: int, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (piece := os.read(descriptor, size - len(found))):
        found += piece
    return bytes(found)


async def player_of(store: ph.SqliteStore, *tapes: str) -> Player:
    return Player([await read_recording(store, tape) for tape in tapes])


async def newest(store: ph.SqliteStore) -> Tape:
    return await store.open((await store.tapes(limit=1))[0].id)


def found_in(folder: Path, words: Sequence[str]) -> list[tuple[str, str]]:
    """Which of these words stand in which file of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [(w, path.name) for path in files for w in words if w.encode() in path.read_bytes()]


class Program:
    """A command of ours over HTTP, in a process of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self._process.stderr is not None
        found = re.search(r"http://\S+", self._process.stderr.readline().decode())
        assert found is not None
        self.url = found[0]

    def stop(self) -> tuple[int, str]:
        """The exit code, and what it said at its end."""
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=60)
        return self._process.returncode, said.decode()


@contextlib.contextmanager
def program(command: Sequence[str]) -> Iterator[Program]:
    made = Program(command)
    try:
        yield made
    finally:
        if made._process.poll() is None:
            made.stop()
