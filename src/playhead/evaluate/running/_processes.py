"""Trials in worker processes, which are fresh interpreters and may die."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Self

from playhead.errors import EvaluationError
from playhead.evaluate.running._events import EvaluationEvent, WorkerDiedEvent
from playhead.evaluate.running._one import Assignment, Outcome, Trials
from playhead.evaluate.running._source import Source
from playhead.evaluate.running._wire import (
    Said,
    assignment_said,
    error_in,
    message_of,
    outcome_in,
    read_message,
)
from playhead.evaluate.running._worker import BEGIN
from playhead.store import SqliteStore, Store
from playhead.tape.annotations import Evaluation

_DEATHS = 2  # of workers that had nothing to do but this trial, after which it is given up
_GIVEN_UP = 3  # trials one after the other, after which there is no use in going on
_LEAVE = 60.0  # seconds that a worker has to bring its sessions to a stand


class _DiedError(EvaluationError):
    """The worker died."""


class _Worker:
    """A worker process and what it has to do."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.load = 0
        self.kept = False  # for one trial alone
        self.death: str | None = None
        self._answers: dict[int, asyncio.Future[Outcome]] = {}
        self._number = 0

    @classmethod
    async def start(cls, hello: Said) -> Self:
        """A worker that is ready.

        Raises:
            EvaluationError: It is not, and never will be.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", BEGIN),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            process_group=0 if os.name == "posix" else None,  # Ctrl-C is for us
        )
        worker = cls(process)
        try:
            worker._send(hello)
            assert process.stdout is not None
            answer = await read_message(process.stdout)
        except BaseException:
            await worker.stop()
            raise
        if answer is not None and "ready" in answer:
            return worker
        code = await worker.stop()
        if answer is not None:
            raise error_in(answer["refused"])
        raise EvaluationError(f"a worker process ended while it started: {how(code)}")

    def _send(self, said: Said) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(message_of(said))

    async def carry_out(self, assignment: Assignment) -> Outcome:
        """Have a trial carried out.

        Raises:
            _DiedError: The worker died meanwhile.
        """
        if self.death is not None:
            raise _DiedError(self.death)
        self._number += 1
        number = self._number
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"number": number, **assignment_said(assignment)})
            outcome: Outcome = await answer
            return outcome
        finally:
            self._answers.pop(number, None)

    async def listen(self) -> int:
        """Take answers until the worker is gone; its exit code."""
        assert self.process.stdout is not None
        while (said := await read_message(self.process.stdout)) is not None:
            answer = self._answers.get(said["number"])
            if answer is None or answer.done():
                continue
            if "error" in said:
                answer.set_exception(error_in(said["error"]))
            else:
                answer.set_result(outcome_in(said["outcome"]))
        code = await self.process.wait()
        self.death = how(code)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(_DiedError(self.death))
        return code

    async def stop(self) -> int:
        """Let it bring its sessions to a stand, and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return await asyncio.wait_for(self.process.wait(), _LEAVE)
        except (asyncio.CancelledError, TimeoutError):
            self.process.kill()
            await self.process.wait()
            raise


