"""A model request as the body of a Chat Completions request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from playhead.errors import JsonError, ModelRequestError
from playhead.llm._model import ModelRequest, ToolSchema
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
    result_text,
    text_part,
)

_ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64
_LONGEST_ID = 40
_RESERVED = ("messages", "model", "stream", "tools")
_UNANSWERED = "(no result)"


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What is sent, and the tool names needed to read the answer."""

    messages: list[dict[str, object]]
    tools: list[dict[str, object]]
    settings: dict[str, Json]
    names: ToolNames

    @classmethod
    async def of(cls, request: ModelRequest, defaults: Mapping[str, Json]) -> WireRequest:
        """The request, with the model's own settings where it has none.

        Raises:
            ModelRequestError: It cannot be said in JSON, or holds a setting that is no setting.
        """
        settings = {**defaults, **request.settings}
        for name in _RESERVED:
            if name in settings:
                raise ModelRequestError(f"`{name}` is no setting: give it to the model or the call")
        try:
            messages = await request.messages()
            names = ToolNames(
                [tool.name for tool in request.tools]
                + [call.name for message in messages for call in message.tool_calls]
            )
            conversation = _Conversation(names)
            for message in messages:
                conversation.add(message)
        except (JsonError, UnicodeDecodeError) as error:
            raise ModelRequestError(
                f"a message cannot be sent as JSON ({error}): change its arguments or content"
            ) from None
        if "tool_choice" in settings:
            settings["tool_choice"] = _renamed(settings["tool_choice"], names)
        tools = [_tool(tool, names) for tool in request.tools]
        return cls(conversation.as_json(), tools, settings, names)


class ToolNames:
    """Tool names as the API allows them, and back: `email.search` is sent as `email_search`.

    Allowed names stay as they are; others never take the name of another tool.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sent: dict[str, str] = {}
        self._meant: dict[str, str] = {}
        for name in sorted(set(names), key=lambda name: (not _ALLOWED.fullmatch(name), name)):
            sent, turn = _FORBIDDEN.sub("_", name)[:_LONGEST_NAME], 0
            while not sent or sent in self._meant:
                turn += 1
                mark = _hash(f"{turn}:{name}")[:8]
                sent = f"{_FORBIDDEN.sub('_', name)[: _LONGEST_NAME - 9]}_{mark}"
            self._sent[name], self._meant[sent] = sent, name

    def sent(self, name: str) -> str:
        """The name as it is sent."""
        return self._sent.get(name, name)

    def meant(self, sent: str) -> str:
        """The tool that the model names; what it made up stays as it is."""
        return self._meant.get(sent, sent)


@dataclass(slots=True)
class _Call:
    id: str | None
    sent_id: str
    name: str
    arguments: str
    result: str | None = None

    def as_json(self) -> dict[str, object]:
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.sent_id, "type": "function", "function": function}


@dataclass(slots=True)
class _Entry:
    role: str
    text: str
    name: str | None = None
    calls: list[_Call] = field(default_factory=list)


class _Conversation:
    """Messages, put so that the API takes them.

    It demands that calls stand in one message, that all their results follow at once, and that no
    result comes without its call. A prompt may differ: a window begins between a call and its
    result, a user speaks while a tool runs, a node drops a call.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._entries: list[_Entry] = []

    def add(self, message: Message) -> None:
        """Take the next message."""
        if message.role == "assistant":
            self._assistant(message)
            return
        responses = [part for part in message.parts if isinstance(part, ToolResponsePart)]
        others = [part for part in message.parts if not isinstance(part, ToolResponsePart)]
        for position, response in enumerate(responses):
            text = _escaped(result_text(response.response))
            if others and position == len(responses) - 1:  # blobs follow the result they belong to
                text = _lines(text, _text(others))
            self._result(response.id, text)
        if not responses:
            role = "user" if message.role == "tool" else message.role
            self._entries.append(_Entry(role, _text(others), message.name))

    def _assistant(self, message: Message) -> None:
        text = _text(message.parts)
        last = self._entries[-1] if self._entries else None
        goes_on = (
            last is not None and last.calls and all(call.result is None for call in last.calls)
        )
        if last is not None and goes_on and message.tool_calls:
            last.text = _lines(last.text, text)
        else:
            last = _Entry("assistant", text, message.name)
            self._entries.append(last)
        for part in message.tool_calls:
            taken = {call.sent_id for call in last.calls}
            sent_id = _sent_id(part.id, taken)
            arguments = _arguments(part.arguments)
            last.calls.append(_Call(part.id, sent_id, self._names.sent(part.name), arguments))

    def _result(self, call_id: str, text: str) -> None:
        for entry in reversed(self._entries):
            for call in entry.calls:
                if call.id == call_id and call.result is None:
                    call.result = text
                    return
        self._entries.append(_Entry("user", f"Observation: {text}"))

    def as_json(self) -> list[dict[str, object]]:
        """The messages as the API has them."""
        messages: list[dict[str, object]] = []
        for entry in self._entries:
            message: dict[str, object] = {"role": entry.role, "content": entry.text}
            if entry.name is not None and _ALLOWED.search(entry.name):
                message["name"] = _FORBIDDEN.sub("_", entry.name)[:_LONGEST_NAME]
            if entry.calls:
                message["content"] = entry.text or None
                message["tool_calls"] = [call.as_json() for call in entry.calls]
            messages.append(message)
            messages.extend(
                {
                    "role": "tool",
                    "tool_call_id": call.sent_id,
                    "content": _UNANSWERED if call.result is None else call.result,
                }
                for call in entry.calls
            )
        return messages


