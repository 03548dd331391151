"""What came of one trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from playhead.tape.annotations import Score, TrialEnd, TrialStart

TrialOutcome: TypeAlias = Literal["passed", "failed", "error", "unscored", "measured"]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """A trial that came to its end, with its scores.

    Args:
        start: Which trial it is, and its tape.
        end: How it ended, and what it cost.
        scores: By the scorer's name.
    """

    start: TrialStart
    end: TrialEnd
    scores: Mapping[str, Score] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        """Candidate, task and number."""
        return self.start.candidate, self.start.task, self.start.number

    @property
    def passed(self) -> bool | None:
        """No score says no and at least one says yes; None if none decides, or a scorer failed."""
        said = {score.passed for score in self.scores.values() if score.passed is not None}
        if False in said:
            return False
        return None if self.unscored or not said else True

    @property
    def unscored(self) -> tuple[str, ...]:
        """The scorers that failed on it."""
        return tuple(name for name, score in self.scores.items() if score.error is not None)

    @property
    def outcome(self) -> TrialOutcome:
        """One word for it: what decides the trial, or why nothing did.

        `error` is a trial that did not pass and ended in an error, `unscored` one that would be
        decided by a scorer that failed, `measured` one whose scores decide nothing.
        """
        if self.passed:
            return "passed"
        if self.end.status == "error":
            return "error"
        if self.passed is False:
            return "failed"
        return "unscored" if self.unscored else "measured"
