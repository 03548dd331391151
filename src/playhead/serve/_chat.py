"""Chat Completions: what a client asks for, and the forms in which it is answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playhead.errors import (
    AgentError,
    JsonError,
    ModelError,
    PlayheadError,
    StoreError,
    TapeOwnedError,
)
from playhead.record import OPENAI_CHAT
from playhead.serve._conversations import Said, merged
from playhead.tape import Json, Message, Tape, TextPart, Totals, compact, loads_strict, new_id

_ROLES = {"system": "user", "user": "user", "assistant": "assistant"}
_UNHEARD = ("tools", "functions", "audio", "modalities", "prediction", "web_search_options")


class Refusal(Exception):
    """A request that is answered with an error, in OpenAI's form.

    Args:
        status: The HTTP status.
        message: What is wrong, and what to do.
        code: A stable code.
        param: The member that is wrong.
        tape: Where more stands.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        tape: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param, self.tape = status, code, param, tape

    @property
    def body(self) -> dict[str, Json]:
        """What the client is sent."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error: dict[str, Json] = {"message": str(self), "type": kind}
        return {"error": {**error, "param": self.param, "code": self.code}}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for an answer.

    Args:
        model: The name that the client uses.
        said: The conversation, which ends with what the person says now.
        stream: Whether the answer comes in pieces.
        usage: Whether tokens are told at the end of a stream.
    """

    model: str
    said: list[Said]
    stream: bool = False
    usage: bool = False

    @classmethod
    def of(cls, content: bytes) -> ChatRequest:
        """Read a request.

        Raises:
            Refusal: It is none, or asks for something that agents do not do.
        """
        try:
            body = loads_strict(content)
        except (JsonError, UnicodeError) as error:
            raise _bad(f"the request is no JSON: {error}") from None
        if not isinstance(body, dict):
            raise _bad("a request is a JSON object")
        for name in _UNHEARD:
            if body.get(name):
                raise _bad(f"an agent brings its own: leave `{name}` out", param=name)
        if body.get("n") not in (None, 1):
            raise _bad("an agent gives one answer: leave `n` out", param="n")
        shape = body.get("response_format")
        if shape is not None and (not isinstance(shape, dict) or shape.get("type") != "text"):
            raise _bad("the agent's answer is text", param="response_format")
        options = body.get("stream_options")
        return cls(
            _model(body),
            _said(body),
            stream=body.get("stream") is True,
            usage=isinstance(options, dict) and options.get("include_usage") is True,
        )


def _bad(message: str, *, param: str | None = None) -> Refusal:
    return Refusal(400, message, code="invalid_request", param=param)


def _model(body: dict[str, Json]) -> str:
    model = body.get("model")
    if not isinstance(model, str):
        raise _bad("name the agent in `model`", param="model")
    return model


def _said(body: dict[str, Json]) -> list[Said]:
    try:
        messages = OPENAI_CHAT.asked({**body, "tools": []}).messages
    except ValueError as error:
        raise _bad(f"`messages`: {error}", param="messages") from None
    said = merged(_spoken(message) for message in messages)
    if not said or said[-1][0] != "user":
        raise _bad("the last message is the person's", param="messages")
    return said


def _spoken(message: Message) -> Said:
    role = _ROLES.get(message.role)
    if role is None or message.tool_calls:
        raise _bad("an agent calls its own tools: leave theirs out", param="messages")
    if not all(isinstance(part, TextPart) for part in message.parts):
        raise _bad("the agent is told texts: leave other content out", param="messages")
    return role, message.text


@dataclass(slots=True)
class Reply:
    """An answer on its way to the client.

    Args:
        model: The name that the client used.
    """

    model: str
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def _head(self) -> dict[str, Json]:
        return {"id": f"chatcmpl-{self.id}", "created": self.created, "model": self.model}

    def whole(self, text: str, usage: Json) -> dict[str, Json]:
        """All at once."""
        message: dict[str, Json] = {"role": "assistant", "content": text, "refusal": None}
        choice: dict[str, Json] = {
            "index": 0,
            "message": message,
            "finish_reason": "stop",
            "logprobs": None,
        }
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": usage,
        }

    def piece(self, delta: Mapping[str, Json], *, finish: str | None = None) -> bytes:
        """A piece of it."""
        choice: dict[str, Json] = {"index": 0, "delta": dict(delta), "finish_reason": finish}
        return event({**self._head, "object": "chat.completion.chunk", "choices": [choice]})

    def usage(self, usage: Json) -> bytes:
        """The piece that tells tokens."""
        said: dict[str, Json] = {**self._head, "object": "chat.completion.chunk", "choices": []}
        return event({**said, "usage": usage})


def event(value: Json) -> bytes:
    """An event of a stream."""
    return b"data: " + compact(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def usage_of(tape: Tape, before: Totals | None) -> dict[str, Json]:
    """The tokens of an answer: those of all model calls that were made for it."""
    now = tape.fold().totals
    asked = now.input_tokens - (before.input_tokens if before else 0)
    made = now.output_tokens - (before.output_tokens if before else 0)
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


def refused(error: PlayheadError) -> Refusal:
    """An error of a run, as the client is told of it."""
    facts: dict[str, Any] = {"code": error.code}
    if isinstance(error, TapeOwnedError):
        return Refusal(409, error.message, **facts)
    if isinstance(error, ModelError):
        return Refusal(502, f"the agent's model failed: {error.message}", **facts)
    if isinstance(error, StoreError):
        return Refusal(503, error.message, **facts)
    if isinstance(error, AgentError):
        return Refusal(500, f"the agent failed: {error.message}", **facts)
    return Refusal(500, error.message, **facts)


def unanswered(tape: Tape) -> Refusal:
    """Why a tape has no answer, and what to do."""
    if tape.status == "waiting":
        message = f"the agent waits for a decision: `playhead pending {tape.id}`, then ask again"
        return Refusal(409, message, code="decision_needed", tape=tape.id)
    if tape.status == "paused":
        message = "the agent paused before its end: ask again to go on"
        return Refusal(503, message, code="paused", tape=tape.id)
    message = f"the agent ended without an answer: `playhead show {tape.id}` says why"
    return Refusal(500, message, code="no_answer", tape=tape.id)
