"""What goes into a decision, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from playhead.tape import Json
from playhead.tape.kinds import Effect

RefuseCode: TypeAlias = Literal[
    "scope",  # the task says more or other things than the traces did
    "missing",  # a parameter has no value
    "unclear",  # its sources, or rows, or explanations give several
    "absent",  # a value that is needed is not in the results
    "disagree",  # routines that explain the traces alike would write different things
    "diverged",  # what was written is not what would be written
    "failed",  # a tool answered with an error
    "limit",  # a loop over more rows than allowed
    "refused",  # the routine says so
]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a play begins with.

    Args:
        task: The task's text; parameters are read out of it.
        now: The clock, `YYYY-MM-DD HH:MM:SS`.
        given: Values of parameters by name; they count before the text.
    """

    task: str
    now: str
    given: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PastCall:
    """A tool call that is done, with its result, or its error."""

    tool: str
    arguments: Mapping[str, Json]
    result: Json = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call to be made, and the state that makes it."""

    tool: str
    arguments: Mapping[str, Json]
    state: str
    effect: Effect

    @property
    def key(self) -> str:
        """Equal for equal calls, whichever state makes them."""
        return call_key(self.tool, self.arguments)


@dataclass(frozen=True, slots=True)
class Calls:
    """Make these calls next.

    Args:
        calls: Reads, or one write.
        plan: Before a write: it and all writes that are already certain to follow.
    """

    calls: tuple[PlannedCall, ...]
    plan: tuple[PlannedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The task is done; `noop` if nothing was to be done."""

    text: str | None = None
    noop: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The experience does not know what to do; nothing more should be done by it."""

    reason: str
    code: RefuseCode
    state: str | None = None


Decision: TypeAlias = Calls | Finish | Refuse


def call_key(tool: str, arguments: Mapping[str, Json]) -> str:
    """Equal for equal calls."""
    return f"{tool} {sorted(arguments.items())!r}"
