"""Values that stand in no result: moments and numbers that were moved, and times that are free."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from playhead.experience.learn._atoms import World, exactly
from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._conditions import DAY, TODAY, days_of, fields_of, is_time
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.routine import Term, const, fn, results_in
from playhead.experience.values import Absent, number
from playhead.tape import Json

_AMOUNTS = ("duration", "period", "number")
_COUNT = re.compile(r"-?\d{1,9}")
_OPENINGS = ("09:00:00", "08:00:00", "08:30:00", "10:00:00")
_CLOSING = const("17:00:00")
_FREE = re.compile(r"\b(free|available|availability|open slot|opening|gap)\b", re.IGNORECASE)


def moved(
    world: World, value: Json, candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[Term]:
    """The value as one of a result, moved by what the text says or put on a day that it says."""
    if not settings.row_selection or not is_movable(value):
        return
    found = [(term, got) for term, got in world.table(candidates, settings) if results_in(term)]
    amounts = [(c.kind, ("param", c.name)) for c in candidates if c.kind in _AMOUNTS]
    days = list(_days(candidates))
    for term, got in found:
        ways = [way for kind, amount in amounts for way in _moves(term, got, kind, amount)]
        if is_time([got]) and len(got) > len("2031-01-01"):
            ways += [fn("at", day, fn("time_of_day", term)) for day in days]
        yield from (way for way in ways if exactly(world.value(way), value))


def _days(candidates: Sequence[Candidate]) -> Iterator[Term]:
    """The days that the texts mention."""
    for each in candidates:
        if each.kind in ("date", "weekday"):
            yield from days_of(each.kind, ("param", each.name))


def is_movable(value: Json) -> bool:
    """Whether a value is a day, a moment or a number."""
    if isinstance(value, str):
        return bool(DAY.fullmatch(value) or _COUNT.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moves(term: Term, got: Any, kind: str, amount: Term) -> Iterator[Term]:  # noqa: ANN401
    back = fn("subtract", const(0), amount)
    if is_time([got]):
        name = "add_days" if len(got) == len("2031-01-01") else "add_minutes"
        if kind == ("period" if name == "add_days" else "duration"):
            yield fn(name, term, amount)
            yield fn(name, term, back)
    elif _is_count(got):
        for name in ("add", "subtract"):
            made = fn(name, term, amount)
            yield fn("text", made) if isinstance(got, str) else made


def _is_count(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, str):
        return bool(_COUNT.fullmatch(value)) and not value.startswith("0")
    return isinstance(value, int | float) and not isinstance(value, bool)


def afterwards(
    world: World, value: Json, candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[Term]:
    """The value as the moment at which something of a result ends: its start and its length."""
    if not settings.row_selection or not isinstance(value, str) or len(value) < len("2031-01-01 "):
        return
    for term, got in world.table(candidates, settings):
        if term[0] != "result" or term[3] is None or not term[4] or not is_time([got]):
            continue
        rows = world.scope.results.get(term[1])
        for name in _lengths(rows if isinstance(rows, list) else []):
            made = fn("add_minutes", term, (*term[:4], (name,)))
            if world.value(made) == value:
                yield made


def _lengths(rows: Sequence[Any]) -> list[str]:
    """The members of rows that hold whole numbers of minutes."""
    found = []
    for name in fields_of(rows):
        column = [row.get(name) for row in rows if isinstance(row, dict)]
        try:
            lengths = [number(each) for each in column]
        except Absent:
            continue
        if lengths and all(0 < each <= 24 * 60 for each in lengths):
            found.append(name)
    return found


def speaks_of_free_time(texts: Sequence[str]) -> bool:
    """Whether all texts ask for a time at which nothing else is."""
    return all(_FREE.search(text) for text in texts)


def free_times(
    world: World, value: Json, candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[Term]:
    """The value as the first moment of a day that the rows of a result leave free."""
    if not settings.row_selection or not isinstance(value, str) or not DAY.fullmatch(value):
        return
    days = [TODAY, fn("add_days", TODAY, const(1)), *_days(candidates)]
    lengths = [("param", each.name) for each in candidates if each.kind == "duration"]
    for state in world.reads:
        rows = world.scope.results[state]
        for start, length in _spans(rows if isinstance(rows, list) else []):
            source: Term = ("result", state, None, None, ())
            for day, wanted, opening in product(days, lengths, _OPENINGS):
                named = (const(start), const(length))
                made = fn("free_at", source, *named, day, wanted, const(opening), _CLOSING)
                if world.value(made) == value:
                    yield made


def _spans(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The members of rows that say when something begins, and how long it takes."""
    for name in fields_of(rows):
        column = [row.get(name) for row in rows if isinstance(row, dict)]
        if is_time(column) and all(len(str(each)) > len("2031-01-01") for each in column if each):
            yield from ((name, length) for length in _lengths(rows))
