"""What a document must fulfil beyond its form: names that exist, a graph that ends, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from playhead.experience.document._experience import Experience
from playhead.experience.document._expression import Function, ParameterValue, Result
from playhead.experience.document._routine import (
    CallPart,
    CallState,
    FinishState,
    ForEachState,
    RefuseState,
    Routine,
    State,
)
from playhead.experience.values import FUNCTIONS

MAX_PARTS = 20_000
"""Parts of all expressions and states together."""


def faults_of(experience: Experience) -> list[str]:
    """What is wrong with a document that has the right form."""
    found: list[str] = []
    parts = 0
    for number, routine in enumerate((experience.routine, *experience.others)):
        where = "routine" if number == 0 else f"others.{number - 1}"
        parts += sum(1 for _ in _parts(routine))
        if parts > MAX_PARTS:
            return [f"more than {MAX_PARTS:,} parts in the routines: split the experience"]
        found += [f"`{where}`: {fault}" for fault in _routine_faults(experience, routine)]
    return found


def _routine_faults(experience: Experience, routine: Routine) -> Iterator[str]:
    states = routine.states
    if routine.start not in states:
        yield f"it starts at `{routine.start}`, which is no state"
        return
    going = {name: targets(state) for name, state in states.items()}
    unknown = {to for ends in going.values() for to in ends} - set(states)
    if unknown:
        yield f"it goes on to `{sorted(unknown)[0]}`, which is no state"
        return
    if circle := _circle(going):
        yield f"the states {circle} form a circle: use `for_each`"
        return
    for name, state in states.items():
        yield from (
            f"state `{name}`: {fault}" for fault in _state_faults(experience, routine, state)
        )


def targets(state: State) -> tuple[str, ...]:
    """The states that one may go on to."""
    if isinstance(state, FinishState | RefuseState):
        return ()
    return tuple(each.to for each in state.next)


def _circle(going: Mapping[str, tuple[str, ...]]) -> str | None:
    left = {name: set(ends) for name, ends in going.items()}
    while ends := [name for name, after in left.items() if not after]:
        for name in ends:
            del left[name]
        for after in left.values():
            after.difference_update(ends)
    return ", ".join(f"`{name}`" for name in sorted(left)[:5]) or None


def _state_faults(experience: Experience, routine: Routine, state: State) -> Iterator[str]:
    calls = {name for name, each in routine.states.items() if _is_made(each)}
    if not isinstance(state, FinishState | RefuseState) and not state.next:
        yield "it ends nowhere: give it a `next`, or make it `finish` or `refuse`"
    for part in _parts(state):
        match part:
            case ParameterValue() if part.param not in experience.parameters:
                yield f"no parameter `{part.param}`"
            case Result() if part.result not in calls:
                yield f"no call state `{part.result}`"
            case Function() if part.fn not in FUNCTIONS:
                yield f"no function `{part.fn}`"
            case Function() if (fault := FUNCTIONS[part.fn].fault(len(part.of))) is not None:
                yield f"`{part.fn}` {fault}"
            case CallPart() if isinstance(part.tool, str) and part.tool not in experience.tools:
                yield f"the tool `{part.tool}` is not among `tools`"
                continue
            case _:
                continue


def _is_made(state: State) -> bool:
    """Whether a state makes calls, and so has a result."""
    return isinstance(state, CallState | ForEachState)


def _parts(value: object) -> Iterator[BaseModel]:
    """A part and all parts within it."""
    stack = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, BaseModel):
            yield found
            stack += [getattr(found, name) for name in type(found).model_fields]
        elif isinstance(found, tuple | list):
            stack += found
        elif isinstance(found, dict):
            stack += found.values()
