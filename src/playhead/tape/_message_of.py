"""What one entry says to a model (docs/format.md, section 6)."""

from __future__ import annotations

from pydantic import JsonValue

from playhead.errors import BodyError
from playhead.tape._json import compact, member_text
from playhead.tape._parts import (
    BlobPart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    parts_text,
    result_text,
    text_part,
)
from playhead.tape._step import Step
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Delegate,
    ModelCall,
    ParseError,
    Return,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)


def message_of(step: Step, frame: int) -> Message | None:
    """The message that a step says in the history of a frame (docs/format.md, section 6).

    Raises:
        BodyError: The stored bytes do not fit the kind.
    """
    if not step.known or not step.kind.startswith("playhead."):
        return _raw_observation(step)
    body = step.body
    match body:
        case UserMessage():
            return Message(role="user", parts=body.parts)
        case ModelCall():
            return body.message if body.status == "complete" else None
        case AssistantMessage():
            return Message(role="assistant", parts=body.parts)
        case ToolCall():
            part = ToolCallPart(
                id=body.call_id or step.id, name=body.name, arguments=body.arguments
            )
            return Message(role="assistant", parts=(part,))
        case ToolResult():
            blobs = tuple(part for part in body.parts if isinstance(part, BlobPart))
            if body.arguments is not None:
                told = "" if body.result is None and blobs else _stored_text(step, body)
                text = _edited(step, body) + told
                return _answer(body.call_id, text, text, blobs)
            text = _stored_text(step, body) if body.call_id is None else ""
            return _answer(body.call_id, text, body.result, blobs)
        case ToolError():
            text = f"{_edited(step, body)}Error: {body.message}"
            return _answer(body.call_id, text, text)
        case ParseError():
            if body.call_id is None:
                return Message(role="user", parts=(text_part(body.message),))
            return _answer(body.call_id, body.message, f"Error: {body.message}")
        case Delegate():
            return Message(role="user", parts=body.parts) if frame == step.seq else None
        case Return():
            if body.call_id is not None:
                return _answer(body.call_id, "", parts_text(body.parts))
            return Message(role="user", parts=body.parts, name=body.agent)
        case Broadcast():
            return Message(role="user", parts=body.parts, name=body.agent)
        case _:
            return _raw_observation(step)


def _answer(
    call_id: str | None, text: str, response: JsonValue, blobs: tuple[Part, ...] = ()
) -> Message:
    if call_id is None:
        return Message(role="user", parts=(text_part(f"Observation: {text}"), *blobs))
    part = ToolResponsePart.model_construct(id=call_id, response=response)
    return Message(role="tool", parts=(part, *blobs))


def _edited(step: Step, body: ToolResult | ToolError) -> str:
    """What the model is told first about a call whose arguments a person changed."""
    if body.arguments is None:
        return ""
    stored = step.data if step.kind_version == body.kind_version else None
    text = member_text(stored, "arguments") if stored is not None else None
    return f"A person changed the arguments to {text or compact(body.arguments)}.\n"


def _stored_text(step: Step, body: ToolResult) -> str:
    """The text of a result: a string itself, else the JSON text as it stands in the body."""
    if isinstance(body.result, str) or step.data is None or step.kind_version != body.kind_version:
        return result_text(body.result)
    return member_text(step.data, "result") or result_text(body.result)


def _raw_observation(step: Step) -> Message | None:
    if step.role != "observation" or step.data is None:
        return None
    try:
        text = step.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError(f"the body of step {step.seq} is not UTF-8: {error}") from None
    return Message(role="user", parts=(TextPart(content=text),))
