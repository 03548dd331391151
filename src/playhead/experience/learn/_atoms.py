"""All the simple ways to get at a value, from parameters, results and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from playhead.experience.learn._candidates import Candidate
from playhead.experience.learn._conditions import (
    NOW,
    TODAY,
    days_of,
    fields_of,
    is_identity,
    is_ordered,
    joined_conditions,
    row_conditions,
)
from playhead.experience.learn._settings import LearnSettings
from playhead.experience.routine import Scope, Term, const, evaluate, fn, holds, picked
from playhead.experience.values import Absent, Unclear, equal

_SHORTEST = 3  # letters of a value that is looked for within a text
_MIDNIGHT, _LAST = const("00:00:00"), const("23:59:59")


Valued: TypeAlias = list[tuple[Term, Any]]


@dataclass(slots=True)
class World:
    """What is known at one point of one trace.

    Args:
        scope: Parameters and results.
        reads: The states whose results are known, in order.
        asked: The tool and the arguments of each, as terms.
        tables: The simple terms that have a value, by the state that they are about.
    """

    scope: Scope
    reads: list[str] = field(default_factory=list)
    asked: dict[str, tuple[Term, Mapping[str, Term]]] = field(default_factory=dict)
    tables: dict[str, Valued] = field(default_factory=dict)

    def value(self, term: Term) -> Any:  # noqa: ANN401
        """The value of a term; None if it has none."""
        try:
            return evaluate(term, self.scope)
        except (Absent, Unclear):
            return None

    def learn(self, state: str, result: Any) -> None:  # noqa: ANN401
        """A read was made."""
        self.scope.results[state] = result  # type: ignore[index]
        self.scope.forget()
        self.reads.append(state)

    def table(self, candidates: Sequence[Candidate], settings: LearnSettings) -> Valued:
        """All simple terms that have a value, the plainest first."""
        if "" not in self.tables:
            plain = [*parameter_terms(candidates, settings), *clock_terms()]
            self.tables[""] = [(t, v) for t in plain if (v := self.value(t)) is not None]
        for state in self.reads:
            if state not in self.tables:
                found = result_values(self, state, candidates, settings)
                self.tables[state] = list(found)
        return [each for state in ("", *self.reads) for each in self.tables[state]]

    def joined(self, candidates: Sequence[Candidate], settings: LearnSettings) -> Valued:
        """Terms that choose a row by two conditions."""
        for state in self.reads:
            key = f"{state} joined"
            if key not in self.tables:
                rows = self.scope.results[state]
                chosen: Valued = []
                if isinstance(rows, list) and len(rows) > 1:
                    wheres = joined_conditions(rows, candidates, settings)
                    chosen = list(_row_values(self, state, wheres, settings))
                self.tables[key] = chosen
        return [each for state in self.reads for each in self.tables[f"{state} joined"]]


def explain(
    world: World,
    value: Any,  # noqa: ANN401
    *,
    candidates: Sequence[Candidate],
    settings: LearnSettings,
    loosely: bool = False,
    joined: bool = False,
) -> list[Term]:
    """Every simple way to get at a value, the plainest first.

    Args:
        world: What is known.
        value: The value.
        candidates: Parameters.
        settings: What may be used.
        loosely: Small and large letters are the same, as they are for most searches.
        joined: Only the ways that choose a row by two conditions.
    """
    same = equal if loosely else exactly
    table = world.joined if joined else world.table
    return [term for term, got in table(candidates, settings) if same(got, value)]


def exactly(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same and of one type."""
    return type(one) is type(other) and bool(one == other)


def parameter_terms(candidates: Sequence[Candidate], settings: LearnSettings) -> Iterator[Term]:
    """Parameters, and what is made of them."""
    by_kind: dict[str, list[Term]] = {}
    for each in candidates:
        by_kind.setdefault(each.kind, []).append(("param", each.name))
    for kind, terms in by_kind.items():
        for term in terms:
            yield term
            if settings.typed_mentions:
                yield from _converted(kind, term)
    if not settings.typed_mentions:
        return
    days = [
        day
        for kind in ("date", "weekday")
        for term in by_kind.get(kind, ())
        for day in days_of(kind, term)
    ]
    times = by_kind.get("time", [])
    for day in [*days, TODAY]:
        yield from (fn("at", day, time) for time in times)
        yield from _moments(day)


def _converted(kind: str, term: Term) -> Iterator[Term]:
    match kind:
        case "name" | "words":
            yield from (fn("lower", term), fn("title", term), fn("capital", term))
        case "number" | "duration" | "period":
            yield fn("text", term)
        case "date" | "weekday":
            yield from days_of(kind, term)
    if kind == "period":
        for shift in (0, 1):
            day = fn("add_days", TODAY, fn("subtract", const(shift), term))
            yield day
            yield from _moments(day)


