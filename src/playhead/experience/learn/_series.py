"""Conditions over series: what their values come to, and by how much they changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from playhead.experience.learn._atoms import World
from playhead.experience.learn._conditions import DAY, days_of, fields_of, is_ordered
from playhead.experience.learn._ground import Ground
from playhead.experience.learn._program import Program
from playhead.experience.routine import Term, const, fn
from playhead.experience.values import stem

_WHOLE = ("sum", "mean", "largest", "smallest", "first", "last")


@dataclass(frozen=True, slots=True)
class Series:
    """Values in the order of their days.

    Args:
        state: The read that gives them.
        values: All of them.
        first: The first.
        last: The last.
        dated: The member of rows that says the day; None for an object whose members are days.
        name: The member of rows that holds the value.
    """

    state: str
    values: Term
    first: Term
    last: Term
    dated: str | None = None
    name: str | None = None

    def at(self, day: Term) -> Term:
        """The value of a day."""
        if self.dated is None or self.name is None:
            return fn("value_at", self.values, day)
        where = fn("equal", fn("day", ("item", (self.dated,))), day)
        return ("result", self.state, where, "only", (self.name,))


def series_of(ground: Ground, program: Program) -> list[Series]:
    """The series that the reads of a program give: objects of numbers, and members of rows."""
    found: list[Series] = []
    for step in program.steps:
        results = [world.scope.results.get(step.state) for world in program.worlds]
        if any(is_series(each) for each in results):
            whole: Term = ("result", step.state, None, None, ())
            found.append(Series(step.state, whole, fn("first", whole), fn("last", whole)))
        found += _columns(ground, step.state, results)
    return found


def is_series(result: Any) -> bool:  # noqa: ANN401
    """Whether a result is an object of many members, or one whose members are days."""
    return isinstance(result, dict) and (
        len(result) > 1 or any(DAY.fullmatch(str(name)) for name in result)
    )


def _columns(ground: Ground, state: str, results: Sequence[Any]) -> Iterator[Series]:
    """Members of rows that the task texts name, if another one says their day."""
    rows = [row for each in results if isinstance(each, list) for row in each]
    columns = {
        name: [row.get(name) for row in rows if isinstance(row, dict)] for name in fields_of(rows)
    }
    days = [
        name
        for name, column in columns.items()
        if column and all(isinstance(value, str) and DAY.fullmatch(value) for value in column)
    ]
    if len(days) != 1:
        return
    for name, column in columns.items():
        if name not in days and is_ordered(column) and _is_said(ground, name):
            low: Term = ("result", state, None, ("lowest", days[0]), (name,))
            high: Term = ("result", state, None, ("highest", days[0]), (name,))
            values = fn("field", ("result", state, None, None, ()), const(name))
            yield Series(state, values, low, high, dated=days[0], name=name)


def _is_said(ground: Ground, name: str) -> bool:
    """Whether all task texts have the words of a member's name."""
    words = {stem(word) for word in name.replace("_", " ").split()}
    return all(words <= set(map(stem, text.words)) for text in ground.texts.texts)


def of_series(ground: Ground, program: Program) -> Iterator[Term]:
    """Conditions on what the series of a program come to."""
    series = series_of(ground, program)
    hows: list[Term] = _said(ground, "comparison") or [const("more"), const("less")]
    amounts = _said(ground, "number")
    for one in series:
        for how, amount in product(hows, amounts):
            each = fn("compare", how, ("item", ()), amount)
            yield ("over", "any", one.values, each)
            yield ("over", "all", one.values, each)
            for name in (*_WHOLE, "growth"):
                yield fn("compare", how, _total(one, name), amount)
        for other in series:
            if other != one and _in_order(ground, program, one, other):
                yield from _of_two(ground, one, other, hows)
    yield from _of_changes(ground, program, series)


def _in_order(ground: Ground, program: Program, one: Series, other: Series) -> bool:
    """Whether texts that compare two things name them in this order, as far as they name them."""
    tools = {step.state: step.tool for step in program.steps}
    places = [_places(ground, tools[each.state]) for each in (one, other)]
    bounds = [_places(ground, term) for term in _said(ground, "comparison")[:1]]
    if not all(places):
        return True
    first, *rest = [places[0], *bounds, places[1]]
    for each in rest:
        if any(None in pair or pair[0] >= pair[1] for pair in zip(first, each, strict=True)):
            return False
        first = each
    return True


