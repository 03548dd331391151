"""Spans as the steps of a conversation, each thing that was said once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import is_

from playhead.conventions import EFFECT
from playhead.record._captured import conversation_key
from playhead.record._foreign import content_bytes
from playhead.record._losses import Losses
from playhead.record._shape import JsonObject
from playhead.record._track import actions
from playhead.record.otlp._attributes import Attributes, call_attributes, tool_attributes
from playhead.record.otlp._lists import share_lists
from playhead.record.otlp._notes import SpanNotes
from playhead.record.otlp._prompts import AsItIs, Cleaning, Prompts
from playhead.record.otlp._read import (
    ToldTool,
    read_agent,
    read_call,
    read_tool,
)
from playhead.record.otlp._span import Span
from playhead.record.otlp._tree import Key, Visit, key_of, walk
from playhead.tape import (
    BLOB_LIMIT,
    Body,
    By,
    Draft,
    Json,
    Message,
    Step,
    TextPart,
    ToolResponsePart,
    parts_text,
    text_parts,
    unchecked,
)
from playhead.tape.kinds import (
    AssistantMessage,
    ModelCall,
    Source,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

FORMAT = "otlp"
_LONGEST_NAME = 200  # characters of a name in a header
_EFFECTS = ("read", "idempotent", "write", "irreversible")


@dataclass(slots=True)
class _Call:
    """A tool call: its step, and whether it was answered."""

    step: str
    body: ToolCall
    answered: bool = False


@dataclass(slots=True)
class _Open:
    """A tool span that has begun: its call, and whether the span brought it."""

    told: ToldTool
    call: _Call
    own: bool


@dataclass(frozen=True, slots=True)
class _Followed:
    """How far a prompt was found on the tape; what it begins with stays where it was found.

    Args:
        prompt: The prompt.
        count: How many messages of it, from the first one on.
        known: How many of these were said before.
        last: Where the last one was.
    """

    prompt: Sequence[Message] = ()
    count: int = 0
    known: int = 0
    last: int = -1

    def leads(self, messages: Sequence[Message]) -> bool:
        """Whether a prompt begins with the very same messages."""
        begin = islice(self.prompt, self.count)
        return len(messages) >= self.count and all(map(is_, begin, messages))


@dataclass(slots=True)
class Teller:
    """Makes the steps of a conversation of its spans, in the order of `walk`.

    A prompt says again what was said before: what it says for the first time becomes steps.

    Args:
        clean: What is made of contents before they are kept.
        exact: Keep whatever a span that is made of steps would not have in the same way.
        agent: Who acts where no span names an agent.
        documents: Is given the canonical documents that the steps name, by digest.
        losses: Told what has no place on a step.
        seen: The spans that were told.
    """

    clean: Cleaning = field(default_factory=AsItIs)
    exact: bool = False
    agent: str = "agent"
    documents: dict[str, bytes] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    seen: set[Key] = field(default_factory=set)
    _said: list[bytes] = field(default_factory=list)
    _places: dict[bytes, list[int]] = field(default_factory=dict)
    _calls: dict[str, _Call] = field(default_factory=dict)
    _open: dict[Key, _Open] = field(default_factory=dict)
    _began: dict[Key, int] = field(default_factory=dict)
    _heard: dict[bytes, int] = field(default_factory=dict)  # the agent's, by when a prompt told it
    _keys: dict[int, tuple[Message, bytes]] = field(default_factory=dict)
    _followed: _Followed = field(default_factory=lambda: _Followed())
    _acted: int = -1  # where the agent said something last
    _notes: SpanNotes = field(init=False)
    _prompts: Prompts = field(init=False)

    def __post_init__(self) -> None:
        self._notes = SpanNotes(self.clean, self.exact, self.losses)
        self._prompts = Prompts(self.clean)

    def tell(self, spans: Iterable[Span]) -> Iterator[Draft]:
        """The steps of spans; of those that were told before, none."""
        new = [span for span in spans if key_of(span) not in self.seen]
        share_lists(new)
        for visit in walk(new):
            self.seen.add(key_of(visit.span))
            for draft in self._of(visit):
                self.know(draft.id, draft.body, call=draft.by.call)
                yield draft
        self._prompts = Prompts(self.clean)
        self._keys.clear()
        self._followed = _Followed()

    def remember(self, step: Step) -> None:
        """Know what a step of a stored tape says."""
        if step.erased or not step.known:
            return
        body = step.body
        if not isinstance(body, Source):
            self.know(step.id, body, call=step.by.call)
            return
        if body.format == FORMAT:
            self.seen |= _span_of(body)

    def know(self, step: str, body: Body, *, call: str | None) -> None:
        """Know what a step says."""
        match body:
            case ToolCall():
                self._calls[body.call_id or step] = _Call(step, body)
                if call is None:
                    asked = Message.model_validate(
                        {"role": "assistant", "parts": [
                            {"type": "tool_call", "id": body.call_id or step, "name": body.name,
                             "arguments": body.arguments}]}
                    )  # fmt: skip
                    self._say(asked)
            case ToolResult() | ToolError():
                known = self._calls.get(body.call_id or "")
                if known is not None:
                    known.answered = True
                part = unchecked(ToolResponsePart, id=body.call_id or "")
                self._say(unchecked(Message, role="tool", parts=(part,)))
            case ModelCall() if body.message is not None and body.status == "complete":
                self._say(body.message)
            case UserMessage():
                self._say(Message(role="user", parts=body.parts))
            case AssistantMessage() if call is None:
                self._say(Message(role="assistant", parts=body.parts))

    def _say(self, message: Message) -> None:
        key = self._key(message)
        if message.role == "assistant":
            self._acted = len(self._said)
        self._places.setdefault(key, []).append(len(self._said))
        self._said.append(key)

    def _of(self, visit: Visit) -> Iterator[Draft]:
        span, ends, agent = visit
        match span.kind:
            case "agent":
                yield from self._agent_ends(span) if ends else self._agent_begins(span)
            case "call" if not ends:
                yield from self._call(span, agent or self.agent)
            case "tool":
                yield from self._tool_ends(span) if ends else self._tool_begins(span)
            case None if self.exact and not ends:
                yield source_note(self._notes.note(span, {}))

    def _agent_begins(self, span: Span) -> Iterator[Draft]:
        heard = read_agent(span, self._prompts).heard
        known, last = self._known(heard)
        if heard and known == len(heard) and self._acted > last:
            known -= 1  # the same once more
        for message in heard[known:]:
            yield from self._hear(message)
        self._began[key_of(span)] = len(self._said)

    def _agent_ends(self, span: Span) -> Iterator[Draft]:
        since = self._began.pop(key_of(span), 0)
        for message in read_agent(span, self._prompts).said:
            if not any(at >= since for at in self._places.get(self._key(message), ())):
                yield from self._hear(message)
        yield source_note(self._notes.note(span, {}))

    def _call(self, span: Span, agent: str) -> Iterator[Draft]:
        told = read_call(span, self.clean, self._prompts)
        for message in told.messages[self._known(told.messages)[0] :]:
            yield from self._hear(message)
            if message.role == "assistant":
                self._heard[self._key(message)] = span.start
        if told.offer.digest is not None and told.offer.document is not None:
            self.documents[told.offer.digest] = told.offer.document
        note = Draft(told.body, by=_IMPORTER)
        yield note
        if told.body.message is not None and told.body.status == "complete":
            by = By("agent", self.clean.text(agent)[:_LONGEST_NAME], FORMAT, call=note.id)
            for body in self._actions(told.body.message, span.end):
                yield Draft(body, by=by)
        made: Attributes = {}
        if self.exact:
            written = self._prompts.written
            offered = told.offer.written
            made = call_attributes(
                told.body, told.messages, offered, write=written, apart=told.apart
            )
        members = self._notes.note(span, made, left=told.left, apart=told.apart)
        yield source_note(members, note.id)

    def _actions(self, message: Message, ended: int) -> list[Body]:
        """What a completion does; nothing, if the prompt of a later call came first and told it."""
        key = self._key(message)
        if ended <= self._heard.get(key, -1):
            del self._heard[key]
            return []
        return actions(message)

    def _tool_begins(self, span: Span) -> Iterator[Draft]:
        told = read_tool(span, self.clean)
        call = self._calls.get(told.call_id) if told.call_id else self._waiting(told.name)
        own = call is None
        if call is None:
            effect = span.attributes.get(EFFECT)
            body = ToolCall(
                call_id=told.call_id,
                name=told.name,
                arguments=told.arguments,
                effect=effect if effect in _EFFECTS else None,
            )
            draft = Draft(body, by=_IMPORTER)
            call = _Call(draft.id, body)
            yield draft
            call = self._calls[told.call_id or draft.id]
        self._open[key_of(span)] = _Open(told, call, own)

    def _tool_ends(self, span: Span) -> Iterator[Draft]:
        told, call, own = (open := self._open.pop(key_of(span))).told, open.call, open.own
        answer: ToolResult | ToolError | None = None
        steps = [call.step]
        if not call.answered and (told.error is not None or told.answered or own):
            call.answered = True
            answer = _answer(told, call.body.call_id)
            draft = Draft(answer, by=_tool(answer.name), re=(call.step,))
            steps.append(draft.id)
            yield draft
        result = answer.result if isinstance(answer, ToolResult) else None
        made = tool_attributes(call.body, answer, result=result)
        yield source_note(self._notes.note(span, made, left=told.left), *steps)

    def _key(self, message: Message) -> bytes:
        """The key of a message; that of one that was read before is not computed again."""
        known = self._keys.get(id(message))
        if known is None or known[0] is not message:
            known = self._keys[id(message)] = (message, _key(message))
        return known[1]

    def _waiting(self, name: str) -> _Call | None:
        """The oldest call of a tool that nobody has answered, nor begun to."""
        begun = {open.call.step for open in self._open.values()}
        for call in self._calls.values():
            if call.body.name == name and not call.answered and call.step not in begun:
                return call
        return None

    def _known(self, messages: Sequence[Message]) -> tuple[int, int]:
        """How many messages of a prompt were said before, and where the last one was."""
        before = self._followed
        if not before.leads(messages):
            before = _Followed()
        known, last, whole = before.known, before.last, True
        for number in range(before.count, len(messages)):
            places = self._places.get(self._key(messages[number]), ())
            place = next((each for each in places if each > last), None)
            if place is None and whole and messages[number].role != "system":
                whole = False
                self._followed = _Followed(messages, number, known, last)
            if place is not None:
                known, last = number + 1, place
        if whole:
            self._followed = _Followed(messages, len(messages), known, last)
        return known, last

    def _hear(self, message: Message) -> Iterator[Draft]:
        """A message that no span of a model call says."""
        answers = [part for part in message.parts if isinstance(part, ToolResponsePart)]
        for part in answers:
            call = self._calls.get(part.id)
            if call is None or not call.answered:
                name = call.body.name if call is not None else "unknown"
                body = ToolResult(call_id=part.id or None, name=name, result=part.response)
                yield Draft(body, by=_tool(name), re=(call.step,) if call is not None else ())
        rest = tuple(part for part in message.parts if not isinstance(part, ToolResponsePart))
        if message.role == "assistant":
            said = message.model_copy(update={"parts": rest})
            made = actions(said, aloud=True)
            yield from (Draft(body, by=_IMPORTER) for body in made)
            if len(made) > 1:
                self._say(said)
        elif message.role == "user" and (rest or not answers):
            yield Draft(UserMessage(parts=rest), by=By("person"))
        elif message.role == "tool" and not answers:
            text = parts_text(rest)
            yield Draft(ToolResult(name="unknown", result=text), by=_tool("unknown"))


_IMPORTER = By("importer", FORMAT)


def _tool(name: str) -> By:
    return By("tool", name[:_LONGEST_NAME])


def source_note(members: JsonObject, *steps: str) -> Draft:
    """What a span says beside its steps."""
    text = content_bytes(members)
    if len(text) > BLOB_LIMIT:
        body = Source(format=FORMAT, parts=text_parts(text.decode()))
    else:
        body = unchecked(Source, format=FORMAT, members=members)
    return Draft(body, by=_IMPORTER, re=steps)


def _answer(told: ToldTool, call_id: str | None) -> ToolResult | ToolError:
    if told.error is not None:
        return ToolError(call_id=call_id, name=told.name, code=told.code, message=told.error)
    return ToolResult(call_id=call_id, name=told.name, result=told.result)


def _key(message: Message) -> bytes:
    """Equal for messages that say the same, in whatever pieces they came."""
    ids = [part.id for part in message.parts if isinstance(part, ToolResponsePart)]
    if ids:
        return hashlib.sha256("\0".join(["tool", *ids]).encode()).digest()
    if message.role == "user" and all(isinstance(part, TextPart) for part in message.parts):
        return hashlib.sha256(f"user\0{message.text}".encode()).digest()
    return conversation_key(message)


def _span_of(body: Source) -> set[Key]:
    """The span that a note is of; a large one is looked at as far as its preview goes."""
    members: Json = body.members
    if body.parts:
        text = parts_text(body.parts)
        found = [re.search(rf'"{name}":"([0-9a-fA-F]+)"', text) for name in ("traceId", "spanId")]
        trace, id = (match[1] if match is not None else "" for match in found)
    else:
        span = members.get("span") if isinstance(members, dict) else None
        told = span if isinstance(span, dict) else {}
        trace, id = (str(told.get(name, "")) for name in ("traceId", "spanId"))
    return {(trace.lower(), id.lower())} if trace and id else set()
