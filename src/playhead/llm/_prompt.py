"""Prompts: ranges of a frame's history between messages written out (docs/format.md, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import is_
from typing import TypeAlias

from playhead.errors import ModelRequestError, TapeError
from playhead.tape import (
    Fold,
    History,
    HistoryRange,
    Json,
    Message,
    Step,
    Tape,
    ToolResponsePart,
    history_messages,
    literal_key,
    unchecked,
    user,
)
from playhead.tape.kinds import (
    Literally,
    ModelCall,
    PromptRecord,
    RangeOfHistory,
    RangeOfLiterals,
)

_REMEMBERED = 256  # message objects
_Item: TypeAlias = RangeOfHistory | RangeOfLiterals | Literally
_Segments: TypeAlias = "Sequence[Message | HistoryRange]"


class Prompt:
    """A sequence of messages. `Prompt.of(system("…"), view.messages[-20:], user("…"))`.

    Slices of a view's messages stay ranges, so making a prompt costs what is new in it. What an
    agent said to all while tool calls were open comes after the answers to them: providers refuse
    a call whose answer does not follow it.
    """

    __slots__ = ("segments",)

    def __init__(self, segments: tuple[Message | HistoryRange, ...]) -> None:
        self.segments = segments

    @classmethod
    def of(cls, *items: str | Message | History | HistoryRange | Iterable[Message]) -> Prompt:
        """A prompt of messages, histories and lists of messages; a text is said by the user.

        Raises:
            ModelRequestError: Something in it is no message.
        """
        segments: list[Message | HistoryRange] = []
        for item in items:
            if isinstance(item, Message | HistoryRange):
                segments.append(item)
            elif isinstance(item, str):
                segments.append(user(item))
            elif isinstance(item, History):
                segments.append(item.all())
            else:
                segments.extend(_messages(item))
        if any(isinstance(each, HistoryRange) and each.hears() for each in segments):
            segments = answers_first(segments)
        return cls(tuple(segments))

    def __iter__(self) -> Iterator[Message]:
        for segment in self.segments:
            if isinstance(segment, Message):
                yield segment
            else:
                yield from segment

    def messages(self) -> list[Message]:
        """All messages; O(length of the prompt)."""
        return list(self)


def _messages(items: object) -> Iterator[Message]:
    for message in items if isinstance(items, Iterable) else (items,):
        if not isinstance(message, Message):
            kind = type(message).__name__
            raise ModelRequestError(
                f"a prompt holds messages, not a {kind}: `user(…)`, `system(…)`, `view.messages`"
            )
        yield message


def answers_first(segments: Iterable[Message | HistoryRange]) -> list[Message | HistoryRange]:
    """The same messages, those between a tool call and its answer after the answer."""
    made: list[Message | HistoryRange] = []
    waiting: list[Message | HistoryRange] = []
    open_calls: set[str | None] = set()
    for message, place in _one_by_one(segments):
        if message.role == "assistant":
            open_calls = {call.id for call in message.tool_calls}
            made += [*waiting, place]  # nothing waits but for calls that nobody answered
            waiting = []
        elif message.role == "tool":
            open_calls -= {part.id for part in message.parts if isinstance(part, ToolResponsePart)}
            made.append(place)
        else:
            waiting.append(place)
        if not open_calls:
            made += waiting
            waiting = []
    return _joined([*made, *waiting])


def _one_by_one(
    segments: Iterable[Message | HistoryRange],
) -> Iterator[tuple[Message, Message | HistoryRange]]:
    for segment in segments:
        if isinstance(segment, Message):
            yield segment, segment
        else:
            yield from segment.one_by_one()


def _joined(pieces: Iterable[Message | HistoryRange]) -> list[Message | HistoryRange]:
    """The pieces, ranges that follow one another as one."""
    made: list[Message | HistoryRange] = []
    for piece in pieces:
        last = made[-1] if made else None
        if isinstance(last, HistoryRange) and isinstance(piece, HistoryRange):
            both = last.joined(piece)
            if both is not None:
                made[-1] = both
                continue
        made.append(piece)
    return made


class PromptWriter:
    """Writes a tape's prompts as records, remembering which messages were sent before.

    A message is written out when it is sent first, kept in the literal table when it is sent
    again, and only referred to from then on. What was sent stands in the tape's fold.

    Args:
        fold: The tape's state.
        tape: The tape's id: the history of another one is written out.
    """

    def __init__(self, fold: Fold, *, tape: str | None = None) -> None:
        self._fold = fold
        self._tape = tape
        self._kept: dict[bytes, int] = {}
        self._keys: dict[int, tuple[Message, bytes]] = {}
        self._settled: tuple[_Segments, int, list[_Item]] = ((), 0, [])

    def record(
        self,
        prompt: Prompt,
        *,
        seq: int,
        tools: str | None = None,
        settings: Mapping[str, Json] | None = None,
        fit: Callable[[Message], Message] | None = None,
    ) -> PromptRecord:
        """The record of a prompt.

        Args:
            prompt: What the model of the frame on top is sent.
            seq: Where its model call will stand on the tape.
            tools: Digest of the list of tools offered.
            settings: Sampling settings.
            fit: Replaces large texts of a message by blobs.
        """
        self._kept = {}
        start, items = self._begun(prompt.segments, fit)
        keep: list[tuple[int, int, int]] = []
        frame = self._fold.frame.id
        for segment in islice(prompt.segments, start, None):
            if isinstance(segment, HistoryRange) and self._is_own(segment, frame):
                items.append(unchecked(RangeOfHistory, h=(segment.start, segment.stop)))
                continue
            for message in segment if isinstance(segment, HistoryRange) else (segment,):
                self._literal(fit(message) if fit else message, seq, items, keep)
        if settings:  # the caller's own, to be validated
            return PromptRecord(
                items=tuple(items), keep=tuple(keep), tools=tools, settings=dict(settings)
            )
        nothing: dict[str, Json] = {}
        return unchecked(
            PromptRecord, items=tuple(items), keep=tuple(keep), tools=tools, settings=nothing
        )

    def _begun(
        self, segments: _Segments, fit: Callable[[Message], Message] | None
    ) -> tuple[int, list[_Item]]:
        """How many messages a prompt begins with that are in the table, and their items.

        Nothing leaves the table: where a prompt goes on from the one before, by the very same
        messages, they are not looked for again.
        """
        before, count, items = self._settled
        if len(segments) < count or not all(map(is_, islice(before, count), segments)):
            count, items = 0, []
        for segment in islice(segments, count, None):
            if isinstance(segment, HistoryRange):
                break
            at = self._fold.literal_index.get(self._key(fit(segment) if fit else segment))
            if not isinstance(at, int):
                break
            _refer(items, at)
            count += 1
        self._settled = (segments, count, items)
        return count, list(items)

    def _is_own(self, segment: HistoryRange, frame: int) -> bool:
        """Whether a range is of the frame, and tape, whose model is asked."""
        return segment.frame == frame and self._tape in (None, segment.tape.id)

    def _literal(
        self,
        message: Message,
        seq: int,
        items: list[_Item],
        keep: list[tuple[int, int, int]],
    ) -> None:
        key = self._key(message)
        at = self._kept.get(key, self._fold.literal_index.get(key))
        if at is None:
            items.append(Literally(m=message))
            return
        if not isinstance(at, int):
            place = self._fold.literals + len(keep)
            keep.append((place, *at))
            at = self._kept[key] = place
        _refer(items, at)

    def _key(self, message: Message) -> bytes:
        """The message's key; that of a message object sent before is not computed again."""
        known = self._keys.get(id(message))
        if known is None or known[0] is not message:
            if len(self._keys) >= _REMEMBERED:
                self._keys.clear()
            known = self._keys[id(message)] = (message, literal_key(message))
        return known[1]


