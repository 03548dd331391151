"""Tapes sent to whoever receives traces."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from playhead.errors import RecordError
from playhead.govern import needed
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject, ShapeFault
from playhead.record._stored import stored_tape
from playhead.record.otlp._receiver import PATH
from playhead.record.otlp._tell import FORMAT
from playhead.record.otlp._wire import INSTALL, PROTOBUF, read_response, write_request
from playhead.record.otlp._write import requests_of
from playhead.store import Store

_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
_AGAIN = (429, 502, 503, 504)  # a client may send it again (the OTLP specification)
_TRIES = 4
_LONGEST_WAIT = _TIMEOUT = 30.0  # seconds
_LONGEST = 500  # characters of what a receiver says


@dataclass(slots=True)
class Sent:
    """What became of tapes that were sent.

    Args:
        tapes: How many there were.
        spans: How many spans they have.
        rejected: How many of them were not taken.
        messages: What the receiver said of these.
        losses: What of the tapes has no place in a span.
    """

    tapes: int = 0
    spans: int = 0
    rejected: int = 0
    messages: list[str] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)


async def send_tapes(
    store: Store,
    tapes: Sequence[str],
    *,
    url: str,
    headers: Mapping[str, str] | None = None,
) -> Sent:
    """Send tapes as spans, over OTLP/HTTP in protocol buffers.

    A tape has the same ids whenever it is sent. What is busy is asked again a few times.

    Args:
        store: Where they are.
        tapes: Their ids.
        url: Where to: an endpoint as OTEL_EXPORTER_OTLP_ENDPOINT names it, or the whole address of
            one for traces.
        headers: More headers; those of OTEL_EXPORTER_OTLP_HEADERS are sent, too.

    Raises:
        RecordError: A request was refused, or nobody answers; what was sent before stays sent.
        TapeNotFoundError: There is no such tape.
        MissingExtraError: The extra `otlp` is not installed.
    """
    http = needed("aiohttp", install=INSTALL)
    address, sent = _address(url), Sent()
    async with http.ClientSession(
        timeout=http.ClientTimeout(total=_TIMEOUT),
        headers={**_from_environment(), **(headers or {})},
        trust_env=True,
    ) as client:
        for tape in tapes:
            for request in requests_of(await stored_tape(store, tape, FORMAT), sent.losses):
                await _send(client, http, address, request, sent)
            sent.tapes += 1
    return sent


async def _send(client: Any, http: Any, address: str, request: JsonObject, sent: Sent) -> None:  # noqa: ANN401
    try:
        body = gzip.compress(write_request(request))
    except ShapeFault as fault:
        raise RecordError(f"a span cannot be sent: {fault}") from None
    headers = {"content-type": PROTOBUF, "content-encoding": "gzip"}
    for left in range(_TRIES - 1, -1, -1):
        try:
            async with client.post(address, data=body, headers=headers) as response:
                status, said = response.status, await response.read()
                kind = response.content_type
                wait = response.headers.get("retry-after", "")
        except (http.ClientError, TimeoutError) as error:
            raise RecordError(
                f"`{_shown(address)}` does not answer ({type(error).__name__}): is it the address "
                "of a receiver of OTLP over HTTP?"
            ) from None
        if status not in _AGAIN or not left:
            break
        await asyncio.sleep(min(float(wait) if wait.isdigit() else 1.0, _LONGEST_WAIT))
    if status != 200:
        told = said[:_LONGEST].decode("utf-8", "replace").strip()
        raise RecordError(f"`{_shown(address)}` refused the spans: {status} {told}", status=status)
    sent.spans += _count(request)
    _partial(read_response(said, kind), sent)


def _partial(response: object, sent: Sent) -> None:
    partial = response.get("partialSuccess") if isinstance(response, dict) else None
    if isinstance(partial, dict):
        rejected = str(partial.get("rejectedSpans", 0))
        sent.rejected += int(rejected) if rejected.isdigit() else 0
        if partial.get("errorMessage"):
            sent.messages.append(str(partial["errorMessage"])[:_LONGEST])


def _count(request: JsonObject) -> int:
    resources: Any = request["resourceSpans"]
    return sum(len(scope["spans"]) for each in resources for scope in each["scopeSpans"])


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RecordError("the receiver is no URL: it begins with https:// or http://")
    path = parts.path.rstrip("/")
    whole = path if path.endswith(PATH) else path + PATH
    return parts._replace(path=whole, fragment="").geturl()


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _from_environment() -> dict[str, str]:
    """Headers as the specification of exporters has them: `name=value,name=value`, encoded."""
    found: dict[str, str] = {}
    for variable in _HEADERS:
        for pair in os.environ.get(variable, "").split(","):
            name, _, value = pair.partition("=")
            if name.strip() and value.strip():
                found[name.strip()] = unquote(value.strip())
    return found
