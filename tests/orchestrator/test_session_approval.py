"""Actions that wait for somebody's word."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import Lab, Ledger, agent_of, bodies, calls, kinds, open_call

import playhead as ph
from playhead.errors import BodyError, RunError
from playhead.tape import digest
from playhead.tape.kinds import (
    Decision,
    DecisionRequest,
    Pause,
    ToolCall,
    ToolError,
    ToolResult,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def sender(ledger: Ledger, effect: str = "irreversible", *answers: object) -> ph.Agent:
    said = answers or (calls(("act", {"what": "mail"})), "done")
    return agent_of(*said, tools=[ledger.tool(effect)])


async def waiting(lab: Lab, agent: ph.Agent, **options: Any) -> ph.Tape:
    tape = await lab.run(agent, approval=ph.Approval(), **options)
    assert tape.status == "waiting"
    return tape


async def test_an_irreversible_action_waits_and_is_done_once_approved(
    lab: Lab, ledger: Ledger
) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    assert kinds(tape)[-3:] == ["tool_call", "decision_request", "pause"]
    assert ledger.done == []
    (request,) = bodies(tape, DecisionRequest)
    bound = digest({"name": "act", "arguments": {"what": "mail"}})
    assert (request.why, request.arguments_digest) == ("approval", bound)
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert [what for _, what in ledger.done] == ["mail"]
    assert tape.answer == "done"


@pytest.mark.parametrize("effect", ["read", "idempotent", "write"])
async def test_other_effects_do_not_wait_by_default(lab: Lab, ledger: Ledger, effect: str) -> None:
    tape = await lab.run(sender(ledger, effect), approval=ph.Approval())
    assert tape.answer == "done"


@pytest.mark.parametrize(
    "policy", [ph.Approval(effects=("write",)), ph.Approval(effects=(), tools=["act"])]
)
async def test_policies_by_effect_and_by_tool(
    lab: Lab, ledger: Ledger, policy: ph.Approval
) -> None:
    tape = await lab.run(sender(ledger, "write"), approval=policy)
    assert (tape.status, ledger.done) == ("waiting", [])


async def test_denied(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    verdict = ph.Verdict("deny", message="not today", by="ana")
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): verdict})
    (error,) = bodies(tape, ToolError)
    assert (error.code, error.message, ledger.done) == ("denied", "not today", [])
    decided = next(step for step in tape if step.kind == Decision.kind)
    assert (decided.by.type, decided.by.name) == ("person", "ana")
    assert tape.answer == "done"


async def test_edited(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    verdict = ph.Verdict("edit", arguments={"what": "letter"})
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): verdict})
    assert [what for _, what in ledger.done] == ["letter"]
    assert bodies(tape, ToolCall)[0].arguments == {"what": "mail"}
    assert bodies(tape, Decision)[0].arguments == {"what": "letter"}


async def test_edited_to_what_does_not_fit(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    verdict = ph.Verdict("edit", arguments={"when": "now"})
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): verdict})
    assert bodies(tape, ToolError)[0].code == "bad_arguments"


async def _later(verdict: Any) -> Any:
    return verdict


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("approve", None),
        ("deny", "denied"),
        (ph.Verdict("approve", by="bo"), None),
        (ph.Verdict("edit", arguments={"what": "x"}), None),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_somebody_is_asked_at_once(
    lab: Lab, ledger: Ledger, said: Any, code: str | None, is_async: bool
) -> None:
    asked: list[ToolCall] = []

    def decide(call: ToolCall) -> Any:
        asked.append(call)
        return _later(said) if is_async else said

    tape = await lab.run(sender(ledger), approval=ph.Approval(decide=decide))
    assert [call.name for call in asked] == ["act"]
    assert [error.code for error in bodies(tape, ToolError)] == ([code] if code else [])
    assert len(bodies(tape, Decision)) == 1
    assert tape.answer == "done"


async def test_nobody_there_to_be_asked(lab: Lab, ledger: Ledger) -> None:
    tape = await lab.run(sender(ledger), approval=ph.Approval(decide=lambda call: None))
    assert tape.status == "waiting"


@pytest.mark.parametrize(
    "decide",
    [
        lambda call: 1 / 0,
        lambda call: True,
        lambda call: "maybe",
        lambda call: "redo",
        lambda call: ph.Verdict("edit"),
    ],
    ids=["raises", "true", "maybe", "redo", "edit without arguments"],
)
async def test_decisions_that_are_none(lab: Lab, ledger: Ledger, decide: Any) -> None:
    agent = sender(ledger)
    with pytest.raises(RunError):
        await lab.run(agent, approval=ph.Approval(decide=decide))
    tape = await lab.newest()
    assert (tape.status, ledger.done) == ("waiting", [])
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert tape.answer == "done"


@pytest.mark.parametrize(
    "decision",
    ["redo", "skip", "nonsense", 5, ph.Verdict("result", result=1), ph.Verdict("edit")],
)
async def test_a_decision_that_does_not_fit_writes_nothing(
    lab: Lab, ledger: Ledger, decision: Any
) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    with pytest.raises(RunError):
        await lab.resume(tape, agent=agent, decisions={open_call(tape): decision})
    assert (await lab.store.open(tape.id)).head == tape.head


async def test_a_decision_about_nothing_writes_nothing(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    with pytest.raises(RunError, match="no action `other` waits"):
        await lab.resume(tape, agent=agent, decisions={"other": "approve"})
    assert (await lab.store.open(tape.id)).head == tape.head
    done = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    with pytest.raises(RunError, match="waiting: none"):
        await lab.resume(done, agent=agent, decisions={open_call(tape): "approve"})


async def test_arguments_of_an_edit_that_cannot_be_written(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    verdict = ph.Verdict("edit", arguments={"what": float("nan")})
    with pytest.raises(BodyError):
        await lab.resume(tape, agent=agent, decisions={open_call(tape): verdict})
    tape = await lab.resume(tape.id, agent=agent, decisions={open_call(tape): "approve"})
    assert tape.answer == "done"


async def test_resuming_without_a_decision_waits_on(lab: Lab, ledger: Ledger) -> None:
    agent = sender(ledger)
    tape = await waiting(lab, agent)
    tape = await lab.resume(tape, agent=agent, approval=ph.Approval())
    tape = await lab.resume(tape, agent=agent)  # not even without a policy
    assert (tape.status, ledger.done) == ("waiting", [])
    assert len(bodies(tape, DecisionRequest)) == 1


async def test_of_parallel_calls_only_those_that_must_wait_do(lab: Lab, ledger: Ledger) -> None:
    look = ledger.tool("read", name="look")
    agent = agent_of(
        calls(("look", {"what": "a"}), ("act", {"what": "b"}), ("look", {"what": "c"})),
        "done",
        tools=[look, ledger.tool("irreversible")],
    )
    tape = await waiting(lab, agent)
    assert sorted(what for _, what in ledger.done) == ["a", "c"]
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert [what for _, what in ledger.done][2:] == ["b"]
    assert len(bodies(tape, ToolResult)) == 3


async def test_two_that_wait_are_decided_one_by_one(lab: Lab, ledger: Ledger) -> None:
    agent = sender(
        ledger, "irreversible", calls(("act", {"what": "a"}), ("act", {"what": "b"})), "done"
    )
    tape = await waiting(lab, agent)
    first, second = tape.fold().open
    tape = await lab.resume(tape, agent=agent, decisions={second: "approve"})
    assert (tape.status, [what for _, what in ledger.done]) == ("waiting", ["b"])
    tape = await lab.resume(tape, agent=agent, decisions={first: "deny"})
    assert tape.answer == "done"
    assert [what for _, what in ledger.done] == ["b"]


async def test_numbers_that_have_no_canonical_form_can_be_approved(
    lab: Lab, ledger: Ledger
) -> None:
    @ph.tool(effect="irreversible", thread=False)
    def act(number: int) -> str:
        return str(number)

    agent = agent_of(calls(("act", {"number": 2**70})), "done", tools=[act])
    tape = await waiting(lab, agent)
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert bodies(tape, ToolResult)[0].result == str(2**70)


async def test_a_pause_for_a_decision_says_so(lab: Lab, ledger: Ledger) -> None:
    tape = await waiting(lab, sender(ledger))
    assert bodies(tape, Pause)[0].reason == "decision"


async def test_an_effect_that_became_stricter_since_is_asked_about(
    lab: Lab, ledger: Ledger
) -> None:
    agent = sender(ledger, "read")
    tape = await lab.run(agent, budget=ph.Budget(model_calls=1))
    stricter = sender(ledger, "irreversible", "done")
    lab.agents.clear()
    tape = await lab.resume(tape, agent=stricter, approval=ph.Approval())
    assert (tape.status, ledger.done) == ("waiting", [])
    lab.agents.clear()
