"""The messages of a frame, as the document says they are, whole and in slices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tape_helpers import agent, erased, model_call, says, tape_of
from tape_sessions import erased_sessions, oracle_history, sessions
from tape_strategies import LAW

from playhead.tape import Draft, Fold, Message, Tape, View, assistant, history_messages, user
from playhead.tape import _history as history_module
from playhead.tape.kinds import Return

indexes = st.none() | st.integers(-12, 12)


def views(tape: Tape, fold: Fold | None = None) -> list[View]:
    fold = fold or tape.fold()
    return [View(tape, fold, frame) for frame in fold.frames.values()]


@LAW
@given(sessions())
def test_a_history_is_what_the_document_says(tape: Tape) -> None:
    for view in views(tape):
        assert list(view.messages) == oracle_history(tape, view.frame.id)


@LAW
@given(erased_sessions(), st.data())
def test_also_where_bodies_were_erased(tape: Tape, data: st.DataObject) -> None:
    for view in views(tape):
        full = oracle_history(tape, view.frame.id)
        assert list(view.messages) == full
        check_slices(view, full, data)


def check_slices(view: View, full: list[Message], data: st.DataObject) -> None:
    messages = view.messages
    for _ in range(3):
        start, stop = data.draw(st.tuples(indexes, indexes))
        assert list(messages[start:stop]) == full[start:stop]
    i = data.draw(st.integers(-12, 12))
    if -len(full) <= i < len(full):
        assert messages[i] == full[i]
    else:
        with pytest.raises(IndexError):
            _ = messages[i]
    assert len(messages) == len(full)
    assert list(messages.all()) == list(messages[:]) == full


@LAW
@given(sessions(), st.data())
def test_slices_are_slices_of_the_full_list(tape: Tape, data: st.DataObject) -> None:
    for view in views(tape):
        check_slices(view, oracle_history(tape, view.frame.id), data)


@LAW
@given(erased_sessions(), st.data(), st.sampled_from([1, 2, 256]))
def test_after_a_checkpoint_the_older_part_is_found_again(
    tape: Tape, data: st.DataObject, scan: int
) -> None:
    at = data.draw(st.integers(0, len(tape)))
    whole = Fold()
    for step in tape[:at]:
        whole.advance(step)
    restored = Fold.restore(whole.checkpoint())
    assert restored is not None
    for step in tape[at:]:
        restored.advance(step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_module, "_SCAN", scan)
        for view in views(tape, restored):
            full = oracle_history(tape, view.frame.id)
            check_slices(view, full, data)
            assert list(view.messages) == full


@LAW
@given(sessions(), sessions(most=8), st.data(), st.booleans())
def test_an_older_value_keeps_its_history_while_the_state_goes_on(
    tape: Tape, more: Tape, data: st.DataObject, restored: bool
) -> None:
    fold = tape.fold()
    if restored:
        saved = Fold.restore(fold.checkpoint())
        assert saved is not None
        tape._log.fold = fold = saved
    before = views(tape)
    full = {view.frame.id: oracle_history(tape, view.frame.id) for view in before}
    longer = tape
    for step in more[1:]:
        longer = longer.append(Draft(step.body, by=step.by, frame=0) if step.known else says("x"))
    longer.fold()
    for view in before:
        check_slices(view, full[view.frame.id], data)
        assert list(view.messages) == full[view.frame.id]


@LAW
@given(sessions(), st.data())
def test_a_range_of_positions_may_be_any(tape: Tape, data: st.DataObject) -> None:
    start, stop = data.draw(st.tuples(st.integers(0, len(tape)), st.integers(0, len(tape))))
    for view in views(tape):
        frame = view.frame.id
        expected = oracle_history(tape, frame, stop)
        skipped = oracle_history(tape, frame, min(start, stop))
        if start >= frame:
            said = list(history_messages(tape, frame, start, stop))
            assert said == expected[len(skipped) :]


def test_what_a_model_did_not_say_is_not_counted() -> None:
    """Cut and failed calls, calls without an answer, and erased returns are no messages."""
    tape = tape_of(
        says("a"),
        Draft(model_call(assistant("cut"), status="incomplete"), by=agent()),
        Draft(model_call(status="failed"), by=agent()),
        Draft(model_call(None), by=agent()),
        Draft(model_call(assistant("b")), by=agent()),
        Return(agent="x", parts=()),
        says("c"),
    )
    tape = erased(tape, 6)
    messages = View(tape, tape.fold()).messages
    assert len(messages) == 3
    assert [message.text for message in messages[-2:]] == ["b", "c"]
    assert [messages[i].text for i in (0, 1, 2, -3)] == ["a", "b", "c", "a"]


def test_each_slice_finds_enough_of_the_older_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "_SCAN", 1)
    tape = tape_of(*(says(str(i)) for i in range(5)))
    full = [user(str(i)) for i in range(5)]
    saved = tape.fold().checkpoint()
    ends = [None, *range(-7, 8)]
    for start in ends:
        for stop in ends:
            restored = Fold.restore(saved)
            assert restored is not None
            assert list(View(tape, restored).messages[start:stop]) == full[start:stop]


def test_a_slice_has_no_stride() -> None:
    messages = View(tape := tape_of(says("a")), tape.fold()).messages
    assert list(messages[::1]) == [user("a")]
    for stride in (2, -1):
        with pytest.raises(ValueError, match="stride"):
            _ = messages[::stride]


def test_a_window_of_a_restored_long_tape_reads_little() -> None:
    tape = tape_of(*(says(str(i)) for i in range(2000)))
    restored = Fold.restore(tape.fold().checkpoint())
    assert restored is not None
    view = View(tape, restored)
    assert [message.text for message in view.messages[-3:]] == ["1997", "1998", "1999"]
    assert restored.histories[0].start > 1000  # the older part was not looked at
    assert view.messages[0].text == "0"
    assert len(view.messages) == 2000
