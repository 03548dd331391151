"""Messages and tools of prompts, each read once, in however many prompts they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from playhead.errors import JsonError
from playhead.record._differences import alike
from playhead.record._foreign import content_bytes
from playhead.record._shape import JsonObject
from playhead.record.otlp._attributes import tool_definition
from playhead.record.otlp._messages import read_flat, read_message, write_message
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
    written: Sequence[Json] = ()


class Prompts:
    """What was read of the prompts of some spans, by the very objects that were read.

    Args:
        clean: What is made of contents before they are kept.
    """

    def __init__(self, clean: Cleaning) -> None:
        self._clean = clean
        self._read: dict[int, tuple[JsonObject, Message]] = {}
        self._flat: dict[bytes, Message] = {}
        self._items: dict[int, tuple[Message, Literally]] = {}
        self._origins: dict[int, tuple[Message, JsonObject]] = {}
        self._written: dict[int, tuple[Message, JsonObject]] = {}
        self._offers: dict[bytes, Offer] = {}

    def messages(self, listed: Iterable[JsonObject]) -> list[Message]:
        """Messages as the conventions have them, made clean."""
        read, found = self._read, []
        for value in listed:
            known = read.get(id(value))
            if known is None or known[0] is not value:
                message = self._clean.message(read_message(value))
                known = read[id(value)] = (value, message)
                self._origins[id(message)] = (message, value)
            found.append(known[1])
        return found

    def flat(self, listed: Iterable[JsonObject]) -> list[Message]:
        """Messages as OpenInference has them, made clean."""
        found = []
        for value in listed:
            text = content_bytes(value)
            if text not in self._flat:
                self._flat[text] = self._clean.message(read_flat(value))
            found.append(self._flat[text])
        return found

    def items(self, messages: Iterable[Message]) -> tuple[Literally, ...]:
        """The messages as items of a prompt."""
        items, found = self._items, []
        for message in messages:
            known = items.get(id(message))
            if known is None or known[0] is not message:
                known = items[id(message)] = (message, unchecked(Literally, m=message))
            found.append(known[1])
        return tuple(found)

    def written(self, messages: Iterable[Message]) -> list[Json]:
        """The messages as the conventions write them; what was read, where that is the same."""
        made, found = self._written, list[Json]()
        for message in messages:
            known = made.get(id(message))
            if known is None or known[0] is not message:
                known = made[id(message)] = (message, self._write(message))
            found.append(known[1])
        return found

    def _write(self, message: Message) -> JsonObject:
        made = write_message(message, parts_text)
        origin = self._origins.get(id(message))
        same = origin is not None and origin[0] is message and alike(made, origin[1])
        return origin[1] if same and origin is not None else made

    def offer(self, tools: list[Json]) -> Offer:
        """What tools are on a tape."""
        text = content_bytes(tools)
        known = self._offers.get(text)
        if known is None:
            known = self._offers[text] = _offer(self._clean.json(tools))
        return known


def _offer(tools: Json) -> Offer:
    try:
        document = canonical(tools) if tools else None
    except JsonError:  # numbers beyond what two parties compute alike
        document = None
    if document is None:
        return Offer()
    listed = loads_strict(document)
    objects = (
        [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    return Offer(digest_of(document), document, [tool_definition(each) for each in objects])
