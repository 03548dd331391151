"""The trials of an evaluation, one after another on each slot of an executor."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from playhead.evaluate._results import TrialResult
from playhead.evaluate.running._events import (
    Counts,
    EvaluationBeganEvent,
    EvaluationEvent,
    OnEvaluationEvent,
    TrialAgainEvent,
    TrialBeganEvent,
    TrialEndedEvent,
)
from playhead.evaluate.running._executor import Executor
from playhead.evaluate.running._one import Assignment, Outcome
from playhead.evaluate.running._plan import Plan, start_of
from playhead.evaluate.running._record import Record
from playhead.tape import Draft
from playhead.tape.annotations import Evaluation, TrialStart

_logger = logging.getLogger("playhead.evaluate")
_AHEAD = 64  # starts that are written in one batch
_MOMENT = 0.02  # seconds in which trials come to their end that are recorded in one batch
Tell = Callable[[EvaluationEvent], None]


def teller(on_event: OnEvaluationEvent | None) -> Tell:
    """Shows events to whoever watches; a watcher that raises does not stop the evaluation."""

    def tell(event: EvaluationEvent) -> None:
        try:
            if on_event is not None:
                on_event(event)
        except Exception as error:
            name = type(error).__name__
            _logger.warning("`on_event` raised %s: the evaluation goes on", name)

    return tell


class Loop:
    """Gives trials to an executor, and records what becomes of them.

    Args:
        record: The evaluation's tape.
        about: What is run.
        plan: What is to do.
        tell: Shown what happens.
    """

    def __init__(self, record: Record, about: Evaluation, *, plan: Plan, tell: Tell) -> None:
        self._record = record
        self._plan = plan
        self._tell = tell
        self._ready = deque(plan.begun)
        self._taking = asyncio.Lock()
        self._ended: list[tuple[Assignment, Outcome]] = []  # and not recorded yet
        self._news = asyncio.Event()  # something has ended
        self.counts = Counts(about.tasks * about.trials * len(about.candidates))
        for result in plan.ended:
            self.counts = self.counts.adding(result)
        plan.ended.clear()  # they are counted, and may be very many
        tell(EvaluationBeganEvent(record.tape.id, about, self.counts))

    async def run(self, executor: Executor) -> None:
        """All trials that are left.

        Raises:
            StoreError: The store failed.
            EvaluationError: The executor cannot go on.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                slots = [tasks.create_task(self._slot(executor)) for _ in range(executor.slots)]
                tasks.create_task(self._keep_record(slots))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _slot(self, executor: Executor) -> None:
        """One trial after another; their ends are recorded meanwhile, unless nothing else runs."""
        while (assignment := await self._next()) is not None:
            self.counts = replace(self.counts, running=self.counts.running + 1)
            self._tell(TrialBeganEvent(assignment.start, self.counts))
            try:
                outcome = await executor.carry_out(assignment)
                while outcome.lost is not None:
                    assignment = await self._again(assignment, outcome.lost)
                    outcome = await executor.carry_out(assignment)
            finally:
                self.counts = replace(self.counts, running=self.counts.running - 1)
            self._ended.append((assignment, outcome))
            if self.counts.running:
                self._news.set()
            else:
                await self._record_ended()

    async def _keep_record(self, slots: Sequence[asyncio.Task[None]]) -> None:
        """Record what has ended, as long as anything is under way; also if that is interrupted."""
        for slot in slots:
            slot.add_done_callback(lambda _: self._news.set())
        try:
            while not all(slot.done() for slot in slots):
                await self._news.wait()
                await asyncio.sleep(_MOMENT if self.counts.running else 0)
                self._news.clear()
                await self._record_ended()
        finally:
            await self._record_ended()

    async def _next(self) -> Assignment | None:
        """The next trial; it is on the tape that it will begin, before it does."""
        async with self._taking:
            if not self._ready:
                self._ready.extend(await self._started(_AHEAD))
            return self._ready.popleft() if self._ready else None

    async def _started(self, count: int) -> list[Assignment]:
        drafts = [Draft(start_of(key)) for key in islice(self._plan.fresh, count)]
        if drafts:
            await self._record.append(drafts)
        return [_assigned(draft) for draft in drafts]

    async def _again(self, assignment: Assignment, why: str) -> Assignment:
        start = assignment.start
        draft = Draft(start_of((start.candidate, start.task, start.number)))
        await self._record.append([draft])
        again = _assigned(draft)
        self._tell(TrialAgainEvent(again.start, why, self.counts))
        return again

    async def _record_ended(self) -> None:
        ended, self._ended = self._ended, []
        if ended:
            await self._record.append([draft for each in ended for draft in _drafts(*each)])
        for assignment, outcome in ended:
            self._show(assignment, outcome)

    def _show(self, assignment: Assignment, outcome: Outcome) -> None:
        end = outcome.end or assignment.end
        assert end is not None
        judged = {score.name: score for _, score in outcome.scores}
        before = self._plan.before.pop(assignment.step, None)
        if before is not None:
            judged = {**before.scores, **judged}
            self.counts = self.counts.adding(before, -1)
        result = TrialResult(assignment.start, end, judged)
        self.counts = self.counts.adding(result)
        self._tell(TrialEndedEvent(result, self.counts))


def _drafts(assignment: Assignment, outcome: Outcome) -> list[Draft]:
    """What the tape says of a trial that ended."""
    of = (assignment.step,)
    ends = [Draft(outcome.end, re=of)] if outcome.end is not None else []
    return [*ends, *(Draft(score, by=by, re=of) for by, score in outcome.scores)]


def _assigned(draft: Draft) -> Assignment:
    body = draft.body
    assert isinstance(body, TrialStart)
    return Assignment(draft.id, body)
