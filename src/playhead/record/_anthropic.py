"""Conversations as Anthropic's Messages API takes them: `system`, `messages` and `tools`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path

from playhead.record._conversation import (
    THEMSELVES,
    Contents,
    Conversation,
    inner_differences,
    read_content,
    turns,
    with_inner,
    with_unplaced,
    write_content,
)
from playhead.record._file import ForeignFile
from playhead.record._foreign import ForeignTape
from playhead.record._format import Format
from playhead.record._losses import Losses
from playhead.record._native import native_setting
from playhead.record._objects import fill, objects_of, read_objects
from playhead.record._shape import JsonObject, ShapeFault, as_object, as_text
from playhead.record._stored import StoredTape
from playhead.record._writing import json_lines
from playhead.tape import Body, Draft, Json, parts_text, result_text
from playhead.tape.kinds import (
    AssistantMessage,
    Reflection,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_TEXTS = ("text",)
_MARKS = (b'"tool_use"', b'"tool_result"', b'"input_schema"', b'"anthropic_version"', b'"system":')


class AnthropicMessages(Format):
    """Requests of the Messages API: one JSON object, an array of them, or one a line.

    A block becomes a step: a text, a tool call, a tool result; what the model thought, and what it
    says beside tool calls, are reflections. Blocks and messages that are none of these, `system`
    and `tools` are kept in notes.
    """

    name = "anthropic-messages"
    title = "Anthropic messages"
    extensions = (".jsonl", ".json")

    def detect(self, head: bytes, path: Path) -> bool:
        """See `Format.detect`: `messages` with roles, and something that only Anthropic has."""
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if begins not in (b"{", b"[") or b'"messages"' not in head or b'"role"' not in head:
            return False
        return any(mark in head for mark in _MARKS)

    def read(self, file: ForeignFile) -> Iterator[ForeignTape]:
        """See `Format.read`."""
        return read_objects(file, _tape, what="record")

    def write(self, tapes: AsyncIterator[StoredTape], losses: Losses) -> AsyncIterator[bytes]:
        """See `Format.write`: one object a line."""
        return json_lines(objects_of(tapes, losses, _record))


def _tape(record: JsonObject, key: str, place: str) -> ForeignTape:
    tape = ForeignTape(AnthropicMessages.name, key, place=place)
    conversation = Conversation(tape)

    def steps_of(message: JsonObject, where: str) -> list[Draft]:
        made, hints = _steps(conversation, message, where)
        if not made:
            return []
        others = hints.get("others")
        for block in others.values() if isinstance(others, dict) else ():
            tape.losses.keep(f"block `{block.get('type') if isinstance(block, dict) else block}`")
        hints = _with_differences(made, message, hints)
        return conversation.noted(made, message, write=_message, hints=hints)

    return fill(tape, record, steps_of)


def _with_differences(made: list[Draft], message: JsonObject, hints: JsonObject) -> JsonObject:
    """The hints, and what the blocks of a message have beside what their steps say."""
    written = _message([draft.body for draft in made], THEMSELVES, hints)
    found = inner_differences(message.get("content"), written["content"])
    return {**hints, "blocks": found} if found else hints


def _steps(
    conversation: Conversation, message: JsonObject, where: str
) -> tuple[list[Draft], JsonObject]:
    """The steps of a message, and how it was written; none if it has no place."""
    role = as_text(message.get("role"), f"{where}.role")
    content = message.get("content")
    if role == "system":
        return [], {}
    if role not in ("user", "assistant"):
        raise ShapeFault(f"`{where}.role` is `{role}`, which is no role")
    if not isinstance(content, list) or not content:
        parts = read_content(content, f"{where}.content", texts=_TEXTS)
        made = conversation.heard(parts) if role == "user" else conversation.said(parts)
        return [made], {"listed": True} if isinstance(content, list) else {}
    place = f"{where}.content"
    blocks = [as_object(block, f"{place}.{at}") for at, block in enumerate(content)]
    if role == "user":
        return list(_heard(conversation, blocks, place)), {"listed": True}
    return _said(conversation, blocks, place)


def _heard(conversation: Conversation, blocks: list[JsonObject], where: str) -> Iterator[Draft]:
    """What the user's blocks say; those that follow each other and are no results are one step."""
    waiting: list[Json] = []
    for at, block in enumerate(blocks):
        if block.get("type") != "tool_result":
            waiting.append(block)
            continue
        if waiting:
            yield conversation.heard(read_content(waiting, where, texts=_TEXTS))
            waiting = []
        call_id = as_text(block.get("tool_use_id"), f"{where}.{at}.tool_use_id")
        result = block.get("content")
        if block.get("is_error") is True:
            yield conversation.failed(call_id, _error_text(result))
        else:
            yield conversation.answered(call_id, result)
    if waiting:
        yield conversation.heard(read_content(waiting, where, texts=_TEXTS))


