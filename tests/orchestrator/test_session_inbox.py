"""What others post to a tape becomes steps, at the moments when it fits."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import (
    Lab,
    Ledger,
    agent_of,
    bodies,
    by_history,
    calls,
    crashed,
    kinds,
    open_call,
)

import playhead as ph
from playhead.llm import ModelRequest
from playhead.tape.kinds import (
    AssistantMessage,
    Decision,
    Delegate,
    Return,
    Run,
    Stop,
    ToolCall,
    UserMessage,
)


def said(tape: ph.Tape) -> list[str]:
    return [body.text for body in bodies(tape, UserMessage)]


async def test_a_message_to_a_tape_at_rest(lab: Lab) -> None:
    agent = agent_of("one", "two")
    tape = await lab.run(agent)
    await lab.store.post(tape.id, {"message": "and now?"})
    tape = await lab.resume(tape, agent=agent)
    assert (said(tape), tape.answer) == (["Go.", "and now?"], "two")
    assert await lab.store.inbox(tape.id) == []
    assert tape[-3].by.type == "person"


async def test_a_message_while_the_model_thinks_is_heard_before_the_run_ends(lab: Lab) -> None:
    async def script(request: ModelRequest) -> str:
        messages = request.prompt.messages()
        if len(messages) == 1:
            tape = await lab.newest()
            await lab.store.post(tape.id, {"message": "one more thing"})
        return f"answer {len(messages)}"

    tape = await lab.run(ph.Agent("a", model=ph.ScriptedModel(script)))
    assert said(tape) == ["Go.", "one more thing"]
    assert tape.answer == "answer 3"


async def test_a_message_waits_until_a_tool_has_answered(lab: Lab) -> None:
    @ph.tool(effect="read")
    async def look(context: ph.ToolContext) -> str:
        await lab.store.post(context.tape, {"message": "hurry"})
        return "seen"

    tape = await lab.run(agent_of(calls("look"), "ok", "I hurry", tools=[look]))
    after = kinds(tape)[kinds(tape).index("tool_call") :]
    assert after.index("tool_result") < after.index("user_message")
    assert said(tape) == ["Go.", "hurry"]


async def test_a_message_waits_until_a_subagent_has_returned(lab: Lab) -> None:
    async def inner(request: ModelRequest) -> object:
        tape = await lab.newest()
        await lab.store.post(tape.id, {"message": "boss?"})
        return "inner"

    clerk = ph.Agent("clerk", model=ph.ScriptedModel(inner))
    boss = agent_of(calls(("delegate_to_clerk", {"task": "x"})), "ok", "yes?", subagents=[clerk])
    tape = await lab.run(boss)
    assert said(tape) == ["Go.", "boss?"]
    found = kinds(tape)
    assert found.index("delegate") < found.index("return") < found.index("user_message", 3)


async def test_messages_are_heard_in_their_order(lab: Lab) -> None:
    agent = agent_of("1", "2", "3", "4")
    tape = await lab.run(agent)
    for text in ("a", "b", "c"):
        await lab.store.post(tape.id, {"message": text})
    tape = await lab.resume(tape, agent=agent)
    assert said(tape) == ["Go.", "a", "b", "c"]


async def test_a_message_to_a_stopped_tape(lab: Lab) -> None:
    class End(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Stop(reason="end")]

    agent = agent_of("hello again", nodes=[End("end"), ph.ToolCallingNode()])
    tape = await lab.run(agent)
    await lab.store.post(tape.id, {"message": "wait!"})
    tape = await lab.resume(tape, agent=agent)
    assert tape.answer == "hello again"


async def test_a_decision_comes_through_the_inbox(lab: Lab) -> None:
    ledger = Ledger()
    agent = agent_of(calls(("act", {"what": "x"})), "ok", tools=[ledger.tool("irreversible")])
    tape = await lab.run(agent, approval=ph.Approval())
    decision = {"action": open_call(tape), "decision": "approve", "by": "ana", "why": "fine"}
    await lab.store.post(tape.id, decision)
    tape = await lab.resume(tape, agent=agent)
    assert (tape.answer, len(ledger.done)) == ("ok", 1)
    step = next(step for step in tape if step.kind == Decision.kind)
    assert (step.by.name, step.body.message) == ("ana", "fine")
    assert await lab.store.inbox(tape.id) == []


async def test_a_decision_that_is_posted_while_the_run_waits(lab: Lab) -> None:
    """The owner looks once more before it gives up waiting."""
    ledger = Ledger()

    def watch(event: Any) -> None:
        pass

    async def decide(call: ToolCall) -> None:
        tape = await lab.newest()
        await lab.store.post(tape.id, {"action": open_call(tape), "decision": "deny"})

    agent = agent_of(calls(("act", {"what": "x"})), "ok", tools=[ledger.tool("irreversible")])
    tape = await lab.run(agent, approval=ph.Approval(decide=decide), on_event=watch)
    assert (tape.answer, ledger.done) == ("ok", [])


@pytest.mark.parametrize(
    "content",
    [
        5,
        "text",
        {},
        {"message": 5},
        {"message": "x", "more": 1},
        {"action": "nobody", "decision": "approve"},
        {"action": "nobody", "decision": "maybe"},
        {"decision": "approve"},
        {"parts": [{"type": "text"}]},
    ],
)
async def test_what_does_not_fit_stays_in_the_inbox(lab: Lab, content: Any) -> None:
    agent = agent_of("one", "two")
    tape = await lab.run(agent)
    await lab.store.post(tape.id, content)
    again = await lab.resume(tape, agent=agent)
    assert again.head == tape.head  # nothing to do, so nothing is written
    again = await lab.run(agent, "more", tape=tape)
    assert again.answer == "two"
    assert [message.content for message in await lab.store.inbox(tape.id)] == [content]


async def test_what_a_person_says_between_a_call_and_its_answer_waits(lab: Lab) -> None:
    ledger = Ledger()

    def make() -> ph.Agent:
        model = by_history(calls(("act", {"what": "x"})), "ok", "and yes")
        return ph.Agent("a", model=model, tools=[ledger.tool("read")])

    tape = await crashed(lab, make(), at=3, written=False)
    tape = await lab.run(make(), "are you there?", tape=tape)
    assert said(tape) == ["Go.", "are you there?"]
    assert tape.answer == "and yes"
    assert kinds(tape).index("tool_result") < kinds(tape).index("user_message", 3)


async def test_what_a_person_says_while_an_action_waits_is_kept(lab: Lab) -> None:
    ledger = Ledger()
    agent = agent_of(
        calls(("act", {"what": "x"})), "ok", "later", tools=[ledger.tool("irreversible")]
    )
    tape = await lab.run(agent, approval=ph.Approval())
    tape = await lab.run(agent, "never mind", tape=tape)
    assert tape.status == "waiting"
    assert len(await lab.store.inbox(tape.id)) == 1
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "deny"})
    assert (said(tape), tape.answer) == (["Go.", "never mind"], "later")


async def test_what_a_person_says_in_parts_keeps_its_parts(lab: Lab) -> None:
    from playhead.tape import BlobPart, TextPart

    ledger = Ledger()
    parts = (
        TextPart(content=r"\ud83d", escaped=True),
        BlobPart(media_type="image/png", size=1, address="0" * 64),
    )
    agent = agent_of(
        calls(("act", {"what": "x"})), "ok", "later", tools=[ledger.tool("irreversible")]
    )
    tape = await lab.run(agent, approval=ph.Approval())
    await lab.run(agent, parts[:1], tape=tape)
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert bodies(tape, UserMessage)[-1].parts == parts[:1]


async def test_what_a_person_says_after_a_completion_that_was_not_parsed(lab: Lab) -> None:
    class Parse(ph.ToolCallingNode):
        broken = True

        def generate_steps(self, view, completion, ctx):
            if self.broken:
                raise ValueError("not yet")
            return super().generate_steps(view, completion, ctx)

    agent = agent_of("one", "two", nodes=[Parse()])
    with pytest.raises(ph.PlayheadError):
        await lab.run(agent)
    Parse.broken = False
    tape = await lab.run(agent, "more", tape=await lab.newest())
    assert kinds(tape)[-4:] == [
        "assistant_message", "user_message", "model_call", "assistant_message",
    ]  # fmt: skip
    assert [body.text for body in bodies(tape, AssistantMessage)] == ["one", "two"]


async def test_what_a_person_says_after_a_crash_within_a_subagent(lab: Lab) -> None:
    def team() -> ph.Agent:
        clerk = ph.Agent("clerk", model=by_history("counted"))
        model = by_history(calls(("delegate_to_clerk", {"task": "x"})), "ok", "yes")
        return ph.Agent("boss", model=model, subagents=[clerk])

    tape = await crashed(lab, team(), at=2, written=True)
    assert bodies(tape, Delegate)
    tape = await lab.run(team(), "hello?", tape=tape)
    assert [body.text for body in bodies(tape, Return)] == ["counted"]
    assert tape.answer == "yes"
    assert len(bodies(tape, Run)) == 2