class ProcessExecutor:
    """Trials in so many worker processes, each with so many at once.

    A worker that dies is replaced. Trials that it had go on in others, each alone in its worker, so
    that it shows which one kills; that one is given up.

    Args:
        local: The same trials in this process.
        about: What is run.
        source: Where workers find it.
        store: The store, a file.
        processes: How many workers.
        jobs: How many trials at once in each.
        tell: Shown when a worker dies.
    """

    def __init__(
        self,
        local: Trials,
        about: Evaluation,
        *,
        source: Source,
        store: SqliteStore,
        processes: int,
        jobs: int,
        tell: Callable[[EvaluationEvent], None],
    ) -> None:
        self.slots = processes * jobs
        self._local, self._tell = local, tell
        self._processes, self._jobs = processes, jobs
        self._hello = _hello(about, source, store)
        self._workers: list[_Worker] = []
        self._keepers: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self._broken: Exception | None = None
        self._given_up = 0

    async def __aenter__(self) -> Self:
        starts = [asyncio.create_task(_Worker.start(self._hello)) for _ in range(self._processes)]
        started = await asyncio.gather(*starts, return_exceptions=True)
        self._workers = [worker for worker in started if isinstance(worker, _Worker)]
        for fault in started:
            if isinstance(fault, BaseException):
                await self._stop()
                raise fault
        for worker in self._workers:
            self._keep(worker)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def _stop(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        stops = [worker.stop() for worker in self._workers]
        await asyncio.gather(*self._keepers, *stops, return_exceptions=True)

    def _keep(self, worker: _Worker) -> None:
        keeper = asyncio.create_task(self._look_after(worker))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def _look_after(self, worker: _Worker) -> None:
        """Take a worker's answers; when it dies, put another one in its place."""
        try:
            code = await worker.listen()
            self._tell(WorkerDiedEvent(worker.process.pid, code, worker.load))
            fresh = await _Worker.start(self._hello)
        except Exception as error:
            self._broken = error
        else:
            self._workers[self._workers.index(worker)] = fresh
            self._keep(fresh)
        async with self._changed:
            self._changed.notify_all()

    async def carry_out(self, assignment: Assignment) -> Outcome:
        """See `Executor.carry_out`.

        Raises:
            EvaluationError: Workers die all the time.
        """
        alone, deaths = False, 0
        while deaths < _DEATHS:
            worker = await self._place(alone=alone)
            try:
                outcome = await worker.carry_out(assignment)
            except _DiedError as error:
                why = str(error)
            else:
                self._given_up = 0
                return outcome
            finally:
                await self._leave(worker, alone=alone)
            alone, deaths = True, deaths + alone
            if assignment.mode == "begin":
                assignment = replace(assignment, mode="go on")
        return await self._give_up(assignment, why)

    async def _place(self, *, alone: bool) -> _Worker:
        async with self._changed:
            worker = await self._changed.wait_for(lambda: self._free(alone))
            assert worker is not None
            worker.kept = alone
            try:
                await self._changed.wait_for(lambda: not alone or not worker.load or worker.death)
            except BaseException:
                worker.kept = False
                raise
            worker.load += 1
            return worker

    def _free(self, alone: bool) -> _Worker | None:
        """The worker with the least to do; None if all have enough."""
        if self._broken is not None:
            raise self._broken
        free = [w for w in self._workers if w.death is None and not w.kept]
        found = min(free, key=lambda worker: worker.load, default=None)
        return found if found is not None and (alone or found.load < self._jobs) else None

    async def _leave(self, worker: _Worker, *, alone: bool) -> None:
        async with self._changed:
            worker.load -= 1
            worker.kept = worker.kept and not alone
            self._changed.notify_all()

    async def _give_up(self, assignment: Assignment, why: str) -> Outcome:
        self._given_up += 1
        message = f"its worker process died again and again: {why}"
        if self._given_up >= _GIVEN_UP:
            raise EvaluationError(
                f"{_GIVEN_UP} trials, one after the other, ended so: {message}. See to it (memory, "
                "or what a tool does), then resume the evaluation"
            )
        return await self._local.give_up(assignment, message)


def how(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def shared(source: Source | None, store: Store) -> tuple[Source, SqliteStore]:
    """What worker processes begin with.

    Raises:
        EvaluationError: They could not find suite and candidates, or not reach the store.
    """
    if source is None:
        raise EvaluationError(
            "worker processes have to find suite and candidates again: pass `source=`, or "
            "`processes=1`"
        )
    if not isinstance(store, SqliteStore):
        raise EvaluationError(
            f"worker processes cannot share a {type(store).__name__}: use a SqliteStore, or "
            "`processes=1`"
        )
    return source, store


def _hello(about: Evaluation, source: Source, store: SqliteStore) -> Said:
    """What a worker is told first."""
    place = {"path": str(store.path), "tenant": store.tenant, "durability": store.durability}
    return {
        "path": sys.path,
        "source": asdict(source),
        "store": place,
        "seed": about.seed,
        "document": about.document,
        "candidates": {each.name: each.config for each in about.candidates},
    }
