"""Requests and answers over HTTP, as a cassette holds them: the JSON that was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from playhead.llm import Completion
from playhead.record._exchange import Exchange
from playhead.record._flight import Flight
from playhead.record.cassettes._calls import Members
from playhead.record.wire import Reply, Wire
from playhead.record.wire._read import parsed
from playhead.record.wire._sse import data_lines
from playhead.tape import Json, Message, compact

_HISTORIES = ("messages", "input")  # what requests call the conversation so far
_STREAM = b"text/event-stream; charset=utf-8"


def asked_form(request: str, body: bytes) -> Members:
    """What an API is asked. The conversation and the tools stand apart: they come again and again.

    Args:
        request: The method and the path.
        body: The body; by its digest if it is no JSON object.
    """
    try:
        value = parsed(body) if body else {}
    except ValueError:
        value = None
    rest = value if isinstance(value, dict) else {"sha256": hashlib.sha256(body).hexdigest()}
    history = next((name for name in _HISTORIES if isinstance(rest.get(name), list)), "")
    tools = rest.get("tools")
    apart = {history, "tools"} if isinstance(tools, list) else {history}
    return {
        "request": request,
        "messages": rest.get(history, []),
        "tools": tools if isinstance(tools, list) else [],
        "body": {name: member for name, member in rest.items() if name not in apart},
    }


def answer_form(
    flight: Flight, wire: Wire | None, redacted: Callable[[Members], Members]
) -> Members | None:
    """What came back; None if that was nothing whole, or nothing that can be kept.

    Args:
        flight: What is known of it.
        wire: The protocol, if it is one of a model.
        redacted: Takes values out.
    """
    exchange = flight.exchange()
    if exchange.error is not None or exchange.status is None:
        return None
    if exchange.streamed:
        return _stream_form(exchange, wire, redacted)
    try:
        return {"status": exchange.status, "body": parsed(exchange.response)}
    except ValueError:
        pass
    try:
        text = exchange.response.decode()
    except UnicodeDecodeError:
        return None
    return {"status": exchange.status, "type": flight.kind, "text": text}


def _stream_form(
    exchange: Exchange, wire: Wire | None, redacted: Callable[[Members], Members]
) -> Members | None:
    """The events of a stream; the whole answer where its pieces together spell a value."""
    if wire is None:
        return None
    read = wire.answered(exchange.response, model="", streamed=True)
    completion = read.completion
    if completion is None or read.fault is not None:
        return None
    said = completion.message.model_dump(mode="json")
    kept = redacted({"message": said})["message"]
    if kept != said:
        return {"status": exchange.status, "body": _whole(wire, completion, kept)}
    lines = [line for line in data_lines(exchange.response) if line]
    return {"status": exchange.status, "events": [_event(line) for line in lines]}


def _whole(wire: Wire, completion: Completion, message: Json) -> Json:
    return wire.response(
        Reply(
            completion.model or "recorded",
            Message.model_validate(message),
            finish_reason=completion.finish_reason,
            usage=completion.usage,
        )
    )


def _event(line: str) -> Json:
    try:
        return parsed(line)
    except ValueError:  # such as `[DONE]`
        return line


def answer_bytes(
    recorded: Members, wire: Wire | None, *, asked: Members
) -> tuple[int, bytes, bytes]:
    """Status, content type and body of a recorded answer.

    Args:
        recorded: The answer.
        wire: The protocol, if it is one of a model.
        asked: The request: it says whether a stream is wanted.
    """
    given: Any = recorded
    status, request = int(given["status"]), given.get("body")
    wanted: Any = asked["body"]
    if "text" in given:
        return status, str(given.get("type") or "text/plain").encode(), given["text"].encode()
    if wire is not None and "events" in given:
        return status, _STREAM, b"".join(map(wire.event, given["events"]))
    if wire is not None and status < 400 and wanted.get("stream") is True:
        return status, _STREAM, wire.stream(request, asked=wanted)
    return status, b"application/json", compact(request).encode()
