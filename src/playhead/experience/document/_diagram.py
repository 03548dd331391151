"""A routine as a Mermaid diagram, for review. What documents say is never markup in it."""

from __future__ import annotations

from collections.abc import Iterator

from playhead.experience.document._brief import brief
from playhead.experience.document._experience import Experience
from playhead.experience.document._routine import (
    CallPart,
    CallState,
    Choose,
    FinishState,
    ForEachState,
    RefuseState,
    Routine,
    State,
)

_LONGEST = 60  # characters of one line of a label
_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:=+-_()/'?!*…‹›"
)
_EFFECTS = {
    "read": "fill:#eef5ff,stroke:#3b6ea8",
    "idempotent": "fill:#fff6e0,stroke:#b7791f",
    "write": "fill:#ffe9e0,stroke:#c05621",
    "irreversible": "fill:#ffd6d6,stroke:#9b1c1c",
    "end": "fill:#e9f7ee,stroke:#2f855a",
    "refuse": "fill:#f0f0f0,stroke:#666666",
}


def experience_diagram(experience: Experience) -> str:
    """The routine of an experience as a Mermaid flowchart.

    Calls are boxes with tool and arguments, coloured by effect; loops are framed twice; what is
    written on an arrow is the condition for going there. Any Mermaid renders it to SVG.

    Args:
        experience: The document.
    """
    routine = experience.routine
    ids = {name: f"s{at}" for at, name in enumerate(_in_order(routine))}
    lines = ["flowchart TD", "  begin([start])"]
    lines += [f"  {ids[name]}{_shape(name, routine.states[name])}" for name in ids]
    lines.append(f"  begin --> {ids[routine.start]}")
    lines += list(_arrows(routine, ids))
    lines += list(_colours(experience, ids))
    return "\n".join(lines) + "\n"


def _in_order(routine: Routine) -> list[str]:
    """The names of the states as one comes to them, then those that nothing leads to."""
    found = [routine.start]
    for name in found:  # it grows
        state = routine.states[name]
        steps = () if isinstance(state, FinishState | RefuseState) else state.next
        found += [to for to in dict.fromkeys(step.to for step in steps) if to not in found]
    return [*found, *(name for name in routine.states if name not in found)]


def _shape(name: str, state: State) -> str:
    match state:
        case CallState():
            return _box("[", [name, *_call(state.call)], "]")
        case ForEachState():
            loop = state.for_each
            rows = f"for each of {brief(loop.rows)}, at most {loop.at_most}"
            return _box(
                "[[", [name, rows, *(line for call in loop.do for line in _call(call))], "]]"
            )
        case FinishState():
            ending = "nothing to do" if state.finish.noop else "done"
            text = [brief(state.finish.text)] if state.finish.text is not None else []
            return _box("([", [name, ending, *text], "])")
        case RefuseState():
            return _box("{{", [name, f"refuse: {state.refuse}"], "}}")
    return _box("{", [name], "}")


def _call(call: CallPart) -> Iterator[str]:
    tool = call.tool
    yield f"tool by {brief(tool.choose)}" if isinstance(tool, Choose) else tool
    for name, value in call.arguments.items():
        yield f"{name} = {brief(value)}"


def _arrows(routine: Routine, ids: dict[str, str]) -> Iterator[str]:
    for name in ids:
        state = routine.states[name]
        if isinstance(state, FinishState | RefuseState):
            continue
        several = len(state.next) > 1
        for step in state.next:
            said = brief(step.when) if step.when is not None else "otherwise" if several else ""
            label = f'|"{_escaped(said)}"|' if said else ""
            yield f"  {ids[name]} -->{label} {ids[step.to]}"


def _colours(experience: Experience, ids: dict[str, str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for name in ids:
        effect = _effect(experience, experience.routine.states[name])
        if effect is not None:
            groups.setdefault(effect, []).append(ids[name])
    for effect, members in groups.items():
        yield f"  classDef {effect}Class {_EFFECTS[effect]}"
        yield f"  class {','.join(members)} {effect}Class"


def _effect(experience: Experience, state: State) -> str | None:
    match state:
        case FinishState():
            return "end"
        case RefuseState():
            return "refuse"
        case CallState():
            calls: tuple[CallPart, ...] = (state.call,)
        case ForEachState():
            calls = state.for_each.do
        case _:
            return None
    order = list(_EFFECTS)
    needs = [
        tool.effect
        for call in calls
        for name, tool in experience.tools.items()
        if isinstance(call.tool, Choose) or call.tool == name
    ]
    return max(needs, key=order.index, default=None)


def _box(begin: str, lines: list[str], end: str) -> str:
    label = "<br/>".join(_escaped(line) for line in dict.fromkeys(lines))
    return f'{begin}"{label}"{end}'


def _escaped(text: str) -> str:
    """A text in a quoted label: all but harmless characters are Mermaid's entity codes."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(sign if sign in _PLAIN else f"#{ord(sign)};" for sign in shown)
