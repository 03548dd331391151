"""The acts that look back: replay, fork, verify. Whatever they claim is checked."""

from __future__ import annotations

from dataclasses import asdict

import playhead as ph
from playhead.agent import Agent
from playhead.cli._align import align
from playhead.cli._diff import show_difference
from playhead.cli.demo._acts import written
from playhead.cli.demo._agent import NAME, office_agent
from playhead.cli.demo._ledger import LedgerOffice
from playhead.cli.demo._stage import Stage, judged, told
from playhead.errors import PlayheadError, VerificationError
from playhead.llm import ModelRequest, ScriptedModel
from playhead.office import OfficeTask
from playhead.tape import Tape, read_tape, write_tape
from playhead.tape.kinds import ModelCall, ToolCall


async def replayed_session(stage: Stage) -> None:
    """It is replayed without a model."""
    tape = stage.tapes["resumed"]
    stage.caption(
        "4 · Replayed",
        "The agent's code runs again on what the tape recorded, with a model that refuses to "
        "answer and without the office. Every prompt and every step is compared.",
    )

    def refuse(request: ModelRequest) -> Exception:
        return PlayheadError("a replay asks no model")

    recorded = office_agent()
    model = ScriptedModel(refuse, name="none")
    agent = Agent(NAME, model=model, nodes=recorded.nodes, instructions=recorded.instructions)
    report = await ph.replay(tape, agent=agent, store=stage.store)
    stage.facts["replay"] = {
        "turns": report.turns,
        "steps": report.steps,
        "divergences": len(report.divergences),
    }
    stage.claim(f"{report.turns} turns, {len(report.divergences)} divergences", report.ok)
    stage.claim("no model was asked", model.calls == 0)


async def forked_session(stage: Stage) -> None:
    """It is forked where the agent could have decided otherwise."""
    task, run = written(5)
    parent = stage.tapes["resumed"]
    assert run.alternative_from is not None
    calls = [step.seq for step in parent if step.kind == ModelCall.kind]
    at = calls[run.alternative_from]
    stage.caption(
        "5 · Forked",
        f"What if the agent had booked another time? A child tape shares the first {at} steps, "
        "without copying them, and goes on live with another completion.",
    )
    office = LedgerOffice(stage.ledger)
    child = await ph.fork(
        parent,
        at=at,
        agent=office_agent("alternative"),
        environment=office,
        store=stage.store,
        on_event=office.watch,
    )
    stage.tapes["fork"] = child
    found = align(parent, child)
    show_difference(stage.output.people, parent, child, found)
    stage.say("")
    stage.claim(f"they share the steps 0 to {at - 1}, the very same entries", found.shared == at)
    stage.claim(
        "the parent is as it was",
        [s.header for s in parent] == [s.header for s in await stage.store.open(parent.id)],
    )
    _check_fork(stage, task, child, at)


def _check_fork(stage: Stage, task: OfficeTask, child: Tape, at: int) -> None:
    verdict = judged(child, task)
    stage.facts["fork"] = {"tape": child.id, "at": at, "judge": asdict(verdict)}
    times = (_booked(stage.tapes["resumed"]), _booked(child))
    stage.claim(
        "the child booked 15:00 where the parent booked 10:00", times == ("10:00:00", "15:00:00")
    )
    stage.claim(f"the judge says of the fork: {told(verdict)}", not verdict.solved)


def _booked(tape: Tape) -> str:
    """The time of the event that was created."""
    for step in tape:
        call = step.body
        if isinstance(call, ToolCall) and call.name == "calendar.create_event":
            assert isinstance(call.arguments, dict)
            return str(call.arguments["event_start"]).partition(" ")[2]
    return ""


async def verified_tapes(stage: Stage) -> None:
    """Every tape is verified, and a forged one refused."""
    stage.caption(
        "6 · Verified",
        "Each entry holds the digest of the one before and of its own body. A head kept elsewhere "
        "shows that nothing was cut off.",
    )
    heads: list[str] = []
    for name, tape in stage.tapes.items():
        stored = await stage.store.open(tape.id)
        heads.append(stored.head_text)
        text = f"{name + ':':<8} {len(stored)} steps verify up to the head …{tape.head[-16:]}"
        stage.claim(text, _verifies(stored, tape))
    stage.facts["heads"] = heads
    lines = list(write_tape(stage.tapes["resumed"]))
    forged = [line.replace(b"10:00", b"11:00") for line in lines]
    stage.claim("a copy in which 10:00 was changed to 11:00 is refused", _refused(forged))
    stage.claim("a copy whose end was cut off is refused", _refused(lines[:-1]))


def _verifies(stored: Tape, known: Tape) -> bool:
    try:
        stored.verify(heads=[known.head_text])
    except VerificationError:
        return False
    return True


def _refused(lines: list[bytes]) -> bool:
    try:
        read_tape(lines)
    except VerificationError:
        return True
    return False
