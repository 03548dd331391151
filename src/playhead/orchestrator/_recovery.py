"""Before a session goes on: bring the environment to where the tape is, settle what is unknown."""

from __future__ import annotations

from playhead.environment import Environment, ToolContext
from playhead.errors import RunError
from playhead.orchestrator._actions import request_decision
from playhead.orchestrator._session import Session
from playhead.tape import Draft, Json, Step, Tape, result_text
from playhead.tape.kinds import Decision, Pause, Snapshot, ToolCall, ToolError, ToolResult

_NOT_CARRIED_OUT = ("denied", "skipped")


async def begin_environment(session: Session, task: str | None) -> None:
    """Put environments whose state is ours into the state in which a task begins."""
    for part in session.environment.parts:
        if part.state_contract != "external":
            await part.reset(task)


async def rebuild_environment(session: Session, tape: Tape, task: str | None) -> None:
    """Bring environments whose state is ours to where `tape` ends.

    A snapshot is restored if there is one; what was recorded after it is carried out again, and
    the observations are compared. Nothing outside is touched: the state is the environment's own.

    Raises:
        RunError: An action now gives another observation than the recorded one.
    """
    parts = [part for part in session.environment.parts if part.state_contract != "external"]
    if not parts:
        return
    position, states = _last_snapshot(tape)
    for part in parts:
        await part.reset(task)
        number = session.environment.parts.index(part)
        if part.state_contract == "snapshot" and states is not None:
            await part.restore(states[number])
            await _carry_out_again(session, part, tape, position)
        else:
            await _carry_out_again(session, part, tape, 0)


async def _carry_out_again(session: Session, part: Environment, tape: Tape, start: int) -> None:
    actions: dict[str, Step] = {}
    edits: dict[str, Json] = {}
    for step in tape:
        if step.erased:
            continue
        body = step.body
        if isinstance(body, ToolCall) and session.environment.part_of(body) is part:
            actions[step.id] = step
        elif isinstance(body, Decision) and body.decision == "edit":
            edits[body.action] = body.arguments
        elif isinstance(body, ToolResult | ToolError) and step.re and step.seq >= start:
            action = actions.pop(step.re[0], None)
            if action is not None and step.by.type == "tool":
                await _compare(session, part, action, step, edits)


async def _compare(
    session: Session, part: Environment, action: Step, recorded: Step, edits: dict[str, Json]
) -> None:
    call, was = action.body, recorded.body
    assert isinstance(call, ToolCall)
    if isinstance(was, ToolError) and was.code in _NOT_CARRIED_OUT:
        return
    if action.id in edits:
        call = call.model_copy(update={"arguments": edits[action.id]})
    context = ToolContext(key=action.id, tape=session.tape.id, deps=session.options.deps)
    observation = await part.answer(call, context)
    now = session.fitter.fit(observation) if observation is not None else None
    session.fitter.take()
    if said(now) != said(was):
        raise RunError(
            f"the environment could not be rebuilt: `{call.name}` of step {action.seq} gave "
            f"{_short(said(was))} when it was recorded, now {_short(said(now))}",
            seq=action.seq,
        )


def said(body: object) -> str:
    """What an observation says, for comparison."""
    if isinstance(body, ToolResult):
        return result_text(body.result) + "".join(str(part) for part in body.parts)
    if isinstance(body, ToolError):
        return f"{body.code}: {body.message}"
    return repr(body)


def _short(text: str) -> str:
    return repr(text if len(text) <= 120 else f"{text[:120]}…")


def _last_snapshot(tape: Tape) -> tuple[int, list[Json] | None]:
    for seq in range(len(tape) - 1, -1, -1):
        if tape[seq].kind == Snapshot.kind and not tape[seq].erased:
            body = tape[seq].body
            assert isinstance(body, Snapshot)
            return seq, body.state if isinstance(body.state, list) else None
    return 0, None


async def save_snapshot(session: Session) -> None:
    """Record the state of environments that can be saved, if anything was done since the last."""
    parts = session.environment.parts
    if not any(part.state_contract == "snapshot" for part in parts) or not session.started:
        return
    states: list[Json] = [
        await part.snapshot() if part.state_contract == "snapshot" else None for part in parts
    ]
    await session.commit([Draft(Snapshot(state=states))])
    session.started.clear()


async def settle_unknown(session: Session, not_started: frozenset[str]) -> None:
    """Ask about actions that may or may not have happened when the last session ended.

    Reading and idempotent tools simply run again with the same key, and so does what an
    environment has rebuilt without it. Anything else waits for a decision.
    """
    for action in list(session.fold.open.values()):
        body = session.tape[action.seq].body
        if not isinstance(body, ToolCall) or action.id in not_started:
            continue
        if action.request is not None and action.decision is None:
            continue  # it waits already
        if action.decision is not None and _settles(session.tape[action.decision]):
            continue
        part = session.environment.part_of(body)
        if part is None or part.state_contract != "external":
            continue
        if body.effect not in ("read", "idempotent"):
            await request_decision(session, session.tape[action.seq], "unknown_outcome")


def _settles(step: Step) -> bool:
    """Whether a decision ends an action without carrying it out."""
    body = step.body
    return isinstance(body, Decision) and body.decision in ("deny", "result", "skip")


def not_started(tape: Tape) -> frozenset[str]:
    """Open actions that the last session had certainly not begun when it paused."""
    paused = tape.fold().paused
    body = tape[paused].body if paused is not None else None
    return frozenset(body.not_started) if isinstance(body, Pause) else frozenset()
