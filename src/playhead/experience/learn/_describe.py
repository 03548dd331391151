"""The high level of an experience in words, made from its routine."""

from __future__ import annotations

from playhead.experience.document import (
    CallPart,
    CallState,
    Experience,
    ForEachState,
    Procedure,
    Routine,
    State,
)


def described(experience: Experience) -> Experience:
    """The experience with a title and a procedure, where it has none."""
    update: dict[str, object] = {}
    if not experience.title:
        example = next(iter(experience.scope.examples), experience.name)
        update["title"] = f"As in: {example}"[:200]
    if not experience.procedure.steps:
        steps = [_said(state) for state in _in_order(experience.routine)]
        update["procedure"] = Procedure(steps=tuple(step for step in steps if step))
    return experience.model_copy(update=update)


def _in_order(routine: Routine) -> list[State]:
    """The states, each before those that it goes on to."""
    order: list[str] = []
    waiting = [routine.start]
    while waiting:
        name = waiting.pop(0)
        if name not in order:
            order.append(name)
            waiting += [each.to for each in getattr(routine.states[name], "next", ())]
    return [routine.states[name] for name in order]


def _said(state: State) -> str:
    match state:
        case CallState():
            return f"Call {_called(state.call)}."
        case ForEachState():
            calls = " and ".join(_called(each) for each in state.for_each.do)
            return f"For each row that is chosen, call {calls}."
    conditions = [each for each in getattr(state, "next", ()) if each.when is not None]
    return "Decide by what was found how to go on." if conditions else ""


def _called(call: CallPart) -> str:
    tool = f"`{call.tool}`" if isinstance(call.tool, str) else "the tool that the task names"
    names = ", ".join(f"`{name}`" for name in call.arguments)
    return f"{tool} with {names}" if names else tool
