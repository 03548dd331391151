"""The order in which a tool gives its rows: what comes first is there also if rows are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from playhead.experience.learn._conditions import is_time
from playhead.experience.learn._program import Program
from playhead.experience.routine import Term


def comes_first(program: Program, state: str, term: Term) -> bool:
    """Whether the row of a read that a term chooses is the first one, wherever rows were seen.

    Of explanations that have to agree, one is enough.
    """
    terms = term[1] if term[0] == "agree" else (term,)
    return any(
        all(_is_first(program, state, where, pick) for where, pick in _choices(each, state))
        for each in terms
    )


def _choices(term: Any, state: str) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401
    """How a term chooses rows of a read."""
    if not isinstance(term, tuple):
        return
    if len(term) == 5 and term[0] == "result" and term[1] == state:
        yield term[2], term[3]
        return
    for part in term:
        yield from _choices(part, state)


def _is_first(program: Program, state: str, where: Any, pick: Any) -> bool:  # noqa: ANN401
    if where is not None:
        return False
    if not isinstance(pick, tuple):
        return bool(pick == "first")
    how, name = pick
    columns = [_column(world.scope.results.get(state), name) for world in program.worlds]
    told = [each for each in columns if len(set(each)) > 1]
    if len(told) < 2 or not all(map(_are_comparable, told)):
        return False
    ordered = [each if how == "lowest" else each[::-1] for each in told]
    return all(one <= other for each in ordered for one, other in pairwise(each))


def _column(rows: Any, name: str) -> list[Any]:  # noqa: ANN401
    found = rows if isinstance(rows, list) else []
    return [row[name] for row in found if isinstance(row, dict) and row.get(name) is not None]


def _are_comparable(values: list[Any]) -> bool:
    """Whether values are all moments, or all numbers, so that they can be compared as they are."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return numbers or is_time(values)
