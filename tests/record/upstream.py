"""An upstream on loopback that behaves like a provider: it answers from what it is sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from playhead.record import WIRES, Reply, Wire
from playhead.tape import Message, ToolCallPart, assistant

Answerer = Callable[["Asked"], None]


@dataclass
class Asked:
    """A request, and the connection to answer it on."""

    upstream: Upstream
    connection: socket.socket
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def answer(self, body: bytes, *, status: int = 200, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.send(head.encode() + body)

    def begin(self, kind: str = "text/event-stream") -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        self.send(head.encode())

    def chunk(self, data: bytes) -> None:
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def cut(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait_for_client(self) -> None:
        """Until whoever asked hangs up, or the test is over."""
        with suppress(OSError):
            while self.connection.recv(4096):
                pass
        self.upstream.hung_up.set()


@dataclass
class Upstream:
    """A server; `answers` is called for each request, in a thread of its connection."""

    answers: Answerer
    seen: list[Asked] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                headers: dict[str, str] = {}
                while header := stream.readline().decode("latin-1").strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                method, path, _ = line.decode().split(" ", 2)
                self.seen.append(Asked(self, connection, method, path, headers, body))
                self.answers(self.seen[-1])


@contextmanager
def serving(answers: Answerer) -> Iterator[Upstream]:
    """An upstream, for as long as the context is open."""
    upstream = Upstream(answers)
    try:
        yield upstream
    finally:
        upstream.close()


def wire_for(path: str) -> Wire:
    return next(w for w in WIRES.values() if path.partition("?")[0].endswith(w.path))


def reply(asked: Asked, message: Message, *, thinks: bool = False) -> None:
    """Answer in the protocol of the request, streamed in small pieces if that is wanted.

    With `thinks`, the answer of a Responses API begins with a thought, as those of models do that
    reason.
    """
    wire, request = wire_for(asked.path), asked.json
    number = len(asked.upstream.seen)
    body: Any = wire.response(Reply(request["model"], message, id=str(number)))
    if thinks and "output" in body:
        summary = {"type": "summary_text", "text": "Look first."}
        thought = {"id": f"rs_{number}", "type": "reasoning", "summary": [summary]}
        body["output"].insert(0, {**thought, "encrypted_content": f"gAAAA{number}"})
    if not request.get("stream"):
        asked.answer(json.dumps(body).encode())
        return
    stream = wire.stream(body, asked=request)
    asked.begin()
    for at in range(0, len(stream), 50):  # within events and within characters
        asked.chunk(stream[at : at + 50])
    asked.end()


def weather_agent(asked: Asked) -> None:
    """A model that looks at the weather of two cities, one after the other, and then answers."""
    messages = wire_for(asked.path).asked(asked.json).messages
    results = [message for message in messages if message.role == "tool"]
    turn = sum(message.role == "user" for message in messages)
    cities = ("Montréal", "Québec")
    if len(results) < 2 and turn == 1:
        arguments = {"city": cities[len(results)]}
        call = ToolCallPart(id=f"call_{len(results)}", name="weather", arguments=arguments)
        reply(asked, assistant((call,)))
    else:
        reply(asked, assistant(f"After {len(results)} looks and {turn} questions: rain. ☔"))
