"""Sessions on tapes as checks see them, and checks over recorded sessions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from playhead.errors import ExperienceError, JsonError
from playhead.experience.checks._engine import CheckEngine, Verdict
from playhead.experience.checks._facts import Case, SeenCall
from playhead.experience.checks._mine import as_played, call_key
from playhead.experience.document import CallState, Experience, ForEachState
from playhead.experience.routine import Inputs, parameters_of
from playhead.tape import Json, Tape, loads_strict
from playhead.tape.kinds import Play, ToolCall, ToolError, ToolResult, UserMessage

_JSON_TEXT = re.compile(r"\s*[\[{]")
_CLOCK = "%Y-%m-%d %H:%M:%S"


def result_value(result: Json) -> Json:
    """A result as routines and checks read it: JSON that stands in a text is read."""
    if isinstance(result, str) and _JSON_TEXT.match(result):
        try:
            return loads_strict(result)
        except JsonError:
            return result
    return result


def seen_call(
    call: ToolCall, answer: ToolResult | ToolError, values: Callable[[Json], Json] = lambda v: v
) -> SeenCall:
    """A call and its answer.

    Args:
        call: The call.
        answer: What came back.
        values: Puts values back where placeholders stand.
    """
    changed = answer.arguments is not None  # by a person
    arguments = values(answer.arguments if changed else call.arguments)
    seen = SeenCall(call.name, call.effect, arguments)
    if isinstance(answer, ToolError):
        return replace(seen, error=str(values(answer.message)))
    if answer.result is None and any(getattr(part, "address", None) for part in answer.parts):
        return replace(seen, error="its result is too large to be read by a routine")
    return replace(seen, result=result_value(values(answer.result)))


def case_of_tape(experience: Experience, tape: Tape) -> Case:
    """The session of a tape, as the checks of an experience see it.

    Calls have the states in which the routine makes them: the same calls, or those of a tool that
    only one state calls.

    Raises:
        ExperienceError: Nobody asked for anything on the tape.
    """
    task, now, given, calls = _read(tape)
    if task is None:
        raise ExperienceError(f"nobody asked for anything on tape `{tape.id}`")
    read = parameters_of(experience, Inputs(task=task, now=now, given=given))
    values = read if isinstance(read, dict) else given
    ended = tape.status in ("answered", "stopped")
    case = Case(tape.id, task, calls, values, now, tape.answer, ended=ended)
    played, alone = as_played(experience, case), _states_of_tools(experience)
    same = {call_key(call): call.state for call in played.calls} if played is not None else {}
    states = [same.get(call_key(call), alone.get(call.tool)) for call in calls]
    known = (replace(call, state=state) for call, state in zip(calls, states, strict=True))
    return replace(case, calls=tuple(known))


def _states_of_tools(experience: Experience) -> dict[str, str]:
    """By tool, the one state that calls it."""
    found: dict[str, set[str]] = {}
    for name, state in experience.routine.states.items():
        parts = [state.call] if isinstance(state, CallState) else []
        parts += state.for_each.do if isinstance(state, ForEachState) else []
        for part in parts:
            for tool in [part.tool] if isinstance(part.tool, str) else experience.tools:
                found.setdefault(tool, set()).add(name)
    return {tool: next(iter(names)) for tool, names in found.items() if len(names) == 1}


def _read(tape: Tape) -> tuple[str | None, str, dict[str, Json], tuple[SeenCall, ...]]:
    """Task, clock, given parameters and calls of a tape."""
    task: str | None = None
    now = ""
    given: dict[str, Json] = {}
    asked: dict[str, ToolCall] = {}
    calls: dict[str, SeenCall | None] = {}
    for step in tape:
        match step.body if step.known and not step.erased and step.frame == 0 else None:
            case Play() as body:
                given, now = dict(body.parameters), body.now or now
            case UserMessage() as body if task is None:
                task = body.text
                now = now or datetime.fromisoformat(step.time).strftime(_CLOCK)
            case ToolCall() as body:
                asked[step.id], calls[step.id] = body, None
            case ToolResult() | ToolError() as body if step.re and step.re[0] in asked:
                calls[step.re[0]] = seen_call(asked[step.re[0]], body)
    return task, now, given, tuple(call for call in calls.values() if call is not None)


@dataclass(frozen=True, slots=True)
class CheckedTape:
    """What the checks of an experience say about a recorded session.

    Args:
        tape: Its id.
        held: Ids of checks that were asked and held at each of their moments.
        failed: Why a check did not hold, by its id: at its first such moment.
        unasked: Ids of checks whose moment never came, or that a model would have to judge.
        missing: Parameters that cannot be read out of the task.
    """

    tape: str
    held: tuple[str, ...]
    failed: dict[str, str]
    unasked: tuple[str, ...]
    missing: tuple[str, ...] = ()


def check_over(
    experience: Experience, cases: Iterable[Case], *, limited: bool = True
) -> Iterator[CheckedTape]:
    """Ask the checks of an experience about recorded sessions.

    Args:
        experience: Has the checks.
        cases: The sessions.
        limited: Evaluate checks in a process with limits of memory and time.

    Raises:
        ExperienceError: A check cannot be compiled.
    """
    engine = CheckEngine(experience.checks, limited=limited)
    for case in cases:
        failed: dict[str, str] = {}
        held: dict[str, None] = {}
        for number, moment in enumerate(case.moments(), 1):
            verdict: Verdict = engine.judge(moment)
            held.update(dict.fromkeys(check.id for check in verdict.passed))
            where = f"before call {number}" if moment.call is not None else "at the end"
            for each in verdict.failed:
                failed.setdefault(each.check.id, f"{where}: {each.why}")
        names = [check.id for check in experience.checks]
        yield CheckedTape(
            tape=case.trace,
            held=tuple(name for name in names if name in held and name not in failed),
            failed=failed,
            unasked=tuple(name for name in names if name not in held and name not in failed),
            missing=tuple(n for n in experience.parameters if case.parameters.get(n) is None),
        )
