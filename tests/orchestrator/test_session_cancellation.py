"""Cancelled anywhere: the tape verifies and goes on, and nothing is done twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from session_kit import Lab, Ledger, agent_of, bodies, by_history, calls, in_steps, kinds, open_call

import playhead as ph
from playhead.llm import ModelRequest
from playhead.store import Answer, Batch, Store
from playhead.tape.kinds import DecisionRequest, ModelCall, Pause, ToolCall, ToolResult


async def cancelled_when(event: asyncio.Event, work: object) -> None:
    task = asyncio.ensure_future(work)  # type: ignore[arg-type]
    await event.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_during_a_model_call(lab: Lab) -> None:
    asked = asyncio.Event()

    async def script(request: ModelRequest) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    await cancelled_when(asked, lab.run(ph.Agent("a", model=ph.ScriptedModel(script))))
    tape = await lab.newest()
    assert kinds(tape)[-1] == "pause"
    assert (bodies(tape, Pause)[0].reason, tape.status) == ("cancelled", "paused")
    assert (await lab.resume(tape, agent=agent_of("ok", name="a"))).answer == "ok"


@pytest.mark.parametrize("effect", ["read", "write"])
async def test_during_a_tool(lab: Lab, effect: str) -> None:
    running = asyncio.Event()
    ran: list[str] = []

    @ph.tool(effect=effect)  # type: ignore[arg-type]
    async def slow(context: ph.ToolContext) -> str:
        ran.append(context.key)
        if len(ran) == 1:
            running.set()
            await asyncio.Event().wait()
        return "ok"

    agent = ph.Agent("a", model=by_history(calls("slow"), "done"), tools=[slow])
    await cancelled_when(running, lab.run(agent))
    tape = await lab.newest()
    assert bodies(tape, Pause)[0].not_started == ()
    tape = await lab.resume(tape, agent=agent)
    if effect == "write":
        assert tape.status == "waiting"
        tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "redo"})
    assert tape.answer == "done"
    assert ran == [ran[0]] * 2


async def test_of_parallel_tools_the_one_that_answered_is_kept(lab: Lab) -> None:
    running = asyncio.Event()
    ran: list[str] = []

    @ph.tool(effect="write")
    async def step(name: str) -> str:
        ran.append(name)
        if name == "slow" and len(ran) == 2:
            running.set()
            await asyncio.Event().wait()
        return name

    model = by_history(calls(("step", {"name": "quick"}), ("step", {"name": "slow"})), "done")
    agent = ph.Agent("a", model=model, tools=[step])

    async def both() -> None:
        await cancelled_when(running, lab.run(agent, on_event=lambda event: None))

    await both()
    tape = await lab.newest()
    while "tool_result" not in kinds(tape):
        pytest.fail("the quick tool's answer was lost")
    tape = await lab.resume(tape, agent=agent)
    assert len(bodies(tape, DecisionRequest)) == 1
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "redo"})
    assert sorted(ran) == ["quick", "slow", "slow"]
    assert tape.answer == "done"


async def test_a_sync_tool_that_was_cancelled_may_still_have_happened(lab: Lab) -> None:
    import threading

    running, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    done: list[int] = []

    @ph.tool(effect="write")
    def slow() -> str:
        loop.call_soon_threadsafe(running.set)
        go_on.wait()
        done.append(1)
        return "ok"

    agent = ph.Agent("a", model=by_history(calls("slow"), "done"), tools=[slow])
    await cancelled_when(running, lab.run(agent))
    go_on.set()
    tape = await lab.resume(await lab.newest(), agent=agent)
    assert tape.status == "waiting"


async def test_before_an_action_began_it_simply_runs_later(lab: Lab) -> None:
    ledger = Ledger()
    asked = asyncio.Event()

    async def decide(call: ToolCall) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "approve"

    agent = agent_of(calls(("act", {"what": "x"})), "done", tools=[ledger.tool("write")])
    policy = ph.Approval(effects=("write",), decide=decide)  # type: ignore[arg-type]
    await cancelled_when(asked, lab.run(agent, approval=policy))
    tape = await lab.newest()
    assert tape.status == "waiting"
    tape = await lab.resume(tape, agent=agent, decisions={open_call(tape): "approve"})
    assert (tape.answer, len(ledger.done)) == ("done", 1)


async def test_a_resumption_that_is_cancelled_forgets_nothing(tmp_path: Path) -> None:
    """What may have happened in a session before stays unknown, wherever the next one ends."""
    from session_kit import crashed

    async with ph.SqliteStore(tmp_path / "t.db") as store:
        lab, asked = Lab(store), 0
        for steps in range(40):
            ledger = Ledger()

            def make(ledger: Ledger = ledger) -> ph.Agent:
                model = by_history(calls(("act", {"what": "x"})), "done")
                return ph.Agent("a", model=model, tools=[ledger.tool("write")])

            tape = await crashed(lab, make(), at=3, written=False)
            await in_steps(ph.resume(tape.id, agent=make(), store=store), steps)
            tape = await lab.resume(tape.id, agent=make())
            assert (tape.status, len(ledger.done)) == ("waiting", 1), steps
            asked += 1
        assert asked == 40
        await lab.check()


def worker(ledger: Ledger) -> ph.Agent:
    """Reads and writes, in parallel and alone, and delegates."""
    look, act = ledger.tool("read", name="look"), ledger.tool("write")
    clerk = ph.Agent("clerk", model=by_history(calls(("act", {"what": "c"})), "c"), tools=[act])
    first = calls(("look", {"what": "a"}), ("act", {"what": "b"}), ("look", {"what": "a2"}))
    second = calls(("delegate_to_clerk", {"task": "c"}))
    model = by_history(first, second, "done")
    return ph.Agent("worker", model=model, tools=[look, act], subagents=[clerk])


async def finish(lab: Lab, tape: ph.Tape, ledger: Ledger) -> ph.Tape:
    """Resume until it is answered; what may have happened is looked up in the world outside."""
    tape = await lab.resume(tape.id, agent=worker(ledger))
    while tape.status == "waiting":
        waiting = [a.id for a in tape.fold().open.values() if a.request and not a.decision]
        said = {action: "skip" if action in ledger.keys else "redo" for action in waiting}
        tape = await lab.resume(tape, agent=worker(ledger), decisions=said)  # type: ignore[arg-type]
    return tape


async def cancel_everywhere(lab: Lab, store: Store, *, until: int) -> int:
    """Cancel a session after k turns of the event loop, for every k; the number of them."""
    for steps in range(until):
        ledger = Ledger()
        before = len(await lab.tape_ids())
        ended = not await in_steps(lab.run(worker(ledger)), steps)
        if len(await lab.tape_ids()) == before:
            continue  # before anything was written
        tape = await finish(lab, await lab.newest(), ledger)
        assert tape.answer == "done", steps
        writes = [s.id for s in tape if isinstance(s.body, ToolCall) and s.body.effect == "write"]
        assert [ledger.keys.count(key) for key in writes] == [1, 1], steps
        assert len(bodies(tape, ToolResult)) >= 2, steps
        assert {call.status for call in bodies(tape, ModelCall)} == {"complete"}, steps
        if ended:
            return steps
    return until


async def test_everywhere_in_memory(quick_lab: Lab) -> None:
    assert await cancel_everywhere(quick_lab, quick_lab.store, until=200) < 200


class CancellingStore:
    """Cancels the session in its k-th append, before it is written or after."""

    def __init__(self, store: Store, at: int, *, written: bool) -> None:
        self._store, self._left, self._written = store, at, written
        self.session: asyncio.Task[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, batch: Batch) -> Answer:
        self._left -= 1
        if self._left == 0 and not self._written:
            await self._cancel()
        answer = await self._store.append(batch)
        if self._left == 0 and self._written:
            await self._cancel()
        return answer

    async def _cancel(self) -> None:
        assert self.session is not None
        self.session.cancel()
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.mark.parametrize("written", [False, True])
async def test_during_each_commit(lab: Lab, written: bool) -> None:
    for at in range(1, 100):
        ledger = Ledger()
        agent = worker(ledger)
        lab.agents[agent.name] = agent
        cancelling = CancellingStore(lab.store, at, written=written)
        cancelling.session = asyncio.ensure_future(ph.run(agent, "Go.", store=cancelling))  # type: ignore[arg-type]
        try:
            await cancelling.session
        except asyncio.CancelledError:
            tape = await finish(lab, await lab.newest(), ledger)
        else:
            assert at > 8
            break
        assert tape.answer == "done", at
        writes = [s.id for s in tape if isinstance(s.body, ToolCall) and s.body.name == "act"]
        assert [ledger.keys.count(key) for key in writes] == [1, 1], at


@pytest.mark.parametrize("times", [2, 3, 5])
async def test_cancelled_again_and_again(tmp_path: Path, times: int) -> None:
    """Impatient callers cancel more than once, also while a cancelled commit is finished."""
    async with ph.SqliteStore(tmp_path / "t.db") as store:
        lab = Lab(store)
        for steps in range(30):
            ledger = Ledger()
            before = len(await lab.tape_ids())
            task = asyncio.ensure_future(lab.run(worker(ledger)))
            for _ in range(steps):
                await asyncio.sleep(0)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([task])
            if len(await lab.tape_ids()) == before:
                continue
            tape = await finish(lab, await lab.newest(), ledger)
            assert tape.answer == "done", steps
        await lab.check()
