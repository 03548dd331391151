"""What a tape says of a play: what it began with, what was done, what a model judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from playhead.errors import ExperienceError
from playhead.experience.checks import SeenCall, seen_call
from playhead.experience.document import Experience
from playhead.experience.routine import Inputs, PastCall
from playhead.tape import Json, Step, Tape, compact
from playhead.tape.kinds import Checked, Play, ToolCall, ToolError, ToolResult, UserMessage

Values = Callable[[Json], Json]  # puts values back where placeholders stand
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Past:
    """A play so far.

    Args:
        note: What it began with; the newest one counts.
        inputs: The same, as a routine takes it.
        calls: Tool calls that are done, in the order in which they were asked for.
        judged: What a model said of the checks that are due now.
    """

    note: Play
    inputs: Inputs
    calls: tuple[SeenCall, ...]
    judged: Checked | None = None

    @property
    def done(self) -> list[PastCall]:
        """The calls as a routine takes them."""
        return [_past_call(call) for call in self.calls]

    @property
    def writes(self) -> int:
        """How many of the calls may have changed something."""
        return sum(call.writes for call in self.calls)


def request_text(experience: Experience, parameters: Mapping[str, Json]) -> str:
    """What is said on the tape of a play that is asked for by parameters alone.

    It is what the person says, so nothing of the document's own words is in it but plain names.
    """
    named = ", ".join(
        f"{name if _PLAIN_NAME.fullmatch(name) else f'value {number}'}: {compact(value)}"
        for number, (name, value) in enumerate(parameters.items(), 1)
    )
    return f"Play `{experience.name}`" + (f" ({named})" if named else "")


def read_past(tape: Tape, experience: Experience, values: Values | None = None) -> Past:
    """What a tape says of the play of an experience.

    Args:
        tape: The tape.
        experience: What is played.
        values: Puts values back where placeholders stand.

    Raises:
        ExperienceError: Nothing was begun on the tape, or what began it was erased.
    """
    resolve = values or _unchanged
    note: Play | None = None
    task: str | None = None
    calls: dict[str, SeenCall | None] = {}
    asked: dict[str, ToolCall] = {}
    judged: Checked | None = None
    for step in tape:
        match step.body if step.known and not step.erased and step.frame == 0 else None:
            case Play() as body:
                note = body
            case UserMessage() as body if task is None:
                task = body.text
            case ToolCall() as body:
                asked[step.id], calls[step.id], judged = body, None, None
            case ToolResult() | ToolError() as body if step.re and step.re[0] in asked:
                calls[step.re[0]] = seen_call(asked[step.re[0]], body, resolve)
            case Checked() as body if body.judged:
                judged = body
    if note is None or task is None:
        raise ExperienceError("no play was begun on this tape, or what began it was erased")
    inputs = _inputs(experience, note, task, resolve)
    return Past(note, inputs, tuple(call for call in calls.values() if call), judged)


def newest_play(tape: Tape) -> tuple[Step, Play] | None:
    """The note that the last level of a play began with; None if nothing was played."""
    for seq in range(len(tape) - 1, -1, -1):
        step = tape[seq]
        if step.kind == Play.kind and isinstance(body := step.body, Play):
            return step, body
    return None


def _inputs(experience: Experience, note: Play, task: str, resolve: Values) -> Inputs:
    given = cast("dict[str, Json]", resolve(dict(note.parameters)))
    text = str(resolve(task))
    if text == request_text(experience, given):
        text = ""  # it was made of the parameters
    return Inputs(task=text, now=note.now or "", given=given)


def _past_call(call: SeenCall) -> PastCall:
    arguments: Mapping[str, Any] = call.arguments if isinstance(call.arguments, dict) else {}
    return PastCall(call.tool, arguments, call.result, call.error)


def _unchanged(value: Json) -> Json:
    return value
