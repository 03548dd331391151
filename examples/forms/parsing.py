"""Completions of form fillers, read as steps."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import ValidationError

from examples.forms.steps import STEPS, StepError
from playhead.errors import JsonError
from playhead.tape import Body, Json, loads_strict

_BLOCK = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


class Unreadable(Exception):
    """A completion that is not written as asked."""


def read_json(text: str) -> Json:
    """The JSON value of a completion: in its last block, or the whole of it.

    Raises:
        Unreadable: There is none.
    """
    blocks = _BLOCK.findall(text)
    try:
        return loads_strict(blocks[-1] if blocks else text)
    except JsonError as error:
        raise Unreadable(f"this is no JSON: {error}. Answer with a block ```json … ```") from None


def read_steps(text: str, *, only: Iterable[str]) -> list[Body]:
    """The steps that a completion lists.

    Raises:
        Unreadable: It lists none, or some that are not among `only`.
    """
    value = read_json(text)
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Unreadable("the list has no steps: write at least one")
    return [read_step(item, only=only) for item in items]


def read_step(item: Json, *, only: Iterable[str]) -> Body:
    """A step as a model writes it.

    Raises:
        Unreadable: It is none of `only`, or its members do not fit.
    """
    allowed = tuple(only)
    if not isinstance(item, dict) or item.get("kind") not in allowed:
        raise Unreadable(f"a step is an object whose `kind` is one of {', '.join(allowed)}")
    members = {name: value for name, value in item.items() if name != "kind"}
    try:
        return STEPS[str(item["kind"])].model_validate(members)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Unreadable(f"`{item['kind']}`: `{where}`: {first['msg']}") from None


def unreadable(fault: Unreadable) -> StepError:
    """The error step of a completion that cannot be read."""
    return StepError(code="unreadable", message=str(fault))
