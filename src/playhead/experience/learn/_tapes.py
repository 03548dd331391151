"""Traces from tapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from playhead.errors import ExperienceError
from playhead.experience.checks import seen_call
from playhead.experience.learn._trace import ToolSpec, Trace
from playhead.experience.routine import PastCall
from playhead.tape import Tape
from playhead.tape.kinds import Effect, Play, ToolCall, ToolError, ToolResult, UserMessage

TRY = "try_proposal"
"""The tool that tries a model's proposal: a tape that calls it is no session to learn from."""


def trace_of_tape(tape: Tape, *, now: str | None = None) -> Trace:
    """What learning sees of a tape: the first thing asked for, and the calls that were answered.

    Args:
        tape: The tape.
        now: The clock of its world; when the task was given, if not said.

    Raises:
        ExperienceError: Nobody asked for anything on the tape.
    """
    task: str | None = None
    clock = now
    asked: dict[str, ToolCall] = {}
    calls: list[PastCall] = []
    for step in tape:
        body = step.body if step.known else None
        if isinstance(body, Play):
            clock = clock or body.now
        elif isinstance(body, UserMessage) and task is None:
            task = body.text
            clock = clock or f"{datetime.fromisoformat(step.time):%Y-%m-%d %H:%M:%S}"
        elif isinstance(body, ToolCall):
            asked[step.id] = body
        elif isinstance(body, ToolResult | ToolError) and step.re and step.re[0] in asked:
            seen = seen_call(asked[step.re[0]], body)
            given = seen.arguments if isinstance(seen.arguments, dict) else {}
            calls.append(PastCall(seen.tool, given, seen.result, seen.error))
    if task is None or clock is None:
        raise ExperienceError(f"nobody asked for anything on tape `{tape.id}`")
    finished = tape.status in ("answered", "stopped")
    return Trace(tape.id, task, clock, tuple(calls), tape.head, finished)


def was_played(tape: Tape) -> bool:
    """Whether a tape is the play of an experience: no independent trace to learn from."""
    return any(step.known and isinstance(step.body, Play) for step in tape)


def was_proposed(tape: Tape) -> bool:
    """Whether a tape is a session in which a model proposed changes of an experience."""
    return any(
        step.known and isinstance(step.body, ToolCall) and step.body.name == TRY for step in tape
    )


def tools_of_tapes(tapes: Iterable[Tape]) -> dict[str, ToolSpec]:
    """The tools that tapes have called, as far as the tapes tell.

    Raises:
        ExperienceError: A tape does not say what a tool does to the world.
    """
    effects: dict[str, Effect] = {}
    arguments: dict[str, dict[str, Mapping[str, str]]] = {}
    for tape in tapes:
        for step in tape:
            body = step.body if step.known else None
            if not isinstance(body, ToolCall):
                continue
            if body.effect is None:
                raise ExperienceError(
                    f"tape `{tape.id}` does not say what `{body.name}` does to the world: "
                    "give the environment whose tools it called"
                )
            effects[body.name] = body.effect
            given = body.arguments if isinstance(body.arguments, dict) else {}
            arguments.setdefault(body.name, {}).update({name: {} for name in given})
    return {
        name: ToolSpec(name, effect, arguments.get(name, {})) for name, effect in effects.items()
    }
