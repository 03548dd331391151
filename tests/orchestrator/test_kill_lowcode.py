"""Every prototype, its process killed (SIGKILL) after each of its steps: the end is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lowcode_agents import AGENTS
from session_kit import check_tape

import playhead as ph
from playhead.tape import Tape
from playhead.tape.kinds import Delegate, ModelCall, Return, ToolCall

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
SERVER = Path(__file__).with_name("lowcode_server.py")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(SERVER), str(tmp_path / "store.db")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


def live(server: subprocess.Popen[str], agent: str, at: int) -> bool:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps({"agent": agent, "at": at}) + "\n")
    server.stdin.flush()
    return bool(json.loads(server.stdout.readline())["killed"])


def said(tape: Tape) -> list[tuple[str, str]]:
    """What matters of a session: who was told what, and who answered what."""
    return [
        (step.kind, step.body.text) for step in tape if step.kind in (Delegate.kind, Return.kind)
    ]


async def finished(tape: Tape, agent: ph.Agent, store: ph.SqliteStore) -> Tape:
    """The tape at its end; an effect of which nobody knows is made once more."""
    tape = await ph.resume(tape, agent=agent, store=store)
    if tape.status == "waiting":
        (call,) = [a.id for a in tape.fold().open.values() if a.kind == ToolCall.kind]
        tape = await ph.resume(tape, agent=agent, store=store, decisions={call: "redo"})
    return tape


@pytest.mark.parametrize("name", AGENTS)
async def test_it_comes_to_the_same_end_wherever_it_is_killed(
    server: subprocess.Popen[str], tmp_path: Path, name: str
) -> None:
    make, task, answer = AGENTS[name]
    whole = await ph.run(make(), task, store=ph.MemoryStore())
    kinds_there: set[str] = set()
    async with ph.SqliteStore(tmp_path / "store.db") as store:
        at = 1
        while live(server, name, at):
            at += 1
            (info,) = await store.tapes(limit=1)
            killed = await store.open(info.id)
            kinds_there.add(killed[-1].kind)
            paid = [step.header for step in killed if step.kind == ModelCall.kind]
            tape = await finished(killed, make(), store)
            assert tape.answer == answer, at
            assert said(tape) == said(whole), at
            calls = [step.header for step in tape if step.kind == ModelCall.kind]
            assert calls[: len(paid)] == paid
            assert len(calls) == sum(step.kind == ModelCall.kind for step in whole)
            await check_tape(store, tape)
            assert (await ph.replay(tape, agent=make(), store=store)).ok
    assert at > 5
    if name not in ("monolithic", "function"):
        assert {Delegate.kind, Return.kind} <= kinds_there  # killed between them, too
