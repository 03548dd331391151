"""A server for our own applications, on loopback unless asked otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

from playhead.errors import RecordError
from playhead.govern import needed

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

INSTALL = '"playhead[record]"'
_BACKLOG = 2048


@asynccontextmanager
async def serving(
    app: App,
    *,
    host: str,
    port: int,
    install: str = INSTALL,
    lifespan: bool = False,
    patience: int = 5,
) -> AsyncIterator[str]:
    """Serve an application while the context is open; gives its address.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0 for a free one.
        install: What to give `pip install` where a package is missing.
        lifespan: Whether the application is told when it begins and ends.
        patience: Seconds that open requests are given at the end.

    Raises:
        RecordError: The port is taken, or the address is none of this machine.
        MissingExtraError: A package is not installed.
    """
    uvicorn = needed("uvicorn", install=install)
    listener = _listener(host, port)

    class Server(uvicorn.Server):  # type: ignore[name-defined,misc]
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are the program's

    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on" if lifespan else "off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=patience,
    )
    server = Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield _address(host, listener)
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await running
        listener.close()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol's number: asyncio sends small pieces at once only where it sees that.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        fault = f"{host}:{port} cannot be listened on ({error}): choose another port"
    else:
        return listener
    raise RecordError(fault)


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def body_of(receive: Receive, *, most: int) -> bytes | None:
    """The body of a request; None if it is larger, or the client hung up before its end."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def respond(
    send: Send, status: int, body: bytes, *, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Send a whole answer, of JSON unless its headers say otherwise."""
    told = headers or [(b"content-type", b"application/json")]
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [*told, length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
