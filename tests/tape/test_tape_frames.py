"""Agents that delegate: the call stack, what parent and child see, and which node is next."""

from __future__ import annotations

from typing import Any

import pytest
from tape_helpers import CONFIG, agent, erased, model_call, says, tape_of

from playhead.tape import (
    BlobPart,
    Body,
    By,
    Draft,
    Fold,
    Frame,
    Tape,
    ToolResponsePart,
    View,
    assistant,
    text_parts,
    user,
)
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Context,
    Delegate,
    ModelCall,
    NextNode,
    NodeRun,
    Pause,
    Plan,
    Return,
    Run,
    ToolCall,
    ToolResult,
)


def view(tape: Tape, frame: int | None = None) -> View:
    fold = tape.fold()
    return View(tape, fold, None if frame is None else fold.frames[frame])


def heard(tape: Tape, frame: int) -> list[str]:
    """What the agent of a frame has been told, as text."""
    return [message.text for message in view(tape, frame).messages]


def delegate(to: str, task: str, *, frame: int = 0, call_id: str | None = None) -> Draft:
    body = Delegate(agent=to, parts=text_parts(task), call_id=call_id)
    return Draft(body, by=agent("delegates"), frame=frame)


def returns(what: Draft, text: str, *, frame: int = 0, call_id: str | None = None) -> Draft:
    body = Return(agent="sub", parts=text_parts(text), call_id=call_id)
    return Draft(body, by=agent("last of sub", name="sub"), frame=frame, re=(what.id,))


RUN = Run(mode="run", agent="main", config=CONFIG)
OUTER = delegate("sub", "find the room")
INNER = delegate("subsub", "ask the desk", frame=3)


def nested() -> Tape:
    """0 header, 1 run, 2 question, 3 to `sub`, 4 reply in it, 5 to `subsub`, 6 reply in that."""
    return tape_of(
        RUN,
        says("where?"),
        OUTER,
        Draft(model_call(assistant("I look")), by=agent("n", name="sub"), frame=3),
        INNER,
        Draft(model_call(assistant("I ask")), by=agent("n", name="subsub"), frame=5),
    )


def test_a_delegate_opens_a_frame_and_a_return_closes_it() -> None:
    tape = nested()
    assert list(tape.fold().frames.values()) == [
        Frame(0, "main", last_node="delegates"),
        Frame(3, "sub", 0, OUTER.id, last_node="delegates", ordinals={"n": 1}),
        Frame(5, "subsub", 3, INNER.id, last_node="n", ordinals={"n": 1}),
    ]
    assert tape.fold().frame.id == 5
    assert view(tape).agent == "subsub"
    tape = tape.append(returns(INNER, "room 7", frame=3))
    assert list(tape.fold().frames) == list(tape.fold().histories) == [0, 3]
    assert tape.fold().frame.id == 3
    tape = tape.append(returns(OUTER, "it is room 7"))
    assert list(tape.fold().frames) == [0]


def test_each_agent_hears_its_own_part() -> None:
    tape = nested()
    assert heard(tape, 0) == ["where?"]
    assert heard(tape, 3) == ["find the room", "I look"]
    assert heard(tape, 5) == ["ask the desk", "I ask"]
    assert [view(tape, frame).task for frame in (0, 3, 5)] == [
        "where?", "find the room", "ask the desk",
    ]  # fmt: skip
    tape = tape.append(returns(INNER, "room 7", frame=3))
    assert heard(tape, 3) == ["find the room", "I look", "room 7"]
    tape = tape.append(returns(OUTER, "it is room 7"))
    assert list(view(tape, 0).messages) == [
        user("where?"), user("it is room 7", name="sub"),
    ]  # fmt: skip


def test_the_outer_return_closes_what_is_open_within() -> None:
    tape = nested().append(returns(OUTER, "never mind"))
    assert list(tape.fold().frames) == list(tape.fold().histories) == [0]
    assert heard(tape, 0) == ["where?", "never mind"]


