"""A model server on loopback that says, byte for byte, what a test wants it to say."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playhead.llm._attempts import Backoff

KEY = "sk-test-0123456789abcdef0123456789"
NO_WAIT = Backoff(initial=0, maximum=0, jitter=0, longest_retry_after=0)


@dataclass
class Exchange:
    """One request, and the connection to answer it on."""

    server: FakeServer
    socket: socket.socket
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait_for_client(self) -> None:
        """Until the client hangs up, or the test is over."""
        with suppress(OSError):
            while self.socket.recv(4096):
                pass
        self.server.hung_up.set()


Reply = Callable[[Exchange], None]


@dataclass
class FakeServer:
    """Answers requests with the replies in order; the last one is for all that follow."""

    replies: deque[Reply] = field(default_factory=deque)
    seen: list[Exchange] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def says(self, *replies: Reply) -> None:
        """What to answer from now on."""
        if replies:
            self.replies = deque(replies)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [exchange.body for exchange in self.seen]

    def close(self) -> None:
        self.over.set()
        for open_socket in [self._listener, *self._sockets]:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, len(self._sockets)))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                headers: dict[str, str] = {}
                while (header := stream.readline().decode().strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = json.loads(stream.read(int(headers["content-length"])))
                path = line.split()[1].decode()
                exchange = Exchange(self, connection, path, headers, body, number)
                self.seen.append(exchange)
                self.asked.set()
                reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
                reply(exchange)


def http(
    body: bytes, *, status: int = 200, type: str = "application/json", **headers: str
) -> Reply:
    """An answer with a length."""
    lines = [f"HTTP/1.1 {status} Status", f"content-length: {len(body)}", f"content-type: {type}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda exchange: exchange.send("\r\n".join([*lines, "", ""]).encode() + body)


def answer(value: object, *, status: int = 200, **headers: str) -> Reply:
    return http(json.dumps(value).encode(), status=status, **headers)


def error(status: int, message: str = "no", **more: Any) -> Reply:
    headers = more.pop("headers", {})
    return answer({"error": {"message": message, **more}}, status=status, **headers)


def completion(message: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What a server answers."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, **(message or {})},
                "finish_reason": more.pop("finish_reason", "stop"),
                **more.pop("choice", {}),
            }
        ],
        **more,
    }


def call(name: str, arguments: Any = "{}", id: str | None = "call_1") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def chunk(delta: dict[str, Any] | None = None, **more: Any) -> str:
    """One event's data."""
    finish_reason = more.pop("finish_reason", None)
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish_reason}
    return json.dumps({"choices": [{**choice, **more.pop("choice", {})}], **more})


def events(*data: str) -> bytes:
    return b"".join(f"data: {item}\n\n".encode() for item in data)


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def chunked(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def stream(*data: str, pieces: Iterable[bytes] | None = None, cut: bool = False) -> Reply:
    """An event stream, sent in pieces, whole or cut off."""
    sent = list(pieces) if pieces is not None else [events(item) for item in data]

    def reply(exchange: Exchange) -> None:
        exchange.send(_STREAM_HEAD)
        for piece in sent:
            exchange.send(chunked(piece))
        if cut:
            exchange.socket.shutdown(socket.SHUT_RDWR)
        else:
            exchange.send(b"0\r\n\r\n")

    return reply


def cut_after(data: bytes) -> Reply:
    """These bytes, and then the connection is closed."""

    def reply(exchange: Exchange) -> None:
        exchange.send(data)
        exchange.socket.shutdown(socket.SHUT_RDWR)

    return reply


def silence(before: bytes = b"") -> Reply:
    """These bytes, and nothing more until the client hangs up."""

    def reply(exchange: Exchange) -> None:
        exchange.send(before)
        exchange.wait_for_client()

    return reply


def trickle(head: bytes, pieces: Iterable[bytes], pause: float, *, tail: bytes = b"") -> Reply:
    """Pieces with a pause before each."""

    def reply(exchange: Exchange) -> None:
        exchange.send(head)
        for piece in pieces:
            exchange.server.over.wait(pause)
            exchange.send(piece)
        exchange.send(tail)

    return reply
