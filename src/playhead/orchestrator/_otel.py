"""A session as OpenTelemetry spans and metrics, after the semantic conventions for generative AI.

Names are those of the one table, `playhead.conventions`. Content is told only where
`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for it, and then as it stands on the tape.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from playhead import conventions as names
from playhead.environment import OutcomeUnknown
from playhead.errors import CutCompletionError, PlayheadError
from playhead.llm import Completion, Model, ModelRequest, Prompt
from playhead.orchestrator._decisions import named
from playhead.orchestrator._otel_links import links_of, trace_text
from playhead.orchestrator._otel_meters import Meters, meters_of
from playhead.orchestrator._telemetry import Telemetry, Told
from playhead.tape import Action, Frame, Json, Message, Observation, Step, Totals
from playhead.tape.kinds import (
    DecisionRequest,
    Delegate,
    ModelCall,
    Pause,
    Return,
    ToolCall,
    ToolError,
    ToolResult,
    Usage,
    UserMessage,
)

if TYPE_CHECKING:
    from playhead.orchestrator._session import Session

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_ASKED_FOR = ("true", "1", "span_only", "span_and_event")
Attributes = dict[str, AttributeValue]


def spans_of(session: Session) -> Spans | None:
    """What tells of a session; None where nobody has set up a provider."""
    traces, measures = trace.get_tracer_provider(), metrics.get_meter_provider()
    unset = isinstance(traces, trace.ProxyTracerProvider | trace.NoOpTracerProvider)
    # the placeholder for a meter provider has no public name
    unmeasured = type(measures).__module__.startswith("opentelemetry.metrics")
    if unset and unmeasured:
        return None
    return Spans(session, traces.get_tracer("playhead"), meters_of(measures))


class Spans(Telemetry):
    """Tells of one session: a span for the run, and in it one each for subagents, calls, tools."""

    __slots__ = ("_agents", "_asked", "_content", "_meters", "_session", "_tracer")

    def __init__(self, session: Session, tracer: Tracer, meters: Meters) -> None:
        self._session, self._tracer, self._meters = session, tracer, meters
        self._content = os.environ.get(CONTENT, "").strip().lower() in _ASKED_FOR
        self._agents: dict[int, Span] = {}  # by frame
        self._asked: list[Message] = []

    @contextmanager
    def run(self, began: int) -> Iterator[None]:
        """See `Telemetry.run`."""
        session = self._session
        root = self._begin(0, session.agent.name, began=began)
        for frame in [frame for frame in session.fold.frames.values() if frame.id]:
            self._begin(frame.id, frame.agent, caller=frame.caller)
        before, length = replace(session.fold.totals), len(session.tape)
        with _current(root):
            try:
                yield
            except BaseException as error:
                self._fail(root, error)
                raise
            finally:
                with contextlib.suppress(Exception):  # a store that can no longer be read
                    root.set_attributes(self._outcome(before, length))
                for frame_id in reversed(list(self._agents)):
                    self._agents.pop(frame_id).end()

    def _begin(
        self, frame: int, name: str, *, caller: int | None = None, began: int | None = None
    ) -> Span:
        """Begin the span of an agent that was given control."""
        agent = self._session.agents.get(name) or self._session.agent
        model = agent.model or self._session.agent.model
        attributes: Attributes = {
            names.OPERATION: names.INVOKE_AGENT,
            names.AGENT_NAME: name,
            names.CONVERSATION: self._session.tape.id,
            names.FRAME: frame,
        }
        if agent.description:
            attributes[names.AGENT_DESCRIPTION] = agent.description
        if model is not None:
            attributes[names.PROVIDER] = model.provider
            attributes[names.REQUEST_MODEL] = model.name
        links = []
        if not frame:
            attributes["playhead.agent.config"] = self._session.config
            attributes["playhead.tape.begins_at"] = len(self._session.tape)
            links = links_of(self._session.tape)
        self._agents[frame] = span = self._tracer.start_span(
            f"{names.INVOKE_AGENT} {name}",
            context=None if not frame else self._within(caller),
            kind=SpanKind.INTERNAL,
            attributes=attributes,
            links=links,
            start_time=began,
        )
        return span

    def _within(self, frame: int | None) -> Context:
        """The context of what the agent of a frame does."""
        return trace.set_span_in_context(self._agents.get(frame or 0) or self._agents[0])

    def _outcome(self, before: Totals, length: int) -> Attributes:
        """What the run came to."""
        tape, now = self._session.tape, self._session.fold.totals
        attributes: Attributes = {
            names.INPUT_TOKENS: now.input_tokens - before.input_tokens,
            names.OUTPUT_TOKENS: now.output_tokens - before.output_tokens,
            "playhead.tape.status": self._session.fold.status,
            "playhead.tape.length": len(tape),
        }
        if now.usd > before.usd:
            attributes[names.COST] = round(now.usd - before.usd, 9)
        if self._content:
            answer = tape.answer if len(tape) > length else None
            attributes |= self._messages(names.INPUT_MESSAGES, self._asked)
            if answer is not None:
                said = Message.model_validate(
                    {"role": "assistant", "parts": [{"type": "text", "content": answer}]}
                )
                attributes |= self._messages(names.OUTPUT_MESSAGES, [said], finish_reason="stop")
        return attributes

    def origin(self) -> dict[str, Json]:
        """See `Telemetry.origin`: the context of the run's span, as W3C Trace Context writes it."""
        context = self._agents[0].get_span_context() if self._agents else None
        return {"trace": trace_text(context)} if context is not None and context.is_valid else {}

    @contextmanager
    def call(
        self, frame: Frame, model: Model, *, request: ModelRequest, prompt: Prompt
    ) -> Iterator[Told]:
        """See `Telemetry.call`."""
        common: Attributes = {
            names.OPERATION: names.CHAT,
            names.PROVIDER: model.provider,
            names.REQUEST_MODEL: model.name,
        }
        span = self._tracer.start_span(
            f"{names.CHAT} {model.name}",
            context=self._within(frame.id),
            kind=SpanKind.CLIENT,
            attributes={**common, **self._asking(frame, request)},
        )
        if self._content and span.is_recording():
            span.set_attributes(self._messages(names.INPUT_MESSAGES, list(prompt)))
        call, failed, began = _Call(self, span), {}, time.perf_counter()
        with _current(span):
            try:
                yield call
            except BaseException as error:
                failed = self._fail(span, error)
                call.cut(error)
                raise
            finally:
                seconds = time.perf_counter() - began
                self._meters.record(seconds, call.usage, common=common, failed=failed)
                span.end()

    def _asking(self, frame: Frame, request: ModelRequest) -> Attributes:
        attributes: Attributes = {
            names.CONVERSATION: self._session.tape.id,
            names.AGENT_NAME: frame.agent or self._session.agent.name,
            names.STREAM: self._session.watched,
        }
        if request.identity is not None:
            attributes[names.NODE] = request.identity.node
        for name, value in request.settings.items():
            known = names.SETTINGS.get(name)
            if known and isinstance(value, int | float) and not isinstance(value, bool):
                attributes[known] = float(value) if known.form == "double" else int(value)
        return attributes

    @contextmanager
    def action(self, step: Step, action: Action) -> Iterator[Told]:
        """See `Telemetry.action`."""
        name, arguments = named(action)
        around = self._session.around_frame(step.frame)
        if isinstance(action, ToolCall) and around.effect_of(name) is None:
            name = "unknown"  # what a model made up is content
        frame = self._session.fold.frames.get(step.frame)
        attributes: Attributes = {
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: name,
            names.TOOL_TYPE: "function",
            names.TOOL_CALL_ID: (isinstance(action, ToolCall) and action.call_id) or step.id,
            names.CONVERSATION: self._session.tape.id,
            names.AGENT_NAME: (frame and frame.agent) or self._session.agent.name,
            names.STEP: step.seq,
        }
        if isinstance(action, ToolCall) and action.effect:
            attributes[names.EFFECT] = action.effect
        span = self._tracer.start_span(
            f"{names.EXECUTE_TOOL} {name}",
            context=self._within(step.frame),
            kind=SpanKind.INTERNAL,
            attributes=attributes,
        )
        if self._content:
            span.set_attributes(self._json(names.TOOL_ARGUMENTS, arguments))
        with _current(span):
            try:
                yield _Done(self, span)
            except BaseException as error:
                self._fail(span, error)
                raise
            finally:
                span.end()

    def committed(self, steps: Sequence[Step]) -> None:
        """See `Telemetry.committed`."""
        if not self._agents:
            return
        for step in steps:
            body = step.body if step.kind in _TOLD else None
            if isinstance(body, Delegate):
                self._begin(step.seq, body.agent, caller=step.frame)
            elif isinstance(body, Return):
                frames = self._session.fold.frames
                for gone in [frame for frame in self._agents if frame and frame not in frames]:
                    self._agents.pop(gone).end()
            elif isinstance(body, Pause):
                self._agents[0].add_event("playhead.pause", {"playhead.pause.reason": body.reason})
            elif isinstance(body, DecisionRequest):
                self._agents[0].add_event(
                    "playhead.decision_request",
                    {"playhead.decision.why": body.why, "playhead.action": body.action},
                )
            elif isinstance(body, UserMessage) and self._content and not step.frame:
                self._asked.append(Message(role="user", parts=body.parts))

    def _fail(self, span: Span, error: BaseException) -> Attributes:
        """Mark a span as failed; what the error says is content."""
        kind: Attributes = {names.ERROR_TYPE: _type_of(error)}
        span.set_attributes(kind)
        span.set_status(StatusCode.ERROR, self._words(error))
        return kind

    def _words(self, said: object) -> str | None:
        """What is told of an error beside its kind."""
        with contextlib.suppress(Exception):  # a rule of the guard that raises
            return str(self._session.private(str(said))) if self._content else None
        return None

    def _messages(
        self, name: str, messages: Sequence[Message], *, finish_reason: str | None = None
    ) -> Attributes:
        """Messages as the conventions write them, with placeholders where there is a guard."""
        privacy = self._session.privacy
        said: list[Json] = []
        for message in messages:
            shown = privacy.shield.message(message) if privacy is not None else message
            said.append(shown.model_dump(mode="json", exclude_none=True))
            if finish_reason is not None and isinstance(said[-1], dict):
                said[-1]["finish_reason"] = finish_reason
        return self._json(name, said) if said else {}

    def _json(self, name: str, value: Json) -> Attributes:
        text = json.dumps(self._session.private(value), ensure_ascii=False)
        return {name: text.encode("utf-8", "backslashreplace").decode()}


