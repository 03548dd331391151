"""A crash between an action and its observation: nobody knows whether it happened."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from session_kit import (
    Crash,
    CrashingStore,
    Lab,
    Ledger,
    bodies,
    by_history,
    calls,
    crashed,
    every_crash,
    kinds,
    open_call,
)

import playhead as ph
from playhead.tape.kinds import (
    Decision,
    DecisionRequest,
    ToolCall,
    ToolError,
    ToolResult,
)

ANSWER = 3  # the append of the tool's answer: after that of the start and that of the call


def actor(ledger: Ledger, effect: str) -> ph.Agent:
    return ph.Agent(
        "actor",
        model=by_history(calls(("act", {"what": "it"})), "done"),
        tools=[ledger.tool(effect)],
    )


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


async def interrupted(lab: Lab, ledger: Ledger, effect: str, **options: Any) -> ph.Tape:
    """A tape whose tool ran and whose session ended before the answer was stored."""
    tape = await crashed(lab, actor(ledger, effect), at=ANSWER, written=False, **options)
    assert kinds(tape)[-1] == "tool_call"
    assert len(ledger.done) == 1
    return tape


@pytest.mark.parametrize("effect", ["read", "idempotent"])
async def test_what_may_be_repeated_runs_again_with_the_same_key(
    lab: Lab, ledger: Ledger, effect: str
) -> None:
    tape = await interrupted(lab, ledger, effect)
    tape = await lab.resume(tape, agent=actor(ledger, effect))
    assert tape.answer == "done"
    assert ledger.keys == [ledger.keys[0]] * 2


@pytest.mark.parametrize("effect", ["write", "irreversible"])
async def test_what_may_not_be_repeated_is_asked_about(
    lab: Lab, ledger: Ledger, effect: str
) -> None:
    tape = await interrupted(lab, ledger, effect)
    tape = await lab.resume(tape, agent=actor(ledger, effect))
    assert (tape.status, len(ledger.done)) == ("waiting", 1)
    assert bodies(tape, DecisionRequest)[0].why == "unknown_outcome"


async def test_redo(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    decisions = {open_call(tape): "redo"}
    tape = await lab.resume(tape, agent=actor(ledger, "write"), decisions=decisions)  # type: ignore[arg-type]
    assert tape.answer == "done"
    assert ledger.keys == [ledger.keys[0]] * 2


async def test_skip(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    decisions = {open_call(tape): "skip"}
    tape = await lab.resume(tape, agent=actor(ledger, "write"), decisions=decisions)  # type: ignore[arg-type]
    (error,) = bodies(tape, ToolError)
    assert (error.code, len(ledger.done), tape.answer) == ("skipped", 1, "done")


async def test_the_result_is_known(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    verdict = ph.Verdict("result", result={"sent": True})
    agent = actor(ledger, "write")
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): verdict})
    assert bodies(tape, ToolResult)[0].result == {"sent": True}
    assert len(ledger.done) == 1


@pytest.mark.parametrize("decision", ["approve", "deny", ph.Verdict("edit", arguments={})])
async def test_the_words_of_an_approval_do_not_fit(lab: Lab, ledger: Ledger, decision: Any) -> None:
    tape = await interrupted(lab, ledger, "write")
    with pytest.raises(ph.PlayheadError, match="unknown_outcome"):
        await lab.resume(tape, agent=actor(ledger, "write"), decisions={open_call(tape): decision})
    assert (await lab.store.open(tape.id)).head == tape.head


async def test_a_crash_after_redo_asks_again(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    action = open_call(tape)
    store = CrashingStore(lab.store, at=3, written=False)  # the note, the decision, the answer
    with pytest.raises(Crash):
        await ph.resume(tape, agent=actor(ledger, "write"), decisions={action: "redo"}, store=store)  # type: ignore[arg-type]
    assert len(ledger.done) == 2
    tape = await lab.resume(tape.id, agent=actor(ledger, "write"))
    assert (tape.status, len(ledger.done)) == ("waiting", 2)
    assert len(bodies(tape, DecisionRequest)) == 2
    tape = await lab.resume(tape, agent=actor(ledger, "write"), decisions={action: "skip"})
    assert (tape.answer, len(ledger.done)) == ("done", 2)


async def test_a_pause_after_redo_does_not_ask_again(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    action, agent = open_call(tape), actor(ledger, "write")
    tape = await lab.resume(
        tape, agent=agent, decisions={action: "redo"}, budget=ph.Budget(seconds=0)
    )
    assert (tape.status, len(ledger.done)) == ("paused", 1)
    tape = await lab.resume(tape, agent=agent)
    assert (tape.answer, len(ledger.done)) == ("done", 2)
    assert len(bodies(tape, DecisionRequest)) == 1


async def test_an_edit_is_honoured_when_it_is_redone(lab: Lab, ledger: Ledger) -> None:
    """Arguments that a person refused are never used."""
    agent = actor(ledger, "irreversible")
    edit = ph.Verdict("edit", arguments={"what": "better"})
    policy = ph.Approval(decide=lambda call: edit)
    tape = await crashed(lab, agent, at=5, written=False, approval=policy)
    assert [what for _, what in ledger.done] == ["better"]
    action = open_call(tape)
    tape = await lab.resume(tape, agent=agent, decisions={action: "redo"}, approval=policy)
    assert [what for _, what in ledger.done] == ["better", "better"]


async def test_a_crash_after_approval_asks_whether_it_happened(lab: Lab, ledger: Ledger) -> None:
    agent = actor(ledger, "irreversible")
    policy = ph.Approval(decide=lambda call: "approve")
    tape = await crashed(lab, agent, at=5, written=False, approval=policy)
    tape = await lab.resume(tape, agent=agent, approval=policy)
    assert (tape.status, len(ledger.done)) == ("waiting", 1)
    assert [r.why for r in bodies(tape, DecisionRequest)] == ["approval", "unknown_outcome"]


async def test_a_crash_after_denial_asks_nothing(lab: Lab, ledger: Ledger) -> None:
    agent = actor(ledger, "irreversible")
    policy = ph.Approval(decide=lambda call: "deny")
    tape = await crashed(lab, agent, at=4, written=True, approval=policy)
    assert kinds(tape)[-1] == "decision"
    tape = await lab.resume(tape, agent=agent)
    assert (tape.answer, ledger.done) == ("done", [])


async def test_a_tool_that_is_gone_is_still_asked_about(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "write")
    without = ph.Agent("actor", model=by_history(None, "done"))
    lab.agents.clear()
    tape = await lab.resume(tape, agent=without)
    assert tape.status == "waiting"
    lab.agents.clear()


async def test_an_effect_that_became_stricter_counts(lab: Lab, ledger: Ledger) -> None:
    tape = await interrupted(lab, ledger, "idempotent")
    lab.not_replayed.add(tape.id)
    tape = await lab.resume(tape, agent=actor(ledger, "write"))
    assert (tape.status, len(ledger.done)) == ("waiting", 1)


async def test_an_action_of_ones_own_is_asked_about_unless_its_effect_is_declared(
    lab: Lab,
) -> None:
    class Ring(ph.Action, kind="test.ring"):
        bell: int

    class Rang(ph.Observation, kind="test.rang"):
        times: int

    class Play(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Ring(bell=1)]

    rung: list[int] = []

    class Bells(ph.Environment):
        effect = None

        def effect_of(self, name):
            return self.effect

        async def answer(self, action, context):
            if not isinstance(action, Ring):
                return None
            rung.append(action.bell)
            return Rang(times=len(rung))

    agent = ph.Agent("a", model=by_history("ok"), nodes=[Play("play"), ph.ToolCallingNode()])
    tape = await crashed(lab, agent, at=3, written=False, environment=Bells())
    tape = await lab.resume(tape, agent=agent, environment=Bells())
    assert (tape.status, rung) == ("waiting", [1])
    (action,) = tape.fold().open
    tape = await lab.resume(tape, agent=agent, environment=Bells(), decisions={action: "redo"})
    assert (tape.answer, rung) == ("ok", [1, 1])

    Bells.effect = "idempotent"
    tape = await crashed(lab, agent, at=3, written=False, environment=Bells())
    tape = await lab.resume(tape, agent=agent, environment=Bells())
    assert (tape.answer, rung) == ("ok", [1] * 4)


@pytest.mark.parametrize("decision", ["skip", ph.Verdict("result", result="rang once")])
async def test_an_action_of_ones_own_can_be_settled(lab: Lab, decision: Any) -> None:
    class Ring(ph.Action, kind="test.ring"):
        bell: int

    class Play(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Ring(bell=1)]

    class Bells(ph.Environment):
        async def answer(self, action, context):
            return ToolResult(name="x", result=1) if isinstance(action, Ring) else None

    agent = ph.Agent("a", model=by_history("ok"), nodes=[Play("play"), ph.ToolCallingNode()])
    tape = await crashed(lab, agent, at=3, written=False, environment=Bells())
    (action,) = tape.fold().open
    lab.not_replayed.add(tape.id)
    tape = await lab.resume(tape, agent=agent, environment=Bells(), decisions={action: decision})
    assert tape.answer == "ok"


async def test_every_crash_of_a_session_with_effects(quick_lab: Lab) -> None:
    """Wherever it ends: nothing finished is repeated, and only what is unknown is asked about."""
    lab, ledger = quick_lab, Ledger()

    def make() -> ph.Agent:
        first = calls(("act", {"what": "a"}), ("act", {"what": "b"}))
        second = calls(("act", {"what": "c"}), first=3)
        return ph.Agent("a", model=by_history(first, second, "done"), tools=[ledger.tool("write")])

    asked = 0
    async for tape, where in every_crash(lab, make):
        tape = await lab.resume(tape, agent=make())
        while tape.status == "waiting":
            asked += 1
            done = set(ledger.keys)
            waiting = [a.id for a in tape.fold().open.values() if a.request and not a.decision]
            said = {action: "skip" if action in done else "redo" for action in waiting}
            tape = await lab.resume(tape, agent=make(), decisions=said)  # type: ignore[arg-type]
        assert tape.answer == "done", where
        mine = [step.id for step in tape if step.kind == ToolCall.kind]
        assert [ledger.keys.count(key) for key in mine] == [1, 1, 1], where
        assert len(bodies(tape, Decision)) == len(bodies(tape, DecisionRequest)), where
    assert asked > 4


async def test_a_session_that_crashes_while_it_resumes(quick_lab: Lab) -> None:
    lab = quick_lab
    for at in range(1, 8):
        for written in (False, True):
            ledger = Ledger()
            tape = await interrupted(lab, ledger, "write")
            action = open_call(tape)
            store = CrashingStore(lab.store, at=at, written=written)
            with contextlib.suppress(Crash):
                await ph.resume(
                    tape, agent=actor(ledger, "write"), decisions={action: "redo"}, store=store
                )  # type: ignore[arg-type]
            tape = await lab.resume(tape.id, agent=actor(ledger, "write"))
            if tape.status == "waiting":
                tape = await lab.resume(
                    tape, agent=actor(ledger, "write"), decisions={action: "skip"}
                )
            assert tape.answer == "done"
            assert len(ledger.done) <= 2
