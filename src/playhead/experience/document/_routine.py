"""The low level of an experience: a graph of states without cycles."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Discriminator, Field, Tag

from playhead.experience.document._expression import Expression, Name
from playhead.yaml import FilePart, shape_of


class Transition(FilePart):
    """Where it goes on, if a condition holds; without a condition: otherwise."""

    when: Expression | None = None
    to: Name


Transitions: TypeAlias = Annotated[tuple[Transition, ...], Field(max_length=32)]


class Choose(FilePart):
    """A tool that depends on the task: a value among the names of the required tools."""

    shape = "(choose)"

    choose: Expression


class CallPart(FilePart):
    """A call of a tool."""

    tool: Annotated[
        Annotated[Name, Tag("(text)")] | Annotated[Choose, Tag("(choose)")],
        Discriminator(shape_of("choose")),
    ]
    arguments: dict[Name, Expression] = Field(default_factory=dict, max_length=64)
    cut_at: int | None = Field(
        None, ge=1, description="So many rows or more may not be all of them: refused."
    )


class CallState(FilePart):
    """Make a call; its result is known by the name of the state."""

    shape = "(call)"

    call: CallPart
    next: Transitions = ()


class ForEach(FilePart):
    """Calls for each row of a list; `item` in their arguments is the row.

    The result of the state is the rows of all of their results, one after the other.
    """

    rows: Expression
    do: Annotated[tuple[CallPart, ...], Field(min_length=1, max_length=16)]
    at_most: int = Field(100, ge=1, le=10_000, description="More rows than that are refused.")


class ForEachState(FilePart):
    """A loop over rows."""

    shape = "(for_each)"

    for_each: ForEach
    next: Transitions = ()


class Ending(FilePart):
    """The end: done, or nothing was to be done."""

    text: Expression | None = None
    noop: bool = False


class FinishState(FilePart):
    """The task is done."""

    shape = "(finish)"

    finish: Ending


class RefuseState(FilePart):
    """The experience does not know what to do here."""

    shape = "(refuse)"

    refuse: str = Field(max_length=1000)


class PassState(FilePart):
    """Only choose where to go on."""

    next: Transitions = ()


State: TypeAlias = Annotated[
    Annotated[CallState, Tag("(call)")]
    | Annotated[ForEachState, Tag("(for_each)")]
    | Annotated[FinishState, Tag("(finish)")]
    | Annotated[RefuseState, Tag("(refuse)")]
    | Annotated[PassState, Tag("(members)")],
    Discriminator(shape_of("call", "for_each", "finish", "refuse")),
]


class Routine(FilePart):
    """States, of which one is the first; the first transition that holds is taken.

    A condition that cannot be decided, or none that holds, refuses the play.
    """

    start: Name
    states: dict[Name, State] = Field(min_length=1, max_length=500)
