"""The acts in which something happens: a session, a kill, a resumption. All claims are checked."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from dataclasses import asdict

import playhead as ph
from playhead.cli._align import align
from playhead.cli.demo._agent import office_agent
from playhead.cli.demo._ledger import LedgerOffice, read_ledger
from playhead.cli.demo._stage import Stage, judged, reached
from playhead.errors import RunError
from playhead.llm import ScriptedModel
from playhead.office import OfficeTask, WrittenRun, sample_runs, sample_tasks
from playhead.tape import Json, Tape
from playhead.tape.kinds import ToolCall

_KILLED_IN = "email.send_email"
_CHILD = "playhead.cli.demo._child"
_PATIENCE = 60  # seconds


def written(number: int) -> tuple[OfficeTask, WrittenRun]:
    """A task of the sample office, and what was written by hand for it."""
    return sample_tasks()[number], sample_runs()[number]


async def first_session(stage: Stage) -> None:
    """A session streams by."""
    task, _ = written(7)
    stage.caption(
        "1 · A session",
        f"An agent works in an office with 27 tools. Robin says: “{task.query}”\n"
        "No model is asked: the completions were written by hand. Everything else is real, and "
        "nothing is done before the step that asks for it is safe on disk.",
    )
    office = LedgerOffice(stage.ledger)
    tape = await ph.run(
        office_agent(pace=stage.pace),
        task.query,
        environment=office,
        store=stage.store,
        on_event=stage.watcher(office),
    )
    stage.tapes["first"] = tape
    stage.say(f"\n{tape.answer}\n", "bold")
    verdict = judged(tape, task)
    stage.facts["first"] = {"tape": tape.id, "steps": len(tape), "judge": asdict(verdict)}
    stage.claim("the judge, who looks at the tables only, says: solved", verdict.solved)
    stage.claim("the live office is in the expected state", reached(office, task))


async def killed_session(stage: Stage) -> None:
    """A second session is killed between an action and its result."""
    task, _ = written(5)
    stage.caption(
        "2 · Killed between an action and its result",
        f"Another process works on: “{task.query}”\n"
        f"It will be killed (SIGKILL) inside `{_KILLED_IN}`: the action is stored, its result is "
        "not.",
    )
    arguments = [str(stage.store.path), str(stage.ledger), task.query, _KILLED_IN]
    said, code = await asyncio.to_thread(_kill_inside, arguments)
    tape = await stage.store.open(str(said["tape"]))
    stage.tapes["resumed"] = tape
    for step in tape[2:]:
        stage.step(step)
    stage.say(f"      process {said['process']} is dead\n", "bold red")
    stage.facts["killed"] = {"tape": tape.id, "process": said["process"], "at": tape[-1].seq}
    last = tape[-1].body
    done = [entry.tool for entry in read_ledger(stage.ledger, tape.id)]
    killed = code == -signal.SIGKILL if sys.platform != "win32" else code != 0
    stage.claim("the process was killed", killed)
    stage.claim(
        f"the tape ends with the action `{_KILLED_IN}`, which has no result",
        isinstance(last, ToolCall) and last.name == _KILLED_IN and said["action"] == tape[-1].id,
    )
    stage.claim(
        "the ledger outside says: the event was created, the mail was not sent",
        done == ["calendar.create_event"],
    )


def _kill_inside(arguments: list[str]) -> tuple[dict[str, Json], int]:
    """Start the other process, and kill it as soon as it says that it is inside the tool."""
    process = subprocess.Popen(  # noqa: S603  (this very program)
        [sys.executable, "-m", _CHILD, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    watchdog = threading.Timer(_PATIENCE, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
        process.kill()
        code = process.wait()
        process.stdout.close()
    if not line:
        raise RunError("the process that was to be killed ended by itself: see what it said above")
    return json.loads(line), code


async def resumed_session(stage: Stage) -> None:
    """It resumes; what is finished is not done again."""
    task, run = written(5)
    killed = stage.tapes["resumed"]
    asked = killed.fold().totals.model_calls
    stage.caption(
        "3 · Resumed",
        "This process takes the tape over. The office was in the memory of the dead one: it is "
        "rebuilt by carrying out the recorded actions in a fresh office, in memory only, and each "
        "result is compared with the recorded one. Only live executions count in the ledger.",
    )
    agent, office = office_agent(pace=stage.pace), LedgerOffice(stage.ledger)
    tape = await ph.resume(
        killed.id,
        agent=agent,
        environment=office,
        store=stage.store,
        on_event=stage.watcher(office),
    )
    stage.tapes["resumed"] = tape
    stage.say(f"\n{tape.answer}\n", "bold")
    _check_resumed(stage, task, tape)
    model = agent.model
    assert isinstance(model, ScriptedModel)
    rest = len(run.completions) - asked
    stage.claim(
        f"{asked} completions came from the tape, {rest} was asked for", model.calls == rest
    )
    stage.claim("the live office is in the expected state", reached(office, task))
    stage.claim(
        "the tape says the same as that of a session that nobody killed",
        align(await _undisturbed(task), tape).same,
    )


def _check_resumed(stage: Stage, task: OfficeTask, tape: Tape) -> None:
    verdict, ledger = judged(tape, task), read_ledger(stage.ledger, tape.id)
    for entry in ledger:
        stage.say(f"  ledger: {entry.tool:<22} by process {entry.process}", "dim")
    stage.facts["resumed"] = {
        "tape": tape.id,
        "steps": len(tape),
        "judge": asdict(verdict),
        "ledger": [entry._asdict() for entry in ledger],
    }
    once = sorted(entry.tool for entry in ledger) == sorted(c.tool for c in task.expected_calls)
    stage.claim("each effect happened once, none was repeated", once)
    stage.claim("the judge says: solved", verdict.solved)


async def _undisturbed(task: OfficeTask) -> Tape:
    from playhead.cli.demo._agent import office_environment

    store = ph.MemoryStore()
    return await ph.run(office_agent(), task.query, environment=office_environment(), store=store)
