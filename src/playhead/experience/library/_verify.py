"""Whether an experience works here: it is played over local traces before it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from playhead.errors import ExperienceError, LibraryError, PlayheadError
from playhead.experience.checks import SeenCall, case_of_tape
from playhead.experience.document import Experience
from playhead.experience.routine import Finish, Inputs, PastCall, PlannedCall, Refuse, decide
from playhead.tape import Tape, canonical

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
    try:
        case = case_of_tape(experience, tape)
    except ExperienceError as error:
        raise LibraryError(f"nothing can be played over it: {error.message}") from None
    known = {_key(call): call for call in case.calls}
    left = [_key(call) for call in case.calls if call.effect != "read" and call.error is None]
    inputs = Inputs(case.task, now or case.now or "")
    done: list[PastCall] = []
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
        seen = known[key]
        done.append(PastCall(call.tool, call.arguments, seen.result, seen.error))
    return "wrong", f"tape {tape.id}: it made more than {_MOST_CALLS} calls"


def _key(call: SeenCall | PlannedCall) -> str:
    return f"{call.tool} {canonical(call.arguments).decode()}"
