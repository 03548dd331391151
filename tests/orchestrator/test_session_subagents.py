"""Agents that hand work to other agents."""

from __future__ import annotations

import pytest
from session_kit import Lab, agent_of, bodies, calls, every_crash, kinds

import playhead as ph
from playhead.errors import AgentError, NodeError
from playhead.llm import ModelRequest
from playhead.tape import text_parts
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Delegate,
    Return,
    Stop,
    ToolCall,
    ToolError,
    ToolResult,
)


def ask(agent: str, task: str) -> tuple[str, dict[str, object]]:
    return f"delegate_to_{agent}", {"task": task}


class Watched(ph.ScriptedModel):
    """Says what its script says, and keeps the prompts."""

    def __init__(self, *answers: object) -> None:
        super().__init__(list(answers))
        self.prompts: list[list[ph.Message]] = []

    async def complete(self, request: ModelRequest, on_delta=None):
        self.prompts.append(request.prompt.messages())
        return await super().complete(request, on_delta)


def roles(messages: list[ph.Message]) -> list[str]:
    return [message.role for message in messages]


def answers_in(messages: list[ph.Message]) -> dict[str, object]:
    tools = [message for message in messages if message.role == "tool"]
    return {part.id: part.response for message in tools for part in message.parts}


async def test_delegation_and_return_as_a_tool_answer(lab: Lab) -> None:
    boss_model, helper_model = (
        Watched(calls(ask("clerk", "count them")), "There are 3."),
        Watched("3"),
    )
    clerk = ph.Agent("clerk", model=helper_model, description="Counts.", instructions="Count.")
    boss = ph.Agent("boss", model=boss_model, subagents=[clerk], instructions="Lead.")
    tape = await lab.run(boss, "How many?")
    assert kinds(tape)[3:] == [
        "model_call", "delegate", "model_call", "return", "model_call", "assistant_message",
    ]  # fmt: skip
    delegate, returned = bodies(tape, Delegate)[0], bodies(tape, Return)[0]
    assert (delegate.agent, delegate.text, delegate.call_id) == ("clerk", "count them", "call_1")
    assert (returned.agent, returned.text, returned.call_id) == ("clerk", "3", "call_1")
    assert roles(boss_model.prompts[1]) == ["system", "user", "assistant", "tool"]
    assert boss_model.prompts[1][3].parts[0].response == "3"
    assert [(m.role, m.text) for m in helper_model.prompts[0]] == [
        ("system", "Count."),
        ("user", "count them"),
    ]
    assert tape.answer == "There are 3."


async def test_the_frame_of_a_subagent_is_the_position_of_its_delegate(lab: Lab) -> None:
    clerk = agent_of("3", name="clerk")
    tape = await lab.run(agent_of(calls(ask("clerk", "x")), "ok", subagents=[clerk]))
    assert [step.frame for step in tape][3:] == [0, 0, 4, 0, 0, 0]
    assert list(tape.fold().frames) == [0]


async def test_nested_subagents(lab: Lab) -> None:
    deep = agent_of("found", name="deep")
    middle = agent_of(calls(ask("deep", "dig")), "dug: found", name="middle", subagents=[deep])
    tape = await lab.run(
        agent_of(calls(ask("middle", "go")), "all: dug", name="top", subagents=[middle])
    )
    assert [step.by.name for step in tape if step.kind == "playhead.model_call"] == [
        "top", "middle", "deep", "middle", "top",
    ]  # fmt: skip
    assert tape.answer == "all: dug"


async def test_two_delegations_in_one_completion(lab: Lab) -> None:
    model = Watched(calls(ask("one", "a"), ask("two", "b")), "both")
    subagents = [agent_of("1", name="one"), agent_of("2", name="two")]
    tape = await lab.run(ph.Agent("top", model=model, subagents=subagents))
    answers = {
        part.id: part.response for m in model.prompts[1] if m.role == "tool" for part in m.parts
    }
    assert answers == {"call_1": "1", "call_2": "2"}
    assert tape.answer == "both"


async def test_the_same_subagent_twice_in_one_completion(lab: Lab) -> None:
    model = Watched(calls(ask("one", "a"), ask("one", "b")), "both")
    one = ph.Agent("one", model=ph.ScriptedModel(lambda r: r.prompt.messages()[-1].text.upper()))
    await lab.run(ph.Agent("top", model=model, subagents=[one]))
    answers = {
        part.id: part.response for m in model.prompts[1] if m.role == "tool" for part in m.parts
    }
    assert answers == {"call_1": "A", "call_2": "B"}


