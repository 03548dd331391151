"""Tapes behave as lists do: append, fork, slice, index and iterate, beside a list as the model.

The same machine runs once in memory and once on tapes whose pages leave memory and come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from unittest.mock import patch
from uuid import RFC_4122, UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tape_helpers import DictLoader, Stored, says, stored

from playhead.errors import StaleTapeError, TapeError
from playhead.tape import Draft, Log, Step, Tape, _log, new_id
from playhead.tape.kinds import TapeHeader


@dataclass
class Segment:
    """What a store has of one tape: where it begins, behind whom, and its own entries."""

    parent: str | None
    start: int
    entries: dict[int, Stored]


@dataclass
class Held:
    """A tape value and what it must be: the entries and ids of its steps."""

    tape: Tape
    steps: list[Step]
    log: int


class Tapes(RuleBasedStateMachine):
    """Many tapes and forks of forks, each beside a plain list."""

    PAGE = 256
    values: Bundle[Held] = Bundle("values")

    def __init__(self) -> None:
        super().__init__()
        self.patched = patch.object(_log, "PAGE", self.PAGE)
        self.patched.start()
        self.tips: dict[int, int] = {}  # by log: its length
        self.left: set[int] = set()  # logs whose tape was opened again
        self.store: dict[str, Segment] = {}
        self.all: list[Held] = []

    def teardown(self) -> None:
        for held in self.all:
            self.check(held)
            held.tape.verify(heads=[held.tape.head_text])
        self.patched.stop()

    def check(self, held: Held) -> None:
        assert len(held.tape) == len(held.steps)
        assert list(held.tape) == held.steps
        assert [step.seq for step in held.tape] == list(range(len(held.steps)))

    def keep(self, tape: Tape, steps: list[Step], log: int | None = None) -> Held:
        held = Held(tape, steps, len(self.tips) if log is None else log)
        self.tips[held.log] = len(steps) if log is None else max(self.tips[log], len(steps))
        self.all.append(held)
        return held

    def stored(self, tape: Tape, parent: str | None) -> None:
        entries = {step.seq: (step.header, step.salt, step.data) for step in tape[tape.start :]}
        self.store[tape.id] = Segment(parent, tape.start, entries)

    def begin(self) -> Held:
        tape = Tape.new()
        self.stored(tape, None)
        return self.keep(tape, list(tape))

    @initialize(target=values)
    def first(self) -> Held:
        return self.begin()

    @rule(target=values)
    def new(self) -> Held:
        return self.begin()

    @rule(target=values, held=values, count=st.integers(0, 11))
    def append(self, held: Held, count: int) -> Held:
        if held.log in self.left:
            return held
        drafts = [Draft(says(f"{len(held.steps) + i}")) for i in range(count)]
        before = (len(held.tape), stored(held.tape), held.tape.id)
        steps = held.tape.seal(drafts)
        if len(held.steps) != self.tips[held.log] and drafts:
            with pytest.raises(StaleTapeError):
                held.tape.extend(steps)
            with pytest.raises(StaleTapeError):
                held.tape.append(*drafts)
            assert (len(held.tape), stored(held.tape), held.tape.id) == before
            return held
        self.store[held.tape.id].entries.update(
            {step.seq: (step.header, step.salt, step.data) for step in steps}
        )
        longer = held.tape.extend(steps)
        assert (len(held.tape), stored(held.tape), held.tape.id) == before
        assert longer.id == held.tape.id
        assert [step.id for step in longer[len(held.steps) :]] == [draft.id for draft in drafts]
        return self.keep(longer, [*held.steps, *steps], held.log)

    @rule(target=values, held=values, data=st.data())
    def fork(self, held: Held, data: st.DataObject) -> Held:
        at = data.draw(st.integers(1, len(held.steps)), label="at")
        child = held.tape.fork(at) if at < len(held.steps) else held.tape.fork()
        header = child[-1]
        body = header.body
        assert isinstance(body, TapeHeader)
        assert body.parent is not None
        assert (body.parent.tape, body.parent.at) == (held.tape.id, at)
        assert body.parent.head == held.steps[at - 1].link == header.prev
        assert (child.start, len(child)) == (at, at + 1)
        assert child.id != held.tape.id
        assert child.parent == body.parent
        assert child.header.blob_key == held.tape.header.blob_key
        self.stored(child, held.tape.id)
        return self.keep(child, [*held.steps[:at], header])

    @rule(target=values, held=values, data=st.data())
    def earlier(self, held: Held, data: st.DataObject) -> Held:
        length = data.draw(st.integers(1, len(held.steps)), label="length")
        return self.keep(held.tape.at(length), held.steps[:length], held.log)

    @rule(held=values, data=st.data())
    def index(self, held: Held, data: st.DataObject) -> None:
        n = len(held.steps)
        i = data.draw(st.integers(-n - 2, n + 1), label="i")
        if -n <= i < n:
            assert held.tape[i] == held.steps[i]
        else:
            with pytest.raises(IndexError, match=f"no step {i}"):
                _ = held.tape[i]

    @rule(held=values, data=st.data())
    def slice(self, held: Held, data: st.DataObject) -> None:
        ends = st.none() | st.integers(-len(held.steps) - 3, len(held.steps) + 3)
        strides = st.none() | st.sampled_from([1, 2, 3, -1, -2])
        cut = slice(*(data.draw(part, label="slice") for part in (ends, ends, strides)))
        assert held.tape[cut] == held.steps[cut]

    @rule(held=values, data=st.data())
    def range(self, held: Held, data: st.DataObject) -> None:
        start, stop = data.draw(
            st.tuples(st.integers(-3, len(held.steps)), st.integers(-3, len(held.steps) + 3))
        )
        assert list(held.tape.range(start, stop)) == held.steps[max(start, 0) : max(stop, 0)]

    @rule(held=values, data=st.data())
    def out_of_bounds(self, held: Held, data: st.DataObject) -> None:
        at = data.draw(st.sampled_from([-1, 0, len(held.steps) + 1]))
        with pytest.raises(TapeError):
            held.tape.fork(at)
        with pytest.raises(TapeError):
            held.tape.at(at)

    @rule(held=values)
    def steps_of_another_place(self, held: Held) -> None:
        other = held.tape.fork()
        with pytest.raises(TapeError, match="another place"):
            held.tape.extend(other.seal([says("a")]))
        with pytest.raises(TapeError, match="another place"):
            held.tape.extend(held.tape.seal([says("a"), says("b")])[::-1])
        with pytest.raises(TapeError, match="another place"):
            held.tape.extend([*held.tape.seal([says("a")]), *other.seal([says("b")])])

    @invariant()
    def the_newest_reads_the_same(self) -> None:
        if self.all:
            self.check(self.all[-1])


class PagedTapes(Tapes):
    """The same on tapes that are opened from a store, pages of 4, two in memory."""

    PAGE = 4

    def log_of(self, tape: str, length: int) -> Log:
        segment = self.store[tape]
        parent = segment.parent
        while parent is not None and segment.start < self.store[parent].start:
            parent = self.store[parent].parent  # forked within what the parent shares
        return Log(
            parent=None if parent is None else self.log_of(parent, segment.start),
            start=segment.start,
            length=length,
            loader=DictLoader(segment.entries),
            resident_pages=2,
        )

    @rule(target=Tapes.values, held=Tapes.values)
    def reopen(self, held: Held) -> Held:
        """Open what the store has; nobody appends to the old log any more."""
        same = [other for other in self.all if other.tape.id == held.tape.id]
        self.left.update(other.log for other in same)
        segment = self.store[held.tape.id]
        length = segment.start + len(segment.entries)
        tape = Tape(self.log_of(held.tape.id, length), length, tape_id=held.tape.id)
        return self.keep(tape, max((other.steps for other in same), key=len))

    @rule(held=Tapes.values)
    def fold(self, held: Held) -> None:
        assert held.tape.fold().length == len(held.steps)


TestTapes = Tapes.TestCase
TestPagedTapes = PagedTapes.TestCase
TestTapes.settings = TestPagedTapes.settings = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_a_new_tape_can_have_an_id_that_was_minted_before() -> None:
    minted = new_id()
    tape = Tape.new(minted)
    tape.verify()
    assert (tape.id, tape[0].tape, len(tape)) == (minted, minted, 1)


def test_ids_are_uuids_of_version_7_each_minted_once() -> None:
    minted = [new_id() for _ in range(1500)]  # random bytes are fetched anew on the way
    assert len(set(minted)) == 1500
    assert {(UUID(each).version, UUID(each).variant) for each in minted} == {(7, RFC_4122)}
    times = [each[:12] for each in minted]
    assert times == sorted(times)
    assert len({each[13:16] for each in minted}) > 500  # the rest of that group is random


@pytest.mark.parametrize(
    "name",
    ["", "mine", "0" * 31, "G" * 32, f"{'0' * 32}\n", "A" * 32, "0 " * 16, "0" * 34, "é" * 32],
)
def test_an_id_is_nothing_else(name: str) -> None:
    with pytest.raises(TapeError, match="32 hexadecimal digits"):
        Tape.new(name)
