"""The LLM proxy: passes requests and answers on as they are, and has them recorded beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

from playhead.govern import Redactor, needed
from playhead.record._flight import Flight
from playhead.record._headers import SESSION, Upstream, credentials, downward, one, upward
from playhead.record._recorder import Recorder
from playhead.record._sessions import Sessions
from playhead.record.serving import INSTALL, Receive, Scope, Send, body_of, respond, serving
from playhead.record.wire import OPENAI_CHAT, WIRES, Wire
from playhead.store import Store
from playhead.tape import Json, compact

_LARGEST = 128 * 1024 * 1024  # bytes of a request
_LONGEST_NAME = 200  # characters of a session's name
_CONNECT = 10.0  # seconds


class LLMProxy:
    """An ASGI application that passes model calls on to an API and records them.

    Chat Completions, Responses and Messages are recorded; all else is passed on alone. Answers are
    passed on byte for byte as they come, and none waits for its recording. Headers and addresses
    are not recorded.

    Args:
        upstream: The address of the API, with or without its version.
        store: Where the tapes go.
        redactor: What is taken out of bodies before they are written; `Redactor()` if not given.
        timeout: Seconds that the API may be silent.
        on_fault: Told of each call that could not be recorded; called from another thread.

    Raises:
        RecordError: `upstream` is no URL.
        MissingExtraError: The extra `record` is not installed, or `govern` where no redactor is
            given.

    Example:
        async with LLMProxy("https://api.openai.com/v1", store=store).serve(port=8400) as url:
            ...  # programs use `base_url=url + "/v1"`
    """

    def __init__(
        self,
        upstream: str,
        *,
        store: Store,
        redactor: Redactor | None = None,
        timeout: float = 600.0,
        on_fault: Callable[[str], None] | None = None,
    ) -> None:
        self.upstream = Upstream(upstream)
        self._http = needed("aiohttp", install=INSTALL)
        self._url = needed("yarl", install=INSTALL).URL
        self._timeout = timeout
        self._client: Any = None
        self.recorder = Recorder(Sessions(store, redactor), on_fault)

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
        await self.recorder.close()

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> AbstractAsyncContextManager[str]:
        """Serve while the context is open; gives the address. At its end all is written."""
        return self._served(host, port)

    @asynccontextmanager
    async def _served(self, host: str, port: int) -> AsyncIterator[str]:
        async with self, serving(self, host=host, port=port) as url:
            yield url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        body = await body_of(receive, most=_LARGEST)
        if body is None:
            await respond(send, 413, _error(None, "the request is too large", "too_large"))
            return
        wire = wire_of(scope["path"]) if scope["method"] == "POST" else None
        flight = _flight(scope, body, wire) if wire is not None else None
        try:
            await self._watched(scope, receive, _Passing(send, wire, flight), body)
        finally:
            if flight is not None:
                flight.land()
                self.recorder.put(flight.exchange, size=len(body) + flight.size)

    async def _watched(
        self, scope: Scope, receive: Receive, passing: _Passing, body: bytes
    ) -> None:
        """Pass the request on until it is answered, or the client hangs up."""
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
        wire: The protocol, if it is one that is recorded.
        flight: What is kept for the recording.
    """

    def __init__(self, send: Send, wire: Wire | None, flight: Flight | None) -> None:
        self._send, self._wire, self._flight = send, wire, flight

    async def answer(self, response: Any) -> None:  # noqa: ANN401  (of an optional library)
        """Pass an answer on as it comes."""
        flight, headers = self._flight, downward(response.raw_headers)
        if flight is not None:
            flight.status = response.status
            flight.coding = one(headers, b"content-encoding") or ""
            kind = one(headers, b"content-type") or ""
            flight.streamed = kind.lower().startswith("text/event-stream")
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
        await respond(self._send, status, _error(self._wire, message, "upstream_unavailable"))

    def failed(self, message: str) -> None:
        """Note why there is no answer, or not all of it."""
        if self._flight is not None:
            self._flight.error = self._flight.error or message


def wire_of(path: str) -> Wire | None:
    """The protocol of the requests to a path, if they are recorded."""
    found = next((wire for wire in WIRES.values() if path.endswith(wire.path)), None)
    return None if "/threads/" in path else found  # an API of OpenAI's with messages of its own


def _flight(scope: Scope, body: bytes, wire: Wire) -> Flight:
    headers, query = scope["headers"], scope["query_string"]
    name = (one(headers, SESSION) or "").strip()[:_LONGEST_NAME]
    return Flight(wire.name, body, name or None, credentials(headers, query))


def _error(wire: Wire | None, message: str, code: str) -> bytes:
    more: dict[str, Json] = {"from": "playhead"}
    return compact((wire or OPENAI_CHAT).error(message, code=code, more=more)).encode()


def _name(error: Exception) -> str:
    """What happened; its words could hold the address."""
    return type(error).__name__
