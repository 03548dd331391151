"""Passing requests on to an API, and its answers back, as they are."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from playhead.govern import needed
from playhead.record._flight import Flight
from playhead.record._headers import Upstream, downward, one, upward
from playhead.record.serving import INSTALL, Receive, Scope, Send, respond
from playhead.record.wire import OPENAI_CHAT, WIRES, Wire
from playhead.tape import Json, compact

LARGEST = 128 * 1024 * 1024  # bytes of a request
_CONNECT = 10.0  # seconds


class Passage:
    """The way to an API. Answers go back byte for byte as they come.

    Args:
        upstream: The address of the API, with or without its version.
        timeout: Seconds that the API may be silent.

    Raises:
        RecordError: `upstream` is no URL.
        MissingExtraError: The extra `record` is not installed.
    """

    def __init__(self, upstream: str, *, timeout: float = 600.0) -> None:
        self.upstream = Upstream(upstream)
        self._http = needed("aiohttp", install=INSTALL)
        self._url = needed("yarl", install=INSTALL).URL
        self._timeout = timeout
        self._client: Any = None

    async def __aenter__(self) -> Self:
        http = self._http
        self._client = http.ClientSession(
            connector=http.TCPConnector(limit=0),
            timeout=http.ClientTimeout(sock_connect=_CONNECT, sock_read=self._timeout),
            cookie_jar=http.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        client, self._client = self._client, None
        await client.close()

    async def take(
        self, scope: Scope, receive: Receive, send: Send, *, body: bytes, flight: Flight | None
    ) -> None:
        """Pass a request on until it is answered, or the client hangs up.

        Args:
            scope: The request.
            receive: Tells when the client hangs up.
            send: Sends to the client.
            body: The body of the request.
            flight: What is kept for the recording, if it is recorded.
        """
        passing = _Passing(send, flight)
        task = asyncio.current_task()
        assert task is not None
        gone = False

        async def watch() -> None:
            nonlocal gone
            while (await receive())["type"] != "http.disconnect":
                pass
            gone = True
            task.cancel()

        watcher = asyncio.create_task(watch())
        try:
            await self._pass(scope, passing, body)
        except asyncio.CancelledError:
            passing.failed("the client hung up" if gone else "the proxy was stopped")
            if not gone:
                raise
            task.uncancel()
        finally:
            watcher.cancel()

    async def _pass(self, scope: Scope, passing: _Passing, body: bytes) -> None:
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        url = self.upstream.address(path, scope["query_string"].decode("latin-1"))
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in upward(scope["headers"])]
        try:
            response = await self._client.request(
                scope["method"],
                self._url(url, encoded=True),
                headers=headers,
                data=body or None,
                allow_redirects=False,
                proxy=self.upstream.proxy,
            )
        except TimeoutError as error:
            await passing.refuse(504, f"the upstream did not answer in time ({_name(error)})")
            return
        except self._http.ClientError as error:
            await passing.refuse(502, f"the upstream cannot be reached ({_name(error)})")
            return
        try:
            await passing.answer(response)
        except (self._http.ClientError, TimeoutError) as error:
            passing.failed(f"the upstream cut the answer off ({_name(error)})")
            # Not completed: so the server cuts off the connection to the client as well.
        finally:
            response.close()  # gives the connection back if all was read


class _Passing:
    """An answer on its way to the client.

    Args:
        send: Sends to the client.
        flight: What is kept for the recording.
    """

    def __init__(self, send: Send, flight: Flight | None) -> None:
        self._send, self._flight = send, flight

    async def answer(self, response: Any) -> None:  # noqa: ANN401  (of an optional library)
        """Pass an answer on as it comes."""
        flight, headers = self._flight, downward(response.raw_headers)
        if flight is not None:
            flight.status = response.status
            flight.coding = one(headers, b"content-encoding") or ""
            flight.kind = one(headers, b"content-type") or ""
        await self._send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": headers,
            }
        )
        async for chunk in response.content.iter_any():
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            if flight is not None:
                flight.keep(chunk)
        await self._send({"type": "http.response.body", "body": b""})

    async def refuse(self, status: int, message: str) -> None:
        """Answer in the upstream's place."""
        self.failed(message)
        wire = WIRES.get(self._flight.protocol) if self._flight is not None else None
        await respond(self._send, status, error_body(wire, message, "upstream_unavailable"))

    def failed(self, message: str) -> None:
        """Note why there is no answer, or not all of it."""
        if self._flight is not None:
            self._flight.error = self._flight.error or message


def error_body(wire: Wire | None, message: str, code: str) -> bytes:
    """An error of ours, in the form of the provider's."""
    more: dict[str, Json] = {"from": "playhead"}
    return compact((wire or OPENAI_CHAT).error(message, code=code, more=more)).encode()


def _name(error: Exception) -> str:
    """What happened; its words could hold the address."""
    return type(error).__name__
