"""One writer a store: jobs from all sessions share transactions (group commit).

They are done in a thread of the writer's own. A lone session's jobs are done in its own thread as
long as commits are swift, because waking another thread costs more than such a commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from playhead.errors import PlayheadError, StoreError, UnknownOutcomeError
from playhead.store._leases import Keeper
from playhead.store._memo import WritingConnection
from playhead.store._sqlite_file import Durability, translated
from playhead.store._write_access import WriteAccess

T = TypeVar("T")
_logger = logging.getLogger("playhead.store")
Job: TypeAlias = Callable[[sqlite3.Connection], Any]

_MAX_GROUP = 256  # jobs in one transaction
_SWIFT = 0.005  # seconds that a commit may take in the event loop's own thread
_BREATH = 0.02  # seconds after which other tasks of the event loop get their turn


@dataclass(slots=True)
class _Task:
    job: Job
    future: asyncio.Future[Any] | None = None  # without one, nobody waits
    fold: bool = False
    tidy: bool = False
    value: Any = None
    error: BaseException | None = field(default=None)


class Writer:
    """Runs jobs on the only writing connection, in a thread of its own, in order.

    A job changes the file in one transaction, and either all of its changes are stored or none.

    Args:
        path: The file.
        durability: What commits survive.
        keeper: The leases that are held.
    """

    def __init__(self, path: Path, durability: Durability, keeper: Keeper) -> None:
        self.access = WriteAccess(path, durability)
        self._path = path
        self._keeper = keeper
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.ended = False
        self._over = False  # the thread has seen the end
        self._guard = threading.Lock()  # nothing is queued after the end
        self._working = threading.Lock()  # held by who uses the connection
        self._pace = _SWIFT  # mean seconds of a commit, the newest ones counting most
        self._breathed = 0.0
        self._thread = threading.Thread(target=self._run, name="playhead-writer", daemon=True)
        self._thread.start()

    async def run(
        self, job: Callable[[sqlite3.Connection], T], *, fold: bool = False, queued: bool = False
    ) -> T:
        """Do a job within a transaction; returns when it is committed.

        Args:
            job: What to do.
            fold: Fold the log into the file afterwards.
            queued: Leave it to the writer's thread, which then sees to the leases, too.

        Raises:
            UnknownOutcomeError: The disk failed while committing.
            StoreError: Nothing of the job was stored.
        """
        alone = self._pace < _SWIFT and self._keeper.lone and self._tasks.empty()
        if alone and not (fold or queued):
            task = _Task(job)
            if self._do_at_once(task):
                if time.monotonic() - self._breathed > _BREATH:
                    await asyncio.sleep(0)
                    self._breathed = time.monotonic()
                if task.error is not None:
                    raise task.error
                done: T = task.value
                return done
        task = _Task(job, asyncio.get_running_loop().create_future(), fold)
        self._put(task)
        assert task.future is not None
        result: T = await task.future
        return result

    def _do_at_once(self, task: _Task) -> bool:
        """Do a job in this very thread; False, and nothing is done, if that would mean waiting."""
        if self.ended or not self._working.acquire(blocking=False):
            return False
        try:
            return self._do_here(task)
        except Exception as error:
            task.error = task.error or _ours(error, self._path)
            return True
        finally:
            self._working.release()

    def _do_here(self, task: _Task) -> bool:
        """A transaction of one job; False, and nothing is done, if it had to wait.

        Raises:
            OSError, sqlite3.Error, StoreError: It failed.
        """
        connection = self.access.take_at_once()
        if connection is None:
            return False
        failed = True
        try:
            done = self._transaction([task], connection, wait=False)
            failed = False
        finally:
            self.access.give_back(failed=failed)
        if done and self.access.untidy():  # a checkpoint takes too long for a loop
            self._tasks.put(_Task(_nothing, tidy=True))
        return done

    def _transaction(
        self, group: list[_Task], connection: WritingConnection, *, wait: bool
    ) -> bool:
        began = time.perf_counter()
        if not self.access.begin(connection, wait=wait):
            return False
        for task in group:
            _do(task, connection)
        self.access.commit(connection)
        self._pace += (time.perf_counter() - began - self._pace) / 8
        return True

    def post(self, job: Job) -> None:
        """Do a job that nobody waits for."""
        with contextlib.suppress(StoreError):
            self._put(_Task(job))

    def _put(self, task: _Task) -> None:
        with self._guard:
            if self.ended:
                raise StoreError("the store is closed: open it again")
            self._tasks.put(task)

    def close(self, last: Job | None = None, *, timeout: float | None = None) -> None:
        """Do what is queued and a last job, fold the log into the file, and end the thread."""
        self.stop(last)
        self._thread.join(timeout)

    def stop(self, last: Job | None = None) -> None:
        """`close`, without waiting for the end."""
        with self._guard:
            if not self.ended:
                self.ended = True
                if last is not None:
                    self._tasks.put(_Task(last))
                self._tasks.put(None)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            with contextlib.suppress(Exception):
                self.access.close()
            self._refuse_rest()

    def _turn(self) -> bool:
        """One transaction; False when there will be no more."""
        group: list[_Task] = []
        self._collect(group, wait=True)
        if self._keeper.take_due():
            group.append(_Task(self._keeper.renew))
        if group:
            try:
                with self._working:
                    self._work(group, joining=True)
            except BaseException as error:  # nobody is left waiting, whatever is wrong here
                for task in group:
                    task.error = task.error or StoreError(f"`{self._path}`: {error!r}")
            _answer(group)
        return not self._over

    def _collect(self, group: list[_Task], *, wait: bool) -> None:
        """Take what is queued; or wait for it, or until a lease is to be renewed."""
        with contextlib.suppress(queue.Empty):
            while len(group) < _MAX_GROUP and not self._over:
                task = self._tasks.get(wait, self._keeper.wait() if wait else None)
                wait = False
                if task is None:
                    self._over = True
                else:
                    group.append(task)

    def _work(self, group: list[_Task], *, joining: bool = False) -> None:
        """Do a group; what goes wrong becomes the error of the tasks concerned, and never more.

        Args:
            group: The group.
            joining: Let those join it that were queued while other programs wrote.
        """
        stage = "opening"
        try:
            with self.access.locked() as connection:
                stage = "working"
                if joining:
                    self._collect(group, wait=False)
                self._transaction(group, connection, wait=True)
                stage = "done"
                fold = any(task.fold for task in group)
                if self.access.untidy() or fold or any(task.tidy for task in group):
                    self.access.tidy(connection, fold=fold)
        except BaseException as error:
            if stage == "done":
                return
            alone = isinstance(error, UnknownOutcomeError) or stage == "opening"
            if len(group) > 1 and not alone:  # one of them spoilt it: each on its own
                for task in group:
                    self._work([task])
                return
            for task in group:
                task.error = task.error or _ours(error, self._path)

    def _refuse_rest(self) -> None:
        """Leave nobody waiting, whatever ended the thread."""
        with self._guard:
            self.ended = True
        left: list[_Task] = []
        with contextlib.suppress(queue.Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is not None:
                    task.error = StoreError("the store is closed: open it again")
                    left.append(task)
        _answer(left)


def _nothing(connection: sqlite3.Connection) -> None:
    """The job of a task that is there for what comes after it."""


def _do(task: _Task, connection: sqlite3.Connection) -> None:
    """Run a job; one that refuses before it wrote anything does not disturb its group."""
    task.value = task.error = None
    before = connection.total_changes
    try:
        task.value = task.job(connection)
    except PlayheadError as error:
        if connection.total_changes != before:
            raise
        task.error = error


def _ours(error: BaseException, path: Path) -> PlayheadError:
    if isinstance(error, PlayheadError) and not isinstance(error, StoreError):
        return error
    if isinstance(error, Exception):
        ours = translated(error, path)
    else:
        ours = StoreError(f"`{path}`: {error!r}", path=str(path))
    ours.__cause__ = error
    return ours


def _answer(group: list[_Task]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Task]] = {}
    for task in group:
        if task.future is not None:
            loops.setdefault(task.future.get_loop(), []).append(task)
    for loop, tasks in loops.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, tasks)


def _settle(tasks: list[_Task]) -> None:
    for task in tasks:
        assert task.future is not None
        if task.future.done():  # cancelled meanwhile; what was stored is stored
            continue
        if task.error is not None:
            task.future.set_exception(task.error)
        else:
            task.future.set_result(task.value)
