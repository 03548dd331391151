"""Node contexts, and the tool-calling node."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import playhead as ph
from playhead.errors import AgentError
from playhead.llm import Completion
from playhead.tape import Draft, ReasoningPart, TextPart, ToolCallPart, View
from playhead.tape.kinds import (
    AssistantMessage,
    Context,
    Delegate,
    ModelCall,
    ParseError,
    PromptRecord,
    ToolCall,
    ToolResult,
    UserMessage,
)


def test_what_a_context_hands_out_is_noted_and_handed_out_again() -> None:
    ctx = ph.NodeContext()
    handed = (ctx.now(), ctx.rng.random(), ctx.new_id(), ctx.now(), ctx.new_id())
    note = ctx.note()
    assert note is not None
    again = ph.NodeContext(recorded=note)
    assert handed == (
        again.now(), again.rng.random(), again.new_id(), again.now(), again.new_id(),
    )  # fmt: skip
    assert again.note() == note
    assert handed[0].tzinfo is UTC


def test_chance_and_ids_do_not_disturb_each_other() -> None:
    seed = "00" * 16
    one, two = (ph.NodeContext(recorded=Context(now=(), seed=seed)) for _ in range(2))
    one.new_id()
    assert one.rng.random() == two.rng.random()


def test_a_context_of_which_nothing_was_asked() -> None:
    assert ph.NodeContext().note() is None


def test_more_than_was_recorded_is_new() -> None:
    moment = "2026-01-02T03:04:05.000006Z"
    ctx = ph.NodeContext(recorded=Context(now=(moment,)))
    assert ctx.now() == datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert ctx.now() > datetime(2026, 1, 2, tzinfo=UTC)
    note = ctx.note()
    assert note is not None
    assert note.now[0] == moment
    assert len(note.now) == 2


def test_ids_look_like_ids() -> None:
    ids = {ph.NodeContext().new_id() for _ in range(100)}
    assert len(ids) == 100
    assert {len(i) for i in ids} == {32}


def test_a_plain_node_makes_no_prompt_and_no_steps() -> None:
    node = ph.Node("x")
    tape = ph.Tape.new()
    view = View(tape, tape.fold())
    assert node.make_prompt(view, ph.NodeContext()) is None
    assert list(node.generate_steps(view, None, ph.NodeContext())) == []
    assert node.describe() == {"name": "x", "type": "Node", "next": None}


def bound(**options: object) -> ph.ToolCallingNode:
    agent = ph.Agent("a", subagents=[ph.Agent("clerk", description="Counts.")]).bound()
    node = agent.nodes[0]
    assert isinstance(node, ph.ToolCallingNode)
    return node


def made_of(*parts: object, bad: dict[str, str] | None = None) -> list[ph.tape.Body]:
    completion = Completion(message=ph.assistant(parts), bad_arguments=bad or {})  # type: ignore[arg-type]
    tape = ph.Tape.new()
    steps = bound().generate_steps(View(tape, tape.fold()), completion, ph.NodeContext())
    return list(steps)


def test_text_is_an_answer() -> None:
    assert made_of(TextPart(content="a"), TextPart(content="b")) == [
        AssistantMessage(parts=(TextPart(content="ab"),))
    ]
    assert made_of(ReasoningPart(content="hm")) == [AssistantMessage(parts=(TextPart(content=""),))]


def test_each_tool_call_is_a_step() -> None:
    call = ToolCallPart(id="1", name="look", arguments={"at": "x"})
    assert made_of(TextPart(content="I look."), call) == [
        ToolCall(call_id="1", name="look", arguments={"at": "x"})
    ]
    (one,) = made_of(ToolCallPart(name="look"))
    assert isinstance(one, ToolCall)
    assert one.call_id is not None
    assert len(one.call_id) == 32


def test_a_call_whose_arguments_were_no_json() -> None:
    (error,) = made_of(ToolCallPart(id="1", name="look", arguments="{"), bad={"1": "cut"})
    assert error == ParseError(message="the arguments of look are no JSON: cut", call_id="1")


def test_delegation() -> None:
    (step,) = made_of(ToolCallPart(id="1", name="delegate_to_clerk", arguments={"task": "count"}))
    assert step == Delegate(agent="clerk", parts=(TextPart(content="count"),), call_id="1")
    for wrong in ({"task": 5}, {}, None, "count"):
        call = ToolCallPart(id="1", name="delegate_to_clerk", arguments=wrong)
        assert isinstance(made_of(call)[0], ParseError)
    (other,) = made_of(ToolCallPart(id="1", name="delegate_to_nobody", arguments={"task": "x"}))
    assert isinstance(other, ToolCall)


def test_subagents_are_offered_as_tools() -> None:
    (tool,) = bound().tools
    assert (tool.name, tool.description) == ("delegate_to_clerk", "Counts.")
    assert tool.parameters["required"] == ["task"]


@pytest.mark.parametrize("window", [0, -1])
def test_windows_that_are_none(window: int) -> None:
    with pytest.raises(AgentError, match="at least 1 message"):
        ph.ToolCallingNode(window=window)


def conversation() -> ph.Tape:
    """user, assistant with two calls, tool, tool, assistant, user."""
    two = ph.assistant(tuple(ToolCallPart(id=i, name="look") for i in "ab"))
    empty = PromptRecord(items=())

    def call(message: ph.Message) -> Draft:
        by = ph.tape.By("agent", "a", "act", "sha256:" + "0" * 64)
        body = ModelCall(model="m", provider="p", prompt=empty, status="complete", message=message)
        return Draft(body, by=by)

    return ph.Tape.new().append(
        UserMessage(parts=()),
        call(two),
        ToolResult(call_id="a", name="look"),
        ToolResult(call_id="b", name="look"),
        call(ph.assistant("seen")),
        UserMessage(parts=()),
    )


@pytest.mark.parametrize(
    ("window", "roles"),
    [
        (1, ["user"]),
        (2, ["assistant", "user"]),
        (3, ["assistant", "tool", "tool", "assistant", "user"]),
        (4, ["assistant", "tool", "tool", "assistant", "user"]),
        (5, ["assistant", "tool", "tool", "assistant", "user"]),
        (6, ["user", "assistant", "tool", "tool", "assistant", "user"]),
        (99, ["user", "assistant", "tool", "tool", "assistant", "user"]),
    ],
)
def test_a_window_never_cuts_an_answer_from_its_call(window: int, roles: list[str]) -> None:
    node = ph.Agent("a", nodes=[ph.ToolCallingNode(window=window)]).bound().nodes[0]
    tape = conversation()
    prompt = node.make_prompt(View(tape, tape.fold()), ph.NodeContext())
    assert prompt is not None
    assert [message.role for message in prompt] == roles


def test_a_window_on_an_empty_tape() -> None:
    node = ph.Agent("a", nodes=[ph.ToolCallingNode(window=2)]).bound().nodes[0]
    tape = ph.Tape.new()
    prompt = node.make_prompt(View(tape, tape.fold()), ph.NodeContext())
    assert list(prompt or ()) == []
