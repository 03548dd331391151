"""Tapes as spans: those that they came from, or those that an agent of Playhead would have told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playhead.record._losses import Losses
from playhead.record._shape import JsonObject
from playhead.record._stored import StoredTape
from playhead.record.otlp._attributes import Attributes, tool_attributes
from playhead.record.otlp._made import spans_made
from playhead.record.otlp._notes import span_of
from playhead.record.otlp._placed import Placed, call_made, grouped
from playhead.tape import Json, Step
from playhead.tape.kinds import ModelCall, ToolCall, ToolError, ToolResult


def requests_of(tape: StoredTape, losses: Losses) -> Iterator[JsonObject]:
    """The spans of a tape, as export requests.

    Args:
        tape: The tape.
        losses: Told what has no place in a span.
    """
    notes = list(tape.notes())
    if not notes:
        yield from grouped(spans_made(tape, losses))
        return
    yield from grouped(_noted(tape, notes))
    covered = {id for step, _ in notes for id in step.re}
    for step, _ in tape.steps():
        if step.origin == "native" and step.id not in covered:
            losses.drop(f"step `{step.kind}` after those that came as spans")


def _noted(tape: StoredTape, notes: Sequence[tuple[Step, Json]]) -> Iterator[Placed]:
    steps = {step.id: step for step, _ in tape.steps()}
    around: dict[str, JsonObject] = {"resource": {}, "scope": {}}
    for note, members in notes:
        if not isinstance(members, dict):
            continue
        for name in around:
            told = members.get(name)
            around[name] = told if isinstance(told, dict) else around[name]
        about = [steps[id] for id in note.re if id in steps]
        made = _attributes(tape, about, apart=members.get("apart") is True)
        yield Placed(span_of(members, made), around["resource"], around["scope"])


def _attributes(tape: StoredTape, about: list[Step], *, apart: bool) -> Attributes:
    """The attributes that steps give."""
    bodies = [step.body for step in about if step.known and not step.erased]
    first = bodies[0] if bodies else None
    if isinstance(first, ModelCall):
        return call_made(tape, about[0], first, apart=apart)
    if isinstance(first, ToolCall):
        answer = bodies[1] if len(bodies) > 1 else None
        answer = answer if isinstance(answer, ToolResult | ToolError) else None
        result = tape.result(answer) if isinstance(answer, ToolResult) else None
        return tool_attributes(first, answer, result=result)
    return {}
