"""Expressions on one line, as people write them: for review, never read back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from playhead.experience.document._expression import (
    Agree,
    Const,
    Expression,
    FirstOf,
    Function,
    Highest,
    Item,
    Lowest,
    Now,
    OverRows,
    ParameterValue,
    Result,
)


def brief(expression: Expression) -> str:
    """An expression in a few words: `look.first.id`, `‹person›`, `add_days(now, 1)`."""
    match expression:
        case Const():
            return json.dumps(expression.const, ensure_ascii=False)
        case ParameterValue():
            return f"‹{expression.param}›"
        case Result():
            return _result(expression)
        case Item():
            return _path("row", expression.item)
        case Now():
            return "now"
        case Function():
            return f"{expression.fn}({', '.join(map(brief, expression.of))})"
        case Agree():
            return _several(expression.agree, " = ")
        case FirstOf():
            return _several(expression.first_of, " or else ")
        case OverRows():
            over = expression.over
            return f"{expression.quantity} of {brief(over.of)} where {brief(over.where)}"


def _result(expression: Result) -> str:
    said = expression.result
    if expression.where is not None:
        said = f"{said}[{brief(expression.where)}]"
    match expression.pick:
        case Lowest():
            said = f"{said}.lowest({expression.pick.lowest})"
        case Highest():
            said = f"{said}.highest({expression.pick.highest})"
        case str():
            said = f"{said}.{expression.pick}"
        case None:
            pass
    return _path(said, expression.at)


def _path(begin: str, path: Sequence[str | int]) -> str:
    return begin + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _several(parts: Sequence[Expression], between: str) -> str:
    if len(parts) == 1:
        return brief(parts[0])
    shown = between.join(brief(part) for part in parts[:3])
    return f"({shown}{between}…)" if len(parts) > 3 else f"({shown})"
