"""Conversations as steps, and steps as the turns of a conversation: what formats have in common.

A format says how one of its messages is read into drafts, and how bodies are written as one of its
messages (a `Writer`). What the two do not bring back alone stands in the note of the message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from playhead.errors import JsonError
from playhead.record._differences import applied, difference
from playhead.record._foreign import ForeignTape
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject, ShapeFault
from playhead.record._stored import StoredTape
from playhead.record.wire._read import ShapeError, content
from playhead.tape import (
    BlobPart,
    Body,
    By,
    Draft,
    Json,
    OtherPart,
    Part,
    Step,
    TextPart,
    loads_strict,
    parts_text,
    unchecked,
)
from playhead.tape.kinds import (
    AssistantMessage,
    ModelCall,
    Reflection,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_SPELLINGS = tuple(
    json.JSONEncoder(separators=separators, ensure_ascii=ascii_only).encode
    for separators, ascii_only in (
        ((",", ":"), False),
        ((", ", ": "), False),
        ((", ", ": "), True),
        ((",", ":"), True),
    )
)
_SAYING = {
    kind.kind
    for kind in (UserMessage, AssistantMessage, Reflection, ToolCall, ToolResult, ToolError)
}


class Contents(Protocol):
    """What gives the contents of parts: a stored tape, or the parts themselves."""

    def text(self, parts: Iterable[Part]) -> str:
        """The text of parts."""

    def result(self, body: ToolResult) -> Json:
        """The result of a tool."""


class _Themselves:
    def text(self, parts: Iterable[Part]) -> str:
        return parts_text(parts)

    def result(self, body: ToolResult) -> Json:
        return body.result


THEMSELVES: Contents = _Themselves()
"""Of bodies that are not stored yet."""
Writer = Callable[[Sequence[Body], Contents, JsonObject], JsonObject]
"""Writes bodies as a message: with their contents, and what the message's note says."""


class Turn(NamedTuple):
    """Steps that are one message of a conversation.

    Args:
        bodies: What the steps say.
        note: What the format's note says of them.
        by: Who made the first one.
    """

    bodies: list[Body]
    note: JsonObject
    by: By

    def message(self, write: Writer, tape: StoredTape) -> JsonObject:
        """The message, as it was."""
        made = applied(write(self.bodies, tape, self.note), self.note)
        return made if isinstance(made, dict) else {}


class Conversation:
    """Makes the steps of a conversation, and knows which calls are waited for."""

    def __init__(self, tape: ForeignTape, *, agent: str = "agent") -> None:
        self._tape = tape
        self._agent = tape.agent(agent)
        self._calls: dict[str | None, Draft] = {}

    def heard(self, parts: tuple[Part, ...]) -> Draft:
        """What the person says."""
        return Draft(unchecked(UserMessage, parts=parts), by=self._tape.importer)

    def said(self, parts: tuple[Part, ...]) -> Draft:
        """What the agent says to the person."""
        return Draft(unchecked(AssistantMessage, parts=parts), by=self._agent)

    def thought(self, text: str) -> Draft:
        """What the agent says to nobody."""
        return Draft(unchecked(Reflection, text=text), by=self._agent)

    def called(self, call_id: str | None, name: str, arguments: Json) -> Draft:
        """A tool call."""
        made = Draft(
            unchecked(ToolCall, call_id=call_id, name=name, arguments=arguments), by=self._agent
        )
        self._calls[call_id] = made
        return made

    def answered(self, call_id: str | None, result: Json, *, name: str | None = None) -> Draft:
        """The result of a tool; its name is known from the call if it is not given."""
        name, by, re = self._answering(call_id, name)
        return Draft(unchecked(ToolResult, call_id=call_id, name=name, result=result), by=by, re=re)

    def failed(self, call_id: str | None, message: str, *, name: str | None = None) -> Draft:
        """A tool failed."""
        name, by, re = self._answering(call_id, name)
        body = unchecked(ToolError, call_id=call_id, name=name, code="raised", message=message)
        return Draft(body, by=by, re=re)

    def _answering(self, call_id: str | None, name: str | None) -> tuple[str, By, tuple[str, ...]]:
        asked = self._calls.get(call_id)
        if asked is None:
            return name or "", By("tool", name or ""), ()
        if name is None:
            name = asked.body.name  # type: ignore[attr-defined]
        return name, By("tool", name), (asked.id,)

    def noted(
        self, made: list[Draft], message: JsonObject, *, write: Writer, hints: JsonObject
    ) -> list[Draft]:
        """The steps of a message, and the note of what they do not say.

        Args:
            made: The steps.
            message: The message.
            write: How the format writes steps.
            hints: What tells `write` how this message was written.
        """
        written = write([draft.body for draft in made], THEMSELVES, hints)
        note = {**hints, **(difference(message, written) or {})}
        if len(made) > 1:
            note["steps"] = len(made)
        return [made[0], self._tape.source(note, made[0]), *made[1:]] if note else made