def _places(ground: Ground, term: Term) -> list[Any]:
    """Where each text has a parameter; nothing for what is none."""
    for each in ground.candidates:
        if term == ("param", each.name):
            return [
                next((one.start for m in each.sources if (one := text.found(m))), None)
                for text in ground.texts.texts
            ]
    return []


def _total(series: Series, name: str) -> Term:
    match name:
        case "first":
            return series.first
        case "last":
            return series.last
    return fn(name, series.values)


def _of_two(ground: Ground, one: Series, other: Series, hows: Sequence[Term]) -> Iterator[Term]:
    """Comparisons of two series; of how they changed, in the direction that is said."""
    directions = _said(ground, "direction")
    for how in hows:
        for name in _WHOLE:
            yield fn("compare", how, _total(one, name), _total(other, name))
        for direction in directions:
            left, right = (
                fn("percent_change", direction, each.first, each.last) for each in (one, other)
            )
            yield fn("compare", how, left, right)
        if not directions:
            yield fn("compare", how, fn("growth", one.values), fn("growth", other.values))


def _of_changes(ground: Ground, program: Program, series: Sequence[Series]) -> Iterator[Term]:
    """By how much a value changed, between two days or from a day to the newest."""
    amounts = [("percent_change", term) for term in _said(ground, "percent")]
    bounds = list(_bounds(ground, by_percent=bool(amounts)))
    amounts += [("change", term) for term in _said(ground, "number")]
    for one, other in product(series, series):
        if not amounts or not bounds or not _same_measure(program, one, other):
            continue
        for (before, after), (how, direction) in product(
            _points(ground, program, one, other), bounds
        ):
            for name, amount in amounts:
                yield fn("compare", how, fn(name, direction, before, after), amount)


def _bounds(ground: Ground, *, by_percent: bool) -> Iterator[tuple[Term, Term]]:
    """How an amount bounds a change, and in which direction: `more than … lower`."""
    comparisons, directions = _said(ground, "comparison"), _said(ground, "direction")
    if directions:
        hows = comparisons or [const("more"), const("at_least")]
        yield from product(hows, directions)
    elif len(comparisons) > 1:
        yield comparisons[0], comparisons[1]
    elif by_percent:
        yield from product([const("more"), const("at_least")], comparisons)


def _same_measure(program: Program, one: Series, other: Series) -> bool:
    """Whether two series are of one thing, read by one tool."""
    tools = {step.state: step.tool for step in program.steps}
    return (one.dated, one.name) == (other.dated, other.name) and all(
        world.value(tools[one.state]) == world.value(tools[other.state]) for world in program.worlds
    )


def _points(
    ground: Ground, program: Program, one: Series, other: Series
) -> Iterator[tuple[Term, Term]]:
    """A value, and a later one."""
    named = _named(ground, program, one)
    befores: dict[Term, Term | None] = {one.at(day): day for day in named}
    befores = befores or {one.first: None}
    for before, since in befores.items():
        for day in _named(ground, program, other):
            if since is not None and _is_later(program.worlds, day, since):
                yield before, other.at(day)
        if one != other or any(_is_long(world, one) for world in program.worlds):
            yield before, other.last


def _named(ground: Ground, program: Program, series: Series) -> list[Term]:
    """The days that the texts mention, as far as the series has a value for them in all traces."""
    days = [
        day
        for kind in ("date", "weekday")
        for term in _said(ground, kind)
        for day in days_of(kind, term)
    ]
    filled = [world for world in program.worlds if world.value(series.last) is not None]
    return [
        day
        for day in days
        if filled and all(world.value(series.at(day)) is not None for world in filled)
    ]


def _is_later(worlds: Sequence[World], day: Term, since: Term) -> bool:
    pairs = [(world.value(day), world.value(since)) for world in worlds]
    return all(None not in pair and pair[0] > pair[1] for pair in pairs)


def _is_long(world: World, series: Series) -> bool:
    found = world.value(fn("length", series.values))
    return found is not None and found > 1


def _said(ground: Ground, kind: str) -> list[Term]:
    """The parameters of one kind that all texts have."""
    return [("param", each.name) for each in ground.candidates if each.kind == kind]
