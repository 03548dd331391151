"""A routine that a model proposes: data in the document's own words, with narrow limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from playhead.errors import ExperienceError
from playhead.experience.document import (
    CallPart,
    CallState,
    Choose,
    Const,
    Experience,
    FinishState,
    ForEachState,
    Option,
    OverRows,
    Parameter,
    Result,
    Routine,
    State,
    experience_of,
)
from playhead.experience.document._expression import Name
from playhead.experience.document._read import plain
from playhead.experience.document._structure import targets
from playhead.experience.learn._conditions import is_identity
from playhead.experience.learn._trace import ToolSpec
from playhead.tape import Json
from playhead.yaml import FilePart

_MOST_PARTS = 2_000
_DEEPEST = 2  # conditions on rows within each other
_MOST_BYTES = 100_000


class Generalisation(FilePart):
    """A whole routine, or states that replace those of the same names; null takes one away.

    A parameter of a known name gets more sources; all others are new.
    """

    parameters: dict[Name, Parameter] = Field(default_factory=dict, max_length=50)
    routine: Routine | None = None
    start: Name | None = None
    states: dict[Name, State | None] = Field(default_factory=dict, max_length=100)


@dataclass(frozen=True, slots=True)
class Generalised:
    """A proposal as documents.

    Args:
        alone: With the proposed routine only: it has to explain the sessions by itself.
        beside: With what was learnt: where the two disagree, nothing is done.
    """

    alone: Experience
    beside: Experience


def generalised(
    base: Experience, said: Json, tools: Mapping[str, ToolSpec], *, learnt: bool
) -> Generalised:
    """Read a proposal.

    Args:
        base: What it is about.
        said: What the model proposes.
        tools: The tools of the world: what a tool does is never the model's to say.
        learnt: Whether the routine of `base` was learnt and stays.

    Raises:
        ExperienceError: It is no valid proposal.
    """
    if len(json.dumps(said)) > _MOST_BYTES:
        raise ExperienceError(f"a proposal has at most {_MOST_BYTES:,} bytes")
    try:
        proposal = Generalisation.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"] if not str(part).startswith("("))
        raise ExperienceError(f"`{where}`: {first['msg']}") from None
    if fault := next(_faults(proposal), None):
        raise ExperienceError(fault)
    routine = _reached(_routine_of(base.routine, proposal))
    if routine in (base.routine, *base.others):
        raise ExperienceError("the routine is the one that was learnt")
    members = plain(base)
    members["parameters"] = _parameters(base, proposal)
    members["tools"] = _tools(base, routine, tools)
    members.pop("checks", None)  # they were found for another routine
    mine: Json = routine.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    alone = experience_of({**members, "routine": mine, "others": []})
    others = members.get("others")
    several = [*(others if isinstance(others, list) else []), mine]
    beside = experience_of({**members, "others": several}) if learnt else alone
    return Generalised(alone, beside)


def write_states(experience: Experience) -> Iterator[str]:
    """The states of a routine that change something."""
    for name, state in experience.routine.states.items():
        for call in calls_of(state):
            tools = [call.tool] if isinstance(call.tool, str) else list(experience.tools)
            if any(experience.tools[tool].effect != "read" for tool in tools):
                yield name
                break


def calls_of(state: State) -> tuple[CallPart, ...]:
    """The calls that a state makes."""
    if isinstance(state, CallState):
        return (state.call,)
    return state.for_each.do if isinstance(state, ForEachState) else ()


def _routine_of(base: Routine, proposal: Generalisation) -> Routine:
    whole = proposal.routine
    if whole is not None and (proposal.states or proposal.start):
        raise ExperienceError("give a whole `routine`, or `states` that replace some; not both")
    if whole is None and not proposal.states:
        raise ExperienceError("it has neither a `routine` nor `states`")
    if whole is not None:
        return whole
    states = {**base.states, **proposal.states}
    return Routine(
        start=proposal.start or base.start,
        states={name: state for name, state in states.items() if state is not None},
    )


def _reached(routine: Routine) -> Routine:
    """The routine without states that nothing leads to."""
    found = [routine.start]
    for name in found:  # it grows
        state = routine.states.get(name)
        if state is None:
            raise ExperienceError(f"it goes on to `{name}`, which is no state")
        found += [to for to in dict.fromkeys(targets(state)) if to not in found]
    return Routine(start=routine.start, states={name: routine.states[name] for name in found})


def _parameters(base: Experience, proposal: Generalisation) -> dict[str, Json]:
    """Those of the document, with what is proposed; a known one is never read less strictly."""
    found = dict(base.parameters)
    for name, said in proposal.parameters.items():
        known = found.get(name)
        if said.default is not None:
            raise ExperienceError(f"the parameter `{name}` has a default: the task has to say it")
        if known is None:
            found[name] = said
        else:
            more = tuple(each for each in said.sources if each not in known.sources)
            found[name] = known.model_copy(update={"sources": (*known.sources, *more)})
    return {
        name: each.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        for name, each in found.items()
    }


def _tools(base: Experience, routine: Routine, tools: Mapping[str, ToolSpec]) -> dict[str, Json]:
    """The tools that are needed, as the world has them."""
    found: dict[str, Json] = {
        name: each.model_dump(mode="json", exclude_defaults=True)
        for name, each in base.tools.items()
    }
    for state in routine.states.values():
        for call in calls_of(state):
            name = call.tool
            if isinstance(name, Choose) or name in found:  # a choice is one that was learnt
                continue
            if name not in tools:
                raise ExperienceError(f"there is no tool `{name}`")
            digest = tools[name].digest
            found[name] = {"effect": tools[name].effect} | ({"digest": digest} if digest else {})
    return found


def _faults(proposal: Generalisation) -> Iterator[str]:
    """What a proposal may not say, whatever it would do."""
    for number, (part, deep) in enumerate(_parts(proposal)):
        if number >= _MOST_PARTS:
            yield f"it has more than {_MOST_PARTS:,} parts"
            return
        if deep > _DEEPEST:
            yield f"conditions on rows stand in each other, more than {_DEEPEST} deep"
        match part:
            case Choose():
                yield "a tool is chosen by a value: name the tool"
            case Const() if _remembered(part.const):
                yield f"the constant {json.dumps(part.const)[:80]} names one thing: look it up"
            case Option() if _remembered(part.value):
                yield f"the option {json.dumps(part.value)[:80]} names one thing: look it up"
            case FinishState() if part.finish.text is not None:
                yield "a `finish` has no text: what is said at the end is not proved by sessions"


def _remembered(value: Json) -> bool:
    """Whether a value, or one within it, names one thing of the world."""
    if isinstance(value, dict):
        return any(_remembered(each) for each in value.values())
    if isinstance(value, list):
        return any(_remembered(each) for each in value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_identity(str(value) if number else value)


def _parts(value: object) -> Iterator[tuple[BaseModel, int]]:
    """All parts, each with how many conditions on rows it stands in."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        found, deep = stack.pop()
        if isinstance(found, BaseModel):
            inner = deep + (isinstance(found, OverRows) or _chooses(found))
            yield found, inner
            stack += [(getattr(found, name), inner) for name in type(found).model_fields]
        elif isinstance(found, tuple | list):
            stack += [(each, deep) for each in found]
        elif isinstance(found, dict):
            stack += [(each, deep) for each in found.values()]


def _chooses(part: BaseModel) -> bool:
    return isinstance(part, Result) and part.where is not None