def _refer(items: list[_Item], at: int) -> None:
    """Add a message of the table to the items of a prompt."""
    last = items[-1] if items else None
    if isinstance(last, RangeOfLiterals) and last.l[1] == at:
        items[-1] = unchecked(RangeOfLiterals, l=(last.l[0], at + 1))
    else:
        items.append(unchecked(RangeOfLiterals, l=(at, at + 1)))


def read_prompt(tape: Tape, step: Step) -> list[Message]:
    """The messages of a recorded model call, as they were sent.

    Raises:
        TapeError: The step is no model call, or what it refers to was erased.
    """
    body = step.body
    if not isinstance(body, ModelCall):
        raise TapeError(f"step {step.seq} is no model call but `{step.kind}`")
    messages: list[Message] = []
    for item in body.prompt.items:
        match item:
            case RangeOfHistory():
                messages.extend(history_messages(tape, step.frame, *item.h))
            case Literally():
                messages.append(item.m)
            case RangeOfLiterals():
                messages.extend(_literal_at(tape, at) for at in range(*item.l))
    return messages


def _literal_at(tape: Tape, at: int) -> Message:
    seq, index = tape.literal(at)
    body = tape[seq].body
    if not isinstance(body, ModelCall):
        raise TapeError(f"message {at} of the tape's literal table was erased with step {seq}")
    item = body.prompt.items[index]
    if not isinstance(item, Literally):
        raise TapeError(f"message {at} of the tape's literal table is not at step {seq}")
    return item.m
