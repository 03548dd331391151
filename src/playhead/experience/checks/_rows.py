"""Where a value that is written was read: in which tool's answer, in which member of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from playhead.experience.checks._facts import Case, SeenCall
from playhead.experience.checks._literals import cel, common, member
from playhead.tape import Json


class Place(NamedTuple):
    """A member of the rows of a tool's answer, or of its only row."""

    tool: str
    field: str
    listed: bool


def places(value: Json, before: Sequence[SeenCall]) -> set[Place]:
    """Where a value stands among what was read before."""
    if value is None or isinstance(value, bool | list | dict):
        return set()
    return {
        Place(call.tool, name, isinstance(call.result, list))
        for call in before
        if not call.writes
        for row in rows_of(call)
        for name, known in row.items()
        if known == value and type(known) is type(value)
    }


def rows_of(call: SeenCall) -> Iterator[dict[str, Json]]:
    """The rows of an answer: the objects of a list, or one object."""
    found = call.result if isinstance(call.result, list) else [call.result]
    yield from (row for row in found if isinstance(row, dict))


def row_condition(place: Place, name: str, made: Sequence[tuple[Case, int, SeenCall]]) -> str:
    """That a row with the argument's value was read, and that it fits the task.

    Args:
        place: Where the value stands.
        name: The argument.
        made: The calls that give it, each with its case and its place in it.
    """
    parts = [f"{member('r', place.field)} == {member('call.arguments', name)}"]
    parts += [
        f"{member('r', field)} == {member('parameters', parameter)}"
        for field, parameter in _fitting(place, name, made)
    ]
    condition = " && ".join(parts)
    tool = f"c.tool == {cel(place.tool)}"
    if place.listed:
        return f"calls.exists(c, {tool} && c.result.exists(r, {condition}))"
    return f"calls.exists(c, {tool} && [c.result].exists(r, {condition}))"


def _fitting(
    place: Place, name: str, made: Sequence[tuple[Case, int, SeenCall]]
) -> list[tuple[str, str]]:
    """Members of the row that are what the task says, each with the parameter, in all cases."""
    found: list[tuple[str, str]] | None = None
    for case, at, call in made:
        value = call.arguments.get(name) if isinstance(call.arguments, dict) else None
        rows = [
            row
            for each in case.calls[:at]
            if each.tool == place.tool
            for row in rows_of(each)
            if row.get(place.field) == value
        ]
        here = [
            (field, parameter)
            for field in (common(rows) if rows else [])
            for parameter, wanted in case.parameters.items()
            if wanted is not None and all(row[field] == wanted for row in rows)
        ]
        found = here if found is None else [pair for pair in found if pair in here]
    return found or []
