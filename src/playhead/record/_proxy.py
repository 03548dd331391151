"""The LLM proxy: passes requests and answers on as they are, and has them recorded beside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self

from playhead.govern import Redactor
from playhead.record._flight import Flight
from playhead.record._headers import SESSION, credentials, one
from playhead.record._passage import LARGEST, Passage, error_body
from playhead.record._recorder import Recorder
from playhead.record._sessions import Sessions
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving
from playhead.record.wire import WIRES, Wire
from playhead.store import Store

_LONGEST_NAME = 200  # characters of a session's name


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
        self._passage = Passage(upstream, timeout=timeout)
        self.upstream = self._passage.upstream
        self.recorder = Recorder(Sessions(store, redactor), on_fault)

    async def __aenter__(self) -> Self:
        await self._passage.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._passage.__aexit__(kind, error, trace)
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
        body = await body_of(receive, most=LARGEST)
        if body is None:
            await respond(send, 413, error_body(None, "the request is too large", "too_large"))
            return
        wire = wire_of(scope["path"]) if scope["method"] == "POST" else None
        flight = _flight(scope, body, wire) if wire is not None else None
        try:
            await self._passage.take(scope, receive, send, body=body, flight=flight)
        finally:
            if flight is not None:
                flight.land()
                self.recorder.put(flight.exchange, size=len(body) + flight.size)


def wire_of(path: str) -> Wire | None:
    """The protocol of the requests to a path, if they are recorded."""
    found = next((wire for wire in WIRES.values() if path.endswith(wire.path)), None)
    return None if "/threads/" in path else found  # an API of OpenAI's with messages of its own


def _flight(scope: Scope, body: bytes, wire: Wire) -> Flight:
    headers, query = scope["headers"], scope["query_string"]
    name = (one(headers, SESSION) or "").strip()[:_LONGEST_NAME]
    return Flight(wire.name, body, name or None, credentials(headers, query))
