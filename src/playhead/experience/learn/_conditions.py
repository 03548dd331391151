"""Conditions on rows, and small facts about values and terms that the learner shares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.routine import Term, const, fn, parameters_in, parts_of

NOW: Term = ("now",)
TODAY = fn("day", NOW)
_FEW = 6  # values that a member of rows may have to be taken for a kind
DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?")
_OVERDUE = re.compile(r"\b(overdue|past (its |their )?due)\b", re.IGNORECASE)
_DUE = re.compile(r"due|deadline|expir|until|by$|by_", re.IGNORECASE)
_DONE = frozenset(
    [
        "completed",
        "complete",
        "done",
        "closed",
        "finished",
        "resolved",
        "cancelled",
        "paid",
        "archived",
    ]
)
_IDENTITY = re.compile(r"@|(?<![\d-])\d{4,}(?![\d-])")


def days_of(kind: str, term: Term) -> Iterator[Term]:
    """The days that a mention may mean."""
    if kind == "date":
        yield term
    else:
        yield from (fn(name, NOW, term) for name in ("past_day", "coming_day", "day_of_next_week"))


def fields_of(rows: Sequence[Any]) -> list[str]:
    """The members of the rows."""
    return list(dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row))


def is_ordered(values: Any) -> bool:  # noqa: ANN401
    """Whether values have an order that means something: days, moments, numbers that are counts."""
    kept = [value for value in values if value is not None]
    if not kept:
        return False
    if is_time(kept):
        return True
    return all(
        (isinstance(value, int | float) and not isinstance(value, bool))
        or (isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,5}|0", value))
        for value in kept
    )


def is_time(values: Sequence[Any]) -> bool:
    """Whether values are days or moments."""
    kept = [value for value in values if value is not None]
    return bool(kept) and all(isinstance(each, str) and DAY.fullmatch(each) for each in kept)


def row_conditions(
    rows: Sequence[Any], candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[Term | None]:
    """Conditions on a row, the plainest first; None is every row."""
    yield None
    if not settings.row_selection:
        return
    for name in fields_of(rows):
        column = [row.get(name) for row in rows if isinstance(row, dict)]
        item = ("item", (name,))
        if all(isinstance(value, str) and DAY.fullmatch(value) for value in column if value):
            moments = any(len(str(value)) > len("2031-01-01") for value in column if value)
            yield from _day_conditions(item, candidates, now=NOW if moments else TODAY)
            if moments:
                yield from _time_conditions(item, candidates)
            continue
        for each in candidates:
            if each.kind in ("quoted", "name", "option", "address", "number"):
                yield fn("equal", item, ("param", each.name))
            if each.kind in ("quoted", "name", "address"):
                yield fn("contains", item, ("param", each.name))


def joined_conditions(
    rows: Sequence[Any], candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[Term]:
    """Conditions of two parts, and those on a member that has few values; to be tried last."""
    if not settings.row_selection:
        return
    plain = [term for term in row_conditions(rows, candidates, settings) if term is not None]
    listed = list(_listed_conditions(rows))
    yield from listed
    for at, one in enumerate(plain):
        for other in (*plain[at + 1 :], *listed):
            if _subject(one) != _subject(other):
                yield fn("both", one, other)


def plainest(terms: Sequence[Term]) -> list[Term]:
    """Of explanations that do alike, those that need the least: the others are coincidences."""
    costs = {term: _cost(term) for term in terms}
    least = min(costs.values(), default=0)
    return [term for term, cost in costs.items() if cost == least]


def _cost(term: Any) -> int:  # noqa: ANN401
    """What conditions on rows a term needs: none, one on a mention, or others."""
    if not isinstance(term, tuple):
        return 0
    if term and term[0] == "result":
        return _condition_cost(term[2])
    if term and term[0] == "over":
        return _cost(term[2]) + (_condition_cost(term[3]) if term[1] == "rows" else 0)
    return sum(map(_cost, term))


def _condition_cost(where: Term | None) -> int:
    if where is None:
        return 0
    return (1 if parameters_in(where) else 2) + (2 if where[1] == "both" else 0)


def _subject(condition: Term) -> Any:  # noqa: ANN401
    """The member of the row that a condition is about."""
    items = (part[1] for part in parts_of(condition) if len(part) == 2 and part[0] == "item")
    return next(items, None)


def _listed_conditions(rows: Sequence[Any]) -> Iterator[Term]:
    for name in fields_of(rows):
        values = {str(row.get(name)) for row in rows if isinstance(row, dict)}
        if len(values) > _FEW or any(is_identity(v) or DAY.fullmatch(v) for v in values):
            continue
        for value in sorted(values):
            same = fn("equal", ("item", (name,)), const(value))
            yield same
            yield fn("not", same)


def speaks_of_overdue(texts: Sequence[str]) -> bool:
    """Whether all texts are about what is overdue."""
    return all(_OVERDUE.search(text) for text in texts)


def overdue_conditions(rows: Sequence[Any]) -> Iterator[Term]:
    """A day that is over, of a row whose state is not that of one that is done."""
    names = fields_of(rows)
    columns = {name: [row.get(name) for row in rows if isinstance(row, dict)] for name in names}
    days = [name for name in names if is_time(columns[name])]
    done = [
        fn("not", fn("equal", ("item", (name,)), const(value)))
        for name in names
        for value in sorted({str(value) for value in columns[name]})
        if value.casefold() in _DONE
    ]
    for name in [name for name in days if _DUE.search(name)] or days:
        over = fn("compare", const("less"), ("item", (name,)), TODAY)
        yield fn("both", over, *done) if done else over


def _day_conditions(item: Term, candidates: Sequence[Candidate], *, now: Term) -> Iterator[Term]:
    yield fn("compare", const("less"), item, now)
    yield fn("compare", const("more"), item, now)
    for each in candidates:
        if each.kind == "period":
            since = fn("add_days", TODAY, fn("subtract", const(0), ("param", each.name)))
            for how in ("more", "less", "at_least"):
                yield fn("compare", const(how), item, since)
        if each.kind in ("date", "weekday"):
            for day in days_of(each.kind, ("param", each.name)):
                yield fn("equal", fn("day", item), day)
                for how in ("less", "more", "at_least", "at_most"):
                    yield fn("compare", const(how), item, day)


def _time_conditions(item: Term, candidates: Sequence[Candidate]) -> Iterator[Term]:
    """Before or after a time of the day, as the text says or as it always was."""
    said = [("param", each.name) for each in candidates if each.kind == "comparison"]
    for each in candidates:
        if each.kind == "time":
            for how in said or [const("less"), const("more")]:
                yield fn("compare", how, fn("time_of_day", item), ("param", each.name))


def is_identity(value: Any) -> bool:  # noqa: ANN401
    """Whether a value names one thing of the world: it must be found, never remembered."""
    return isinstance(value, str) and bool(_IDENTITY.search(value))
