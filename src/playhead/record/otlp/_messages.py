"""Messages as the conventions write them, and as OpenInference flattens them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from playhead.record._shape import JsonObject
from playhead.record.otlp._fields import numbered
from playhead.record.otlp._span import read_json
from playhead.record.wire._read import other
from playhead.tape import (
    BlobPart,
    Json,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
    compact,
    text_part,
    unchecked,
)

_READABLE = ("text/plain", "application/json")
_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
}


def read_message(value: Mapping[str, Json]) -> Message:
    """A message of the conventions; one without a known role is the user's."""
    role, name, parts = value.get("role"), value.get("name"), value.get("parts")
    if not isinstance(parts, list):
        parts = [{"type": "text", "content": value.get("content")}]
    return unchecked(
        Message,
        role=_ROLES.get(role.lower(), "user") if isinstance(role, str) else "user",
        parts=tuple(map(read_part, parts)),
        name=text_part(name).content if isinstance(name, str) and name else None,
    )


def read_part(value: Json) -> Part:
    """A part of a message; one that is not known is kept as it is."""
    if not isinstance(value, dict):
        return _text(value)
    id, name = value.get("id"), value.get("name")
    match value.get("type"):
        case "text":
            return _text(value.get("content"))
        case "reasoning" if isinstance(value.get("content"), str):
            return ReasoningPart(content=text_part(str(value["content"])).content)
        case "tool_call" if isinstance(name, str) and name:
            known = id if isinstance(id, str) and id else None
            return ToolCallPart(id=known, name=name, arguments=read_json(value.get("arguments")))
        case "tool_call_response":
            members = ("response", "result", "content")
            result = next((value[each] for each in members if each in value), None)
            return ToolResponsePart(id=id if isinstance(id, str) else "", response=result)
        case _:
            return other(value)


def _text(value: Json) -> TextPart:
    if value is None:
        return text_part("")
    return text_part(value if isinstance(value, str) else compact(value))


def read_flat(value: Mapping[str, Json]) -> Message:
    """A message of OpenInference, whose names still have their dots."""
    said = value.get("message.content")
    call_id = value.get("message.tool_call_id")
    parts: list[Json] = []
    if isinstance(call_id, str):
        parts.append({"type": "tool_call_response", "id": call_id, "response": said})
    elif said is not None:
        parts.append({"type": "text", "content": said})
    parts += map(_flat_content, numbered(value, "message.contents"))
    parts += map(_flat_call, numbered(value, "message.tool_calls"))
    called = value.get("message.function_call_name")
    if isinstance(called, str) and called:
        given = value.get("message.function_call_arguments_json")
        parts.append({"type": "tool_call", "name": called, "arguments": given})
    return read_message(
        {"role": value.get("message.role"), "name": value.get("message.name"), "parts": parts}
    )


def _flat_content(item: JsonObject) -> Json:
    kind, text = item.get("message_content.type"), item.get("message_content.text")
    if kind in ("text", None) and isinstance(text, str):
        return {"type": "text", "content": text}
    if kind == "reasoning" and isinstance(text, str):
        return {"type": "reasoning", "content": text}
    return {**item, "type": kind if isinstance(kind, str) else "item"}


def _flat_call(item: JsonObject) -> Json:
    return {
        "type": "tool_call",
        "id": item.get("tool_call.id"),
        "name": item.get("tool_call.function.name"),
        "arguments": item.get("tool_call.function.arguments"),
    }


def write_message(message: Message, text_of: Callable[[Iterable[Part]], str]) -> JsonObject:
    """A message of the conventions.

    Args:
        message: The message.
        text_of: Gives the text of parts, that of blobs included.
    """
    written: JsonObject = {
        "role": message.role,
        "parts": [_written(part, text_of) for part in _whole(message.parts, text_of)],
    }
    return written if message.name is None else {**written, "name": message.name}


def _whole(parts: Sequence[Part], text_of: Callable[[Iterable[Part]], str]) -> Iterator[Part]:
    """The parts, with results that are so large that they are blobs back in their place."""
    before: Part | None = None
    for part in parts:
        empty = isinstance(before, ToolResponsePart) and before.response is None
        if empty and isinstance(part, BlobPart) and part.media_type in _READABLE:
            text = text_of((part,))
            said = read_json(text) if part.media_type == "application/json" else text
            before = before.model_copy(update={"response": said}) if before else None
            continue
        if before is not None:
            yield before
        before = part
    if before is not None:
        yield before


def _written(part: Part, text_of: Callable[[Iterable[Part]], str]) -> Json:
    if isinstance(part, BlobPart):
        if part.media_type.startswith("text/"):
            return {"type": "text", "content": text_of((part,))}
        return {"type": "blob", "mime_type": part.media_type}
    return part.model_dump(mode="json", exclude_none=True)
