"""Conditions that the good traces of an experience may share: each is tried before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from playhead.experience.checks._facts import Case, Moment, SeenCall
from playhead.experience.checks._flow import known_pairs, looping_tools, said_parameters
from playhead.experience.checks._literals import cel, member, shape_of
from playhead.experience.checks._rows import Place, places, row_condition
from playhead.experience.document import Check, Experience
from playhead.tape import Json

_MOST_STEPS = 60  # pairs of tools that one condition lists
Conditions = Iterator["Candidate"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A condition to be tried.

    Args:
        check: The condition.
        about: Whether a moment says anything about it.
        countered: It is worth keeping only if a failed trace contradicts it.
    """

    check: Check
    about: Callable[[Moment], bool]
    countered: bool = False


def candidates(experience: Experience, good: Sequence[Case]) -> Conditions:
    """All conditions that are worth trying."""
    loops = looping_tools(experience)
    writes = list(dict.fromkeys(c.tool for case in good for c in case.calls if c.writes))
    reads = list(dict.fromkeys(c.tool for case in good for c in case.calls if not c.writes))
    yield from _order(experience, good)
    for tool in writes:
        yield _bound(tool, good, looping=tool in loops)
    for tool in writes:
        yield from _arguments(tool, good)
    for tool in reads:
        yield from _answers(tool, good)
    for tool in writes:
        yield from _values(experience, tool, good)
        yield from _rows(tool, good)
        yield from _constants(tool, good)
        yield from _looked_before(tool, good)
        yield _done(tool)
    yield from _ends(good)


def calls_of(tool: str, cases: Sequence[Case]) -> list[tuple[Case, int, SeenCall]]:
    """All calls of a tool, each with its case and its place in it."""
    return [
        (case, place, call)
        for case in cases
        for place, call in enumerate(case.calls)
        if call.tool == tool
    ]


def _check(name: str, kind: str, at: str, condition: dict[str, Json], message: str) -> Check:
    members = {"id": name, "kind": kind, "at": at, "check": condition, "message": message}
    return Check.model_validate(members)


def _calls(tool: str) -> Callable[[Moment], bool]:
    return lambda moment: moment.call is not None and moment.call.tool == tool


def _only(tool: str, condition: str) -> dict[str, Json]:
    return {"cel": f"next != {cel(tool)} || ({condition})"}


def _order(experience: Experience, good: Sequence[Case]) -> Conditions:
    """Only transitions between writes that a trace shows, or that the routines know."""
    pairs = known_pairs(experience, good)
    if pairs and len(pairs) <= _MOST_STEPS:
        listed = cel([list(pair) for pair in pairs])
        condition: dict[str, Json] = {"cel": f"at == 'call' || [wrote, next] in {listed}"}
        message = "What is changed follows on what a trace or the routine shows"
        check = _check("order", "flow", "always", condition, message)
        yield Candidate(check, lambda moment: moment.at != "call")


def _bound(tool: str, good: Sequence[Case], *, looping: bool) -> Candidate:
    """Not more calls than traces show; in a loop, than there are rows."""
    made = f"({cel(tool)} in count ? {member('count', tool)} : 0)"
    most = max(sum(call.tool == tool for call in case.calls) for case in good)
    condition, message = f"{made} < {most}", f"`{tool}` is called {most} times at most"
    if looping:
        condition = f"calls.exists(c, type(c.result) == list && {made} < size(c.result))"
        message = f"`{tool}` is not called more often than a result has rows"
    check = _check(f"{tool}.count", "flow", "write", _only(tool, condition), message)
    return Candidate(check, _calls(tool))


def _arguments(tool: str, good: Sequence[Case]) -> Conditions:
    """Arguments of the names and types that traces show."""
    given = [call.arguments for _, _, call in calls_of(tool, good)]
    if not all(isinstance(each, dict) for each in given):
        return
    shape = {"properties": {"arguments": shape_of(given, open_ended=False, deep=2)}}
    this = {"properties": {"tool": {"const": tool}}, "required": ["tool"], "type": "object"}
    condition: dict[str, Any] = {
        "if": {"properties": {"call": this}, "required": ["call"]},
        "then": {"properties": {"call": shape}},
    }
    message = f"The arguments of `{tool}` have the names and types that traces show"
    check = _check(f"{tool}.arguments", "data", "write", {"shape": condition}, message)
    yield Candidate(check, _calls(tool))


def _answers(tool: str, good: Sequence[Case]) -> Conditions:
    """What was read has the shape that traces show, before anything is written."""
    seen = [call.result for _, _, call in calls_of(tool, good) if call.error is None]
    if not seen:
        return
    this = {"properties": {"tool": {"const": tool}}, "required": ["tool"]}
    then = {"properties": {"result": shape_of(seen, nullable=True), "error": {"type": "null"}}}
    condition: dict[str, Any] = {
        "properties": {"calls": {"type": "array", "items": {"if": this, "then": then}}}
    }
    message = f"What `{tool}` answers has the shape that traces show"
    check = _check(f"{tool}.answer", "precondition", "write", {"shape": condition}, message)
    yield Candidate(check, lambda moment: any(call.tool == tool for call in moment.calls))


