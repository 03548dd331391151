"""Expressions: how a value is found, as data with one tag each."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Discriminator, Field, JsonValue, Tag

from playhead.yaml import FilePart, shape_of

_TAGS = ("const", "param", "result", "item", "now", "fn", "agree", "first_of")
Path: TypeAlias = Annotated[tuple[str | int, ...], Field(max_length=16)]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]


class Const(FilePart):
    """Always the same value."""

    shape = "(const)"

    const: JsonValue


class ParameterValue(FilePart):
    """The value of a parameter."""

    shape = "(param)"

    param: Name


class Lowest(FilePart):
    """The row with the smallest value of a field; there must be one such row."""

    shape = "(lowest)"

    lowest: Name


class Highest(FilePart):
    """The row with the largest value of a field; there must be one such row."""

    shape = "(highest)"

    highest: Name


Pick: TypeAlias = Annotated[
    Annotated[Literal["only", "first", "last"], Tag("(text)")]
    | Annotated[Lowest, Tag("(lowest)")]
    | Annotated[Highest, Tag("(highest)")],
    Discriminator(shape_of("lowest", "highest")),
]


class Result(FilePart):
    """What an earlier call of the routine gave: some of its rows, one of them, a path into it."""

    shape = "(result)"

    result: Name = Field(description="The state that made the call.")
    where: Expression | None = Field(None, description="Which rows count; `item` is the row.")
    pick: Pick | None = Field(None, description="Which of these rows.")
    at: Path = Field((), description="Names of members and positions in lists.")


class Item(FilePart):
    """A member of the row that a loop or a condition is at; the whole row if the path is empty."""

    shape = "(item)"

    item: Path


class Now(FilePart):
    """The clock at the beginning of the play, `YYYY-MM-DD HH:MM:SS`."""

    shape = "(now)"

    now: Literal[True]


class Function(FilePart):
    """A pure function of the table in docs/experiences.md."""

    shape = "(fn)"

    fn: Name
    of: Annotated[tuple[Expression, ...], Field(max_length=16)]


class Agree(FilePart):
    """Explanations that the traces cannot tell apart: they have to give the same value.

    An explanation that has no value abstains. If two give different values, nobody knows, and the
    play is refused before it writes.
    """

    shape = "(agree)"

    agree: Annotated[tuple[Expression, ...], Field(min_length=1, max_length=200)]


class FirstOf(FilePart):
    """The first of these that has a value."""

    shape = "(first_of)"

    first_of: Annotated[tuple[Expression, ...], Field(min_length=1, max_length=16)]


class Over(FilePart):
    """A list, and a condition on its rows."""

    of: Expression
    where: Expression


class OverRows(FilePart):
    """Whether any or all rows fulfil a condition, how many do, or which."""

    shape = "(over)"

    quantity: Literal["any", "all", "count", "rows"]
    over: Over


Expression: TypeAlias = Annotated[
    Annotated[Const, Tag("(const)")]
    | Annotated[ParameterValue, Tag("(param)")]
    | Annotated[Result, Tag("(result)")]
    | Annotated[Item, Tag("(item)")]
    | Annotated[Now, Tag("(now)")]
    | Annotated[Function, Tag("(fn)")]
    | Annotated[Agree, Tag("(agree)")]
    | Annotated[FirstOf, Tag("(first_of)")]
    | Annotated[OverRows, Tag("(over)")],
    Discriminator(shape_of(*_TAGS, "over")),
]

for _model in (Result, Function, Agree, FirstOf, Over, OverRows):
    _model.model_rebuild()
