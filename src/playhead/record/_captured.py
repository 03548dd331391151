"""An exchange, understood and redacted: what may be written of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from playhead.errors import JsonError
from playhead.llm import Completion, list_rates
from playhead.record._exchange import Answered, Asked, Exchange
from playhead.record._redaction import Redaction
from playhead.record.wire import WIRES, Wire
from playhead.record.wire._read import parsed, record
from playhead.tape import (
    Json,
    Message,
    ToolCallPart,
    canonical,
    literal_key,
    text_part,
    unchecked,
    user,
)
from playhead.tape.kinds import Attempt, Price, Usage

_LONGEST = 2000  # characters of an error


@dataclass(frozen=True, slots=True)
class CapturedCall:
    """A model call that somebody else made, free of secrets.

    Args:
        protocol: How the model was asked.
        provider: Whose protocol it is.
        model: The model, as the request names it.
        messages: The prompt; without what a `previous` response stands for.
        settings: Sampling settings.
        tools: The tools on offer, as a canonical document.
        completion: What came; None if nothing did.
        status: What became of it.
        attempt: When it began, how long it took, and why it failed.
        price: What it cost, if rates are known.
        session: What the client called its session.
        previous: Id of an earlier response whose conversation it goes on with.
        response_id: Id of this response.
    """

    protocol: str
    provider: str
    model: str
    messages: tuple[Message, ...]
    settings: Mapping[str, Json]
    tools: bytes | None
    completion: Completion | None
    status: Literal["complete", "incomplete", "failed"]
    attempt: Attempt
    price: Price | None = None
    session: str | None = None
    previous: str | None = None
    response_id: str | None = None


def capture(exchange: Exchange, redaction: Redaction) -> CapturedCall:
    """What may be written of an exchange."""
    redaction.know(exchange.credentials)
    wire = WIRES[exchange.protocol]
    asked = _asked(exchange, wire)
    answered = _answered(exchange, wire, asked)
    completion = answered.completion
    fault = exchange.error or answered.fault
    kept = redaction.completion(completion) if completion is not None else None
    status: Literal["complete", "incomplete", "failed"] = "complete" if fault is None else "failed"
    if kept is not None and fault is not None:
        status, kept = "incomplete", replace(kept, status="incomplete")
    settings = redaction.json(dict(asked.settings))
    return CapturedCall(
        protocol=wire.name,
        provider=wire.provider,
        model=redaction.text(asked.model) or "unknown",
        messages=tuple(map(redaction.message, asked.messages)),
        settings=settings if isinstance(settings, dict) else {"dropped": settings},
        tools=_document(redaction.json(list(asked.tools))),
        completion=kept,
        status=status,
        attempt=Attempt(
            started=exchange.started,
            seconds=round(exchange.seconds, 6),
            error=None if fault is None else text_part(redaction.text(fault)[:_LONGEST]).content,
        ),
        price=_price(asked.model, wire, kept.usage if kept else None),
        session=exchange.session,
        previous=asked.previous,
        response_id=answered.response_id,
    )


def read_request(wire: Wire, body: bytes) -> tuple[Asked, dict[str, Json]]:
    """What a request asks, and its body.

    Raises:
        ValueError: It is none of the protocol.
    """
    request = record(parsed(body), "the request")
    return wire.asked(request), request


def _asked(exchange: Exchange, wire: Wire) -> Asked:
    """What the request asks; its very body, if it is not understood."""
    try:
        return read_request(wire, exchange.request)[0]
    except ValueError:
        return Asked("", (user(exchange.request.decode("utf-8", "replace")),))


def _answered(exchange: Exchange, wire: Wire, asked: Asked) -> Answered:
    if exchange.status is not None and exchange.status >= 400:
        told = exchange.response[: _LONGEST * 4].decode("utf-8", "replace")
        return Answered(None, f"HTTP {exchange.status}: {told}")
    if exchange.error is not None and not exchange.response:
        return Answered(None, exchange.error)
    return wire.answered(exchange.response, model=asked.model, streamed=exchange.streamed)


def _document(tools: Json) -> bytes | None:
    try:
        return canonical(tools) if tools else None
    except JsonError:  # numbers beyond what two parties compute alike
        return None


def _price(model: str, wire: Wire, usage: Usage | None) -> Price | None:
    rates = list_rates(model, provider=wire.provider) if usage is not None else None
    return rates.price(usage) if rates is not None and usage is not None else None


def conversation_key(message: Message) -> bytes:
    """Equal for messages that say the same: thoughts may be left out when they are sent back."""
    if message.role != "assistant":
        return _initial(message.role) + literal_key(message)
    digest = hashlib.sha256(message.text.encode())
    for call in message.parts:
        if isinstance(call, ToolCallPart):
            digest.update(literal_key(unchecked(Message, role="assistant", parts=(call,))))
    return _initial(message.role) + digest.digest()[:16]


def is_said_by(role: str, key: bytes) -> bool:
    """Whether a message with this key has this role."""
    return key.startswith(_initial(role))


def _initial(role: str) -> bytes:
    return role[:1].encode()