async def test_a_tool_and_a_delegation_in_one_completion(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def look() -> str:
        return "seen"

    boss = agent_of(
        calls("look", ask("one", "a"), "look"),
        "done",
        tools=[look],
        subagents=[agent_of("1", name="one")],
    )
    tape = await lab.run(boss)
    assert tape.answer == "done"  # the lab checks that each call was answered once


async def test_a_subagent_with_tools_of_its_own(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def look() -> str:
        return "seen"

    clerk = agent_of(calls("look"), "I saw.", name="clerk", tools=[look])
    tape = await lab.run(agent_of(calls(ask("clerk", "x")), "ok", subagents=[clerk]))
    (call,) = [step for step in tape if step.kind == ToolCall.kind]
    assert call.frame == 4
    assert bodies(tape, ToolResult)[0].result == "seen"


async def test_an_agent_cannot_use_the_tools_of_another(lab: Lab) -> None:
    used: list[int] = []

    @ph.tool(effect="write", thread=False)
    def send() -> str:
        used.append(1)
        return "sent"

    clerk = agent_of(calls("send"), "tried", name="clerk")
    boss = agent_of(calls(ask("clerk", "x")), "ok", tools=[send], subagents=[clerk])
    tape = await lab.run(boss)
    (error,) = bodies(tape, ToolError)
    assert (error.code, used) == ("unknown_tool", [])


async def test_a_tool_may_be_shared(lab: Lab) -> None:
    @ph.tool(effect="read", thread=False)
    def look() -> str:
        return "seen"

    clerk = agent_of(calls("look"), "I saw.", name="clerk", tools=[look])
    boss = agent_of(calls("look", ask("clerk", "x")), "ok", tools=[look], subagents=[clerk])
    tape = await lab.run(boss)
    assert [body.result for body in bodies(tape, ToolResult)] == ["seen", "seen"]


async def test_a_subagent_without_a_model_asks_that_of_the_root(lab: Lab) -> None:
    boss = agent_of(calls(ask("clerk", "x")), "3", "ok", subagents=[ph.Agent("clerk")])
    assert (await lab.run(boss)).answer == "ok"


async def test_a_task_that_is_no_text_is_said_back(lab: Lab) -> None:
    model = Watched(calls(("delegate_to_one", {"work": 1})), "I see")
    tape = await lab.run(ph.Agent("top", model=model, subagents=[agent_of(name="one")]))
    assert "say the task" in str(model.prompts[1][-1].parts[0].response)
    assert tape.answer == "I see"


async def test_an_unknown_delegate_of_the_model_is_an_unknown_tool(lab: Lab) -> None:
    tape = await lab.run(agent_of(calls(ask("nobody", "x")), "I see"))
    assert bodies(tape, ToolError)[0].code == "unknown_tool"
    assert tape.answer == "I see"


class Hand(ph.Node):
    """Delegates to the agent that the model names."""

    def make_prompt(self, view, ctx):
        return ph.Prompt.of(view.messages)

    def generate_steps(self, view, completion, ctx):
        return [Delegate(agent=completion.text, parts=text_parts("go"))]


async def test_an_unknown_delegate_of_a_node_is_an_error_and_can_be_mended(lab: Lab) -> None:
    model = ph.ScriptedModel(["nobody", "ok"])
    broken = ph.Agent("top", model=model, nodes=[Hand("hand"), ph.ToolCallingNode()])
    with pytest.raises(NodeError, match="no agent `nobody`"):
        await lab.run(broken)
    mended = ph.Agent(
        "top",
        model=model,
        nodes=[Hand("hand"), ph.ToolCallingNode()],
        subagents=[agent_of("hi", name="nobody")],
    )
    tape = await lab.resume(await lab.newest(), agent=mended)
    assert tape.answer == "ok"
    assert model.calls == 2


async def test_a_delegation_without_call_is_answered_as_text(lab: Lab) -> None:
    model = Watched("one", "ok")
    nodes = [Hand("hand"), ph.ToolCallingNode()]
    await lab.run(ph.Agent("top", model=model, nodes=nodes, subagents=[agent_of("hi", name="one")]))
    last = model.prompts[1][-1]
    assert (last.role, last.text, last.name) == ("user", "hi", "one")


class SayTwice(ph.Node):
    def generate_steps(self, view, completion, ctx):
        return [AssistantMessage(parts=text_parts("a")), AssistantMessage(parts=text_parts("b"))]


async def test_a_subagent_that_says_two_things_returns_once(lab: Lab) -> None:
    clerk = agent_of(name="clerk", nodes=[SayTwice("x")])
    tape = await lab.run(agent_of(calls(ask("clerk", "x")), "ok", subagents=[clerk]))
    assert [body.text for body in bodies(tape, Return)] == ["ab"]
    assert tape.answer == "ok"


async def test_a_subagent_may_write_its_return_itself(lab: Lab) -> None:
    class Back(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Return(agent="whoever", parts=text_parts("back"))]

    clerk = agent_of(name="clerk", nodes=[Back("x")])
    tape = await lab.run(agent_of(calls(ask("clerk", "x")), "ok", subagents=[clerk]))
    assert [(body.agent, body.text, body.call_id) for body in bodies(tape, Return)] == [
        ("clerk", "back", "call_1")
    ]


async def test_nobody_to_return_to(lab: Lab) -> None:
    class Back(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Return(agent="me", parts=text_parts("back"))]

    lab.not_replayed.update()
    with pytest.raises(NodeError, match="cannot return"):
        await lab.run(agent_of(nodes=[Back("x")]))


async def test_a_subagent_whose_nodes_end_returns_what_was_said_last(lab: Lab) -> None:
    clerk = agent_of(name="clerk", nodes=[ph.Node("nothing")])
    tape = await lab.run(agent_of(calls(ask("clerk", "echo me")), "ok", subagents=[clerk]))
    assert bodies(tape, Return)[0].text == "echo me"


async def test_a_stop_in_a_subagent_stops_all_and_a_person_finds_the_boss_again(lab: Lab) -> None:
    class End(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Stop(reason="enough")]

    clerk = agent_of(name="clerk", nodes=[End("end")])
    deep = agent_of(calls(ask("clerk", "y")), name="deep", subagents=[clerk])
    boss = agent_of(calls(ask("deep", "x")), "Back with me.", subagents=[deep])
    tape = await lab.run(boss)
    assert tape.status == "stopped"
    tape = await lab.run(boss, "hello?", tape=tape)
    assert [body.text for body in bodies(tape, Return)] == ["it was stopped"] * 2
    assert tape.answer == "Back with me."


async def test_something_said_before_delegating_does_not_end_the_run(lab: Lab) -> None:
    class SayAndHand(ph.Node):
        def generate_steps(self, view, completion, ctx):
            said = AssistantMessage(parts=text_parts("I will ask."))
            return [said, Delegate(agent="clerk", parts=text_parts("x"))]

    clerk = agent_of("3", name="clerk")
    boss = agent_of("got it", nodes=[SayAndHand("x"), ph.ToolCallingNode()], subagents=[clerk])
    tape = await lab.run(boss)
    assert [body.text for body in bodies(tape, Return)] == ["3"]


async def test_a_broadcast_reaches_the_other_frames(lab: Lab) -> None:
    class Shout(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Broadcast(agent="clerk", parts=text_parts("fire!"))]

    clerk = agent_of(name="clerk", nodes=[Shout("shout")])
    model = Watched("clerk", "ok")
    boss = ph.Agent(
        "top", model=model, nodes=[Hand("hand"), ph.ToolCallingNode()], subagents=[clerk]
    )
    await lab.run(boss)
    assert [m.text for m in model.prompts[1] if m.name == "clerk"] == ["fire!", "go"]


async def test_a_session_that_crashes_in_a_subagent_goes_on_there(lab: Lab) -> None:
    def team() -> ph.Agent:
        clerk = ph.Agent("clerk", model=ph.ScriptedModel(lambda r: "3"))

        def lead(request: ModelRequest) -> object:
            asked = any(m.role == "assistant" for m in request.prompt)
            return "ok: 3" if asked else calls(ask("clerk", "count"))

        return ph.Agent("boss", model=ph.ScriptedModel(lead), subagents=[clerk])

    async for tape, where in every_crash(lab, team):
        tape = await lab.resume(tape, agent=team())
        assert tape.answer == "ok: 3", where
        assert len(bodies(tape, Return)) == 1, where


async def test_two_agents_of_one_name_are_refused() -> None:
    with pytest.raises(AgentError, match="two agents"):
        ph.Agent("a", subagents=[ph.Agent("b"), ph.Agent("b")])


async def test_one_agent_may_serve_two_others(lab: Lab) -> None:
    shared = ph.Agent("shared", model=ph.ScriptedModel(lambda r: "s"))
    left = agent_of(calls(ask("shared", "a")), "left", name="left", subagents=[shared])
    right = agent_of(calls(ask("shared", "b")), "right", name="right", subagents=[shared])
    top = agent_of(
        calls(ask("left", "l"), ask("right", "r")), "both", name="top", subagents=[left, right]
    )
    assert (await lab.run(top)).answer == "both"
