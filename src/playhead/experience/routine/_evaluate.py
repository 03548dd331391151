"""What a term is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.routine._terms import Term
from playhead.experience.values import FUNCTIONS, Absent, Unclear, order

PENDING = object()
"""The result of a write that is planned and not made yet."""


class Pending(Exception):
    """The value depends on a write that is not made yet."""


@dataclass(slots=True)
class Scope:
    """What a term may refer to.

    Args:
        now: The clock.
        params: Values of parameters; one that is absent has no value.
        results: Results of calls by state.
    """

    now: str
    params: Mapping[str, Any]
    results: Mapping[str, Any]
    known: dict[Term, Any] = field(default_factory=dict)

    def forget(self) -> None:
        """Results have changed."""
        self.known.clear()


def evaluate(term: Term, scope: Scope, item: Any = None) -> Any:  # noqa: ANN401
    """The value of a term.

    Args:
        term: The term.
        scope: What it refers to.
        item: The row, within a loop or a condition on rows.

    Raises:
        Absent: It has none.
        Unclear: It has several.
        Pending: It depends on a write that is not made yet.
    """
    if item is not None:
        return _value(term, scope, item)
    if term in scope.known:
        found = scope.known[term]
        if isinstance(found, Exception):
            raise found
        return found
    try:
        value = _value(term, scope, None)
    except (Absent, Unclear) as nothing:
        scope.known[term] = type(nothing)()
        raise
    scope.known[term] = value
    return value


def _value(term: Term, scope: Scope, item: Any) -> Any:  # noqa: ANN401
    match term[0]:
        case "const":
            return term[1]
        case "param":
            if scope.params.get(term[1]) is None:
                raise Absent
            return scope.params[term[1]]
        case "result":
            return _result(term, scope, item)
        case "item":
            return down(item, term[1])
        case "now":
            return scope.now
        case "fn":
            return _call(term, scope, item)
        case "agree":
            return _agreed(term[1], scope, item)
        case "first_of":
            return _first(term[1], scope, item)
        case "over":
            return _over(term, scope, item)
        case "json":
            return json.loads(term[1])
    raise Absent


def _call(term: Term, scope: Scope, item: Any) -> Any:  # noqa: ANN401
    values = [evaluate(each, scope, item) for each in term[2]]
    try:
        return FUNCTIONS[term[1]].call(*values)
    except (TypeError, ValueError, OverflowError, AttributeError):
        raise Absent from None


def _result(term: Term, scope: Scope, item: Any) -> Any:  # noqa: ANN401
    _, call, where, pick, path = term
    if call not in scope.results:
        raise Absent
    value = scope.results[call]
    if value is PENDING:
        raise Pending
    if where is not None:
        value = [row for row in _rows(value) if holds(where, scope, row)]
    if pick is not None:
        best = _best(_rows(value), pick)
        found = [down(row, path) for row in best]
        if any(each != found[0] for each in found):
            raise Unclear  # where they say the same, it does not matter which is meant
        return found[0]
    return down(value, path)


def _rows(value: Any) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list):
        raise Absent
    return value


def picked(rows: list[Any], pick: Any) -> Any:  # noqa: ANN401
    """The row that is chosen."""
    if not rows:
        raise Absent
    if pick == "only":
        if len(rows) > 1:
            raise Unclear
        return rows[0]
    if pick in ("first", "last"):
        return rows[0 if pick == "first" else -1]
    found = _best(rows, pick)
    if len(found) > 1:
        raise Unclear
    return found[0]


def _best(rows: list[Any], pick: Any) -> list[Any]:  # noqa: ANN401
    """The rows that are chosen: several, if they share the lowest or highest value."""
    if not rows or not isinstance(pick, tuple):
        return [picked(rows, pick)]
    how, name = pick
    ranks = [(order(down(row, (name,))), row) for row in rows]
    best = (min if how == "lowest" else max)(rank for rank, _ in ranks)
    return [row for rank, row in ranks if rank == best]


def down(value: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401
    """What stands at the end of a path."""
    for step in path:
        if (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value)
        ):
            value = value[step]
        else:
            raise Absent
    if value is None:
        raise Absent
    return value


def holds(where: Term, scope: Scope, row: Any) -> bool:  # noqa: ANN401
    """Whether a row fulfils a condition; one that lacks what is compared does not."""
    try:
        return evaluate(where, scope, row) is True
    except Absent:
        return False


def _agreed(terms: tuple[Term, ...], scope: Scope, item: Any) -> Any:  # noqa: ANN401
    found: list[Any] = []
    for term in terms:
        try:
            value = evaluate(term, scope, item)
        except Absent:
            continue
        if found and not _same(found[0], value):
            raise Unclear
        found.append(value)
    if not found:
        raise Absent
    return found[0]


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _first(terms: tuple[Term, ...], scope: Scope, item: Any) -> Any:  # noqa: ANN401
    for term in terms:
        try:
            return evaluate(term, scope, item)
        except Absent:
            continue
    raise Absent


def _over(term: Term, scope: Scope, item: Any) -> Any:  # noqa: ANN401
    _, quantity, of, where = term
    value = evaluate(of, scope, item)
    rows = list(value.values()) if isinstance(value, dict) else _rows(value)
    if quantity == "rows":
        return [row for row in rows if holds(where, scope, row)]
    if quantity == "all" and not rows:
        raise Absent
    holding = sum(holds(where, scope, row) for row in rows)
    return {"any": holding > 0, "all": holding == len(rows), "count": holding}[quantity]
