"""The middle level: a routine's states as sub-goals, with their tools and what is known of each.

It stands between the procedure, which is words, and the routine, which is calls: an order of
sub-goals in which nothing depends on how a result is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playhead.experience.checks import SeenCall
from playhead.experience.document import (
    CallPart,
    CallState,
    Choose,
    Experience,
    Expression,
    FinishState,
    ForEachState,
    RefuseState,
    Routine,
    State,
    Transition,
    brief,
)
from playhead.experience.play._past import Past
from playhead.experience.routine import (
    Pending,
    Scope,
    call_key,
    evaluate,
    parameters_of,
    results_in,
    term_of,
)
from playhead.experience.values import Absent, Unclear
from playhead.tape import Json, Tape
from playhead.tape.kinds import Checked

_MOST_GOALS = 40
_MOST_ROWS = 20
_UNKNOWN = object()


def plan_of(experience: Experience, past: Past, tape: Tape) -> list[Json]:
    """The sub-goals of a play, as far as it can be told which belong to it.

    Each is an object: `goal` (the state's name), `tool`, `effect`, `done`, `known` (arguments with
    their values), `find` (by argument, the sub-goals whose results tell it); of a loop `left`
    (`known` for each row that is not done); and `if`, where nobody knows yet whether it is due.
    Where a check has stopped the play, what was looked up for that sub-goal is not told: it may be
    just what was wrong.

    Args:
        experience: What is played.
        past: The play so far.
        tape: Where it is.
    """
    params = parameters_of(experience, past.inputs)
    values = params if isinstance(params, dict) else dict(past.inputs.given)
    planner = _Planner(experience, past, Scope(past.inputs.now, values, {}), _stopped_at(tape))
    return list(planner.goals(experience.routine))


def _stopped_at(tape: Tape) -> str | None:
    """The state whose call a check has stopped."""
    for seq in range(len(tape) - 1, -1, -1):
        body = tape[seq].body if tape[seq].kind == Checked.kind else None
        if isinstance(body, Checked):
            return body.state if body.failed else None
    return None


@dataclass(slots=True)
class _Planner:
    experience: Experience
    past: Past
    scope: Scope
    stopped: str | None
    results: dict[str, Any] = field(default_factory=dict)
    made: dict[str, list[SeenCall]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scope = Scope(self.scope.now, self.scope.params, self.results)
        for call in self.past.calls:
            if call.error is None and isinstance(call.arguments, dict):
                self.made.setdefault(call_key(call.tool, call.arguments), []).append(call)

    def goals(self, routine: Routine) -> Iterator[Json]:
        """The sub-goals in the order in which one comes to them."""
        ahead: list[tuple[str, str | None]] = [(routine.start, None)]
        seen: set[str] = set()
        while ahead and len(seen) < _MOST_GOALS:
            name, condition = ahead.pop(0)
            if name in seen:
                continue
            seen.add(name)
            state = routine.states[name]
            for goal in self._goals(name, state):
                yield {**goal, "if": condition} if condition else goal
            if not isinstance(state, FinishState | RefuseState):
                ahead += self._ways(state.next, condition)

    def _goals(self, name: str, state: State) -> Iterator[dict[str, Json]]:
        if isinstance(state, CallState):
            yield self._goal(name, state.call)
        elif isinstance(state, ForEachState):
            rows = self._value(state.for_each.rows, None)
            for call in state.for_each.do:
                yield self._loop(name, call, rows if isinstance(rows, list) else None)

    def _ways(
        self, ways: Sequence[Transition], condition: str | None
    ) -> Iterator[tuple[str, str | None]]:
        """Where it goes on: one way if that can be told, else all that are possible."""
        open_ways: list[str] = []
        for way in ways:
            value = True if way.when is None else self._value(way.when, None)
            if value is False:
                continue
            if value is True:
                said = f"not: {'; '.join(open_ways)}" if open_ways else None
            else:
                assert way.when is not None
                open_ways.append(brief(way.when)[:200])
                said = open_ways[-1]
            yield way.to, "; and ".join(filter(None, (condition, said))) or None
            if value is True:
                return

    def _goal(self, name: str, call: CallPart) -> dict[str, Json]:
        known, find = self._arguments(name, call, None)
        tool = self._tool(call)
        done = self._take(tool, known) if not find else None
        if done is not None:
            self.results[name] = done.result
            self.scope.forget()
        return {**self._about(name, tool), "done": done is not None, "known": known, "find": find}

    def _loop(self, name: str, call: CallPart, rows: Sequence[Any] | None) -> dict[str, Json]:
        tool = self._tool(call)
        if rows is None:
            _, find = self._arguments(name, call, None)
            return {**self._about(name, tool), "done": False, "known": {}, "find": find}
        left: list[Json] = []
        for row in rows:
            known, find = self._arguments(name, call, row)
            if find or self._take(tool, known) is None:
                left.append(known)
        about = {**self._about(name, tool), "done": not left}
        return {**about, "left": left[:_MOST_ROWS], "times": len(left)}

    def _about(self, name: str, tool: str | None) -> dict[str, Json]:
        needed = self.experience.tools.get(tool or "")
        return {"goal": name, "tool": tool, "effect": needed.effect if needed else None}

    def _tool(self, call: CallPart) -> str | None:
        if isinstance(call.tool, Choose):
            value = self._value(call.tool.choose, None)
            return value if isinstance(value, str) else None
        return call.tool

    def _arguments(
        self,
        name: str,
        call: CallPart,
        row: Any,  # noqa: ANN401
    ) -> tuple[dict[str, Json], dict[str, Json]]:
        """What is known of the arguments, and which sub-goals tell the others."""
        known: dict[str, Json] = {}
        find: dict[str, Json] = {}
        for argument, expression in call.arguments.items():
            sources = results_in(term_of(expression))
            value = self._value(expression, row)
            doubted = name == self.stopped and (sources or row is not None)
            if value is _UNKNOWN or doubted:
                find[argument] = list[Json](sorted(sources))
            else:
                known[argument] = value
        return known, find

    def _take(self, tool: str | None, arguments: Mapping[str, Json]) -> SeenCall | None:
        """A call that was made with these arguments, once for each time that it was."""
        calls = self.made.get(call_key(tool, arguments), []) if tool is not None else []
        if not calls:
            return None
        return calls.pop(0) if calls[0].writes else calls[0]

    def _value(self, expression: Expression, row: Any) -> Any:  # noqa: ANN401
        try:
            return evaluate(term_of(expression), self.scope, row)
        except (Absent, Unclear, Pending):
            return _UNKNOWN
