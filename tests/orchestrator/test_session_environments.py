"""Environments whose state is ours: rebuilt, or restored from snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from session_kit import (
    Crash,
    CrashingStore,
    Lab,
    bodies,
    by_history,
    calls,
    every_crash,
    kinds,
    open_call,
)

import playhead as ph
from playhead.errors import AgentError, RunError
from playhead.tape import Json
from playhead.tape.kinds import Decision, DecisionRequest, Snapshot, ToolCall, ToolError, ToolResult


class Shop(ph.Environment):
    """A box of things. What it holds is its state."""

    def __init__(self, contract: Any = "rebuildable") -> None:
        self.state_contract = contract
        self.things: list[str] = ["of an earlier task"]
        self.tasks: list[str | None] = []
        self._toolbox = ph.Toolbox([self._put(), self._count()])

    def _put(self) -> Any:
        @ph.tool(effect="write", name="put", thread=False)
        def put(thing: str) -> str:
            if thing == "bomb":
                raise ValueError("no bombs")
            self.things.append(thing)
            return f"{len(self.things)} things"

        return put

    def _count(self) -> Any:
        @ph.tool(effect="read", name="count", thread=False)
        def count() -> dict[str, int]:
            return {"things": len(self.things)}

        return count

    def tools(self):
        return self._toolbox.tools()

    async def reset(self, task: str | None = None) -> None:
        self.things = []
        self.tasks.append(task)

    async def snapshot(self) -> Json:
        return list(self.things)

    async def restore(self, state: Json) -> None:
        assert isinstance(state, list)
        self.things = [str(thing) for thing in state]


def put(*things: str, first: int = 1) -> ph.Message:
    return calls(*[("put", {"thing": thing}) for thing in things], first=first)


def buyer() -> ph.Agent:
    model = by_history(put("a", "b"), put("bomb", first=3), calls("count", first=4), "done", "more")
    return ph.Agent("buyer", model=model)


async def test_a_task_begins_in_a_clean_state(lab: Lab) -> None:
    shop = Shop()
    await lab.run(buyer(), "buy things", environment=shop)
    assert (shop.things, shop.tasks) == (["a", "b"], ["buy things"])


async def test_an_external_environment_is_never_reset(lab: Lab) -> None:
    shop = Shop("external")
    tape = await lab.run(buyer(), environment=shop)
    await lab.run(buyer(), "again", tape=tape, environment=shop)
    assert (shop.things, shop.tasks) == (["of an earlier task", "a", "b"], [])


@pytest.mark.parametrize("contract", ["rebuildable", "snapshot"])
async def test_a_conversation_goes_on_in_the_same_state(lab: Lab, contract: str) -> None:
    tape = await lab.run(buyer(), "buy", environment=Shop(contract))
    other = Shop(contract)
    tape = await lab.run(buyer(), "and?", tape=tape, environment=other)
    assert other.things == ["a", "b"]
    assert tape.answer == "more"
    assert other.tasks == ["buy"]


@pytest.mark.parametrize("contract", ["rebuildable", "snapshot"])
async def test_wherever_a_session_ends_its_environment_comes_back(
    quick_lab: Lab, contract: str
) -> None:
    """Writes are not asked about: the state is made again without the one that was interrupted."""
    lab = quick_lab
    resumed = 0
    async for tape, where in every_crash(lab, buyer, environment=Shop(contract)):
        shop = Shop(contract)
        tape = await lab.resume(tape, agent=buyer(), environment=shop)
        assert tape.answer == "done", where
        assert shop.things == ["a", "b"], where
        assert bodies(tape, DecisionRequest) == []
        assert bodies(tape, ToolResult)[-1].result == {"things": 2}
        resumed += 1
    assert resumed > 10


async def test_snapshots_are_saved_and_nothing_before_them_is_done_again(lab: Lab) -> None:
    tape = await lab.run(buyer(), environment=Shop("snapshot"))
    (saved,) = bodies(tape, Snapshot)
    assert saved.state == [["a", "b"]]
    put_again: list[str] = []

    class Watching(Shop):
        async def answer(self, action: Any, context: Any) -> Any:
            put_again.append(action.kind)
            return await super().answer(action, context)

    shop = Watching("snapshot")
    tape = await lab.run(buyer(), "more", tape=tape, environment=shop)
    assert shop.things == ["a", "b"]
    assert [kind for kind in put_again if kind == ToolCall.kind] == []


async def test_a_pause_saves_a_snapshot_too(lab: Lab) -> None:
    agent = buyer()
    tape = await lab.run(agent, environment=Shop("snapshot"), budget=ph.Budget(model_calls=2))
    assert kinds(tape)[-2:] == ["pause", "snapshot"]
    assert tape.status == "paused"
    shop = Shop("snapshot")
    tape = await lab.resume(tape, agent=agent, environment=shop)
    assert (tape.answer, shop.things) == ("done", ["a", "b"])


async def test_an_environment_that_answers_otherwise_now_is_refused(lab: Lab) -> None:
    class Other(Shop):
        async def reset(self, task: str | None = None) -> None:
            await super().reset(task)
            self.things = ["surprise"]

    tape = await lab.run(buyer(), environment=Shop())
    with pytest.raises(RunError, match="'1 things' when it was recorded, now '2 things'") as caught:
        await lab.run(buyer(), "more", tape=tape, environment=Other())
    assert caught.value.seq == 4
    assert (await lab.store.open(tape.id)).head == tape.head


@pytest.mark.parametrize("method", ["reset", "snapshot", "restore", "answer"])
async def test_an_environment_that_raises(lab: Lab, method: str) -> None:
    tape = await lab.run(buyer(), environment=Shop("snapshot"))

    async def broken(*given: object) -> None:
        raise OSError("gone")

    shop = Shop("rebuildable" if method == "answer" else "snapshot")
    setattr(shop, method, broken)
    lab.not_replayed.add(tape.id)
    with pytest.raises(RunError, match="OSError: gone"):
        tape = await lab.run(
            ph.Agent("buyer", model=ph.ScriptedModel([put("c", first=9), "ok"])),
            "more",
            tape=tape,
            environment=shop,
        )


async def test_edits_are_honoured_when_the_state_is_rebuilt(lab: Lab) -> None:
    edit = ph.Verdict("edit", arguments={"thing": "edited"})
    policy = ph.Approval(tools=["put"], decide=lambda call: edit)
    tape = await lab.run(buyer(), environment=Shop(), approval=policy)
    shop = Shop()
    await lab.run(buyer(), "more", tape=tape, environment=shop)
    assert shop.things == ["edited"] * 3
    assert len(bodies(tape, Decision)) == 3


async def test_what_was_denied_is_not_done_when_the_state_is_rebuilt(lab: Lab) -> None:
    policy = ph.Approval(tools=["put"], decide=lambda call: "deny")
    tape = await lab.run(buyer(), environment=Shop(), approval=policy)
    shop = Shop()
    await lab.run(buyer(), "more", tape=tape, environment=shop)
    assert shop.things == []


async def test_a_tool_that_was_unknown_then_is_not_called_now(lab: Lab) -> None:
    tape = await lab.run(buyer())
    assert {error.code for error in bodies(tape, ToolError)} == {"unknown_tool"}
    shop = Shop()
    lab.not_replayed.add(tape.id)
    await lab.run(buyer(), "more", tape=tape, environment=shop)
    assert shop.things == []


async def test_an_erased_action_cannot_be_done_again(lab: Lab) -> None:
    tape = await lab.run(buyer(), environment=Shop())
    call = next(step for step in tape if step.kind == ToolCall.kind)
    await lab.store.erase(tape.id, [call.seq])
    with pytest.raises(RunError, match=f"step {call.seq} was erased"):
        await lab.run(buyer(), "more", tape=tape.id, environment=Shop())
    lab.not_replayed.add(tape.id)


async def test_an_erased_answer_is_not_compared(lab: Lab) -> None:
    tape = await lab.run(buyer(), environment=Shop())
    answer = next(step for step in tape if step.kind == ToolResult.kind)
    await lab.store.erase(tape.id, [answer.seq])
    shop = Shop()
    await lab.run(buyer(), "more", tape=tape.id, environment=shop)
    assert shop.things == ["a", "b"]
    lab.not_replayed.add(tape.id)


async def test_several_environments_each_by_its_contract(lab: Lab) -> None:
    @ph.tool(effect="write", thread=False)
    def note(text: str) -> str:
        notes.append(text)
        return "noted"

    notes: list[str] = []
    model = by_history(
        calls(("put", {"thing": "a"}), ("note", {"text": "n"})), "done", "more", "again"
    )
    agent = ph.Agent("a", model=model)
    around = [ph.Toolbox([note]), Shop("snapshot")]
    tape = await lab.run(agent, environment=around)
    shop = Shop("snapshot")
    tape = await lab.run(agent, "x", tape=tape, environment=[ph.Toolbox([note]), shop])
    assert (shop.things, notes) == (["a"], ["n"])
    with pytest.raises(RunError, match="the snapshot of step"):
        await lab.run(agent, "y", tape=tape, environment=[Shop("snapshot")])


async def test_a_custom_action_is_done_again_where_its_effect_is_declared(lab: Lab) -> None:
    class Ring(ph.Action, kind="test.ring"):
        bell: int

    class Rang(ph.Observation, kind="test.rang"):
        times: int

    class Play(ph.Node):
        def generate_steps(self, view, completion, ctx):
            return [Ring(bell=1)]

    class Bells(ph.Environment):
        state_contract = "rebuildable"

        def __init__(self) -> None:
            self.rung = 0

        def effect_of(self, name):
            return "write" if name == Ring.kind else None

        async def reset(self, task=None):
            self.rung = 0

        async def answer(self, action, context):
            if not isinstance(action, Ring):
                return None
            self.rung += 1
            return Rang(times=self.rung)

    agent = ph.Agent(
        "a", model=by_history("ok", "more"), nodes=[Play("play"), ph.ToolCallingNode()]
    )
    tape = await lab.run(agent, environment=Bells())
    bells = Bells()
    await lab.run(agent, "again", tape=tape, environment=bells)
    assert bells.rung == 1


async def test_a_toolbox_with_a_reset_of_its_own(lab: Lab) -> None:
    counts = [0]

    @ph.tool(effect="write", thread=False)
    def add() -> int:
        counts[0] += 1
        return counts[0]

    async def reset() -> None:
        counts[0] = 0

    agent = ph.Agent("a", model=by_history(calls("add"), "done", "more"))
    box = ph.Toolbox([add], state_contract="rebuildable", reset=reset)
    tape = await lab.run(agent, environment=box)
    counts[0] = 17
    await lab.run(agent, "again", tape=tape, environment=box)
    assert counts == [1]


def test_a_toolbox_without_snapshots() -> None:
    with pytest.raises(AgentError, match="write `snapshot` and `restore`"):
        ph.Toolbox([], state_contract="snapshot")
    with pytest.raises(AgentError, match="a state contract is one of"):
        ph.Toolbox([], state_contract="eternal")  # type: ignore[arg-type]


async def test_large_answers_are_compared_too(lab: Lab) -> None:
    sizes = [100_000]

    @ph.tool(effect="read", thread=False)
    def much() -> str:
        return "x" * sizes[0]

    agent = ph.Agent("a", model=by_history(calls("much"), "done", "more", "again"))
    box = ph.Toolbox([much], state_contract="rebuildable")
    tape = await lab.run(agent, environment=box)
    tape = await lab.run(agent, "x", tape=tape, environment=box)
    sizes[0] += 1
    with pytest.raises(RunError, match="could not be rebuilt"):
        await lab.run(agent, "y", tape=tape, environment=box)


async def test_an_approved_write_that_was_interrupted_is_done_after_rebuilding(lab: Lab) -> None:
    policy = ph.Approval(tools=["put"], decide=lambda call: "approve")
    store = CrashingStore(lab.store, at=5, written=False)
    with pytest.raises(Crash):
        await ph.run(
            ph.Agent("buyer", model=by_history(put("a"), "done")),
            "Go.",
            store=store,  # type: ignore[arg-type]
            environment=Shop(),
            approval=policy,
        )
    shop = Shop()
    agent = ph.Agent("buyer", model=by_history(put("a"), "done"))
    tape = await lab.resume(await lab.newest(), agent=agent, environment=shop)
    assert (tape.answer, shop.things) == ("done", ["a"])


async def test_what_was_not_begun_runs_after_rebuilding(lab: Lab) -> None:
    agent = buyer()
    tape = await lab.run(agent, environment=Shop(), budget=ph.Budget(model_calls=1))
    assert len(tape.fold().open) == 2
    shop = Shop()
    tape = await lab.resume(tape, agent=agent, environment=shop)
    assert (tape.answer, shop.things) == ("done", ["a", "b"])


async def test_a_task_in_parts_is_told_to_the_environment_as_text(lab: Lab) -> None:
    text = "buy " + "much " * 20_000
    shop = Shop()
    tape = await lab.run(buyer(), text, environment=shop)
    await lab.run(buyer(), "more", tape=tape, environment=shop)
    assert shop.tasks == [text, text]
    assert open_call is not None