def _values(experience: Experience, tool: str, good: Sequence[Case]) -> Conditions:
    """Arguments that are what the task says, in every trace and in the routine."""
    made = calls_of(tool, good)
    for name in _names(made):
        known = said_parameters(experience, tool, name)
        for parameter in good[0].parameters if known is None else sorted(known):
            if all(_is_said(call, name, case, parameter) for case, _, call in made):
                equal = f"{member('call.arguments', name)} == {member('parameters', parameter)}"
                message = f"`{name}` of `{tool}` is the `{parameter}` of the task"
                check = _check(
                    f"{tool}.{name}.{parameter}", "data", "write", _only(tool, equal), message
                )
                yield Candidate(check, _calls(tool))


def _rows(tool: str, good: Sequence[Case]) -> Conditions:
    """Arguments that stand in a row of what was read: it is the row that the task means."""
    made = calls_of(tool, good)
    for name in _names(made):
        if any(all(_is_said(c, name, case, p) for case, _, c in made) for p in good[0].parameters):
            continue
        found: set[Place] | None = None
        for case, at, call in made:
            here = places(_argument(call, name), case.calls[:at])
            found = here if found is None else found & here
        for place in sorted(found or ())[:2]:
            condition = row_condition(place, name, made)
            message = f"`{name}` of `{tool}` stands in a row of `{place.tool}` that fits the task"
            check = _check(
                f"{tool}.{name}.row.{place.tool}.{place.field}",
                "data",
                "write",
                _only(tool, condition),
                message,
            )
            yield Candidate(check, _calls(tool))


def _constants(tool: str, good: Sequence[Case]) -> Conditions:
    """Arguments that are the same in all good traces, where a failed one has another."""
    made = calls_of(tool, good)
    for name in _names(made):
        first, *rest = [_argument(call, name) for _, _, call in made]
        if any(each != first for each in rest) or isinstance(first, list | dict | None):
            continue
        same = f"{member('call.arguments', name)} == {cel(first)}"
        message = f"`{name}` of `{tool}` was another where it went wrong"
        check = _check(f"{tool}.{name}.constant", "data", "write", _only(tool, same), message)
        yield Candidate(check, _calls(tool), countered=True)


def _looked_before(tool: str, good: Sequence[Case]) -> Conditions:
    """Reads that all good traces made before a write, where a failed one did not."""
    before = [
        {call.tool for call in case.calls[:place] if not call.writes}
        for case, place, _ in calls_of(tool, good)
    ]
    for read in sorted(set.intersection(*before)) if before else ():
        condition = _only(tool, f"{cel(read)} in count")
        message = f"`{tool}` went wrong without `{read}` before it"
        check = _check(f"{tool}.after.{read}", "precondition", "write", condition, message)
        yield Candidate(check, _calls(tool), countered=True)


def _done(tool: str) -> Candidate:
    """A write that all good traces made, and a failed one did not."""
    condition: dict[str, Json] = {"cel": f"{cel(tool)} in count"}
    message = f"It went wrong where `{tool}` was not called"
    check = _check(f"{tool}.done", "postcondition", "end", condition, message)
    return Candidate(check, _ended, countered=True)


def _ended(moment: Moment) -> bool:
    return moment.at == "end"


def _ends(good: Sequence[Case]) -> Conditions:
    """What holds at the end."""
    for name, condition, message in (
        ("nothing-failed", "calls.all(c, c.error == null)", "No call has failed"),
        ("noop", "noop == (writes == 0)", "It says rightly whether something was done"),
    ):
        check = _check(name, "postcondition", "end", {"cel": condition}, message)
        yield Candidate(check, _ended)
    for tool in dict.fromkeys(c.tool for case in good for c in case.calls if c.writes):
        made = [call for _, _, call in calls_of(tool, good)]
        only, different = made[0].result, {str(call.arguments) for call in made}
        same_words = all(call.result == only for call in made) and len(different) > 1
        if same_words and isinstance(only, str) and only:
            same = f"calls.all(c, c.tool != {cel(tool)} || c.result == {cel(only)})"
            message = f"`{tool}` has answered as in all traces"
            check = _check(f"{tool}.answer", "postcondition", "end", {"cel": same}, message)
            yield Candidate(check, _ended_after(tool))


def _ended_after(tool: str) -> Callable[[Moment], bool]:
    return lambda moment: moment.at == "end" and any(call.tool == tool for call in moment.calls)


def _names(made: Sequence[tuple[Case, int, SeenCall]]) -> list[str]:
    """The arguments that all these calls have."""
    given = [call.arguments for _, _, call in made]
    first, *rest = [each if isinstance(each, dict) else {} for each in given]
    return [name for name in first if all(name in other for other in rest)]


def _is_said(call: SeenCall, name: str, case: Case, parameter: str) -> bool:
    """Whether the task says the argument."""
    given, said = _argument(call, name), case.parameters.get(parameter)
    return given is not None and type(given) is type(said) and given == said


def _argument(call: SeenCall, name: str) -> Json:
    return call.arguments.get(name) if isinstance(call.arguments, dict) else None
