"""What a tool is: a method, its name and its effect."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

from playhead.office._tables import JsonValue

Effect: TypeAlias = Literal["read", "idempotent", "write", "irreversible"]


class OfficeTool(NamedTuple):
    """One tool of an office.

    `effect` tells what happens if it runs twice: `read` changes nothing that is judged,
    `idempotent` sets a field, `write` adds a row each time, `irreversible` deletes or mails.
    """

    name: str
    method: Callable[..., JsonValue]
    effect: Effect


class Domain(Protocol):
    """A group of tools that share tables."""

    name: ClassVar[str]
    effects: ClassVar[Mapping[str, Effect]]
    """The effect of each tool, by method name, in the order the tools are offered."""


def tools_of(domain: Domain) -> list[OfficeTool]:
    """Give the tools of a domain in their order."""
    return [
        OfficeTool(f"{domain.name}.{method}", getattr(domain, method), effect)
        for method, effect in domain.effects.items()
    ]


def live_args(method: Callable[..., JsonValue], raw: JsonValue) -> dict[str, JsonValue]:
    """Read the arguments of a call as a lenient agent loop does.

    Names that the tool does not have are dropped, and a bare text goes to the first parameter.

    Args:
        method: The tool.
        raw: What the model wrote as the tool's input.

    Raises:
        TypeError: The input is neither an object nor text.
    """
    names = list(inspect.signature(method).parameters)
    if isinstance(raw, str):
        return {names[0]: raw}
    if isinstance(raw, dict):
        return {name: value for name, value in raw.items() if name in names}
    raise TypeError("the input of a tool is an object of named arguments or a text")


def observation_text(value: JsonValue) -> str:
    """Write a tool's result as the model of the recorded runs read it.

    Text stands as it is; anything else is written as Python writes it (`{'a': None}`, not JSON).
    """
    return value if isinstance(value, str) else repr(value)
