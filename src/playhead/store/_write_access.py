"""The one writing connection of a store, and the lock around all that it does."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from playhead.errors import StoreCorruptError, StoreError, StoreFullError, UnknownOutcomeError, told
from playhead.store._filelock import FileLock
from playhead.store._memo import WritingConnection, note_others
from playhead.store._place import identity
from playhead.store._sqlite_file import (
    Durability,
    connect_writer,
    make_folder,
    name_of,
    size_of,
    sync_folder,
    translated,
    wal_of,
)

_logger = logging.getLogger("playhead.store")
_CHECKPOINT_BYTES = 8_000_000  # of the log since it was folded last; its file stays as large
_WAL_BYTES = 32_000_000  # beyond this, the log's file itself is made small again
_LOOK_EVERY = 64  # transactions between looks at the size of that file
_LOOK_SECONDS = 0.05  # between looks whether the files are still the same
_PART = 1_000_000  # bytes of the log in memory, when it is written anew
_PATIENCE = 30_000  # milliseconds that the writer's thread waits for other programs


class WriteAccess:
    """Opened when first needed; opened anew after a fault, a fork, or when the file was replaced.

    A connection is also closed under the lock: the last one to close writes a checkpoint.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        self._connection: WritingConnection | None = None
        self._lock: FileLock | None = None
        self._identity: tuple[int, int] | None = None
        self._in_doubt = False
        self._named = False  # whether the name of the log, which the first commit makes, is durable
        self._transactions = 0
        self._resting = threading.Lock()  # held during a fork
        self._looked = 0.0

    @contextlib.contextmanager
    def locked(self) -> Iterator[WritingConnection]:
        """The connection, under the lock; whatever is raised within drops it.

        Raises:
            OSError, sqlite3.Error, StoreError: It cannot be had.
        """
        with self._resting:
            if self._lock is None:
                make_folder(self._path.parent)
                self._lock = FileLock(self._path.with_name(self._path.name + ".lock"))
            with self._lock:
                try:
                    yield self._connected()
                except BaseException:
                    self._drop()
                    raise

    def take_at_once(self) -> WritingConnection | None:
        """The connection and the lock, if they can be had without waiting; `give_back` ends it.

        That the two files are still the ones that others use is looked at now and then only.
        """
        if self._connection is None or self._in_doubt or not self._resting.acquire(blocking=False):
            return None
        now = time.monotonic()
        look = now - self._looked > _LOOK_SECONDS
        if self._lock is None or not self._lock.try_acquire(look=look):
            self._resting.release()
            return None
        if look:
            self._looked = now
        try:
            return self._connected() if look else self._connection
        except BaseException:
            self.give_back(failed=True)
            raise

    def give_back(self, *, failed: bool) -> None:
        """The end of `take_at_once`; after a failure, the connection is dropped."""
        if failed:
            self._drop()
        if self._lock is not None:
            self._lock.release()
        self._resting.release()

    def _connected(self) -> WritingConnection:
        if self._identity is not None and identity(self._path) != self._identity:
            self._drop()  # what would be written to the file that is gone would be lost
            if size_of(wal_of(self._path)):
                raise StoreCorruptError(
                    f"`{self._path}` was replaced or removed while a store was open: stop all "
                    f"programs that use it, then move `{wal_of(self._path)}` away, which belongs "
                    "to the old file",
                    path=str(self._path),
                )
        if self._connection is None:
            self._connection = connect_writer(self._path, self._durability)
            self._identity = identity(self._path)
            if not self._in_doubt:
                self._make_durable(self._connection)
        if self._in_doubt:
            self._settle_doubt(self._connection)
        return self._connection

    def _make_durable(self, connection: WritingConnection) -> None:
        """Sync a log that a process left which was killed, perhaps before it had done so."""
        if size_of(wal_of(self._path)):
            try:
                _checkpoint(connection, "PASSIVE", wait=0)
            except sqlite3.Error as error:
                if "SYNC" in name_of(error):
                    self._in_doubt = True
                    raise

    def _settle_doubt(self, connection: WritingConnection) -> None:
        """Write what the log holds to the file, after a sync that failed.

        What could not be made durable may still be readable, and the system does not try again to
        write it. So the log is written anew, lest power fails while it is copied to the file, and
        then copied; a retry may find what is in it.
        """
        _write_anew(wal_of(self._path))
        if _checkpoint(connection, "TRUNCATE", wait=_PATIENCE):
            raise StoreError(
                f"`{self._path}`: after a fault of the disk, a long read keeps the log from being "
                "written again: try again when it has ended"
            )
        self._in_doubt = False

    def begin(self, connection: WritingConnection, *, wait: bool) -> bool:
        """Begin a transaction; False if another program writes, and nobody may wait for it."""
        try:
            connection.hand.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not name_of(error).startswith("SQLITE_BUSY"):
                raise
            if not wait:
                return False
            with _patience(connection, _PATIENCE):
                connection.execute("BEGIN IMMEDIATE")
        note_others(connection)
        return True

    def commit(self, connection: WritingConnection) -> None:
        """End the transaction.

        Raises:
            UnknownOutcomeError: The disk failed meanwhile.
            sqlite3.Error, StoreFullError: Nothing was stored.
        """
        try:
            connection.hand.execute("COMMIT")
            if not self._named:  # SQLite does this too, and does not say whether it failed
                sync_folder(self._path.parent)
                self._named = True
        except OSError as error:
            raise self._unknown(str(error)) from error
        except sqlite3.Error as error:
            if not name_of(error).startswith("SQLITE_IOERR"):
                raise
            ours = translated(error, self._path)
            if isinstance(ours, StoreFullError):
                raise ours from error
            raise self._unknown(name_of(error)) from error

    def _unknown(self, why: str) -> UnknownOutcomeError:
        self._in_doubt = True
        return UnknownOutcomeError(
            f"`{self._path}`: the disk failed while committing ({why}): stored or not is "
            "not known; the same steps can be sent again",
            path=str(self._path),
        )

    def untidy(self) -> bool:
        """Whether, after one more transaction, the log has grown so long as to need care."""
        self._transactions += 1
        connection = self._connection  # the writer's thread may drop it meanwhile
        if connection is not None and connection.logged > _CHECKPOINT_BYTES:
            return True
        if self._transactions % _LOOK_EVERY:
            return False
        try:  # others write to it, too
            return size_of(wal_of(self._path)) > _WAL_BYTES
        except OSError:
            return False

    def tidy(self, connection: WritingConnection, *, fold: bool) -> None:
        """Keep the log small after a commit; never waits for readers, never fails.

        Args:
            connection: The connection.
            fold: Fold the log into the file at once, so that what was erased is nowhere.
        """
        try:
            shrink = fold or size_of(wal_of(self._path)) > _WAL_BYTES
            if _checkpoint(connection, "TRUNCATE" if shrink else "RESTART", wait=0):
                _logger.debug("%s: a read keeps the log from being folded yet", self._path)
        except (OSError, sqlite3.Error) as error:  # only postponed: the data is safe
            _logger.warning("%s: the log was not folded: %s", self._path, told(error))
            if "SYNC" in name_of(error):  # another sync would not help by itself
                self._in_doubt = True
        connection.logged = 0

    def close(self) -> None:
        """Fold the log into the file, and let go of both."""
        with self._resting:
            self._close()

    def _close(self) -> None:
        if self._lock is None:
            return
        if self._connection is not None:
            with contextlib.suppress(OSError, sqlite3.Error), self._lock:
                if identity(self._path) == self._identity:
                    self._fold(self._connection)
                self._drop()
        self._lock.close()
        self._lock = None

    def _fold(self, connection: WritingConnection) -> None:
        """Copy the log to the file; what fails of it, closing the connection tries again."""
        if self._in_doubt:
            return
        try:
            _checkpoint(connection, "TRUNCATE", wait=1000)
        except sqlite3.Error as error:
            self._in_doubt = "SYNC" in name_of(error)

    def _drop(self) -> None:
        """Close a connection whose state is in doubt; the next job opens a new one."""
        connection, self._connection = self._connection, None
        self._named = False
        if connection is not None:
            if self._in_doubt:  # the last one to close copies the log to the file
                with contextlib.suppress(OSError):
                    _write_anew(wal_of(self._path))
            with contextlib.suppress(sqlite3.Error):
                connection.close()  # rolls back what is not committed

    def rest(self) -> None:
        """Close everything, and keep it closed until `go_on`."""
        self._resting.acquire()
        with contextlib.suppress(Exception):
            self._close()

    def go_on(self) -> None:
        """The end of `rest`."""
        self._resting.release()


def _write_anew(log: Path) -> None:
    """Put every byte of a log to where it is, and sync it. The file lock is held: nobody writes.

    Raises:
        OSError: The disk still fails.
    """
    if not size_of(log):
        return
    with log.open("r+b", buffering=0) as file:
        while part := file.read(_PART):
            file.seek(-len(part), os.SEEK_CUR)
            file.write(part)
        os.fsync(file.fileno())


def _checkpoint(connection: WritingConnection, mode: str, *, wait: int) -> bool:
    """Write a checkpoint; True if others kept a part of it from being written."""
    with _patience(connection, wait):
        return bool(connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()[0])


@contextlib.contextmanager
def _patience(connection: WritingConnection, milliseconds: int) -> Iterator[None]:
    """Wait so long for other programs; at any other time, not at all."""
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        connection.execute("PRAGMA busy_timeout = 0")
