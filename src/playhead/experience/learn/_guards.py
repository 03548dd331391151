"""Conditions that tell traces that wrote from those that did not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._conditions import (
    NOW,
    TODAY,
    days_of,
    fields_of,
    is_ordered,
    overdue_conditions,
    plainest,
    row_conditions,
    speaks_of_overdue,
)
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._program import Program, needed_steps
from playhead.experience.learn._said import as_said, said_by
from playhead.experience.learn._series import is_series, of_series
from playhead.experience.routine import Term, const, fn, parameters_in

_CONDITIONAL = re.compile(
    r"\b(if|unless|otherwise|whether|in case|when|whenever|once|provided|depending|as long as)\b"
    r"|(^|[.?!;]\s+)should\b",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(r"\b(otherwise|else|instead)\b", re.IGNORECASE)
_CONDITION_WORDS = said_by(
    ("grew|grow|grows|grown|growth|rose|rise|increased?", ["growth", "percent_change"]),
    ("any|ever|at some point", ["any"]),
    ("always|every|all", ["all"]),
    ("highest|largest|peak|maximum", ["largest"]),
    ("lowest|smallest|minimum", ["smallest"]),
    ("average|mean", ["mean"]),
    ("in total|total|overall|more|less|fewer", ["sum"]),
)
_SPENT = ("number", "percent", "comparison", "period")


def sounds_conditional(ground: Ground) -> bool:
    """Whether a task text speaks of a condition."""
    return any(_CONDITIONAL.search(text.text) for text in ground.texts.texts)


def speaks_of_another_way(ground: Ground, terms: Sequence[Term]) -> bool:
    """Whether a text says what to do if the condition does not hold, in so many words."""
    if any(_OTHERWISE.search(text.text) for text in ground.texts.texts):
        return True
    spent = set().union(*(parameters_in(term) for term in terms)) if terms else set()
    quoted = [c for c in ground.candidates if c.kind == "quoted" and None not in c.values]
    return any(each.name not in spent and not _doubled(each, quoted, spent) for each in quoted)


def _doubled(one: Candidate, others: Sequence[Candidate], spent: set[str]) -> bool:
    """Whether another parameter that is used says the same."""
    return any(each.values == one.values and each.name in spent for each in others)


def unspent(ground: Ground, terms: Sequence[Term]) -> set[str]:
    """Parameters that say how much or which, and of which nothing was made."""
    spent = set().union(*(parameters_in(term) for term in terms)) if terms else set()
    return {
        each.name
        for each in ground.candidates
        if each.kind in _SPENT and None not in each.values and each.name not in spent
    }


def undecided(ground: Ground, terms: Sequence[Term]) -> set[str]:
    """Values that differ from text to text, and of which nothing was made where one says `if`."""
    if not sounds_conditional(ground):
        return set()
    spent = set().union(*(parameters_in(term) for term in terms)) if terms else set()
    told = [
        each
        for each in ground.candidates
        if each.kind == "option"
        and None not in each.values
        and len(set(each.values)) > 1
        and not set(each.values) <= set(ground.tools)  # which of them is asked is no condition
    ]
    left = [c for c in told if c.name not in spent and not _doubled(c, told, spent)]
    return {
        each.name
        for at, each in enumerate(left)
        if not any(each.values == other.values for other in left[:at])
    }


def guards(
    ground: Ground,
    program: Program,
    labels: Mapping[int, bool],
    *,
    parameters: set[str],
    reads: set[str],
) -> list[Term]:
    """Conditions that hold where they should and nowhere else.

    Args:
        ground: The traces.
        program: The reads.
        labels: Whether it should hold, by trace.
        parameters: Parameters that a condition must speak of.
        reads: Reads that it must depend on.
    """
    found: list[Term] = []
    directions = {
        c.name for c in ground.candidates if c.kind == "direction" and None not in c.values
    }
    parameters = parameters | directions
    overdue = list(_of_overdue(ground, program))
    for term in dict.fromkeys([*overdue, *_conditions(ground, program)]):
        if not parameters <= parameters_in(term):
            continue
        used = {step.state for step in needed_steps(program, [term])}
        if not reads <= used or not used:
            continue
        if all(program.worlds[at].value(term) is wanted for at, wanted in labels.items()):
            found.append(term)
    found = [term for term in found if term in overdue] or found
    return as_said(_CONDITION_WORDS, plainest(found), ground.texts.texts)[
        : 2 * ground.settings.explanations
    ]


def stated_guards(
    ground: Ground, program: Program, labels: Mapping[int, bool], *, parameters: set[str]
) -> list[Term]:
    """Conditions that the texts state in so many words: `more than`, with all that bounds it.

    What else a trace read served something that it never came to.
    """
    stated = {c.name for c in ground.candidates if c.kind == "comparison" and None not in c.values}
    if not stated:
        return []
    return guards(ground, program, labels, parameters=parameters | stated, reads=set())


def _conditions(ground: Ground, program: Program) -> Iterator[Term]:
    yield from of_series(ground, program)
    comparisons: list[Term] = [
        ("param", c.name) for c in ground.candidates if c.kind == "comparison"
    ]
    hows: list[Term] = comparisons or [const("more"), const("less")]
    amounts: list[Term] = [("param", c.name) for c in ground.candidates if c.kind == "number"]
    for step in program.steps:
        results = [world.scope.results.get(step.state) for world in program.worlds]
        if not any(map(is_series, results)):
            yield from _of_rows(ground, program, step.state, hows, amounts)
    yield from _of_counts(program, hows)


def _of_counts(program: Program, hows: Sequence[Term]) -> Iterator[Term]:
    """Of which of two searches more was found."""
    for one, other in permutations(program.steps, 2):
        if one.tool == other.tool and set(one.arguments) == set(other.arguments):
            counts = [fn("found", _whole(step.state)) for step in (one, other)]
            yield from (fn("compare", how, *counts) for how in hows)


def _of_overdue(ground: Ground, program: Program) -> Iterator[Term]:
    """Whether any row is overdue, where that is what all texts ask."""
    if not speaks_of_overdue([text.text for text in ground.texts.texts]):
        return
    for step in program.steps:
        results = [world.scope.results.get(step.state) for world in program.worlds]
        rows = [row for found in results if isinstance(found, list) for row in found]
        for where in overdue_conditions(rows):
            chosen: Term = ("result", step.state, where, None, ())
            yield fn("not", fn("empty", chosen))
            yield fn("empty", chosen)


def _whole(state: str) -> Term:
    return ("result", state, None, None, ())


def _of_rows(
    ground: Ground, program: Program, state: str, hows: Sequence[Term], amounts: Sequence[Term]
) -> Iterator[Term]:
    source = _whole(state)
    yield fn("empty", source)
    yield fn("not", fn("empty", source))
    rows: list[Any] = []
    for world in program.worlds:
        found = world.scope.results.get(state)
        rows += found if isinstance(found, list) else []
    said = [each for each in ground.candidates if None not in each.values]
    for where in row_conditions(rows, said, ground.settings):
        if where is not None:
            chosen: Term = ("result", state, where, None, ())
            yield fn("not", fn("empty", chosen))
            yield fn("empty", chosen)
    for how in hows:
        for amount in amounts:
            yield fn("compare", how, fn("length", source), amount)
    for name in fields_of(rows):
        column = [row.get(name) for row in rows if isinstance(row, dict)]
        if not is_ordered(column):
            continue
        for pick in ("only", "first", ("lowest", name), ("highest", name)):
            cell: Term = ("result", state, None, pick, (name,))
            if any(isinstance(value, str) and "-" in value for value in column):
                for day in _days(ground.candidates):
                    yield fn("compare", const("less"), cell, day)
                    yield fn("compare", const("more"), cell, day)
            else:
                for how in hows:
                    yield from (fn("compare", how, cell, amount) for amount in amounts)


def _days(candidates: Sequence[Candidate]) -> Iterator[Term]:
    yield NOW
    yield TODAY
    for each in candidates:
        if each.kind == "period":
            yield fn("add_days", TODAY, fn("subtract", const(0), ("param", each.name)))
        if each.kind in ("date", "weekday"):
            yield from days_of(each.kind, ("param", each.name))
