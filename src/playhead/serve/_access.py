"""Who may use what is served: whoever has the key; without one, this machine alone."""

from __future__ import annotations

import hmac

from playhead.errors import RecordError
from playhead.record.serving import App, Receive, Scope, Send, respond
from playhead.tape import compact

LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")


def check_reach(host: str, key: str | None) -> None:
    """Make sure that nobody else can reach an agent that asks for no key.

    Raises:
        RecordError: The address is not of this machine alone, and there is no key.
    """
    if host not in LOOPBACK and key is None:
        raise RecordError(
            f"whoever reaches {host} could use the agent: give it a `key` (on the command line: in "
            "`PLAYHEAD_SERVE_KEY`)"
        )


def header(scope: Scope, name: bytes) -> str:
    """A header of a request; empty if it is not there."""
    found = next((value for key, value in scope["headers"] if key.lower() == name), b"")
    return bytes(found).decode("latin-1")


def has_key(scope: Scope, key: str) -> bool:
    """Whether a request comes with the key, as `Authorization: Bearer KEY`."""
    given = header(scope, b"authorization").removeprefix("Bearer ")
    return hmac.compare_digest(given.encode(), key.encode())


class Keyed:
    """An ASGI application that answers those alone who send a key.

    Args:
        app: The application.
        key: What clients have to send as a bearer token.
    """

    def __init__(self, app: App, key: str) -> None:
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI says."""
        if scope["type"] == "http" and not has_key(scope, self._key):
            told = compact({"error": "invalid_token", "error_description": "the key is wrong"})
            headers = [
                (b"content-type", b"application/json"),
                (b"www-authenticate", b'Bearer error="invalid_token"'),
            ]
            await respond(send, 401, told.encode(), headers=headers)
            return
        await self._app(scope, receive, send)
