"""The receiver of traces: an endpoint of OTLP/HTTP that records what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Self

from playhead.govern import Redactor
from playhead.record._headers import credentials, one
from playhead.record._recorder import Recorder
from playhead.record._shape import ShapeFault
from playhead.record.otlp._span import Span, read_spans
from playhead.record.otlp._traces import Parcel, Traces
from playhead.record.otlp._wire import (
    JSON,
    PROTOBUF,
    TooLargeFault,
    needed_here,
    read_body,
    unpacked,
    write_response,
    write_status,
)
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving
from playhead.store import Store

PATH = "/v1/traces"
_LARGEST = 64 * 1024 * 1024  # bytes of a request, unpacked
_TOLD = 5  # faults of spans that an answer names
_WAIT = b"30"  # seconds after which a client may try again


class OTLPReceiver:
    """An ASGI application that takes traces and makes tapes of them.

    It speaks OTLP/HTTP: protocol buffers or JSON, packed with gzip or not. A span that is none is
    rejected alone, and the answer says why. Spans that tell of no model, agent or tool are taken
    and not recorded.

    Args:
        store: Where the tapes go.
        redactor: What is taken out of spans before they are written; `Redactor()` if not given.
        settle: Seconds without a span after which a trace is written.
        on_fault: Told of what could not be recorded; called from another thread.

    Raises:
        MissingExtraError: The extra `otlp` is not installed.

    Example:
        async with OTLPReceiver(store).serve(port=4318) as url:
            ...  # programs have OTEL_EXPORTER_OTLP_ENDPOINT=url
    """

    def __init__(
        self,
        store: Store,
        *,
        redactor: Redactor | None = None,
        settle: float = 6.0,
        on_fault: Callable[[str], None] | None = None,
    ) -> None:
        needed_here()
        self._settle = settle
        self.traces = Traces(store, redactor, settle=settle)
        self.recorder = Recorder(self.traces, on_fault, what="spans were")
        self.rejected = 0
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ticking, self._ticking = self._ticking, None
        if ticking is not None:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
        await self.flush()
        await self.recorder.close()

    async def _tick(self) -> None:
        """Have quiet traces written."""
        while True:
            await asyncio.sleep(max(0.05, self._settle / 4))
            self.recorder.put(Parcel, size=0)

    async def flush(self) -> None:
        """Write all spans that came so far, without waiting for more of their traces."""
        self.recorder.put(lambda: Parcel(all=True), size=0)
        await self.recorder.flush()

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
        headers = scope["headers"]
        kind = (one(headers, b"content-type") or "").partition(";")[0].strip().lower()
        answer = _Answer(send, kind if kind in (JSON, PROTOBUF) else JSON)
        if scope["path"].rstrip("/") != PATH:
            await answer.refuse(404, f"only {PATH} is recorded: switch other exporters off")
        elif scope["method"] != "POST":
            await answer.refuse(405, "POST traces here", (b"allow", b"POST"))
        elif kind not in (JSON, PROTOBUF):
            await answer.refuse(415, f"send {PROTOBUF} or {JSON}")
        elif body is None:
            await answer.refuse(413, f"a request has at most {_LARGEST:,} bytes: send less at once")
        else:
            await self._take(scope, body, kind, answer)

    async def _take(self, scope: Scope, body: bytes, kind: str, answer: _Answer) -> None:
        headers, faults = scope["headers"], list[str]()
        coding = (one(headers, b"content-encoding") or "").strip().lower()
        try:
            whole = unpacked(body, coding, most=_LARGEST)
            request = read_body(whole, kind)
            spans = list(read_spans(request, reject=lambda fault: faults.append(str(fault))))
        except TooLargeFault:
            said = f"a request has at most {_LARGEST:,} bytes, unpacked: send less at once"
            await answer.refuse(413, said)
            return
        except ShapeFault as fault:
            await answer.refuse(400, str(fault))
            return
        known = credentials(headers, scope["query_string"])
        parcel = Parcel(tuple(spans), known, len(whole))
        if not self._put(spans, parcel):
            said = "recording cannot keep up: send this again later"
            await answer.refuse(503, said, (b"retry-after", _WAIT))
            return
        self.rejected += len(faults)
        told = "; ".join(faults[:_TOLD]) + ("; …" if len(faults) > _TOLD else "")
        await answer.send(200, write_response(kind, rejected=len(faults), message=told))

    def _put(self, spans: list[Span], parcel: Parcel) -> bool:
        return not spans or self.recorder.put(lambda: parcel, size=parcel.size)


class _Answer:
    """An answer in the encoding of its request."""

    def __init__(self, send: Send, kind: str) -> None:
        self._send, self._kind = send, kind

    async def send(self, status: int, body: bytes, *more: tuple[bytes, bytes]) -> None:
        """Send it."""
        headers = [(b"content-type", self._kind.encode()), *more]
        await respond(self._send, status, body, headers=headers)

    async def refuse(self, status: int, message: str, *more: tuple[bytes, bytes]) -> None:
        """Say why the request was not taken."""
        await self.send(status, write_status(self._kind, message=message), *more)
