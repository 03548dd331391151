"""What a check sees: a play at one moment, as one JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from playhead.tape import Json
from playhead.tape.kinds import Effect

At: TypeAlias = Literal["call", "write", "end"]
NAMES = (
    "task",
    "parameters",
    "now",
    "at",
    "state",
    "call",
    "calls",
    "count",
    "previous",
    "next",
    "wrote",
    "writes",
    "answer",
    "noop",
)
"""The members of the object, which a CEL expression may name by themselves."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """A tool call as checks see it; without result and error where it is not made yet.

    Args:
        tool: Its name.
        effect: What it does to the world; None if that is not known.
        arguments: Of the call.
        result: What came back.
        error: Why nothing came back.
        state: Of the routine that makes it; None where no routine is played.
    """

    tool: str
    effect: Effect | None
    arguments: Json
    result: Json = None
    error: str | None = None
    state: str | None = None

    @property
    def writes(self) -> bool:
        """Whether it may change something: all that is not known to read only."""
        return self.effect != "read"

    def as_json(self) -> dict[str, Json]:
        """Its members by name."""
        return {
            "tool": self.tool,
            "effect": self.effect,
            "arguments": self.arguments,
            "result": self.result,
            "error": self.error,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Moment:
    """A play at one moment: before a call, or before its end.

    Args:
        task: What was asked.
        parameters: Their values by name.
        now: The clock of the task.
        calls: Those that are done, in order.
        call: The one that is about to be made; None at the end.
        answer: At the end: what is said.
        noop: At the end: whether it says that nothing was to be done.
    """

    task: str
    parameters: Mapping[str, Json]
    now: str | None
    calls: tuple[SeenCall, ...] = ()
    call: SeenCall | None = None
    answer: str | None = None
    noop: bool = False

    @property
    def at(self) -> At:
        """Which kind of moment it is."""
        if self.call is None:
            return "end"
        return "write" if self.call.writes else "call"

    def facts(self) -> dict[str, Json]:
        """The object that checks see; its members are listed in docs/playing.md."""
        call = self.call
        done = [each.as_json() for each in self.calls]
        about = None if call is None else {n: call.as_json()[n] for n in _ABOUT}
        return {
            "task": self.task,
            "parameters": dict(self.parameters),
            "now": self.now,
            "at": self.at,
            "state": None if call is None else call.state,
            "call": about,
            "calls": list[Json](done),
            "count": dict[str, Json](Counter(each.tool for each in self.calls)),
            "previous": self.calls[-1].tool if self.calls else "",
            "next": "" if call is None else call.tool,
            "wrote": next((each.tool for each in reversed(self.calls) if each.writes), ""),
            "writes": sum(each.writes for each in self.calls),
            "answer": self.answer,
            "noop": self.noop,
        }


_ABOUT = ("tool", "effect", "arguments")


@dataclass(frozen=True, slots=True)
class Case:
    """A whole session as checks see it.

    Args:
        trace: The id of its tape.
        task: What was asked.
        calls: What was done.
        parameters: Values by name, as the experience reads them.
        now: The clock of the task.
        answer: What was said at the end.
        ended: Whether it came to its end.
        good: Whether it did what was asked; failed ones are counter-examples.
        noop: Whether it says that nothing was to be done; None if that is told by its calls.
    """

    trace: str
    task: str
    calls: Sequence[SeenCall]
    parameters: Mapping[str, Json] = field(default_factory=dict)
    now: str | None = None
    answer: str | None = None
    ended: bool = True
    good: bool = True
    noop: bool | None = None

    def moments(self) -> Iterator[Moment]:
        """Before each call, and before the end."""
        start = Moment(self.task, self.parameters, self.now)
        done: list[SeenCall] = []
        for call in self.calls:
            yield replace(start, calls=tuple(done), call=replace(call, result=None, error=None))
            done.append(call)
        if self.ended:
            told = self.noop
            noop = not any(call.writes for call in done) if told is None else told
            yield replace(start, calls=tuple(done), answer=self.answer, noop=noop)
