"""Expressions as nested tuples: quick to compare, to keep in sets and to evaluate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from playhead.experience.document import (
    Agree,
    Const,
    Expression,
    FirstOf,
    Function,
    Highest,
    Item,
    Lowest,
    Now,
    Over,
    OverRows,
    ParameterValue,
    Result,
)

Term: TypeAlias = tuple[Any, ...]
"""`(tag, …)`: const and json (value), param (name), result (call, where, pick, path), item (path),
now, fn (name, terms), agree and first_of (terms), over (quantity, rows, where)."""


def term_of(expression: Expression) -> Term:
    """An expression as a term."""
    match expression:
        case Const():
            return const(expression.const)
        case ParameterValue():
            return ("param", expression.param)
        case Result():
            where = None if expression.where is None else term_of(expression.where)
            return ("result", expression.result, where, _pick(expression.pick), expression.at)
        case Item():
            return ("item", expression.item)
        case Now():
            return ("now",)
        case Function():
            return ("fn", expression.fn, tuple(map(term_of, expression.of)))
        case Agree():
            return ("agree", tuple(map(term_of, expression.agree)))
        case FirstOf():
            return ("first_of", tuple(map(term_of, expression.first_of)))
        case OverRows():
            over = expression.over
            return ("over", expression.quantity, term_of(over.of), term_of(over.where))


def expression_of(term: Term) -> Expression:
    """A term as an expression: the inverse of `term_of`."""
    match term:
        case ("const", value):
            return Const(const=value)
        case ("json", text):
            return Const(const=json.loads(text))
        case ("param", name):
            return ParameterValue(param=name)
        case ("result", call, where, pick, path):
            return Result(
                result=call,
                where=None if where is None else expression_of(where),
                pick=_pick_part(pick),
                at=path,
            )
        case ("item", path):
            return Item(item=path)
        case ("now",):
            return Now(now=True)
        case ("fn", name, terms):
            return Function(fn=name, of=tuple(map(expression_of, terms)))
        case ("agree", terms):
            return Agree(agree=tuple(map(expression_of, terms)))
        case ("first_of", terms):
            return FirstOf(first_of=tuple(map(expression_of, terms)))
        case ("over", quantity, rows, where):
            over = Over(of=expression_of(rows), where=expression_of(where))
            return OverRows(quantity=quantity, over=over)
    raise ValueError(f"no term: {term!r:.100}")


def const(value: Any) -> Term:  # noqa: ANN401
    """A constant as a term."""
    if value is None or isinstance(value, str | int | float):
        return ("const", value)
    return ("json", json.dumps(value, sort_keys=True))


def fn(name: str, *terms: Term) -> Term:
    """A function of terms."""
    return ("fn", name, terms)


def parts_of(term: Term | None) -> Iterator[Term]:
    """A term and every tuple within it, the later ones of each first; nothing for no term."""
    stack: list[Any] = [term]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            yield part
            stack += part


def parameters_in(term: Term | None) -> set[str]:
    """The parameters that a term refers to."""
    return {part[1] for part in parts_of(term) if len(part) == 2 and part[0] == "param"}


def results_in(term: Term | None) -> set[str]:
    """The states whose results a term refers to."""
    return {part[1] for part in parts_of(term) if len(part) == 5 and part[0] == "result"}


def _pick(pick: object) -> Any:  # noqa: ANN401
    match pick:
        case Lowest():
            return ("lowest", pick.lowest)
        case Highest():
            return ("highest", pick.highest)
    return pick


def _pick_part(pick: Any) -> Any:  # noqa: ANN401
    match pick:
        case ("lowest", name):
            return Lowest(lowest=name)
        case ("highest", name):
            return Highest(highest=name)
    return pick
