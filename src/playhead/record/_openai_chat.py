"""Conversations as OpenAI's fine-tuning takes them: `messages` and `tools`, one object a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from playhead.record._conversation import (
    Contents,
    Conversation,
    read_arguments,
    read_content,
    turns,
    with_unplaced,
    write_arguments,
    write_content,
)
from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.record._native import native_setting
from playhead.record._objects import fill, objects_of, read_objects
from playhead.record._shape import (
    JsonObject,
    ShapeFault,
    as_list,
    as_object,
    as_text,
    as_text_or_none,
)
from playhead.record._stored import StoredTape
from playhead.record._writing import json_lines
from playhead.tape import Body, Draft, Json, parts_text
from playhead.tape.kinds import (
    AssistantMessage,
    Reflection,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_TEXTS = ("text",)
_OTHERS = (b'"tool_use"', b'"tool_result"', b'"input_schema"', b'"anthropic_version"')


class OpenAIChat(Format):
    """Chat messages in JSON Lines, the form in which OpenAI takes training data.

    A message becomes a step; one with tool calls becomes what the agent says beside them (a
    reflection, because nobody hears it) and a step for each call. System and developer messages,
    tools and weights are kept in notes.
    """

    name = "openai-chat"
    title = "OpenAI chat messages"
    extensions = (".jsonl",)

    def detect(self, head: bytes, path: Path) -> bool:
        """See `Format.detect`: `messages` with roles, and nothing that only Anthropic has."""
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if begins not in (b"{", b"[") or b'"messages"' not in head or b'"role"' not in head:
            return False
        return not any(mark in head for mark in _OTHERS)

    def read(self, file: ForeignFile) -> Iterator[ForeignTape]:
        """See `Format.read`."""
        return read_objects(file, _tape, what="record", by_line=True)

    def write(self, tapes: AsyncIterator[StoredTape], losses: Losses) -> AsyncIterator[bytes]:
        """See `Format.write`."""
        return json_lines(objects_of(tapes, losses, _record))


def _tape(record: JsonObject, key: str, place: str) -> ForeignTape:
    tape = ForeignTape(OpenAIChat.name, key, place=place)
    conversation = Conversation(tape)

    def steps_of(message: JsonObject, where: str) -> list[Draft]:
        made, hints = _steps(conversation, message, where)
        return conversation.noted(made, message, write=_message, hints=hints) if made else []

    return fill(tape, record, steps_of)


def _steps(
    conversation: Conversation, message: JsonObject, where: str
) -> tuple[list[Draft], JsonObject]:
    """The steps of a message, and how it was written; none if it has no place."""
    role = as_text(message.get("role"), f"{where}.role")
    content = message.get("content")
    parts = read_content(content, f"{where}.content", texts=_TEXTS)
    listed: JsonObject = {"listed": True} if isinstance(content, list) else {}
    match role:
        case "user":
            return [conversation.heard(parts)], listed
        case "assistant":
            calls, hints = _calls(conversation, message, where)
            text = parts_text(parts)
            if not calls:
                return [conversation.said(parts)], listed
            return [*([conversation.thought(text)] if text else []), *calls], hints
        case "tool" | "function":
            call_id = as_text_or_none(message.get("tool_call_id"), f"{where}.tool_call_id")
            name = as_text_or_none(message.get("name"), f"{where}.name")
            hint: JsonObject = {"legacy": True} if role == "function" else {}
            return [conversation.answered(call_id, content, name=name)], hint
        case "system" | "developer":
            return [], {}
        case _:
            raise ShapeFault(f"`{where}.role` is `{role}`, which is no role")


def _calls(
    conversation: Conversation, message: JsonObject, where: str
) -> tuple[list[Draft], JsonObject]:
    """The calls of a message, and how they were written."""
    legacy = message.get("function_call")
    if legacy is not None and not message.get("tool_calls"):
        function = as_object(legacy, f"{where}.function_call")
        made, spelling = _call(conversation, None, function, f"{where}.function_call")
        return [made], {"legacy": True, **({"spelling": spelling} if spelling else {})}
    drafts: list[Draft] = []
    spellings: set[int] = set()
    for at, value in enumerate(as_list(message.get("tool_calls") or [], f"{where}.tool_calls")):
        place = f"{where}.tool_calls.{at}"
        call = as_object(value, place)
        call_id = as_text_or_none(call.get("id"), f"{place}.id")
        custom = call.get("custom")
        function = as_object(call.get("function") if custom is None else custom, place)
        made, spelling = _call(conversation, call_id, function, place)
        drafts.append(made)
        spellings.add(spelling)
    return drafts, ({"spelling": spellings.pop()} if len(spellings) == 1 and any(spellings) else {})


def _call(
    conversation: Conversation, call_id: str | None, function: JsonObject, where: str
) -> tuple[Draft, int]:
    name = as_text(function.get("name"), f"{where}.name")
    given = function.get("arguments", function.get("input"))
    arguments, spelling = read_arguments(as_text(given, f"{where}.arguments"))
    return conversation.called(call_id, name, arguments), spelling


def _message(bodies: Sequence[Body], contents: Contents, note: JsonObject) -> JsonObject:
    """The message that steps are made of."""
    first = bodies[0]
    listed = note.get("listed") is True
    match first:
        case UserMessage() | AssistantMessage():
            role = "user" if isinstance(first, UserMessage) else "assistant"
            content = write_content(first.parts, contents, type="text", listed=listed)
            return {"role": role, "content": content}
        case ToolResult() | ToolError():
            return _answer(first, contents, note)
    calls = [body for body in bodies if isinstance(body, ToolCall)]
    said: JsonObject = {
        "role": "assistant",
        "content": first.text if isinstance(first, Reflection) else None,
    }
    if note.get("legacy") is True and len(calls) == 1:
        return {**said, "function_call": _function(calls[0], note)}
    if calls:
        said["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": _function(call, note)}
            for call in calls
        ]
    return said


def _function(call: ToolCall, note: JsonObject) -> JsonObject:
    return {"name": call.name, "arguments": write_arguments(call.arguments, note.get("spelling"))}


def _answer(body: ToolResult | ToolError, contents: Contents, note: JsonObject) -> JsonObject:
    if isinstance(body, ToolError):
        content: Json = f"Error: {body.message}"
    else:
        content = contents.result(body)
        if not isinstance(content, str | list) and content is not None:
            content = write_arguments(content)
    if note.get("legacy") is True:
        return {"role": "function", "name": body.name, "content": content}
    return {"role": "tool", "tool_call_id": body.call_id, "content": content}


def _record(tape: StoredTape, losses: Losses) -> JsonObject:
    """The conversation that a tape tells."""
    messages: list[Json] = [turn.message(_message, tape) for turn in turns(tape, losses)]
    members = tape.members
    if not isinstance(members, dict):
        return _native(tape, messages)
    rest = members.get("record")
    messages = with_unplaced(messages, members.get("messages"))
    return {"messages": messages, **(rest if isinstance(rest, dict) else {})}


def _native(tape: StoredTape, messages: list[Json]) -> JsonObject:
    """With what the model was told and offered at first, where the tape knows it."""
    system, tools = native_setting(tape)
    told: list[Json] = [{"role": "system", "content": system}] if system else []
    offered: list[Json] = [{"type": "function", "function": tool} for tool in tools]
    record: JsonObject = {"messages": [*told, *messages]}
    return {**record, "tools": offered} if offered else record
