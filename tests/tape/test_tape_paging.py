"""A long tape is read page by page, and what has left memory comes back the same."""

from __future__ import annotations

import gc
import random

from hypothesis import given
from hypothesis import strategies as st
from tape_helpers import DictLoader, says, tape_of
from tape_strategies import LAW

from playhead.tape import Log, Step, Tape

LENGTH = 3000
LONG = tape_of(*(says(str(i)) for i in range(LENGTH - 1)))
ENTRIES = {step.seq: (step.header, step.salt, step.data) for step in LONG}


def opened(length: int = LENGTH, *, resident_pages: int = 4) -> tuple[Tape, DictLoader]:
    loader = DictLoader(dict(ENTRIES))
    log = Log(length=length, loader=loader, resident_pages=resident_pages)
    return Tape(log, length, tape_id=LONG.id), loader


def test_a_step_costs_one_page() -> None:
    tape, loader = opened()
    assert tape[1234] == LONG[1234]
    assert loader.reads == 1
    assert [tape[seq] for seq in range(1024, 1280)] == LONG[1024:1280]
    assert loader.reads == 1
    assert tape[-1] == LONG[-1]
    assert loader.reads == 2


def test_reading_all_of_it_costs_each_page_once() -> None:
    tape, loader = opened()
    assert list(tape) == list(LONG)
    assert loader.reads == -(-LENGTH // 256)
    tape.verify(heads=[LONG.head_text])
    assert tape.fold().length == LENGTH


def test_pages_leave_memory() -> None:
    def living() -> int:
        gc.collect()
        return sum(isinstance(thing, Step) and thing.tape == LONG.id for thing in gc.get_objects())

    before = living()
    tape, _ = opened(resident_pages=2)
    for _ in tape:
        pass
    assert living() - before <= 2 * 256


@LAW
@given(st.lists(st.integers(-LENGTH, LENGTH - 1), max_size=60), st.integers(1, 5))
def test_any_order_of_reading_gives_the_same(order: list[int], resident_pages: int) -> None:
    tape, _ = opened(resident_pages=resident_pages)
    for seq in order:
        assert tape[seq] == LONG[seq]


def test_what_is_appended_after_opening_stays_beside_what_was_stored() -> None:
    for length in (1, 255, 256, 257, 511, 512, 1000):
        tape, loader = opened(length, resident_pages=2)
        model = LONG[:length]
        shuffled = random.Random(length)
        for i in range(300):
            steps = tape.seal([says(f"new {i}")])
            loader.stored[steps[0].seq] = (steps[0].header, steps[0].salt, steps[0].data)
            tape = tape.extend(steps)
            model += steps
            seq = shuffled.randrange(len(model))
            assert tape[seq] == model[seq]
        assert list(tape) == model
        tape.verify()


def test_a_tape_may_grow_while_it_is_read() -> None:
    tape = tape_of(*(says(str(i)) for i in range(300)))
    longer = tape
    for count, step in enumerate(tape):
        assert step.seq == count
        longer = longer.append(says("more"))
    assert len(tape) == 301
    assert len(longer) == 602
    assert longer[:301] == list(tape)


def test_a_fork_of_a_stored_tape_reads_through_to_it() -> None:
    tape, _ = opened(resident_pages=2)
    child = tape.fork(1500).append(says("own"))
    grandchild = child.fork(1400).append(says("its own"))
    assert child[:1500] == LONG[:1500]
    assert grandchild[:1400] == LONG[:1400]
    assert [step.tape for step in grandchild[1398:]] == [LONG.id] * 2 + [grandchild.id] * 2
    for one in (child, grandchild):
        one.verify()
        assert Tape.of(list(one)).head == one.head


def test_bodies_that_were_let_go_are_read_again() -> None:
    first = says("0")
    tape = tape_of(first)
    assert tape[1].body is first
    tape = tape.append(*(says(str(i)) for i in range(1, 1200)))
    assert tape[1].body is not first
    assert [step.body for step in tape[1:]] == [says(str(i)) for i in range(1200)]
