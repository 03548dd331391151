"""Prompts: ranges of a frame's history between messages written out (docs/format.md, section 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from playhead.errors import TapeError
from playhead.tape import Fold, History, HistoryRange, Json, Message, Step, Tape, history_messages
from playhead.tape.kinds import (
    Literally,
    ModelCall,
    PromptRecord,
    RangeOfHistory,
    RangeOfLiterals,
)


class Prompt:
    """A sequence of messages. `Prompt.of(system("…"), view.messages[-20:], user("…"))`.

    Slices of a view's messages stay ranges, so making a prompt costs what is new in it.
    """

    __slots__ = ("segments",)

    def __init__(self, segments: tuple[Message | HistoryRange, ...]) -> None:
        self.segments = segments

    @classmethod
    def of(cls, *items: Message | History | HistoryRange | Iterable[Message]) -> Prompt:
        """A prompt of messages, histories and lists of messages."""
        segments: list[Message | HistoryRange] = []
        for item in items:
            if isinstance(item, Message | HistoryRange):
                segments.append(item)
            elif isinstance(item, History):
                segments.append(item.all())
            else:
                segments.extend(item)
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


class PromptWriter:
    """Writes a tape's prompts as records, remembering which messages were sent before.

    A message is written out when it is sent first, kept in the literal table when it is sent
    again, and only referred to from then on. `commit` after the record is on the tape.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._news: dict[bytes, int | tuple[int, int]] = {}

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
            prompt: What the model is sent.
            seq: Where its model call will stand on the tape.
            tools: Digest of the list of tools offered.
            settings: Sampling settings.
            fit: Replaces large texts of a message by blobs.
        """
        self._news = {}
        items: list[RangeOfHistory | RangeOfLiterals | Literally] = []
        keep: list[tuple[int, int]] = []
        for segment in prompt.segments:
            if isinstance(segment, HistoryRange):
                items.append(RangeOfHistory(h=(segment.start, segment.stop)))
            else:
                self._literal(fit(segment) if fit else segment, seq, items, keep)
        return PromptRecord(
            items=tuple(items), keep=tuple(keep), tools=tools, settings=dict(settings or {})
        )

    def _literal(
        self,
        message: Message,
        seq: int,
        items: list[RangeOfHistory | RangeOfLiterals | Literally],
        keep: list[tuple[int, int]],
    ) -> None:
        key = hashlib.sha256(message.model_dump_json().encode()).digest()[:16]
        at = self._news.get(key, self._fold.literal_index.get(key))
        if at is None:
            self._news[key] = (seq, len(items))
            items.append(Literally(m=message))
            return
        if not isinstance(at, int):
            if at[0] == seq:  # twice in one prompt: the first is not on the tape yet
                items.append(Literally(m=message))
                return
            keep.append(at)
            at = self._fold.literals + len(keep) - 1
            self._news[key] = at
        last = items[-1] if items else None
        if isinstance(last, RangeOfLiterals) and last.l[1] == at:
            items[-1] = RangeOfLiterals(l=(last.l[0], at + 1))
        else:
            items.append(RangeOfLiterals(l=(at, at + 1)))

    def commit(self) -> None:
        """Remember what the last record wrote."""
        self._fold.literal_index.update(self._news)


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
