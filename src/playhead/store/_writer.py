"""One writer thread a store: jobs from all sessions share transactions (group commit)."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from playhead.errors import PlayheadError, StoreError, UnknownOutcomeError
from playhead.store._filelock import FileLock
from playhead.store._sqlite_file import Durability, connect_writer, translated

T = TypeVar("T")
Job: TypeAlias = Callable[[sqlite3.Connection], Any]

_MAX_GROUP = 256  # jobs in one transaction
_CHECKPOINT_BYTES = 8_000_000  # of the WAL file


@dataclass(slots=True)
class _Task:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = field(default=None)


class Writer:
    """Runs jobs on the only writing connection, in a thread of its own, in order."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        self._wal = path.with_name(path.name + "-wal")
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._lock: FileLock | None = None
        self._since_checkpoint = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="playhead-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job within a transaction; returns when it is committed.

        Raises:
            UnknownOutcomeError: The disk failed while committing.
            StoreError: Nothing of the job was stored.
        """
        if self._closed:
            raise StoreError("the store is closed: open it again")
        loop = asyncio.get_running_loop()
        task = _Task(job, loop, loop.create_future())
        self._tasks.put(task)
        result: T = await task.future
        return result

    def close(self) -> None:
        """Do what is queued, fold the log into the file, and end the thread."""
        if not self._closed:
            self._closed = True
            self._tasks.put(None)
            self._thread.join()

    def _run(self) -> None:
        open_ = True
        while open_:
            group: list[_Task] = []
            task = self._tasks.get()
            while task is not None:
                group.append(task)
                if len(group) == _MAX_GROUP:
                    break
                try:
                    task = self._tasks.get_nowait()
                except queue.Empty:
                    break
            open_ = task is not None
            if group:
                self._work(group)
                self._answer(group)
        self._finish()

    def _work(self, group: list[_Task]) -> None:
        try:
            self._transaction(group)
        except sqlite3.Error as error:
            self._reset()
            if len(group) == 1:
                group[0].error = translated(error, self._path)
            else:  # one of them spoilt it: each on its own
                for task in group:
                    task.error = None
                    self._work([task])
        except BaseException as error:
            self._reset()
            for task in group:
                task.error = task.error or error

    def _transaction(self, group: list[_Task]) -> None:
        lock = self._lock or self._open_lock()
        with lock:
            connection = self._connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            for task in group:
                try:
                    task.value = task.job(connection)
                except PlayheadError as error:  # raised before anything was written
                    task.error = error
            self._commit(connection, group)
            self._maybe_checkpoint(connection)

    def _commit(self, connection: sqlite3.Connection, group: list[_Task]) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            if not name.startswith("SQLITE_IOERR"):
                raise
            self._reset()
            for task in group:
                task.error = task.error or UnknownOutcomeError(
                    f"`{self._path}`: the disk failed while committing ({name}): stored or not is "
                    "not known; the same steps can be sent again",
                )

    def _open_lock(self) -> FileLock:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self._path.with_name(self._path.name + ".lock"))
        except OSError as error:
            raise sqlite3.OperationalError(f"unable to open the lock file: {error}") from None
        return self._lock

    def _connect(self) -> sqlite3.Connection:
        self._connection = connect_writer(self._path, self._durability)
        return self._connection

    def _maybe_checkpoint(self, connection: sqlite3.Connection) -> None:
        self._since_checkpoint += 1
        if self._since_checkpoint % 64:
            return
        with contextlib.suppress(OSError, sqlite3.Error):  # only postponed: the data is safe
            if self._wal.stat().st_size > _CHECKPOINT_BYTES:
                connection.execute("PRAGMA wal_checkpoint(RESTART)")

    def _reset(self) -> None:
        """Drop a connection whose state is in doubt; the next job opens a new one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _finish(self) -> None:
        if self._lock is None:
            return
        if self._connection is not None:
            with self._lock, contextlib.suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._connection.close()
            self._connection = None
        self._lock.close()

    @staticmethod
    def _answer(group: list[_Task]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[_Task]] = {}
        for task in group:
            loops.setdefault(task.loop, []).append(task)
        for loop, tasks in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, tasks)


def _settle(tasks: list[_Task]) -> None:
    for task in tasks:
        if task.future.done():  # cancelled meanwhile; what was stored is stored
            continue
        if task.error is not None:
            task.future.set_exception(task.error)
        else:
            task.future.set_result(task.value)
