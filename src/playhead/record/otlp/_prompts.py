"""Messages and tools of prompts, each read once, in however many prompts they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from playhead.errors import JsonError
from playhead.record._differences import alike
from playhead.record._foreign import content_bytes
from playhead.record._shape import JsonObject
from playhead.record.otlp._attributes import tool_definition
from playhead.record.otlp._lists import Each
from playhead.record.otlp._messages import read_flat, read_message, write_message
from playhead.record.wire._read import function
from playhead.tape import Json, Message, canonical, digest_of, loads_strict, parts_text, unchecked
from playhead.tape.kinds import Literally


class Cleaning(Protocol):
    """What is made of contents before they are kept; `Redaction` is one."""

    def text(self, text: str) -> str:
        """A text."""

    def json(self, value: Json) -> Json:
        """A JSON value."""

    def message(self, message: Message) -> Message:
        """A message."""


class AsItIs:
    """Changes nothing."""

    def text(self, text: str) -> str:
        """See `Cleaning.text`."""
        return text

    def json(self, value: Json) -> Json:
        """See `Cleaning.json`."""
        return value

    def message(self, message: Message) -> Message:
        """See `Cleaning.message`."""
        return message


class Offer(NamedTuple):
    """The tools on offer.

    Args:
        digest: Of the document.
        document: They, as a canonical document; None if there are none, or it has no such form.
        written: They, as an attribute lists them.
    """

    digest: str | None = None
    document: bytes | None = None
    written: list[Json] = []  # noqa: RUF012  (never changed)


class Prompts:
    """What was read of the prompts of some spans, by the very objects that were read.

    Args:
        clean: What is made of contents before they are kept.
    """

    def __init__(self, clean: Cleaning) -> None:
        self._clean = clean
        self._flat: dict[bytes, Message] = {}
        self._origins: dict[int, tuple[Message, JsonObject]] = {}
        self._offers: dict[bytes, Offer] = {}
        self._offered: tuple[Sequence[JsonObject], Offer] = ((), Offer())
        self._messages = Each(self._read)
        self._items = Each(_item)
        self._written = Each(self._write)

    def messages(self, listed: Sequence[JsonObject]) -> tuple[Message, ...]:
        """Messages as the conventions have them, made clean."""
        return self._messages.of(listed)

    def _read(self, value: JsonObject) -> Message:
        message = self._clean.message(read_message(value))
        self._origins[id(message)] = (message, value)
        return message

    def flat(self, listed: Iterable[JsonObject]) -> tuple[Message, ...]:
        """Messages as OpenInference has them, made clean."""
        found = []
        for value in listed:
            text = content_bytes(value)
            if text not in self._flat:
                self._flat[text] = self._clean.message(read_flat(value))
            found.append(self._flat[text])
        return tuple(found)

    def items(self, messages: Sequence[Message]) -> tuple[Literally, ...]:
        """The messages as items of a prompt."""
        return self._items.of(messages)

    def written(self, messages: Sequence[Message]) -> list[Json]:
        """The messages as the conventions write them; what was read, where that is the same."""
        return list(self._written.of(messages))

    def _write(self, message: Message) -> JsonObject:
        made = write_message(message, parts_text)
        origin = self._origins.get(id(message))
        same = origin is not None and origin[0] is message and alike(made, origin[1])
        return origin[1] if same and origin is not None else made

    def offer(self, listed: Sequence[JsonObject]) -> Offer:
        """What tools are on a tape, as the conventions or OpenAI list them."""
        if self._offered[0] is not listed:
            tools: list[Json] = [_tool(each) for each in listed]
            text = content_bytes(tools)
            if text not in self._offers:
                self._offers[text] = _offer(self._clean.json(tools))
            self._offered = (listed, self._offers[text])
        return self._offered[1]


def _item(message: Message) -> Literally:
    return unchecked(Literally, m=message)


def _tool(tool: JsonObject) -> Json:
    """A function as prompts name it, also where it stands as OpenAI has it."""
    inner = tool.get("function")
    given = inner if isinstance(inner, dict) else tool
    if tool.get("type", "function") == "function" and isinstance(given.get("name"), str):
        schema = given.get("parameters", given.get("input_schema"))
        return function(given["name"], given.get("description"), schema)
    return tool


def _offer(tools: Json) -> Offer:
    try:
        document = canonical(tools) if tools else None
    except JsonError:  # numbers beyond what two parties compute alike
        document = None
    if document is None:
        return Offer()
    listed = loads_strict(document)
    objects = listed if isinstance(listed, list) else []
    written = [tool_definition(each) for each in objects if isinstance(each, dict)]
    return Offer(digest_of(document), document, written)
