"""Whether an experience works here: it is played over local traces before it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from playhead.errors import PlayheadError
from playhead.experience.document import Experience

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
