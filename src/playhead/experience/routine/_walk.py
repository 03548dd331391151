"""Walking along a routine, as far as what was done allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.document import (
    CallPart,
    CallState,
    Experience,
    FinishState,
    ForEachState,
    PassState,
    RefuseState,
    Routine,
    State,
    Transition,
)
from playhead.experience.routine._decisions import (
    Finish,
    PastCall,
    PlannedCall,
    Refuse,
    RefuseCode,
    call_key,
)
from playhead.experience.routine._evaluate import PENDING, Pending, Scope, evaluate
from playhead.experience.routine._terms import Term, term_of
from playhead.experience.values import Absent, Unclear
from playhead.tape import Json


@dataclass(slots=True)
class Walk:
    """How far a routine goes.

    Args:
        plan: All writes up to there, done or not.
        needs: The read that has to be made before it can go on.
        end: How it ends; None if it waits for a read or for its writes.
    """

    plan: list[PlannedCall] = field(default_factory=list)
    needs: PlannedCall | None = None
    end: Finish | Refuse | None = None


class _Stop(Exception):
    """It goes no further for now."""


class CompiledRoutine:
    """A routine, ready to be walked any number of times."""

    def __init__(self, experience: Experience, routine: Routine) -> None:
        self._tools = experience.tools
        self._start = routine.start
        self._states = routine.states
        self._terms: dict[int, Term] = {}

    def walk(self, params: Mapping[str, Json], now: str, past: Sequence[PastCall]) -> Walk:
        """Go as far as possible."""
        return _Walker(self, params, now, past).walk()

    def term(self, expression: Any) -> Term:  # noqa: ANN401
        """The term of an expression of this routine."""
        known = self._terms.get(id(expression))
        if known is None:
            known = self._terms[id(expression)] = term_of(expression)
        return known

    def state(self, name: str | None) -> State:
        """A state; the first one if no name is given."""
        return self._states[name or self._start]

    @property
    def start(self) -> str:
        """The name of the first state."""
        return self._start

    def is_read(self, tool: str) -> bool:
        """Whether a tool only reads."""
        return self._tools[tool].effect == "read"

    def planned(self, tool: str, arguments: Mapping[str, Json], state: str) -> PlannedCall:
        """A call with its effect."""
        if tool not in self._tools:
            raise Absent
        return PlannedCall(tool, arguments, state, self._tools[tool].effect)


class _Walker:
    def __init__(
        self,
        routine: CompiledRoutine,
        params: Mapping[str, Json],
        now: str,
        past: Sequence[PastCall],
    ) -> None:
        self._routine = routine
        self._results: dict[str, Any] = {}
        self._scope = Scope(now, params, self._results)
        self._epochs = list(_epochs(past, routine))
        self._walk = Walk()

    def walk(self) -> Walk:
        name = self._routine.start
        while True:
            try:
                following = self._visit(name, self._routine.state(name))
            except _Stop:
                return self._walk
            except Pending:
                return self._walk
            except (Absent, Unclear) as nothing:
                code: RefuseCode = "absent" if isinstance(nothing, Absent) else "unclear"
                self._walk.end = Refuse(_WHY[code].format(name), code, name)
                return self._walk
            if following is None:
                return self._walk
            name = following

    def _visit(self, name: str, state: State) -> str | None:
        match state:
            case FinishState():
                text = state.finish.text
                said = None if text is None else str(self._value(text))
                self._walk.end = Finish(said, state.finish.noop or not self._walk.plan)
                return None
            case RefuseState():
                self._walk.end = Refuse(state.refuse, "refused", name)
                return None
            case CallState():
                self._results[name] = self._made(name, state.call, None)
                self._scope.forget()
            case ForEachState():
                self._loop(name, state)
            case PassState():
                pass
        return self._following(name, state.next)

    def _loop(self, name: str, state: ForEachState) -> None:
        rows = self._value(state.for_each.rows)
        if not isinstance(rows, list):
            raise Absent
        if len(rows) > state.for_each.at_most:
            said = f"`{name}` would loop over {len(rows)} rows, more than {state.for_each.at_most}"
            self._walk.end = Refuse(said, "limit", name)
            raise _Stop
        found: list[Any] = []
        for row in rows:
            for part in state.for_each.do:
                made = self._made(name, part, row)
                found += made if isinstance(made, list) else []
        self._results[name] = found
        self._scope.forget()

    def _following(self, name: str, transitions: tuple[Transition, ...]) -> str | None:
        for each in transitions:
            if each.when is None:
                return each.to
            if (holds := self._value(each.when)) is True:
                return each.to
            if holds is not False:
                raise Absent
        self._walk.end = Refuse(f"nothing is known to follow `{name}` here", "refused", name)
        return None

    def _value(self, expression: Any, item: Any = None) -> Any:  # noqa: ANN401
        return evaluate(self._routine.term(expression), self._scope, item)

    def _made(self, name: str, part: CallPart, item: Any) -> Any:  # noqa: ANN401
        """The result of a call, as far as it was made."""
        tool = part.tool if isinstance(part.tool, str) else self._value(part.tool.choose, item)
        arguments = {key: self._value(each, item) for key, each in part.arguments.items()}
        call = self._routine.planned(str(tool), arguments, name)
        if call.effect != "read":
            return self._write(call)
        if len(self._walk.plan) >= len(self._epochs):
            raise _Stop  # the writes before it come first
        past = self._epochs[len(self._walk.plan)][1].get(call.key)
        if past is None:
            self._walk.needs = call
            raise _Stop
        return self._complete(call, part, self._answer(call, past))

    def _complete(self, call: PlannedCall, part: CallPart, result: Any) -> Any:  # noqa: ANN401
        """A result of which no rows can have been left out."""
        if part.cut_at is not None and isinstance(result, list) and len(result) >= part.cut_at:
            said = f"`{call.tool}` gave {len(result)} rows, and there may be more of them"
            self._walk.end = Refuse(said, "limit", call.state)
            raise _Stop
        return result

    def _write(self, call: PlannedCall) -> Any:  # noqa: ANN401
        self._walk.plan.append(call)
        if len(self._walk.plan) >= len(self._epochs):
            return PENDING
        done = self._epochs[len(self._walk.plan)][0]
        if done is None or call_key(done.tool, done.arguments) != call.key:
            said = f"another write was made than `{call.tool}` of `{call.state}`"
            self._walk.end = Refuse(said, "diverged", call.state)
            raise _Stop
        return self._answer(call, done)

    def _answer(self, call: PlannedCall, past: PastCall) -> Any:  # noqa: ANN401
        if past.error is not None:
            said = f"`{call.tool}` failed: {past.error:.200}"
            self._walk.end = Refuse(said, "failed", call.state)
            raise _Stop
        return past.result


_WHY = {
    "absent": "`{}` needs something that the task and the results do not hold",
    "unclear": "`{}` could mean several things: the traces do not tell which",
}


def _epochs(
    past: Sequence[PastCall], routine: CompiledRoutine
) -> Iterator[tuple[PastCall | None, dict[str, PastCall]]]:
    """The writes that were made, each with the reads after it; first the reads before any."""
    write: PastCall | None = None
    reads: dict[str, PastCall] = {}
    for call in past:
        if call.tool in routine._tools and not routine.is_read(call.tool):
            yield write, reads
            write, reads = call, {}
        else:
            reads[call_key(call.tool, call.arguments)] = call
    yield write, reads
