"""A model request as the body of a Messages API request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from playhead.errors import JsonError, ModelRequestError
from playhead.llm._conversation import (
    PROVIDER_ITEM,
    UNANSWERED,
    Call,
    Entry,
    ToolNames,
    conversation_of,
    escaped,
    renamed,
    said_text,
    unsendable,
)
from playhead.llm._model import ModelRequest, ToolSchema
from playhead.tape import Json, OtherPart, Part, ReasoningPart, ToolCallPart, compact

_RESERVED = ("messages", "model", "stream", "system", "tools")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BEGIN = "(the conversation goes on)"
PROVIDER = "anthropic"

Block = dict[str, Json]


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """What is sent, and the tool names needed to read the answer."""

    body: dict[str, Json]
    names: ToolNames

    @classmethod
    async def of(
        cls,
        request: ModelRequest,
        *,
        model: str,
        defaults: Mapping[str, Json],
    ) -> MessagesRequest:
        """The request, with the model's own settings where it has none.

        Raises:
            ModelRequestError: It cannot be said in JSON, holds a setting that is none, or says
                nothing.
        """
        settings = {**defaults, **request.settings}
        for name in _RESERVED:
            if name in settings:
                raise ModelRequestError(f"`{name}` is no setting: give it to the model or the call")
        conversation, names = await conversation_of(request, takes_id=_takes_id)
        if "tool_choice" in settings:
            settings["tool_choice"] = renamed(settings["tool_choice"], names)
        try:
            system, entries = _opening(conversation.entries)
            messages = _messages(entries)
        except JsonError as error:
            raise unsendable(error) from None
        body: dict[str, Json] = {**settings, "model": model}
        if not messages and system:  # somebody has to say something
            system, messages = "", [{"role": "user", "content": [_text(system)]}]
        if not messages:
            raise ModelRequestError("the prompt says nothing: give it at least one message")
        if system:
            body["system"] = system
        body["messages"] = list(messages)
        if request.tools:
            body["tools"] = [_tool(tool, names) for tool in request.tools]
        elif called := {call.name: None for entry in entries for call in entry.calls}:
            # The API takes no calls of tools that are not defined: they are, and cannot be called.
            body["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in called]
            body["tool_choice"] = {"type": "none"}
        return cls(body, names)


def _takes_id(call_id: str) -> bool:
    return _ID.fullmatch(call_id) is not None


def _opening(entries: Sequence[Entry]) -> tuple[str, Sequence[Entry]]:
    """The system messages that a conversation begins with, as one text, and the rest."""
    texts: list[str] = []
    for entry in entries:
        if entry.role != "system":
            break
        texts.append(entry.text)
    return "\n\n".join(filter(None, texts)), entries[len(texts) :]


def _messages(entries: Iterable[Entry]) -> list[Json]:
    """The messages; those of one side that follow each other are one.

    A message begins with the results that it holds, and the first message is the user's.
    """
    turns: list[tuple[str, list[Block]]] = []

    def say(role: str, blocks: list[Block]) -> None:
        if not blocks:
            return
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))

    for entry in entries:
        if entry.role == "assistant":
            say("assistant", _said(entry))
            say("user", [_result(call) for call in entry.calls])
        else:
            say("user", _heard(entry))
    if turns and turns[0][0] == "assistant":
        turns.insert(0, ("user", [_text(_BEGIN)]))
    return [{"role": role, "content": list(blocks)} for role, blocks in turns]


def _heard(entry: Entry) -> list[Block]:
    text = entry.text
    if entry.role == "system":  # in the middle of a conversation
        text = f"System: {text}"
    elif entry.name is not None:
        text = f"{entry.name}: {text}"
    return [_text(text)] if text.strip() else []


def _said(entry: Entry) -> list[Block]:
    """The blocks of what the model said, in the order in which it said them."""
    blocks: list[Block] = []
    calls = iter(entry.calls)
    for parts in entry.groups:
        thought = ""
        for part in parts:
            match part:
                case ReasoningPart():
                    thought = part.content
                    continue
                case ToolCallPart():
                    blocks.append(_call(next(calls)))
                case OtherPart() if part.type == PROVIDER_ITEM:
                    blocks.extend(_item(part, thought))
                case _:
                    blocks.extend(_texts(part))
            thought = ""
    return blocks


def _texts(part: Part) -> list[Block]:
    text = said_text((part,))
    return [_text(text)] if text.strip() else []  # a block of nothing is refused


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _item(part: OtherPart, thought: str) -> list[Block]:
    """A block that only Anthropic understands, as it came; another provider's is left out."""
    item = part.root.get("item")
    if part.root.get("provider") != PROVIDER or not isinstance(item, dict):
        return []
    if item.get("type") == "thinking":  # its text stands in the part before
        return [{"type": "thinking", "thinking": thought, **item}]
    return [dict(item)]


def _call(call: Call) -> Block:
    arguments = call.part.arguments
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):  # the API takes objects only
        arguments = {"INVALID_JSON": arguments}
    compact(arguments)
    return {"type": "tool_use", "id": call.sent_id, "name": call.name, "input": arguments}


def _result(call: Call) -> Block:
    text = UNANSWERED if call.result is None else call.result
    return {"type": "tool_result", "tool_use_id": call.sent_id, "content": text}


def _tool(tool: ToolSchema, names: ToolNames) -> Block:
    sent: Block = {"name": names.sent(tool.name), "input_schema": dict(tool.parameters)}
    if tool.description:
        sent["description"] = escaped(tool.description)
    return sent