def test_a_return_that_answers_nothing_closes_nothing() -> None:
    tape = nested().append(returns(Draft(says("another")), "?"))
    assert list(tape.fold().frames) == [0, 3, 5]


def test_a_frame_may_be_opened_again_and_again() -> None:
    tape = tape_of(RUN)
    for i in range(3):
        out = delegate("sub", f"task {i}")
        tape = tape.append(out)
        assert heard(tape, len(tape) - 1) == [f"task {i}"]
        tape = tape.append(returns(out, f"answer {i}"))
    assert heard(tape, 0) == ["answer 0", "answer 1", "answer 2"]


def test_a_delegation_by_tool_call_is_answered_as_one() -> None:
    out = delegate("sub", "find it", call_id="call-9")
    tape = tape_of(RUN, out)
    assert tape.fold().frame.call_id == "call-9"
    parts = (*text_parts("room 7"), BlobPart(media_type="a/b", size=1, address="", preview=", map"))
    body = Return(agent="sub", parts=parts, call_id="call-9")
    tape = tape.append(Draft(body, by=agent("n", name="sub"), re=(out.id,)))
    (message,) = view(tape, 0).messages
    assert message.role == "tool"
    assert message.parts == (ToolResponsePart(id="call-9", response="room 7, map"),)


def test_all_but_the_speaker_hear_a_broadcast() -> None:
    shout = Broadcast(agent="sub", parts=text_parts("stop!"))
    tape = nested().append(Draft(shout, by=agent("n", name="sub"), frame=3))
    assert heard(tape, 0) == ["where?", "stop!"]
    assert heard(tape, 3) == ["find the room", "I look"]
    assert heard(tape, 5) == ["ask the desk", "I ask", "stop!"]
    assert view(tape, 5).messages[-1] == user("stop!", name="sub")


def test_who_comes_later_does_not_hear_an_earlier_broadcast() -> None:
    shout = Broadcast(agent="main", parts=text_parts("hello"))
    tape = tape_of(RUN, Draft(shout, by=agent()), delegate("sub", "find it"))
    assert heard(tape, 3) == ["find it"]
    restored = Fold.restore(tape.fold().checkpoint())
    assert restored is not None
    messages = View(tape, restored).messages
    assert (len(messages), messages[-1], list(messages[-5:])) == (
        1,
        user("find it"),
        [user("find it")],
    )


def test_an_erased_task_leaves_the_frame_standing() -> None:
    tape = nested()
    gone = erased(tape, 3)
    assert [frame.id for frame in gone.fold().frames.values()] == [0, 3, 5]
    assert heard(gone, 3) == ["I look"]
    assert view(gone, 3).agent == ""
    gone = erased(tape.append(returns(INNER, "x", frame=3), returns(OUTER, "y")), 3, 8)
    assert list(gone.fold().frames) == [0]
    assert heard(gone, 0) == ["where?"]


def test_steps_are_those_of_the_frame_without_notes() -> None:
    tape = nested().append(Draft(Plan(items=("a",)), frame=3))
    assert [step.seq for step in view(tape, 3).steps()] == [5, 7]
    assert [step.seq for step in view(tape, 0).steps()] == [2, 3]


def test_the_last_body_of_a_kind() -> None:
    tape = tape_of(
        Plan(items=("a",)), Plan(items=("b",)), says("x"), OUTER, Draft(Plan(items=()), frame=4)
    )
    assert view(tape, 0).last(Plan) == Plan(items=("b",))
    assert view(tape, 4).last(Plan) == Plan(items=())
    assert view(tape, 0).last(ToolCall) is None
    assert View(erased(tape, 2), tape.fold(), tape.fold().frames[0]).last(Plan) == Plan(
        items=("a",)
    )


# --- which node is next --------------------------------------------------------------------------


def nodes(*drafts: Draft | Body) -> tuple[str | None, str | None]:
    frame = tape_of(RUN, *drafts).fold().frames[0]
    return frame.last_node, frame.next_node


