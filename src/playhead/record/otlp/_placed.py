"""Spans with what stands around them, on their way into requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from playhead.errors import TapeError
from playhead.llm import read_prompt
from playhead.record._foreign import content_bytes
from playhead.record._shape import JsonObject
from playhead.record._stored import StoredTape
from playhead.record.otlp._attributes import (
    Attributes,
    call_attributes,
    tool_definition,
    written,
)
from playhead.tape import Json, Message, Step
from playhead.tape.kinds import ModelCall

_MANY, _MUCH = 256, 4_000_000  # spans and bytes of one request


@dataclass(frozen=True, slots=True)
class Placed:
    """A span, and what stands around it."""

    span: JsonObject
    resource: JsonObject = field(default_factory=dict)
    scope: JsonObject = field(default_factory=dict)


def call_made(tape: StoredTape, step: Step, body: ModelCall, *, apart: bool = False) -> Attributes:
    """The attributes of a model call on a tape; without its prompt, if that was erased."""
    try:
        prompt: list[Message] = read_prompt(tape.tape, step)
    except TapeError:
        prompt = []
    tools = [tool_definition(tool) for tool in tape.offers.get(body.prompt.tools or "", [])]
    return call_attributes(
        body, prompt, tools, write=lambda told: written(told, tape.text), apart=apart
    )


def grouped(spans: Iterable[Placed]) -> Iterator[JsonObject]:
    """Requests of spans, those that follow each other and come from one place together."""
    taken: list[Placed] = []
    size = 0
    for placed in spans:
        if len(taken) == _MANY or size > _MUCH:
            yield _request(taken)
            taken, size = [], 0
        taken.append(placed)
        size += len(content_bytes(placed.span))
    if taken:
        yield _request(taken)


def _request(spans: list[Placed]) -> JsonObject:
    resources: list[Json] = []
    scopes: list[Json] = []
    inner: list[Json] = []
    before: tuple[bytes, bytes] | None = None
    for placed in spans:
        around = content_bytes(placed.resource), content_bytes(placed.scope)
        if before is None or around[0] != before[0]:
            scopes, before = [], None
            resources.append({**placed.resource, "scopeSpans": scopes})
        if before is None or around[1] != before[1]:
            inner = []
            scopes.append({**placed.scope, "spans": inner})
        inner.append(placed.span)
        before = around
    return {"resourceSpans": resources}
