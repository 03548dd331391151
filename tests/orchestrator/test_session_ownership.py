"""One owner a tape, among real processes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from session_child import agent
from session_kit import Lab, Ledger, agent_of, bodies, calls, check_tape, kinds, open_call

import playhead as ph
from playhead.errors import LostLeaseError, TapeOwnedError
from playhead.tape.kinds import ToolCall, ToolResult, UserMessage

CHILD = Path(__file__).with_name("session_child.py")


@pytest_asyncio.fixture
async def file_lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with ph.SqliteStore(tmp_path / "t.db") as store:
        lab = Lab(store)
        yield lab
        await lab.check()


class Child:
    """One session in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, store: ph.SqliteStore, tape: str, *command: str) -> Child:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(CHILD), str(store.path), tape, *command, stdin=pipe, stdout=pipe
        )
        return cls(process)

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def end(self) -> str:
        out, _ = await self.process.communicate(b"\n")
        return out.decode().strip()


async def test_the_second_process_is_told_who_owns_the_tape(file_lab: Lab) -> None:
    store = file_lab.store
    owner = await Child.start(store, "new", "own")
    assert (await owner.line()).startswith("running ")
    tape = await file_lab.newest()
    with pytest.raises(TapeOwnedError, match=str(owner.process.pid)):
        await ph.resume(tape.id, agent=agent(), store=store)
    second = await Child.start(store, tape.id, "own")
    assert await second.end() == "failed TapeOwnedError"
    assert (await store.open(tape.id)).head == tape.head
    assert await owner.end() == "ended answered finished"
    assert (await ph.resume(tape.id, agent=agent(), store=store)).answer == "finished"


async def test_of_two_that_resume_at_once_one_wins(file_lab: Lab) -> None:
    store = file_lab.store
    first = await Child.start(store, "new", "own")
    await first.line()
    tape = await file_lab.newest()
    first.process.kill()
    await first.process.wait()
    rivals = [await Child.start(store, tape.id, "own") for _ in range(2)]
    said = [await rival.end() for rival in rivals]
    # The write may have happened, so that whoever wins asks, and gives the tape back.
    assert any(line == "ended waiting None" for line in said)
    assert set(said) <= {"ended waiting None", "failed TapeOwnedError"}
    tape = await store.open(tape.id)
    assert kinds(tape).count("decision_request") == 1


async def test_a_tape_whose_owner_was_killed_is_taken_over_at_once(file_lab: Lab) -> None:
    first = await Child.start(file_lab.store, "new", "own")
    key = (await first.line()).removeprefix("running ")
    first.process.kill()
    await first.process.wait()
    tape = await file_lab.newest()
    assert open_call(tape) == key
    verdict = ph.Verdict("result", result="it was done")
    tape = await file_lab.resume(tape, agent=agent(), decisions={key: verdict})
    assert tape.answer == "finished"


@pytest.mark.parametrize("parallel", [1, 3])
async def test_a_lease_lost_while_a_slow_tool_runs(file_lab: Lab, parallel: int) -> None:
    store = file_lab.store

    @ph.tool(effect="write")
    async def slow(context: ph.ToolContext) -> str:
        thief = await Child.start(store, context.tape, "steal")
        await thief.end()
        return "done, but too late"

    agent = agent_of(calls(*["slow"] * parallel), "never", tools=[slow])
    with pytest.raises(LostLeaseError):
        await ph.run(agent, "Go.", store=store)
    tape = await file_lab.newest()
    assert kinds(tape)[-parallel:] == ["tool_call"] * parallel  # the loser wrote nothing
    await check_tape(store, tape)
    with pytest.raises(TapeOwnedError):
        await ph.resume(tape.id, agent=agent, store=store)


async def test_a_lease_lost_while_the_model_thinks(file_lab: Lab) -> None:
    store = file_lab.store

    async def script(request: object) -> str:
        tape = await file_lab.newest()
        await (await Child.start(store, tape.id, "steal")).end()
        return "too late"

    with pytest.raises(LostLeaseError):
        await ph.run(ph.Agent("a", model=ph.ScriptedModel(script)), "Go.", store=store)
    assert kinds(await file_lab.newest()) == ["tape", "run", "user_message"]


async def test_messages_and_decisions_from_another_process(file_lab: Lab) -> None:
    ledger, store = Ledger(), file_lab.store
    agent = agent_of(calls(("act", {"what": "x"})), "ok", tools=[ledger.tool("irreversible")])

    async def decide(call: ToolCall) -> None:
        tape = await file_lab.newest()
        content = {"action": open_call(tape), "decision": "edit", "arguments": {"what": "y"}}
        await (await Child.start(store, tape.id, "say", json.dumps(content))).end()

    tape = await file_lab.run(agent, approval=ph.Approval(decide=decide))
    assert [what for _, what in ledger.done] == ["y"]
    await (await Child.start(store, tape.id, "say", '{"message": "thanks"}')).end()
    again = agent_of("welcome", tools=[ledger.tool("irreversible")])
    tape = await file_lab.resume(tape, agent=again)
    assert bodies(tape, UserMessage)[-1].text == "thanks"
    assert tape.answer == "welcome"


async def test_another_handle_of_this_process_cannot_own_it_either(tmp_path: Path) -> None:
    running = asyncio.Event()
    go_on = asyncio.Event()

    @ph.tool(effect="read")
    async def wait() -> str:
        running.set()
        await go_on.wait()
        return "ok"

    agent = agent_of(calls("wait"), "done", tools=[wait])
    async with ph.SqliteStore(tmp_path / "t.db") as one, ph.SqliteStore(tmp_path / "t.db") as two:
        session = asyncio.ensure_future(ph.run(agent, "Go.", store=one))
        await running.wait()
        (info,) = await two.tapes()
        with pytest.raises(TapeOwnedError):
            await ph.resume(info.id, agent=agent, store=two)
        with pytest.raises(TapeOwnedError):
            await ph.run(agent, "more", tape=info.id, store=two)
        await two.post(info.id, {"message": "hello"})
        go_on.set()
        agent.model._answers = iter(["done", "hello to you"])
        tape = await session
        assert tape.answer == "hello to you"
        assert len(bodies(tape, ToolResult)) == 1
        await check_tape(one, tape)
