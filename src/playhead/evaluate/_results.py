"""What an evaluation's tape says: its trials and their scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from sys import intern

from playhead.errors import EvaluationError
from playhead.evaluate._packed import PackedTrials, body_bytes, pack, unpack
from playhead.evaluate._trial_result import TrialResult as TrialResult
from playhead.store import Store
from playhead.tape import Step, Tape
from playhead.tape.annotations import Evaluation, Score, TrialEnd, TrialStart

Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """An evaluation, finished or not.

    Args:
        id: Its tape.
        head: `TAPE:N:LINK` of its tape, to be kept elsewhere.
        about: What was run.
        trials: Those that ended, in the order in which they did.
    """

    id: str
    head: str
    about: Evaluation
    trials: Sequence[TrialResult]

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names, in the order in which they were given."""
        return tuple(each.name for each in self.about.candidates)

    @property
    def finished(self) -> bool:
        """Whether all trials ended."""
        return len(self.trials) == self.about.tasks * self.about.trials * len(self.candidates)

    def read(self) -> EvaluationResult:
        """The same with all trials in memory, for who goes over them again and again."""
        return replace(self, trials=list(self.trials))

    def of(self, candidate: str) -> list[TrialResult]:
        """The trials of one candidate."""
        return [trial for trial in self.trials if trial.start.candidate == candidate]


async def read_evaluation(store: Store, tape: str) -> EvaluationResult:
    """Read an evaluation from its tape.

    Raises:
        TapeNotFoundError: There is no such tape.
        EvaluationError: The tape is no evaluation's.
    """
    return result_of(await store.open(tape))


def result_of(tape: Tape) -> EvaluationResult:
    """What an evaluation's tape says; where a trial was run or scored again, the last time counts.

    Raises:
        EvaluationError: It is no evaluation's tape.
    """
    results = Results()
    results.take(tape)
    return results.of(tape)


@dataclass(slots=True)
class _Said:
    """What the tape says of a trial so far, as the bytes of its bodies."""

    key: Key
    start: bytes
    end: bytes | None
    scores: list[bytes]


class Results:
    """What an evaluation's tape says so far; trials that ended take little memory."""

    def __init__(self) -> None:
        self.about: Evaluation | None = None
        self._open: dict[str, _Said] = {}  # by the id of the start
        self._ended: dict[str, tuple[Key, bytes]] = {}  # packed, in the order in which they ended
        self._last: dict[Key, str] = {}  # the start of the last time that a trial came to its end

    def take(self, steps: Iterable[Step]) -> None:
        """Take in what was appended."""
        ended: dict[str, None] = {}
        for step in steps:
            kind = step.kind
            if step.data is None or not step.known:
                continue
            if kind == Evaluation.kind:
                about = step.body
                assert isinstance(about, Evaluation)
                self.about = about  # said once more where scorers were changed
            elif kind == TrialStart.kind:
                self._begin(step)
            elif kind in (TrialEnd.kind, Score.kind):
                ended.update((start, None) for start in step.re if self._say(start, step))
        for start in ended:
            self._pack(start)

    def _begin(self, step: Step) -> None:
        body = step.body
        assert isinstance(body, TrialStart)
        key = (intern(body.candidate), intern(body.task), body.number)
        self._open[step.id] = _Said(key, body_bytes(step, TrialStart), None, [])

    def _say(self, start: str, step: Step) -> bool:
        """Add an end or a score to a trial; whether it has an end."""
        said = self._open.get(start) or self._opened(start)
        if said is None:
            return False
        if step.kind == Score.kind:
            said.scores.append(body_bytes(step, Score))
        else:
            if said.end is None:
                self._ended.pop(self._last.get(said.key, start), None)  # it was run again
                self._last[said.key] = start
            said.end = body_bytes(step, TrialEnd)
        return said.end is not None

    def _opened(self, start: str) -> _Said | None:
        """A trial that ended before, and of which something more is said."""
        if start not in self._ended:
            return None
        key, packed = self._ended[start]
        said = self._open[start] = _Said(key, *unpack(packed))
        return said

    def _pack(self, start: str) -> None:
        said = self._open.pop(start)
        assert said.end is not None
        if self._last[said.key] == start:
            self._ended[start] = (said.key, pack(said.start, said.end, said.scores))

    def of(self, tape: Tape) -> EvaluationResult:
        """The result, of a tape that was taken in up to its end.

        Raises:
            EvaluationError: It is no evaluation's tape.
        """
        if self.about is None:
            raise EvaluationError(f"tape `{tape.id}` is no evaluation: `playhead eval` makes one")
        trials = PackedTrials(packed for _, packed in self._ended.values())
        return EvaluationResult(tape.id, tape.head_text, self.about, trials)
