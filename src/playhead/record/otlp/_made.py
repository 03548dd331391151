"""The spans of a tape that did not come as spans: as a run of its agent would have told them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from playhead import conventions as names
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject
from playhead.record._stored import StoredTape
from playhead.record.otlp._attributes import Attributes, told, tool_attributes, written
from playhead.record.otlp._messages import write_message
from playhead.record.otlp._placed import Placed, call_made
from playhead.record.otlp._values import attributes
from playhead.tape import Json, Message, Step
from playhead.tape.kinds import (
    AssistantMessage,
    Delegate,
    ModelCall,
    Return,
    Run,
    Stop,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERNAL, _CLIENT = 1, 3
_RESOURCE: JsonObject = {"resource": {"attributes": attributes({"service.name": "playhead"})}}
_SCOPE: JsonObject = {"scope": {"name": "playhead", "version": str(names.VERSION)}}


def spans_made(tape: StoredTape, losses: Losses) -> Iterator[Placed]:
    """The spans: of each question and what it leads to a trace, all of one conversation.

    Args:
        tape: The tape.
        losses: Told what has no place in a span.
    """
    turn: _Turn | None = None
    number = 0
    for step, _ in tape.steps():
        if turn is None or (turn.answered and step.kind == UserMessage.kind and not step.frame):
            if turn is not None:
                yield from turn.finish()
            turn = _Turn(tape, _trace(tape.tape.id, number), step)
            number += 1
        if not turn.take(step):
            losses.drop(f"step `{step.kind}`")
    if turn is not None:
        yield from turn.finish()


def _trace(tape: str, number: int) -> str:
    return tape if not number else hashlib.sha256(f"{tape}\0{number}".encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Agent:
    """An agent that has control."""

    id: str
    parent: str
    start: int
    end: int
    name: str = ""
    heard: list[Message] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)


class _Turn:
    """What a question leads to, until the next one after an answer."""

    def __init__(self, tape: StoredTape, trace: str, first: Step) -> None:
        self._tape, self._trace = tape, trace
        begins = _moment(first)
        root = _Agent(_id(f"turn {first.id}"), "", begins, begins)
        self._agents: dict[int, _Agent] = {0: root}
        self._done: list[tuple[int, _Agent]] = [(0, root)]
        self._waiting: dict[str, Step] = {}
        self._spans: list[Placed] = []
        self._last = 0  # when the newest span began
        self.answered = False

    def take(self, step: Step) -> bool:
        """Take a step; whether it has a place."""
        body = step.body if step.known and not step.erased else None
        agent = self._agents.get(step.frame) or self._agents[0]
        agent.end = max(agent.end, _moment(step))
        if step.by.type == "agent" and not agent.name:
            agent.name = step.by.name or ""
        match body:
            case UserMessage():
                agent.heard.append(Message(role="user", parts=body.parts))
            case AssistantMessage():
                agent.said.append(Message(role="assistant", parts=body.parts))
                self.answered = self.answered or not step.frame
            case ModelCall():
                self._call(step, body, agent)
            case ToolCall():
                self._waiting[step.id] = step
            case ToolResult() | ToolError():
                self._tool(step, body, agent)
            case Delegate():
                self._delegate(step, body, agent)
            case Return():
                agent.said.append(Message(role="assistant", parts=body.parts))
                self._agents.pop(step.frame, None) if step.frame else None
            case Run():
                agent.name = agent.name or body.agent
                return False
            case Stop():
                self.answered = self.answered or not step.frame
                return False
            case _:
                return False
        return True

    def finish(self) -> Iterator[Placed]:
        """The spans."""
        for step in self._waiting.values():
            if isinstance(step.body, ToolCall):
                made = tool_attributes(step.body, None, result=None)
                agent = self._agents.get(step.frame) or self._agents[0]
                self._add(step, f"{names.EXECUTE_TOOL} {step.body.name}", made, agent, _INTERNAL)
        root = self._done[0][1]
        for _, agent in self._done:
            root.end = max(root.end, agent.end)
        for frame, agent in self._done:
            yield self._agent_span(frame, agent)
        yield from self._spans

    def _call(self, step: Step, body: ModelCall, agent: _Agent) -> None:
        made = call_made(self._tape, step, body)
        if step.by.node:
            made[names.NODE] = step.by.node
        if body.attempts:
            made[names.ATTEMPTS] = len(body.attempts)
        if body.error is not None:
            made[names.ERROR_TYPE] = "_OTHER"
        took = int(max(0.0, body.seconds) * 1e6) * 1000
        start = _moment(step) - took
        name = f"{names.CHAT} {body.model}"
        self._add(step, name, made, agent, _CLIENT, start=start, error=body.error)

    def _tool(self, step: Step, body: ToolResult | ToolError, agent: _Agent) -> None:
        asked = next((self._waiting.pop(id) for id in step.re if id in self._waiting), None)
        call = asked.body if asked is not None and isinstance(asked.body, ToolCall) else None
        result = self._tape.result(body) if isinstance(body, ToolResult) else None
        made = tool_attributes(call, body, result=result)
        if asked is not None:
            made.setdefault(names.TOOL_CALL_ID, asked.id)
        self._add(
            asked or step,
            f"{names.EXECUTE_TOOL} {body.name}",
            made,
            agent,
            _INTERNAL,
            end=_moment(step),
            error=body.message if isinstance(body, ToolError) else None,
        )

    def _delegate(self, step: Step, body: Delegate, agent: _Agent) -> None:
        when = _moment(step)
        inner = _Agent(_id(step.id), agent.id, when, when, body.agent)
        inner.heard.append(Message(role="user", parts=body.parts))
        self._agents[step.seq] = inner
        self._done.append((step.seq, inner))

    def _add(
        self,
        step: Step,
        name: str,
        made: Attributes,
        agent: _Agent,
        kind: int,
        *,
        start: int | None = None,
        end: int | None = None,
        error: str | None = None,
    ) -> None:
        began = max(self._last, _moment(step) if start is None else start, 0)
        self._last = began
        agent.start = min(agent.start, began)
        self._done[0][1].start = min(self._done[0][1].start, began)
        said: Attributes = {
            **made,
            names.CONVERSATION: self._tape.tape.id,
            names.AGENT_NAME: agent.name or "agent",
            names.STEP: step.seq,
        }
        span = self._span(_id(step.id), agent.id, name, kind)
        span |= {
            "startTimeUnixNano": str(began),
            "endTimeUnixNano": str(max(began, _moment(step) if end is None else end)),
            "attributes": told(said),
        }
        if error is not None:
            span["status"] = {"code": 2, "message": error}
        self._spans.append(Placed(span, _RESOURCE, _SCOPE))

    def _agent_span(self, frame: int, agent: _Agent) -> Placed:
        name = agent.name or "agent"
        said: Attributes = {
            names.OPERATION: names.INVOKE_AGENT,
            names.AGENT_NAME: name,
            names.CONVERSATION: self._tape.tape.id,
            names.FRAME: frame,
        }
        if agent.heard:
            said[names.INPUT_MESSAGES] = written(agent.heard, self._tape.text)
        if agent.said:
            said[names.OUTPUT_MESSAGES] = _answers(agent.said, self._tape)
        span = self._span(agent.id, agent.parent, f"{names.INVOKE_AGENT} {name}", _INTERNAL)
        span |= {
            "startTimeUnixNano": str(agent.start),
            "endTimeUnixNano": str(max(agent.start, agent.end)),
            "attributes": told(said),
        }
        return Placed(span, _RESOURCE, _SCOPE)

    def _span(self, id: str, parent: str, name: str, kind: int) -> JsonObject:
        span: JsonObject = {"traceId": self._trace, "spanId": id, "name": name, "kind": kind}
        return {**span, "parentSpanId": parent} if parent else span


def _answers(said: list[Message], tape: StoredTape) -> list[Json]:
    return [{**write_message(message, tape.text), "finish_reason": "stop"} for message in said]


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _moment(step: Step) -> int:
    """When a step was made, nanoseconds since the epoch."""
    since = datetime.fromisoformat(step.time) - _EPOCH
    return since // timedelta(microseconds=1) * 1000
