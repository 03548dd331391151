"""Which call that changes something may follow which: what the routines know, and traces show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from playhead.experience.checks._facts import Case
from playhead.experience.document import (
    Agree,
    CallPart,
    CallState,
    Experience,
    FinishState,
    ForEachState,
    ParameterValue,
    RefuseState,
    Routine,
)

Pair = tuple[str, str]  # of tools; an empty name is the beginning, or the end


def known_pairs(experience: Experience, good: Sequence[Case]) -> list[Pair]:
    """The transitions between writes, in the order in which they are met."""
    found: dict[Pair, None] = {}
    for case in good:
        names = ["", *(call.tool for call in case.calls if call.writes)]
        found.update(dict.fromkeys(pairwise(names)))
        if case.ended:
            found[names[-1], ""] = None
    for routine in (experience.routine, *experience.others):
        found.update(dict.fromkeys(_pairs(experience, routine)))
    return list(found)


def looping_tools(experience: Experience) -> dict[str, tuple[str, ...]]:
    """Tools that the routines call in loops, each with the tools of its loop."""
    found: dict[str, tuple[str, ...]] = {}
    for routine in (experience.routine, *experience.others):
        for state in routine.states.values():
            if isinstance(state, ForEachState):
                tools = tuple(t for part in state.for_each.do for t in _tools(experience, part))
                found.update(dict.fromkeys(tools, tools))
    return found


def said_parameters(experience: Experience, tool: str, argument: str) -> set[str] | None:
    """The parameters that the routines give a tool as this argument; None if they never call it."""
    found: set[str] | None = None
    for routine in (experience.routine, *experience.others):
        for part in _calls(routine):
            if tool in _tools(experience, part):
                found = found or set()
                given = part.arguments.get(argument)
                ways = given.agree if isinstance(given, Agree) else (given,)
                found |= {way.param for way in ways if isinstance(way, ParameterValue)}
    return found


def _calls(routine: Routine) -> Iterator[CallPart]:
    for state in routine.states.values():
        if isinstance(state, CallState):
            yield state.call
        elif isinstance(state, ForEachState):
            yield from state.for_each.do


def _tools(experience: Experience, part: CallPart) -> list[str]:
    """The tools that a call may be of: one, or all that can be chosen."""
    return [part.tool] if isinstance(part.tool, str) else list(experience.tools)


def _pairs(experience: Experience, routine: Routine) -> Iterator[Pair]:
    """The transitions between writes on all ways through a routine."""
    seen: set[Pair] = set()
    todo: list[Pair] = [(routine.start, "")]  # a state, and the write before it
    while todo:
        name, before = todo.pop()
        if (name, before) in seen:
            continue
        seen.add((name, before))
        state = routine.states[name]
        if isinstance(state, RefuseState):
            continue
        if isinstance(state, FinishState):
            yield before, ""
            continue
        after = {before}
        if isinstance(state, CallState):
            after = set()
            for tool in _tools(experience, state.call):
                if _writes(experience, tool):
                    yield before, tool
                after.add(tool if _writes(experience, tool) else before)
        elif isinstance(state, ForEachState):
            loops = [_tools(experience, part) for part in state.for_each.do]
            tools = [tool for part in loops for tool in part if _writes(experience, tool)]
            yield from ((one, other) for one in (before, *tools) for other in tools)
            after |= set(tools)
        todo += [(each.to, last) for each in state.next for last in sorted(after)]


def _writes(experience: Experience, tool: str) -> bool:
    needed = experience.tools.get(tool)
    return needed is None or needed.effect != "read"
