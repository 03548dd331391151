"""Whether an experience works here: it is played over local traces before it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from playhead.errors import LibraryError, PlayheadError
from playhead.experience.document import Experience
from playhead.experience.play import result_value
from playhead.experience.routine import Finish, Inputs, PastCall, PlannedCall, Refuse, decide
from playhead.tape import Json, Step, Tape, canonical
from playhead.tape.kinds import ToolCall, ToolError, ToolResult, UserMessage

_MOST_CALLS = 1000

Trial: TypeAlias = Literal["right", "wrong", "refused"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of playing an experience over traces or in an environment of this place.

    Args:
        right: Trials that ended as the trace did.
        wrong: Trials that did something else.
        refused: Trials in which the experience did not know what to do.
        faults: What was wrong, in words.
    """

    right: int = 0
    wrong: int = 0
    refused: int = 0
    faults: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it may be trusted: it did something right and nothing wrong."""
        return self.right > 0 and self.wrong == 0

    @property
    def verdict(self) -> str:
        """What came of it, in words."""
        said = f"{self.right} right, {self.wrong} wrong, {self.refused} refused"
        return f"{said}: {self.faults[0]}" if self.faults and not self.ok else said


def verify(
    experience: Experience,
    traces: Iterable[T],
    trial: Callable[[Experience, T], tuple[Trial, str]],
) -> Verification:
    """Play an experience over traces, one by one.

    Args:
        experience: The document.
        traces: What it is played over.
        trial: Plays it over one of them, and says how it ended, and what was wrong.
    """
    counts = {"right": 0, "wrong": 0, "refused": 0}
    faults: list[str] = []
    for trace in traces:
        try:
            ended, reason = trial(experience, trace)
        except PlayheadError as error:
            ended, reason = "wrong", error.message
        counts[ended] += 1
        if ended != "right" and reason:
            faults.append(reason)
    return Verification(**counts, faults=tuple(faults[:20]))


def over_tape(experience: Experience, tape: Tape, *, now: str | None = None) -> tuple[Trial, str]:
    """Play an experience over what a session recorded, without an environment.

    It is right if it comes to its end with the writes of the session, each as often; what it reads
    is answered from the recording, and what was not recorded is no fault of it.

    Args:
        experience: The document.
        tape: A session that did its task as it should.
        now: The clock of the session, `YYYY-MM-DD HH:MM:SS`; when the task was said if not given.

    Raises:
        LibraryError: The tape has no task.
    """
    task, said = _task(tape)
    known, wanted = _recorded(tape)
    inputs = Inputs(task, now or said)
    done: list[PastCall] = []
    left = list(wanted)
    while len(done) < _MOST_CALLS:
        decision = decide(experience, inputs, done)
        match decision:
            case Refuse():
                return "refused", f"tape {tape.id}: {decision.reason}"
            case Finish() if left:
                return "wrong", f"tape {tape.id}: it did not make the call {left[0][:200]}"
            case Finish():
                return "right", ""
        call = decision.calls[0]
        key = _key(call)
        if call.effect != "read":
            if key not in left:
                return "wrong", f"tape {tape.id}: it made the call {key[:200]}"
            left.remove(key)
        elif key not in known:
            return "refused", f"tape {tape.id} does not hold what {key[:200]} gives"
        done.append(known[key])
    return "wrong", f"tape {tape.id}: it made more than {_MOST_CALLS} calls"


def _task(tape: Tape) -> tuple[str, str]:
    """The task, and the clock when it was said."""
    for step in tape:
        if isinstance(step.body, UserMessage):
            return step.body.text, step.time[:19].replace("T", " ")
    raise LibraryError(f"tape {tape.id} has no task: nothing can be played over it")


def _recorded(tape: Tape) -> tuple[dict[str, PastCall], list[str]]:
    """What the calls of a session gave, by call, and which of them were writes."""
    asked: dict[str, Step] = {}
    known: dict[str, PastCall] = {}
    writes: list[str] = []
    for step in tape:
        body = step.body if step.known and not step.erased else None
        if isinstance(body, ToolCall):
            asked[step.id] = step
        elif isinstance(body, ToolResult | ToolError) and step.re and step.re[0] in asked:
            call = asked[step.re[0]].body
            arguments = call.arguments if isinstance(call, ToolCall) else None
            if not isinstance(call, ToolCall) or not isinstance(arguments, dict):
                continue
            error = body.message if isinstance(body, ToolError) else None
            result: Json = result_value(body.result) if isinstance(body, ToolResult) else None
            past = PastCall(call.name, arguments, result, error)
            known[_key(past)] = past
            if call.effect != "read" and error is None:
                writes.append(_key(past))
    return known, writes


def _key(call: PastCall | PlannedCall) -> str:
    return f"{call.tool} {canonical(dict(call.arguments)).decode()}"
