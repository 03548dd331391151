"""A request on its way through the proxy: what is kept of it for the recording."""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field

from playhead.record._exchange import Exchange
from playhead.tape import utc_now

LARGEST = 64 * 1024 * 1024  # bytes of an answer that are kept


@dataclass(slots=True, eq=False)
class Flight:
    """What is known of a request so far.

    Args:
        protocol: How the model is asked.
        request: The body.
        session: What the client calls its session.
        credentials: Secret values in its headers and address.
        status: Of the answer.
        kind: Its content type.
        coding: Its content coding.
        error: Why the answer is missing, or not whole.
    """

    protocol: str
    request: bytes
    session: str | None = None
    credentials: tuple[str, ...] = ()
    status: int | None = None
    kind: str = ""
    coding: str = ""
    error: str | None = None
    started: str = field(default_factory=utc_now)
    size: int = 0
    _began: float = field(default_factory=time.perf_counter)
    _seconds: float = 0.0
    _chunks: list[bytes] = field(default_factory=list)

    def keep(self, chunk: bytes) -> None:
        """Keep a piece of the answer."""
        self.size += len(chunk)
        if self.size <= LARGEST:
            self._chunks.append(chunk)
        else:
            self.error = f"the answer has more than {LARGEST:,} bytes: its end was not kept"

    def land(self) -> None:
        """The exchange is over."""
        self._seconds = time.perf_counter() - self._began

    def exchange(self) -> Exchange:
        """The whole exchange."""
        response, fault = decoded(b"".join(self._chunks), self.coding)
        return Exchange(
            protocol=self.protocol,
            request=self.request,
            response=response,
            status=self.status,
            streamed=self.kind.lower().startswith("text/event-stream"),
            error=self.error or fault,
            session=self.session,
            credentials=self.credentials,
            started=self.started,
            seconds=self._seconds,
        )


def decoded(body: bytes, coding: str) -> tuple[bytes, str | None]:
    """A body without its content coding, as far as that goes, and what was wrong with it."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return body, None
    if coding not in ("gzip", "x-gzip", "deflate"):
        return b"", f"the answer has the content coding `{coding}`, which is not read"
    raw = coding == "deflate" and body[:1] != b"\x78"  # some servers leave out its header
    decoder = zlib.decompressobj(-zlib.MAX_WBITS if raw else 47)
    try:
        made = decoder.decompress(body, LARGEST)
    except zlib.error:
        return b"", f"the answer is no `{coding}`"
    if decoder.unconsumed_tail:
        return made, f"the answer has more than {LARGEST:,} bytes: its end was not kept"
    return made, None
