"""One trial: run it, or go on with it, and have it judged while its environments are open."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from playhead.agent import Agent
from playhead.environment import Environment
from playhead.errors import (
    ConflictError,
    EvaluationError,
    LostLeaseError,
    RunError,
    StoreError,
    TapeNotFoundError,
    TapeOwnedError,
    told,
)
from playhead.evaluate._scorer import Scorer
from playhead.evaluate._suite import Suite
from playhead.evaluate._trial import Candidate, Trial, TrialRun, trial_seed
from playhead.evaluate.perturb import perturbed, perturbed_environment
from playhead.evaluate.running._fault import as_error, fault_of
from playhead.evaluate.running._rest import NOTHING, lost_state, pause_of, rest_of, stands
from playhead.evaluate.running._scoring import Scored, scored, unscorable
from playhead.evaluate.running._sums import end_of
from playhead.orchestrator import Budget, resume, run
from playhead.store import Store
from playhead.tape import Tape
from playhead.tape.annotations import TrialEnd, TrialStart

_logger = logging.getLogger("playhead.evaluate")
_PATIENCE, _LOOK_EVERY = 30.0, 0.1  # seconds that a tape's owner of an earlier life has to go
_OF_ONE_TAPE = (ConflictError, LostLeaseError, TapeNotFoundError, TapeOwnedError)

Mode: TypeAlias = Literal["begin", "go on", "score"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A trial to carry out.

    Args:
        step: The id of the step that its start is: what its end and scores answer.
        start: Which trial, and the tape that it has.
        mode: `begin` it; `go on` with it, as far as it was begun; or only `score` it again.
        scorers: For `score`: the names of those that judge.
        end: For `score`: how it ended.
    """

    step: str
    start: TrialStart
    mode: Mode = "begin"
    scorers: tuple[str, ...] = ()
    end: TrialEnd | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a trial.

    Args:
        end: How it ended; None if it is only scored, or lost.
        scores: By whom, and what they say.
        lost: Why it could not go on and has to begin again; None if it could.
    """

    end: TrialEnd | None = None
    scores: Sequence[Scored] = ()
    lost: str | None = None


class _LostError(RunError):
    """What was begun cannot go on."""


@dataclass(slots=True)
class _Life:
    """A trial while it is carried out: what there is of it so far."""

    trial: Trial
    environments: list[Environment] = field(default_factory=list)
    tape: Tape | None = None
    fault: BaseException | None = None


class Trials:
    """Carries out trials of a suite, as many at once as are asked for.

    Args:
        suite: The suite.
        candidates: By name.
        store: Where the sessions go.
        seed: The evaluation's.
    """

    def __init__(
        self, suite: Suite, candidates: Mapping[str, Candidate], *, store: Store, seed: int
    ) -> None:
        if suite.perturb:
            around, perturb = suite.environment, suite.perturb
            suite = replace(suite, environment=around and perturbed_environment(around, perturb))
            candidates = {name: perturbed(each, perturb) for name, each in candidates.items()}
        self._suite = suite
        self._candidates = candidates
        self.store = store
        self._seed = seed
        self._tasks = {task.id: task for task in suite.tasks}

    async def carry_out(self, assignment: Assignment) -> Outcome:
        """Run a trial, or what is left of it, and let the scorers judge.

        Raises:
            StoreError: The store failed: nothing more can be done.
        """
        life = _Life(self._trial(assignment.start))
        try:
            await self._run(assignment, life)
            return await self._judged(assignment, life)
        except _LostError as error:
            if assignment.mode != "score":
                return Outcome(lost=str(error))
            return Outcome(scores=unscorable(self._scorers(assignment), str(error)))
        finally:
            await _close(life)

    async def give_up(self, assignment: Assignment, why: str) -> Outcome:
        """A trial that cannot be carried out, as it stands."""
        if assignment.mode == "score":
            return Outcome(scores=unscorable(self._scorers(assignment), why))
        life = _Life(self._trial(assignment.start), fault=EvaluationError(why))
        life.tape = await self._stored(assignment.start.tape)
        return await self._judged(assignment, life)

    def _trial(self, start: TrialStart) -> Trial:
        seed = trial_seed(self._seed, task=start.task, number=start.number)
        setup = self._candidates[start.candidate].setup
        return Trial(start.candidate, self._tasks[start.task], start.number, seed, setup)

    async def _run(self, assignment: Assignment, life: _Life) -> None:
        """The session, to where it ends; what ended it otherwise is the life's fault."""
        try:
            agent = self._agent(life.trial)
            for environment in self._environments(life.trial):
                life.environments.append(environment)  # before: what opens half way is closed
                await environment.open()
        except (Exception, SystemExit) as error:
            life.fault = error
            life.tape = await self._stored(assignment.start.tape)
            return
        try:
            life.tape = await self._session(assignment, life, agent)
        except (Exception, SystemExit) as error:
            if isinstance(error, _LostError) or _is_fatal(error):
                raise
            life.fault = error
            life.tape = await self._stored(assignment.start.tape)

    def _agent(self, trial: Trial) -> Agent:
        agent = self._candidates[trial.candidate].agent_for(trial)
        if not isinstance(agent, Agent):
            name = type(agent).__name__
            raise EvaluationError(
                f"candidate `{trial.candidate}` gives an Agent for a trial, not a {name}"
            )
        return agent

    def _environments(self, trial: Trial) -> Iterator[Environment]:
        for factory in (self._suite.environment, self._candidates[trial.candidate].environment):
            made = factory(trial) if factory is not None else ()
            yield from [made] if isinstance(made, Environment) else made

    async def _session(self, assignment: Assignment, life: _Life, agent: Agent) -> Tape:
        tape = None
        if assignment.mode != "begin":
            tape = await self._stored(assignment.start.tape)
        if tape is not None:
            return await self._go_on(assignment, life, agent, tape=tape)
        if assignment.mode == "score":
            raise _LostError("the trial has no tape: run it again with `retry_errors`")
        return await run(
            agent,
            life.trial.input,
            tape=Tape.new(assignment.start.tape),
            environment=life.environments,
            store=self.store,
            budget=self._suite.budget,
            approval=self._candidates[life.trial.candidate].approval,
        )

    async def _go_on(
        self, assignment: Assignment, life: _Life, agent: Agent, *, tape: Tape
    ) -> Tape:
        """Finish a session, or bring the environments to where it came to its end."""
        changed = lost_state(tape, life.environments)
        if changed is not None:
            raise _LostError(
                f"tool `{changed}` had changed its environment, which cannot be brought back: "
                "declare it `rebuildable`, or `snapshot`"
            )
        over = assignment.mode == "score" or stands(tape)
        budget = NOTHING if over else rest_of(self._suite.budget or Budget(), tape)
        try:
            ended = await self._resumed(tape.id, agent, life, budget)
        except RunError as error:
            raise _LostError(str(error)) from error
        if ended.status == "waiting" and not over:
            raise _LostError("nobody knows whether an action was carried out")
        return tape if over else ended

    async def _resumed(self, tape: str, agent: Agent, life: _Life, budget: Budget) -> Tape:
        """Resume, once the owner that the tape had in an earlier life is gone."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return await resume(
                    tape,
                    agent=agent,
                    environment=life.environments,
                    store=self.store,
                    budget=budget,
                    approval=self._candidates[life.trial.candidate].approval,
                )
            except TapeOwnedError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(_LOOK_EVERY)

    async def _stored(self, tape: str) -> Tape | None:
        try:
            return await self.store.open(tape)
        except TapeNotFoundError:
            return None

    async def _judged(self, assignment: Assignment, life: _Life) -> Outcome:
        tape, fault = life.tape, life.fault
        if assignment.end is not None:
            end, failed = assignment.end, assignment.end.status == "error"
            fault = fault or (EvaluationError(end.error) if end.error else None)
        else:
            failed = fault is not None
            pause = pause_of(tape) if tape is not None and not failed else None
            fault = RunError(f"the session stopped: {pause.message}") if pause else fault
            end = end_of(tape, status="error" if failed else "completed", error=_said(fault))
        run = TrialRun(
            trial=life.trial,
            tape=tape if tape is not None else Tape.new(assignment.start.tape),
            environments=tuple(life.environments),
            error=as_error(fault) if fault is not None else None,
            store=self.store,
        )
        scorers = self._scorers(assignment)
        scores = await scored(run, scorers, target=end.target, failed=failed)
        return Outcome(None if assignment.end is not None else end, scores)

    def _scorers(self, assignment: Assignment) -> list[Scorer]:
        wanted = assignment.scorers
        return [s for s in self._suite.scorers if not wanted or s.name in wanted]


def _is_fatal(error: BaseException) -> bool:
    """Whether the store failed, not just this trial."""
    return isinstance(error, StoreError) and not isinstance(error, _OF_ONE_TAPE)


def _said(fault: BaseException | None) -> str | None:
    return fault_of(fault) if fault is not None else None


async def _close(life: _Life) -> None:
    for environment in reversed(life.environments):
        try:
            await environment.close()
        except Exception as error:
            _logger.warning(
                "trial %s of task `%s`: `close` of `%s` raised %s",
                life.trial.number,
                life.trial.task.id,
                type(environment).__name__,
                told(error),
            )