def _tool(tool: ToolSchema, names: ToolNames) -> dict[str, object]:
    function: dict[str, object] = {"name": names.sent(tool.name)}
    if tool.description:
        function["description"] = _escaped(tool.description)
    function["parameters"] = dict(tool.parameters)
    return {"type": "function", "function": function}


def _renamed(choice: Json, names: ToolNames) -> Json:
    """A `tool_choice` with the tool names that are sent."""
    if isinstance(choice, list):
        return [_renamed(item, names) for item in choice]
    if not isinstance(choice, dict):
        return choice
    return {
        key: names.sent(value)
        if key == "name" and isinstance(value, str)
        else _renamed(value, names)
        for key, value in choice.items()
    }


def _text(parts: Sequence[Part]) -> str:
    text, after_blob = "", False
    for part in parts:
        match part:
            case TextPart():
                piece = _escaped(part.content)
                text = _lines(text, piece) if after_blob else text + piece
            case BlobPart():
                text = _lines(text, _blob(part))
            case ToolCallPart() | ReasoningPart():
                continue
            case _:
                text = _lines(text, f"[a part of type `{part.type}`, which cannot be sent]")
        after_blob = not isinstance(part, TextPart)
    return text


def _blob(part: BlobPart) -> str:
    shown = "only its beginning is shown" if part.preview else "its content is not shown"
    note = f"[{part.media_type}, {part.size:,} bytes; {shown}]"
    return _lines(_escaped(part.preview), note)


def _lines(before: str, after: str) -> str:
    glue = "" if not before or not after or before.endswith("\n") else "\n"
    return f"{before}{glue}{after}"


def _arguments(arguments: Json) -> str:
    """Arguments as JSON text; servers that render them refuse a text that is not JSON."""
    if isinstance(arguments, str):
        arguments = {"INVALID_JSON": arguments}
    return _escaped(compact(arguments))


def _sent_id(call_id: str | None, taken: set[str]) -> str:
    sent, turn = call_id or "", 0
    while not sent or len(sent) > _LONGEST_ID or sent in taken:
        sent, turn = f"call_{_hash(f'{turn}:{call_id}')[:32]}", turn + 1
    return sent


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _escaped(text: str) -> str:
    return text_part(text).content