@dataclass(slots=True)
class _Call(Told):
    """A model call under way."""

    spans: Spans
    span: Span
    usage: Usage | None = field(default=None)

    def called(self, call: ModelCall) -> None:
        """See `Told.called`."""
        self._used(call.usage)
        self.span.set_attributes({names.ATTEMPTS: max(1, len(call.attempts))})
        if call.finish_reason:
            self.span.set_attribute(names.FINISH_REASONS, [call.finish_reason])
        if call.price is not None:
            self.span.set_attribute(names.COST, call.price.usd)
        if self.spans._content and call.message is not None and self.span.is_recording():
            reason = call.finish_reason or "stop"
            said = self.spans._messages(names.OUTPUT_MESSAGES, [call.message], finish_reason=reason)
            self.span.set_attributes(said)

    def cut(self, error: BaseException) -> None:
        """A completion that was cut was paid for as well."""
        came = error.data.get("completion") if isinstance(error, CutCompletionError) else None
        if isinstance(came, Completion):
            self._used(came.usage)

    def _used(self, usage: Usage | None) -> None:
        self.usage = usage
        if usage is not None:
            self.span.set_attributes(
                {
                    names.INPUT_TOKENS: usage.input_tokens,
                    names.OUTPUT_TOKENS: usage.output_tokens,
                    names.CACHED_TOKENS: usage.cached_tokens,
                    names.REASONING_TOKENS: usage.reasoning_tokens,
                }
            )


@dataclass(slots=True)
class _Done(Told):
    """An action under way."""

    spans: Spans
    span: Span

    def answered(self, observation: Observation) -> None:
        """See `Told.answered`."""
        if isinstance(observation, ToolError):
            self.span.set_attribute(names.ERROR_TYPE, observation.code)
            self.span.set_status(StatusCode.ERROR, self.spans._words(observation.message))
        elif self.spans._content and isinstance(observation, ToolResult):
            self.span.set_attributes(self.spans._json(names.TOOL_RESULT, observation.result))


_TOLD = frozenset([Delegate.kind, Return.kind, Pause.kind, DecisionRequest.kind, UserMessage.kind])


def _current(span: Span) -> contextlib.AbstractContextManager[Span]:
    """Make a span the one that others' spans, made meanwhile, belong to."""
    return trace.use_span(
        span, end_on_exit=False, record_exception=False, set_status_on_exception=False
    )


def _type_of(error: BaseException) -> str:
    """A name for the kind of error: our code, or the name of its class."""
    if isinstance(error, PlayheadError):
        return error.code
    if isinstance(error, OutcomeUnknown):
        return "outcome_unknown"
    return "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__