def _moments(day: Term) -> Iterator[Term]:
    yield fn("at", day, _MIDNIGHT)
    yield fn("at", day, _LAST)


def clock_terms() -> Iterator[Term]:
    """The clock, and the days around it."""
    yield NOW
    for days in (0, -1, 1):
        day = TODAY if days == 0 else fn("add_days", TODAY, const(days))
        yield day
        yield from _moments(day)


def result_values(
    world: World, state: str, candidates: Sequence[Candidate], settings: LearnSettings
) -> Iterator[tuple[Term, Any]]:
    """Parts of a result, each with its value."""
    result = world.scope.results[state]
    if isinstance(result, list):
        wheres = row_conditions(result, candidates, settings)
        yield from _row_values(world, state, wheres, settings)
    elif isinstance(result, dict):
        yield from ((("result", state, None, None, (k,)), v) for k, v in list(result.items())[:40])
    elif isinstance(result, str | int | float):
        yield ("result", state, None, None, ()), result


def _row_values(
    world: World, state: str, wheres: Iterable[Term | None], settings: LearnSettings
) -> Iterator[tuple[Term, Any]]:
    rows = world.scope.results[state]
    names = fields_of(rows)
    paths: list[tuple[Any, ...]] = [(name,) for name in names] or [()]
    picks = list(_picks(rows, settings))
    for where in wheres:
        kept = rows if where is None else [row for row in rows if holds(where, world.scope, row)]
        for pick in picks:
            try:
                row = picked(kept, pick)
            except (Absent, Unclear):
                continue
            for path in paths:
                if (value := row if not path else row.get(path[0])) is not None:
                    yield ("result", state, where, pick, path), value
        if settings.row_selection and kept:
            yield from _frequent(world, state, where, names)


def _frequent(
    world: World, state: str, where: Term | None, names: Sequence[str]
) -> Iterator[tuple[Term, Any]]:
    """What a member of the rows is most often, and least often."""
    for name in names:
        column = fn("field", ("result", state, where, None, ()), const(name))
        for term in (fn("most_common", column), fn("least_common", column)):
            if (value := world.value(term)) is not None:
                yield term, value


def _picks(rows: list[Any], settings: LearnSettings) -> Iterator[Any]:
    yield "only"
    if not settings.row_selection:
        return
    yield "first"
    yield "last"
    for name in fields_of(rows):
        if is_ordered(row.get(name) for row in rows if isinstance(row, dict)):
            yield ("lowest", name)
            yield ("highest", name)


def templates(
    world: World,
    value: Any,  # noqa: ANN401
    candidates: Sequence[Candidate],
) -> Iterator[Term]:
    """The value as a fixed text around the parts that vary, as many of them as it holds."""
    if not isinstance(value, str):
        return
    made: dict[Term, int] = {}
    for each in candidates:
        plain: Term = ("param", each.name)
        for term in (plain, *([fn("lower", plain)] if each.kind in ("name", "option") else [])):
            parts = _parted(world, [value], term)
            for other in candidates:
                if other.name != each.name and len(parts) > 1:
                    parts = _parted(world, parts, ("param", other.name))
            fixed = [part for part in parts if isinstance(part, str)]
            if len(fixed) < len(parts) and len(parts) > 1 and not any(map(is_identity, fixed)):
                term = fn("join", *(const(p) if isinstance(p, str) else p for p in parts))
                made[term] = sum(map(len, fixed))
    least = min(made.values(), default=0)
    yield from (term for term, left in made.items() if left == least)


def _parted(world: World, parts: Sequence[str | Term], term: Term) -> list[str | Term]:
    """Parts of a text, with a term in the place of the first part that is its value."""
    inner = world.value(term)
    if not isinstance(inner, str) or len(inner) < _SHORTEST:
        return list(parts)
    for at, part in enumerate(parts):
        if isinstance(part, str) and inner in part:
            head, _, tail = part.partition(inner)
            here: list[str | Term] = [each for each in (head, term, tail) if each]
            return [*parts[:at], *here, *parts[at + 1 :]]
    return list(parts)


def constant(value: Any) -> Term:  # noqa: ANN401
    """The value as it is."""
    return const(value)


def world_of(now: str, candidates: Sequence[Candidate], at: int) -> World:
    """What is known of a trace before its first call."""
    params: Mapping[str, Any] = {
        each.name: each.values[at] for each in candidates if each.values[at] is not None
    }
    return World(Scope(now, params, {}))
