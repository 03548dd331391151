"""What the entries of a frame say to a model, as a lazy list of messages."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from playhead.tape._fold import HistoryIndex, says_message
from playhead.tape._message_of import message_of
from playhead.tape._parts import Message
from playhead.tape._step import Step
from playhead.tape.kinds import Broadcast, Delegate

if TYPE_CHECKING:
    from playhead.tape._tape import Tape

_REMEMBERED = 16_384  # messages of a frame
_SCAN = 256  # steps looked through at a time, backwards


def history_messages(tape: Tape, frame: int, start: int, stop: int) -> Iterator[Message]:
    """The history of a frame over the positions `[start, stop)`."""
    for step in tape.range(start, stop):
        if _counts(step, frame):
            message = message_of(step, frame)
            if message is not None:
                yield message


def _counts(step: Step, frame: int) -> bool:
    if step.kind == Broadcast.kind:
        return step.frame != frame and step.known and not step.erased
    if step.kind == Delegate.kind:
        return step.seq == frame and step.known and not step.erased
    return step.frame == frame and says_message(step)


def _look_back(tape: Tape, frame: int, index: HistoryIndex) -> int:
    """Find the messages of some earlier steps; how many they are."""
    start = max(frame, index.start - _SCAN)
    found = [step for step in tape.range(start, index.start) if _counts(step, frame)]
    index.seqs[:0] = [step.seq for step in found]
    index.heard[:0] = [step.seq for step in found if step.kind == Broadcast.kind]
    index.start = start
    return len(found)


class HistoryRange:
    """Part of a frame's history: the messages of positions `[start, stop)`."""

    __slots__ = ("_index", "frame", "start", "stop", "tape")

    def __init__(
        self, tape: Tape, frame: int, start: int, stop: int, index: HistoryIndex | None = None
    ) -> None:
        self.tape, self.frame, self.start, self.stop = tape, frame, start, stop
        self._index = index

    def __iter__(self) -> Iterator[Message]:
        index = self._index
        if index is None or index.start > self.start:
            yield from history_messages(self.tape, self.frame, self.start, self.stop)
            return
        for _, message in self._indexed(index):
            yield message

    def _indexed(self, index: HistoryIndex) -> Iterator[tuple[int, Message]]:
        said, seqs = index.said, index.seqs
        for seq in seqs[bisect_left(seqs, self.start) : bisect_left(seqs, self.stop)]:
            message = said.get(seq)
            if message is None:
                step = self.tape[seq]
                message = message_of(step, self.frame)
                step.forget_body()  # the message is remembered instead
                if message is None:
                    continue
                if len(said) < _REMEMBERED:
                    said[seq] = message
            yield seq, message

    def _known(self) -> HistoryIndex | None:
        """The index, when it reaches back to the beginning of the range."""
        index = self._index
        while index is not None and index.start > max(self.start, self.frame):
            _look_back(self.tape, self.frame, index)
        return index

    def hears(self) -> bool:
        """Whether a message of it was said to all, by an agent of another frame."""
        index = self._known()
        heard = index.heard if index is not None else []
        return bisect_left(heard, self.start) < bisect_left(heard, self.stop)

    def one_by_one(self) -> Iterator[tuple[Message, HistoryRange]]:
        """Each message, and the range that is it alone."""
        index = self._known()
        for seq, message in self._indexed(index) if index is not None else ():
            yield message, HistoryRange(self.tape, self.frame, seq, seq + 1, index)

    def joined(self, other: HistoryRange) -> HistoryRange | None:
        """Both as one range; None if messages stand between them, or it is another history."""
        index = self._index
        if index is None or index is not other._index or other.start < self.stop:
            return None
        if bisect_left(index.seqs, self.stop) < bisect_left(index.seqs, other.start):
            return None
        return HistoryRange(self.tape, self.frame, self.start, other.stop, index)


class History:
    """The messages of one frame, oldest first; read when looked at. A slice costs no copy."""

    __slots__ = ("_frame", "_index", "_tape")

    def __init__(self, tape: Tape, frame: int, index: HistoryIndex) -> None:
        self._tape, self._frame, self._index = tape, frame, index

    def _seqs(self, newest: int | None = None) -> Sequence[int]:
        """Positions of all messages, or at least of the `newest` ones."""
        index, length = self._index, len(self._tape)
        seen = bisect_left(index.seqs, length)  # the fold may have gone on since
        while index.start > self._frame and (newest is None or seen < newest):
            seen += _look_back(self._tape, self._frame, index)
        return index.seqs if seen == len(index.seqs) else index.seqs[:seen]

    def __len__(self) -> int:
        return len(self._seqs())

    def __iter__(self) -> Iterator[Message]:
        self._seqs()
        return iter(self.all())

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> HistoryRange: ...
    def __getitem__(self, index: int | slice) -> Message | HistoryRange:
        if isinstance(index, slice):
            return self._slice(index)
        seqs = self._seqs(-index if index < 0 else None)
        step = self._tape[seqs[index]]
        message = message_of(step, self._frame)
        assert message is not None  # only what says something is in the index
        return message

    def _slice(self, index: slice) -> HistoryRange:
        if index.step not in (None, 1):
            raise ValueError("a history is sliced without a stride")
        stop = len(self._tape)
        if index.start is None and index.stop is None:
            return HistoryRange(self._tape, self._frame, self._frame, stop, self._index)
        tail_only = index.stop is None and index.start < 0
        seqs = self._seqs(-index.start if tail_only else None)
        start_at, stop_at, _ = index.indices(len(seqs))
        if start_at >= stop_at:
            return HistoryRange(self._tape, self._frame, stop, stop)
        if stop_at < len(seqs):
            stop = seqs[stop_at]
        return HistoryRange(self._tape, self._frame, seqs[start_at], stop, self._index)

    def all(self) -> HistoryRange:
        """The whole history as a range."""
        return HistoryRange(self._tape, self._frame, self._frame, len(self._tape), self._index)
