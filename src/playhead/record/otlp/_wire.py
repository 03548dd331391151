"""Bodies of OTLP/HTTP: protocol buffers and JSON, packed or not, as OTLP JSON and back."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from playhead.errors import JsonError
from playhead.govern import needed
from playhead.record._shape import JsonObject, ShapeFault
from playhead.tape import Json, compact, loads_strict

PROTOBUF, JSON = "application/x-protobuf", "application/json"
INSTALL = '"playhead[otlp]"'
_GZIP = 16 + zlib.MAX_WBITS
_IDS = ("traceId", "spanId", "parentSpanId")


class TooLargeFault(Exception):
    """A body is larger than what is taken."""


def needed_here() -> None:
    """Make sure that protocol buffers can be read.

    Raises:
        MissingExtraError: The extra `otlp` is not installed.
    """
    _service()
    needed("google.rpc.status_pb2", install=INSTALL)


def unpacked(body: bytes, coding: str, *, most: int) -> bytes:
    """A body without its content coding.

    Args:
        body: The body.
        coding: `gzip`, `deflate`, `identity`, or nothing.
        most: Bytes that it may have.

    Raises:
        TooLargeFault: It has more.
        ShapeFault: It is not packed so.
    """
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "deflate"):
        raise ShapeFault(f"the content coding `{coding[:40]}` is not known: send `gzip`, or none")
    unpacker = zlib.decompressobj(_GZIP if coding == "gzip" else zlib.MAX_WBITS)
    try:
        made = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise ShapeFault(f"the body is not {coding}: {error}") from None
    if len(made) > most:
        raise TooLargeFault
    if not unpacker.eof:
        raise ShapeFault(f"the body is {coding} that was cut off")
    return made


def read_body(body: bytes, kind: str) -> Json:
    """The request that a body says.

    Raises:
        ShapeFault: It says none.
        MissingExtraError: It is in protocol buffers, and the extra `otlp` is not installed.
    """
    if kind == JSON:
        try:
            return loads_strict(body)
        except (JsonError, RecursionError) as error:
            raise ShapeFault(str(error) or "nested too deeply") from None
    request = _service().ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
        made = _as_dict(request)
    except needed("google.protobuf.message", install=INSTALL).DecodeError as error:
        raise ShapeFault(f"the body is no ExportTraceServiceRequest: {error}") from None
    except (ValueError, RecursionError) as error:  # times out of range, nesting
        raise ShapeFault(f"the body cannot be read: {error}") from None
    _each_id(made, _as_hex)
    return made


def write_request(document: JsonObject) -> bytes:
    """The body of a request in protocol buffers.

    Raises:
        ShapeFault: It is no request.
        MissingExtraError: The extra `otlp` is not installed.
    """
    format = needed("google.protobuf.json_format", install=INSTALL)
    request = _service().ExportTraceServiceRequest()
    copied = loads_strict(compact(document))
    assert isinstance(copied, dict)
    _each_id(copied, _as_base64)
    try:
        format.ParseDict(copied, request, ignore_unknown_fields=True)
    except (format.ParseError, ValueError) as error:
        raise ShapeFault(str(error)) from None
    return bytes(request.SerializeToString())


def read_response(body: bytes, kind: str) -> Json:
    """What a receiver says of a request; an empty object if it cannot be read."""
    if not body:
        return {}
    try:
        if kind == JSON:
            return loads_strict(body)
        response = _service().ExportTraceServiceResponse()
        response.ParseFromString(body)
        return _as_dict(response)
    except (JsonError, ValueError, needed("google.protobuf.message", install=INSTALL).DecodeError):
        return {}


def write_response(kind: str, *, rejected: int = 0, message: str = "") -> bytes:
    """The answer to a request that was taken, all of it or a part."""
    if kind == JSON:
        partial: JsonObject = {"rejectedSpans": str(rejected), "errorMessage": message}
        return compact({"partialSuccess": partial} if rejected else {}).encode()
    response = _service().ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans = rejected
        response.partial_success.error_message = message
    return bytes(response.SerializeToString())


def write_status(kind: str, *, message: str) -> bytes:
    """The body of an error."""
    if kind == JSON:
        return compact({"message": message}).encode()
    status = needed("google.rpc.status_pb2", install=INSTALL).Status(message=message)
    return bytes(status.SerializeToString())


def _service() -> Any:  # noqa: ANN401  (of an optional library)
    name = "opentelemetry.proto.collector.trace.v1.trace_service_pb2"
    return needed(name, install=INSTALL)


def _as_dict(message: object) -> JsonObject:
    format = needed("google.protobuf.json_format", install=INSTALL)
    made: JsonObject = format.MessageToDict(message, use_integers_for_enums=True)
    return made


def _each_id(document: JsonObject, change: Callable[[str], str]) -> None:
    """Spell all ids in another way: in OTLP JSON they are hexadecimal, in any other base64."""
    for span in _spans(document):
        links = span.get("links")
        for holder in (span, *(links if isinstance(links, list) else ())):
            for name in _IDS if isinstance(holder, dict) else ():
                if isinstance(holder.get(name), str):
                    holder[name] = change(holder[name])


def _spans(document: JsonObject) -> Iterator[JsonObject]:
    for resource in _objects(document.get("resourceSpans")):
        for scope in _objects(resource.get("scopeSpans")):
            yield from _objects(scope.get("spans"))


def _objects(value: Json) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _as_hex(text: str) -> str:
    return base64.b64decode(text).hex()


def _as_base64(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except (ValueError, binascii.Error):
        raise ShapeFault("an id of a span is not hexadecimal") from None
