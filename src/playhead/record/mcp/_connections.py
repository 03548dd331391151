"""Which tape a request over HTTP belongs to: one for each connection of a client."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playhead.environment.mcp import Address
from playhead.record._hider import Hider
from playhead.record.mcp._asgi import Scope, header
from playhead.record.mcp._capture import Capture
from playhead.record.mcp._recorder import Recorder
from playhead.record.mcp._split import TooLong
from playhead.store import Store
from playhead.tape import Json

_IDLE = 3600.0  # seconds after which a connection without a word has ended
_OURS = b"x-playhead-session"
_SECRET = re.compile(r"key|token|secret|passw|credential|auth|cookie|session", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Connection:
    """A client's connection as it is being recorded."""

    recorder: Recorder
    used: float
    is_probed: bool = True  # nothing was asked for but `server/discover`


class Connections:
    """The connections that are open, by what tells them apart.

    That is the header `X-Playhead-Session` if there is one, else the server's `Mcp-Session-Id`.
    Where the server gives none, each `initialize` or `server/discover` begins another tape; what
    follows belongs to the one of the same TCP connection, else of the same host and program.
    """

    def __init__(
        self, store: Store, capture: Capture, address: Address, *, tell: Callable[[str], None]
    ) -> None:
        self._store, self._capture, self._address, self._tell = store, capture, address, tell
        self._sessions: dict[str, Connection] = {}
        self._peers: dict[str, Connection] = {}
        self._clients: dict[str, Connection] = {}
        self._all: list[Recorder] = []

    @property
    def tapes(self) -> list[str]:
        """The ids of the tapes so far."""
        return [recorder.tape for recorder in self._all if recorder.tape is not None]

    @property
    def faults(self) -> list[str]:
        """Why recordings are not whole."""
        return [recorder.fault for recorder in self._all if recorder.fault is not None]

    def of(self, scope: Scope, said: bytes | TooLong | None) -> Connection:
        """The connection that a request belongs to, which may begin with it."""
        named, method = _named(scope), method_of(said)
        if named is not None:
            found = self._sessions.get(named) or self._new()
            self._sessions[named] = found
        else:
            found = self._unnamed(scope, method)
        found.used = time.monotonic()
        found.is_probed = found.is_probed and method in ("server/discover", None)
        found.recorder.hider.add(_secrets(scope))
        return found

    def _unnamed(self, scope: Scope, method: str | None) -> Connection:
        peer, client = _peer(scope), client_of(scope)
        mine, latest = self._peers.get(peer), self._clients.get(client)
        if method == "server/discover":
            found = mine if mine is not None and mine.is_probed else None
        elif method == "initialize":
            found = mine or latest
            found = found if found is not None and found.is_probed else None
        else:
            found = mine or latest
        if found is None:
            if mine is not None:
                self._forget(mine, "the client began another connection")
            found = self._new()
        self._peers[peer] = self._clients[client] = found
        return found

    def bind(self, scope: Scope, connection: Connection, headers: Mapping[str, str]) -> None:
        """Remember the session that the server has given to a connection."""
        session = headers.get("mcp-session-id")
        if session is not None and not header(scope, _OURS):
            self._drop(connection)
            self._sessions[f"session {session}"] = connection
            connection.recorder.hider.add([session])

    def ended(self, connection: Connection) -> None:
        """The client said goodbye."""
        self._forget(connection, "the client closed the connection")

    async def close(self) -> None:
        """Finish all tapes."""
        for recorder in self._all:
            await recorder.close("the recording was stopped")

    def _new(self) -> Connection:
        self._forget_idle()
        name = self._capture.name or self._address.name
        hider = Hider(self._capture.redactor, self._address.secrets)
        described: dict[str, Json] = {**self._address.described(), "name": name}
        made = Recorder(self._store, self._capture, hider, described, tell=self._tell)
        self._all.append(made)
        return Connection(made, time.monotonic())

    def _forget(self, connection: Connection, why: str) -> None:
        self._drop(connection)
        connection.recorder.close_soon(why)

    def _drop(self, connection: Connection) -> None:
        for table in (self._sessions, self._peers, self._clients):
            for key in [key for key, each in table.items() if each is connection]:
                del table[key]

    def _forget_idle(self) -> None:
        now = time.monotonic()
        there = {*self._sessions.values(), *self._peers.values()}
        for connection in [each for each in there if now - each.used > _IDLE]:
            self._forget(connection, "nothing was said for a long time")


def _named(scope: Scope) -> str | None:
    """What a request itself says of the connection it belongs to."""
    ours = header(scope, _OURS)
    if ours:
        return f"ours {ours.decode('latin-1')}"
    theirs = header(scope, b"mcp-session-id")
    return f"session {theirs.decode('latin-1')}" if theirs else None


def _peer(scope: Scope) -> str:
    """The TCP connection of a request."""
    host, port = scope.get("client") or ("", 0)
    return f"{host} {port}"


def client_of(scope: Scope) -> str:
    """The client of a request, as far as it can be told without a session."""
    peer = scope.get("client") or ("", 0)
    return f"client {peer[0]} {header(scope, b'user-agent').decode('latin-1')}"


def method_of(said: bytes | TooLong | None) -> str | None:
    """The method of a message, if it is one."""
    if not isinstance(said, bytes):
        return None
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        return ""
    return str(value.get("method")) if isinstance(value, dict) else ""


def _secrets(scope: Scope) -> tuple[str, ...]:
    """What headers say that is nobody's business."""
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if _SECRET.search(name.decode("latin-1"))
    }
    pairs = [pair.partition("=") for pair in header(scope, b"cookie").decode("latin-1").split(";")]
    headers |= {f"cookie {index}": pair[2].strip('" ') for index, pair in enumerate(pairs)}
    return Address.of("http://localhost", env=None, cwd=None, headers=headers).secrets