def turns(tape: StoredTape, losses: Losses) -> Iterator[Turn]:
    """The steps of a tape that say something, those together that are one message.

    Of an imported message the note says how many steps it is; what a model of ours said at once is
    one message, too: its text, and all its tool calls. Of a tape that came in another format, calls
    that follow each other are one message, with what was thought before them.
    """
    turn: Turn | None = None
    texts: dict[str, str] = {}
    elsewhere = tape.members is None
    for step, members in tape.steps():
        body = step.body if step.known and not step.erased else None
        if isinstance(body, ModelCall) and body.message is not None and body.message.tool_calls:
            texts[step.id] = tape.text(body.message.parts)
        if body is None or step.kind not in _SAYING:
            losses.drop(f"step `{step.kind}`")
            continue
        if turn is not None and not _goes_on(turn, body, step, elsewhere=elsewhere):
            yield turn
            turn = None
        if turn is None:
            turn = Turn([], members if isinstance(members, dict) else {}, step.by)
            text = texts.get(step.by.call or "") if step.origin != "imported" else None
            if text and isinstance(body, ToolCall):
                turn.bodies.append(unchecked(Reflection, text=text))
        turn.bodies.append(body)
    if turn is not None:
        yield turn


def _goes_on(turn: Turn, body: Body, step: Step, *, elsewhere: bool) -> bool:
    """Whether a step belongs to the message that is being collected."""
    if step.origin != "imported":
        return step.by.call is not None and step.by.call == turn.by.call
    if elsewhere:
        last = turn.bodies[-1]
        return isinstance(body, ToolCall) and isinstance(last, Reflection | ToolCall)
    steps = turn.note.get("steps", 1)
    return isinstance(steps, int) and len(turn.bodies) < steps


def inner_differences(original: Json, written: Json) -> JsonObject:
    """What the objects of a list have beside what is written of them, by their places."""
    found: JsonObject = {}
    if isinstance(original, list) and isinstance(written, list):
        for at, (item, mine) in enumerate(zip(original, written, strict=False)):
            if isinstance(item, dict) and isinstance(mine, dict):
                left = difference(item, mine)
                if left is not None:
                    found[str(at)] = left
    return found


def with_inner(items: list[Json], kept: Json) -> list[Json]:
    """The list, with what a note keeps of its objects."""
    for name, left in kept.items() if isinstance(kept, dict) else ():
        item = items[int(name)]
        items[int(name)] = applied(item if isinstance(item, dict) else {}, left)
    return items


def read_content(value: Json, where: str, *, texts: Collection[str]) -> tuple[Part, ...]:
    """The parts of a `content`: a text, or items of which those of the types `texts` are text.

    Raises:
        ShapeFault: It is something else.
    """
    try:
        return content(value, texts=texts)
    except ShapeError as error:
        raise ShapeFault(f"`{where}`: {error}") from None


def write_content(
    parts: Sequence[Part], contents: Contents, *, type: str, listed: bool = False
) -> Json:
    """Parts as a `content`: a text where it can be one.

    Args:
        parts: The parts.
        contents: Gives their text.
        type: The type that items of text have.
        listed: Write a list in any case.
    """
    if not listed and all(isinstance(part, TextPart | BlobPart) for part in parts):
        return contents.text(parts)
    items: list[Json] = []
    for part in parts:
        if isinstance(part, OtherPart):
            items.append(part.root)
        else:
            items.append({"type": type, "text": contents.text((part,))})
    return items


def read_arguments(text: str) -> tuple[Json, int]:
    """Arguments that are JSON text, and how they are spelled; see `write_arguments`."""
    try:
        value = loads_strict(text)
    except JsonError:
        return text, 0
    if not isinstance(value, str):
        for at, spelled in enumerate(_SPELLINGS):
            if spelled(value) == text:
                return value, at
    return value, 0


def write_arguments(arguments: Json, spelling: Json = 0) -> str:
    """Arguments as JSON text, with or without spaces and escapes."""
    if isinstance(arguments, str):
        return arguments
    at = spelling if isinstance(spelling, int) and 0 <= spelling < len(_SPELLINGS) else 0
    return _SPELLINGS[at](arguments)


def with_unplaced(messages: list[Json], unplaced: Json) -> list[Json]:
    """The messages, and between them those that are no steps, by their places."""
    if isinstance(unplaced, dict):
        for at in sorted(unplaced, key=int):
            messages.insert(int(at), unplaced[at])
    return messages
