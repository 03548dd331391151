"""Checks from traces: what all good ones share, with the traces that support and contradict it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from playhead.experience.checks._candidates import Candidate, candidates
from playhead.experience.checks._engine import CheckEngine, is_due
from playhead.experience.checks._facts import Case, SeenCall
from playhead.experience.document import Check, Experience
from playhead.experience.routine import (
    Calls,
    Finish,
    Inputs,
    PastCall,
    decide,
    parameters_of,
)
from playhead.tape import Json, compact

_MOST_CALLS = 200
_MOST_CHECKS = 500  # of a document


def case_of(
    experience: Experience,
    *,
    trace: str,
    task: str,
    now: str,
    calls: Sequence[PastCall],
    ended: bool = True,
    good: bool = True,
) -> Case:
    """A session as the checks of an experience see it.

    Args:
        experience: Says the tools' effects, and how the task's text is read.
        trace: The id of its tape.
        task: What was asked.
        now: The clock of the task.
        calls: What was done.
        ended: Whether it came to its end.
        good: Whether it did what was asked.
    """
    values = parameters_of(experience, Inputs(task=task, now=now))
    seen = tuple(_seen(experience, call) for call in calls)
    parameters = values if isinstance(values, dict) else {}
    return Case(trace, task, seen, parameters, now, ended=ended, good=good)


def as_played(experience: Experience, case: Case) -> Case | None:
    """The session as the routine goes through it, with the answers that are recorded.

    None where it asks for what is not recorded, or comes to another end.
    """
    known = {call_key(call): call for call in case.calls}
    given = {name: value for name, value in case.parameters.items() if value is not None}
    inputs = Inputs(task="" if given else case.task, now=case.now or "", given=given)
    done: list[SeenCall] = []
    while len(done) < _MOST_CALLS:
        past = [PastCall(c.tool, _arguments(c), c.result, c.error) for c in done]
        decision = decide(experience, inputs, past)
        if isinstance(decision, Finish):
            calls, text = tuple(done), decision.text
            return replace(case, calls=calls, answer=text, noop=decision.noop, ended=True)
        if not isinstance(decision, Calls):
            return None
        for call in decision.calls:
            found = known.get(_key(call.tool, dict(call.arguments)))
            if found is None:
                return None
            done.append(replace(found, state=call.state, effect=call.effect))
    return None


def mine(experience: Experience, cases: Sequence[Case]) -> tuple[Check, ...]:
    """Checks that hold in all good traces, each with the traces that it is about.

    Nothing is kept that a good trace contradicts. What failed traces contradict is told with the
    check, as it would have stopped them, and comes first: no good trace alone can show that.

    Args:
        experience: What its routine does tells loops from repetitions.
        cases: Good and failed traces; good ones count as the routine plays them, where it can.

    Raises:
        MissingExtraError: The extra `checks` is not installed.
    """
    good = [as_played(experience, case) or case for case in cases if case.good]
    failed = [case for case in cases if not case.good]
    if not good:
        return ()
    kept: dict[str, Check] = {}
    for candidate in candidates(experience, good):
        check = _tried(candidate, good, failed)
        if check is not None:
            kept.setdefault(_free(check, kept), check)
    named = [check.model_copy(update={"id": name}) for name, check in kept.items()]
    named.sort(key=lambda check: -len(check.contradicts))
    return tuple(named[:_MOST_CHECKS])


def _tried(candidate: Candidate, good: Sequence[Case], failed: Sequence[Case]) -> Check | None:
    """The check with its evidence; None if a good trace contradicts it, or none is about it.

    None as well, if only a failed trace could speak for it, and none does.
    """
    engine = CheckEngine([candidate.check], limited=False)
    supports: list[Json] = []
    for case in good:
        about = [m for m in case.moments() if is_due(candidate.check, m) and candidate.about(m)]
        if any(engine.judge(moment).failed for moment in case.moments()):
            return None
        if about:
            supports.append(case.trace)
    if not supports:
        return None
    against = [
        case.trace
        for case in failed
        if any(engine.judge(moment).failed for moment in case.moments())
    ]
    if candidate.countered and not against:
        return None
    update = {"supports": tuple(supports), "contradicts": tuple(against)}
    return candidate.check.model_copy(update=update)


def _free(check: Check, taken: Mapping[str, Check]) -> str:
    """A name that no other check has."""
    name, number = check.id[:190], 1
    while name in taken:
        number += 1
        name = f"{check.id[:190]}.{number}"
    return name


def _seen(experience: Experience, call: PastCall) -> SeenCall:
    needed = experience.tools.get(call.tool)
    effect = needed.effect if needed is not None else None
    return SeenCall(call.tool, effect, dict(call.arguments), call.result, call.error)


def _arguments(call: SeenCall) -> Mapping[str, Json]:
    return call.arguments if isinstance(call.arguments, dict) else {}


def call_key(call: SeenCall) -> str:
    """Equal for equal calls."""
    return _key(call.tool, call.arguments)


def _key(tool: str, arguments: Json) -> str:
    known = dict(sorted(arguments.items())) if isinstance(arguments, dict) else arguments
    return f"{tool} {compact(known)}"