def _error_text(result: Json) -> str:
    try:
        return parts_text(read_content(result, "content", texts=_TEXTS))
    except ShapeFault:
        return result_text(result)


def _said(
    conversation: Conversation, blocks: list[JsonObject], where: str
) -> tuple[list[Draft], JsonObject]:
    """What the assistant's blocks say, and how they were written."""
    asks = any(block.get("type") == "tool_use" for block in blocks)
    drafts: list[Draft] = []
    others: JsonObject = {}
    thinking: list[Json] = []
    waiting: list[Json] = []

    def say() -> None:
        if waiting:
            drafts.append(conversation.said(read_content(waiting, where, texts=_TEXTS)))
            waiting.clear()

    for at, block in enumerate(blocks):
        kind, place = block.get("type"), f"{where}.{at}"
        if kind == "thinking":
            say()
            thinking.append(len(drafts))
            drafts.append(conversation.thought(as_text(block.get(kind), f"{place}.{kind}")))
        elif not asks:
            waiting.append(block)
        elif kind == "text":
            drafts.append(conversation.thought(as_text(block.get(kind), f"{place}.{kind}")))
        elif kind == "tool_use":
            call_id, name = as_text(block.get("id"), f"{place}.id"), block.get("name")
            name = as_text(name, f"{place}.name")
            drafts.append(conversation.called(call_id, name, block.get("input")))
        else:
            others[str(at)] = block
    say()
    hints: JsonObject = {"listed": True}
    return drafts, hints | {
        name: value for name, value in (("others", others), ("thinking", thinking)) if value
    }


def _message(bodies: Sequence[Body], contents: Contents, note: JsonObject) -> JsonObject:
    """The message that steps are made of."""
    first = bodies[0]
    role = "user" if isinstance(first, UserMessage | ToolResult | ToolError) else "assistant"
    listed = note.get("listed") is True
    if isinstance(first, UserMessage | AssistantMessage) and len(bodies) == 1 and not listed:
        return {"role": role, "content": write_content(first.parts, contents, type="text")}
    thinking = note.get("thinking")
    blocks: list[Json] = []
    for at, body in enumerate(bodies):
        thought = isinstance(thinking, list) and at in thinking
        blocks += _blocks(body, contents, thought=thought)
    blocks = with_unplaced(blocks, note.get("others"))
    blocks = with_inner(blocks, note.get("blocks"))
    return {"role": role, "content": blocks}


def _blocks(body: Body, contents: Contents, *, thought: bool) -> Iterable[Json]:
    match body:
        case UserMessage() | AssistantMessage():
            items = write_content(body.parts, contents, type="text", listed=True)
            return items if isinstance(items, list) else ()
        case Reflection():
            kind = "thinking" if thought else "text"
            return ({"type": kind, kind: body.text},)
        case ToolCall():
            said: JsonObject = {"type": "tool_use", "id": body.call_id, "name": body.name}
            return ({**said, "input": body.arguments},)
        case ToolResult():
            return (_result(body.call_id, contents.result(body)),)
        case ToolError():
            return ({**_result(body.call_id, body.message), "is_error": True},)
    return ()


def _result(call_id: str | None, content: Json) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def _record(tape: StoredTape, losses: Losses) -> JsonObject:
    """The conversation that a tape tells."""
    messages: list[Json] = [turn.message(_message, tape) for turn in turns(tape, losses)]
    members = tape.members
    if not isinstance(members, dict):
        return _native(tape, messages)
    rest = members.get("record")
    messages = with_unplaced(messages, members.get("messages"))
    return {**(rest if isinstance(rest, dict) else {}), "messages": messages}


def _native(tape: StoredTape, messages: list[Json]) -> JsonObject:
    """With what the model was told and offered at first; each side speaks once at a time."""
    joined: list[JsonObject] = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1]["content"] = [*_listed(joined[-1]), *_listed(message)]
        else:
            joined.append(dict(message))
    system, tools = native_setting(tape)
    offered: list[Json] = [
        {"name": tool.get("name"), "description": tool.get("description"),
         "input_schema": tool.get("parameters")}
        for tool in tools
    ]  # fmt: skip
    record: JsonObject = {"system": system} if system else {}
    if offered:
        record["tools"] = offered
    return {**record, "messages": list(joined)}


def _listed(message: JsonObject) -> list[Json]:
    content = message.get("content")
    return content if isinstance(content, list) else [{"type": "text", "text": content}]
