"""`run_suite`: every trial of a suite, recorded on one tape."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from playhead.agent import Agent
from playhead.errors import EvaluationError
from playhead.evaluate._results import EvaluationResult
from playhead.evaluate._suite import Suite
from playhead.evaluate._trial import Candidate
from playhead.evaluate.running._events import OnEvaluationEvent
from playhead.evaluate.running._executor import Executor, LocalExecutor
from playhead.evaluate.running._loop import Loop, teller
from playhead.evaluate.running._one import Trials
from playhead.evaluate.running._plan import Asked, Plan, named
from playhead.evaluate.running._processes import ProcessExecutor, shared
from playhead.evaluate.running._record import Record
from playhead.evaluate.running._source import Source
from playhead.orchestrator import default_store, sync_twin
from playhead.store import Store
from playhead.tape import Draft, Json


async def run_suite(
    suite: Suite,
    candidates: Sequence[Agent | Candidate],
    *,
    trials: int | None = None,
    jobs: int = 8,
    processes: int = 1,
    seed: int | None = None,
    store: Store | None = None,
    resume: str | None = None,
    retry_errors: bool = False,
    score_again: bool = False,
    on_event: OnEvaluationEvent | None = None,
    source: Source | None = None,
    settings: Mapping[str, Json] | None = None,
) -> EvaluationResult:
    """Try every task of a suite with every candidate, and have each trial judged.

    The evaluation is a tape; each trial is one of its own, in the same store. Whatever interrupts
    it, `resume=` goes on: no trial that ended is run again, and of one that was under way nothing
    that is on its tape is asked or paid for again.

    Args:
        suite: What is tried.
        candidates: Agents, or candidates that make one for each trial.
        trials: How often each task is tried with each candidate; once if not given.
        jobs: How many trials are under way at once, in each process.
        processes: How many processes; more than one need a `source`.
        seed: What the seeds of the trials are made from; 0 if not given.
        store: Where the tapes live; `default_store()` if not given.
        resume: The id of an evaluation to go on with. It says `trials`, `seed` and `settings`.
        retry_errors: With `resume`: run trials again whose session ended in an error.
        score_again: With `resume`: let scorers judge a trial again that failed on it, or that were
            changed since.
        on_event: Shown what happens as it happens.
        source: Where worker processes find suite and candidates.
        settings: What else decides the outcome, for the record.

    Raises:
        EvaluationError: It is put together wrongly, is not what was begun, or worker processes
            cannot do their work.
        TapeNotFoundError: There is no evaluation to resume.
        TapeOwnedError: The evaluation is running.
        StoreError: The store failed; what was acknowledged is safe.
    """
    store = store or default_store()
    by_name = named(candidates)
    for what, number in (("jobs", jobs), ("processes", processes)):
        if number < 1:
            raise EvaluationError(f"`{what}` is at least 1, not {number}")
    if (retry_errors or score_again) and resume is None:
        raise EvaluationError("`retry_errors` and `score_again` go with `resume=`")
    workers = shared(source, store) if processes > 1 else None
    said = Asked(suite, by_name, trials=trials, seed=seed, settings=settings)
    if resume is None:
        record = await Record.begin(store, said.about(), suite.describe())
    else:
        record = await Record.go_on(store, resume)
    try:
        recorded = record.result()
        document = await record.document(recorded.about.document)
        about = said.going_on(recorded, document, score_again=score_again)
        if about != recorded.about:
            await record.append([Draft(about)])
        plan = Plan.rest(
            suite,
            about,
            record.tape,
            known=recorded.trials,
            retry_errors=retry_errors,
            score_again=score_again,
        )
        tell = teller(on_event)
        local = Trials(suite, by_name, store=store, seed=about.seed)
        executor: Executor = LocalExecutor(local, jobs=jobs)
        if workers is not None:
            source, file = workers
            executor = ProcessExecutor(
                local,
                about,
                source=source,
                store=file,
                processes=processes,
                jobs=jobs,
                tell=tell,
            )
        loop = Loop(record, about, plan=plan, tell=tell)
        async with executor:
            await loop.run(executor)
        return record.result()
    finally:
        await asyncio.shield(record.close())


run_suite_sync = sync_twin(run_suite)
