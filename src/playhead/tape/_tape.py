"""The tape value: steps in order, with lineage; immutable, appended to in O(1)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from playhead.errors import TapeError, VerificationError
from playhead.tape._body import Body
from playhead.tape._by import SYSTEM
from playhead.tape._fold import Fold, Status
from playhead.tape._ids import is_id, new_id
from playhead.tape._log import Log
from playhead.tape._parts import result_text
from playhead.tape._step import GENESIS, Draft, Step
from playhead.tape.annotations import ANNOTATIONS
from playhead.tape.kinds import AssistantMessage, Parent, Stop, TapeHeader

_HEAD = re.compile("([0-9a-f]{32}):([1-9][0-9]{0,17}):([0-9a-f]{64})")


class Tape:
    """A view of the first `len(tape)` steps of a shared log.

    `append` gives a new value and is O(1); appending to a value that is no longer the tip is an
    error, and `fork` alone begins another tape. `tape[i]` is the step at position `i`.
    """

    __slots__ = ("_head", "_length", "_log", "id")

    def __init__(self, log: Log, length: int, *, tape_id: str, head: str | None = None) -> None:
        self._log = log
        self._length = length
        self._head = head
        self.id = tape_id

    @classmethod
    def new(cls, tape_id: str | None = None) -> Tape:
        """A new tape that holds its header entry, and is nowhere stored yet.

        Args:
            tape_id: An id that was minted before, with `new_id`; a new one if not given.

        Raises:
            TapeError: It is no id.
        """
        tape_id = new_id() if tape_id is None else tape_id
        if not is_id(tape_id):
            raise TapeError(f"a tape's id is 32 hexadecimal digits, as `new_id` mints: `{tape_id}`")
        header = TapeHeader(format=1, blob_key=os.urandom(32).hex())
        step = Step.seal(Draft(header), tape=tape_id, seq=0, prev=GENESIS)
        return cls.of([step])

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Tape:
        """A tape of stored steps, from position 0 on; nothing is verified."""
        log: Log | None = None
        for seq, step in enumerate(steps):
            if step.kind == TapeHeader.kind:
                log = Log(parent=log, start=seq)
            if log is None or step.seq != seq:
                raise TapeError("the steps do not begin with an entry `playhead.tape`, in order")
            log.extend(seq, [step])
        if log is None:
            raise TapeError("a tape has at least its header entry")
        return cls(log, len(log), tape_id=steps[-1].tape)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Step]:
        return self._log.range(0, self._length)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            start, stop, stride = index.indices(self._length)
            if stride == 1:
                return list(self._log.range(start, stop))
            return [self._log.get(seq) for seq in range(start, stop, stride)]
        seq = index + self._length if index < 0 else index
        if not 0 <= seq < self._length:
            raise IndexError(f"the tape has {self._length} steps, there is no step {index}")
        return self._log.get(seq)

    def range(self, start: int, stop: int) -> Iterator[Step]:
        """Steps of `[start, stop)` in order, without making a list of them."""
        return self._log.range(max(start, 0), min(stop, self._length))

    @property
    def head(self) -> str:
        """The link of the last step."""
        if self._head is None:
            self._head = self[-1].link
        return self._head

    @property
    def head_text(self) -> str:
        """`TAPE:N:LINK`, to be kept elsewhere and given to `verify`."""
        last = self[-1]
        return f"{last.tape}:{self._length}:{last.link}"

    @property
    def header(self) -> TapeHeader:
        """The body of the tape's own header entry.

        Raises:
            TapeError: It was erased, or is of a newer version.
        """
        body = self._log.get(self._log.start).body
        if not isinstance(body, TapeHeader):
            raise TapeError(f"the header entry of tape `{self.id}` cannot be read: verify the tape")
        return body

    @property
    def parent(self) -> Parent | None:
        """Where this tape was forked from, if it was."""
        return self.header.parent

    @property
    def start(self) -> int:
        """Position of the tape's own header entry; what is before it belongs to ancestors."""
        return self._log.start

    @property
    def is_annotation(self) -> bool:
        """Whether it says something about other tapes, rather than being a session."""
        first = self.start + 1
        return first < self._length and self._log.get(first).kind in ANNOTATIONS

    def seal(self, drafts: Iterable[Draft | Body]) -> list[Step]:
        """Seal drafts as the next steps, without appending them.

        Raises:
            BodyError: A body cannot be written.
        """
        steps: list[Step] = []
        seq, prev = self._length, self._head or self.head
        for draft in drafts:
            ready = draft if isinstance(draft, Draft) else Draft(draft)
            step = Step.seal(ready, tape=self.id, seq=seq, prev=prev)
            steps.append(step)
            seq, prev = seq + 1, step._link or step.link
        return steps

    def extend(self, steps: Sequence[Step]) -> Tape:
        """The tape with sealed steps at its end.

        Raises:
            StaleTapeError: This value is no longer the tip of its log.
            TapeError: The steps were sealed for another place.
        """
        if not steps:
            return self
        prev = self._head or self.head
        for seq, step in enumerate(steps, self._length):
            if step.prev != prev or step.seq != seq or step.tape != self.id:
                raise TapeError("these steps were sealed for another place: seal them on this tape")
            prev = step._link or step.link
        self._log.extend(self._length, steps)
        return Tape(self._log, self._length + len(steps), tape_id=self.id, head=prev)

    def append(self, *drafts: Draft | Body) -> Tape:
        """The tape with these drafts sealed at its end; O(1).

        Raises:
            StaleTapeError: This value is no longer the tip of its log.
            BodyError: A body cannot be written.
        """
        return self.extend(self.seal(drafts))

    def at(self, length: int) -> Tape:
        """The tape as it was when it had `length` steps."""
        if not 1 <= length <= self._length:
            raise TapeError(f"a value of this tape has 1 to {self._length} steps, not {length}")
        return Tape(self._log, length, tape_id=self.id)

    def fork(self, at: int | None = None, *, tape_id: str | None = None) -> Tape:
        """A child tape that shares the first `at` steps (all, if not given) and goes its own way.

        Its id is minted if not given.

        Raises:
            TapeError: `at` is not between 1 and the length, or `tape_id` is no id.
        """
        if tape_id is not None and not is_id(tape_id):
            raise TapeError(f"`{tape_id}` is no id: leave it out, or take 32 hexadecimal digits")
        at = self._length if at is None else at
        if not 1 <= at <= self._length:
            raise TapeError(f"fork at 1 to {self._length}, not {at}: the header entry is shared")
        last = self._log.get(at - 1)
        body = TapeHeader(
            format=1,
            blob_key=self.header.blob_key,
            parent=Parent(tape=self.id, at=at, head=last.link),
        )
        child = tape_id or new_id()
        step = Step.seal(Draft(body, by=SYSTEM), tape=child, seq=at, prev=last.link)
        shared = self._log
        while at < shared.start:
            assert shared.parent is not None
            shared = shared.parent
        log = Log(parent=shared, start=at)
        log.extend(at, [step])
        return Tape(log, at + 1, tape_id=child)

    def knowing(self, known: Tape) -> Tape:
        """This tape, without reading again what is known of it from an equal value.

        Raises:
            TapeError: It is another tape, or another length of it.
        """
        if (self.id, len(self), self.head) != (known.id, len(known), known.head):
            raise TapeError(f"`{known}` is not `{self}`: what is known of one does not hold")
        self._log.learn(known._log)
        return self

    def fold(self) -> Fold:
        """The tape's state; O(what is new since it was asked last). Valid until the tape grows."""
        fold = self._log.fold
        if fold.length == self._length:
            return fold
        if fold.length > self._length:
            fold = Fold()
        for step in self._log.range(fold.length, self._length):
            fold.advance(step)
        return fold

    def literal(self, at: int) -> tuple[int, int]:
        """Where message `at` of the literal table stands: position of the call, index of the item.

        Raises:
            TapeError: The table is shorter, or the place is erased.
        """
        fold = self.fold()
        if not 0 <= at < fold.literals:
            raise TapeError(f"the literal table has {fold.literals} messages, there is no {at}")
        if at in fold.literal_table:
            return fold.literal_table[at]
        if self._log.loader is None:
            raise TapeError(f"what kept message {at} of the literal table was erased")
        return self._log.loader.literal(at)

    @property
    def answer(self) -> str | None:
        """What the agent said last to the person, or gave as the result of its last stop."""
        for seq in range(self._length - 1, 0, -1):
            step = self._log.get(seq)
            body = step.body if step.role == "action" and step.frame == 0 else None
            if isinstance(body, AssistantMessage):
                return body.text
            if isinstance(body, Stop) and body.result is not None:
                return result_text(body.result)
        return None

    @property
    def status(self) -> Status:
        """`new`, `unfinished`, `paused`, `waiting` (for a decision), `answered` or `stopped`."""
        return self.fold().status

    def verify(self, *, heads: Sequence[str] = ()) -> None:
        """Check the chain, all bodies and the given heads (`TAPE:N:LINK`).

        A file of unknown origin is checked for more by `tools/verify_tape.py`.

        Raises:
            VerificationError: Something does not fit; the message names the step.
        """
        wanted: dict[int, set[tuple[str, str]]] = {}
        for name, length, link in map(_parse_head, heads):
            wanted.setdefault(length, set()).add((name, link))
        prev, tape = GENESIS, ""
        for seq, step in enumerate(self):
            if step.seq != seq or step.prev != prev:
                raise VerificationError(f"step {seq} does not follow the chain", seq=seq)
            if (step.tape != tape) != (step.kind == TapeHeader.kind):
                raise VerificationError(f"step {seq} was written to another tape", seq=seq)
            if not step.verify_body():
                raise VerificationError(f"the body of step {seq} was changed", seq=seq)
            prev, tape = step.link, step.tape
            if wanted.get(seq + 1, {(tape, prev)}) != {(tape, prev)}:
                raise VerificationError(f"the head after {seq + 1} steps was another one", seq=seq)
        longest = max(wanted, default=0)
        if longest > self._length:
            raise VerificationError(
                f"the tape has {self._length} steps, a head kept elsewhere says {longest}: "
                "its end was cut off",
                seq=self._length,
            )

    def __repr__(self) -> str:
        return f"<Tape {self.id} of {self._length} steps>"


def _parse_head(text: str) -> tuple[str, int, str]:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise VerificationError(f"`{text}` is no head: it reads TAPE:N:LINK")
    return found[1], int(found[2]), found[3]