def test_nothing_ran_yet() -> None:
    assert nodes(says("hi")) == (None, None)


def test_the_node_of_the_newest_step_ran_last() -> None:
    assert nodes(Draft(Plan(items=()), by=agent("a"))) == ("a", None)
    assert nodes(Draft(NodeRun(node="a"), by=agent("a"))) == ("a", None)
    assert nodes(Draft(Context(now=()), by=agent("a"))) == ("a", None)
    assert nodes(Draft(Plan(items=()), by=agent("a")), Draft(Plan(items=()), by=agent("b"))) == (
        "b", None,
    )  # fmt: skip


def test_what_others_do_is_no_node() -> None:
    jump = Draft(NextNode(node="c"), by=agent("a"))
    for other in (
        says("hi"),
        Draft(says("hi"), by=By("person")),
        Draft(ToolResult(name="t"), by=By("tool", "t")),
        Pause(reason="budget", message=""),
        RUN,
    ):
        assert nodes(jump, other) == ("a", "c")


def test_a_next_node_holds_until_a_node_runs() -> None:
    jump = Draft(NextNode(node="c"), by=agent("a"))
    assert nodes(jump) == ("a", "c")
    assert nodes(jump, Draft(NextNode(node="d"), by=agent("a"))) == ("a", "d")
    for body in (Plan(items=()), NodeRun(node="c"), model_call(assistant("x")), Context(now=())):
        assert nodes(jump, Draft(body, by=agent("c"))) == ("c", None)
    for status in ("failed", "incomplete"):  # the node has not run: it is still to come
        assert nodes(jump, Draft(model_call(status=status), by=agent("c"))) == ("a", "c")


def test_a_player_may_say_the_next_node() -> None:
    player = By("player", "book a room", version="1")
    assert nodes(Draft(Plan(items=()), by=agent("a")), Draft(NextNode(node="c"), by=player)) == (
        "a", "c",
    )  # fmt: skip


def test_each_frame_has_its_own_nodes() -> None:
    jump = Draft(NextNode(node="after"), by=agent("delegates"))
    tape = tape_of(RUN, OUTER, jump, Draft(Plan(items=()), by=agent("inner"), frame=2))
    frames = tape.fold().frames
    assert (frames[0].last_node, frames[0].next_node) == ("delegates", "after")
    assert (frames[2].last_node, frames[2].next_node) == ("inner", None)
    tape = tape.append(returns(OUTER, "done"))  # by a node of the child, into the parent's frame
    frame = tape.fold().frames[0]
    assert (frame.last_node, frame.next_node) == ("delegates", "after")


# --- views -------------------------------------------------------------------------------------


def test_a_view_keeps_to_its_length_while_the_tape_grows() -> None:
    tape = tape_of(RUN, says("one"))
    old = view(tape)
    messages = old.messages
    for i in range(5):
        tape = tape.append(says(f"more {i}"))
        tape.fold()
    assert [message.text for message in messages] == ["one"]
    assert (len(messages), messages[-1].text, list(messages[-3:])) == (1, "one", [user("one")])
    assert list(old.steps()) == [tape[2]]


def test_the_task_is_what_was_asked_first() -> None:
    tape = tape_of(
        RUN,
        Draft(model_call(assistant("before")), by=agent()),
        says("the task"),
        Draft(AssistantMessage(parts=text_parts("x")), by=By("player", "p", version="1")),
        says("another"),
    )
    assert view(tape).task == "the task"
    assert isinstance(tape[2].body, ModelCall)


@pytest.mark.parametrize("restore", [False, True])
def test_a_view_of_a_restored_state_is_the_same(restore: bool) -> None:
    tape = nested()
    fold: Any = Fold.restore(tape.fold().checkpoint()) if restore else tape.fold()
    for frame in (0, 3, 5):
        messages = View(tape, fold, fold.frames[frame]).messages
        assert [message.text for message in messages] == heard(tape, frame)
        assert len(messages) == len(heard(tape, frame))
