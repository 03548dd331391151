"""The default store: one SQLite file, many tapes, sessions and processes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from playhead.errors import (
    StoreCorruptError,
    StoreError,
    StoreReadOnlyError,
    TapeOwnedError,
    UnknownOutcomeError,
)
from playhead.store._check import MAX_LENGTH, check_batch, check_seconds, message_text
from playhead.store._fork import take_part
from playhead.store._health import Health
from playhead.store._leases import Keeper, give_back, is_leased, take_lease
from playhead.store._owner import new_owner
from playhead.store._place import resolved
from playhead.store._protocol import Answer, Batch, Blob, InboxMessage, Lease, TapeInfo
from playhead.store._reader import Reader, SegmentLoader
from playhead.store._search import Search, SearchHit
from playhead.store._sqlite_family import REMOVED
from playhead.store._sqlite_file import Durability, NothingThereError, wal_of
from playhead.store._sqlite_inbox import Glance, messages_for
from playhead.store._sqlite_rows import (
    ancestors,
    blob_of,
    document_of,
    find_tape,
    info_of,
    key_of,
    read_headers,
    skim_steps,
    tip_of,
    write_batch,
)
from playhead.store._writer import Writer
from playhead.tape import Fold, Json, Log, Step, Tape, utc_now

T = TypeVar("T")
_logger = logging.getLogger("playhead.store")
_ABOVE_ALL_KEYS = 1 << 62
_PASSES = 8  # of an index that others disturb
_PATIENCE = 5.0  # seconds that an erasure waits for those who read


class SqliteStore:
    """Tapes in one SQLite file.

    It may be used from several event loops and threads, and goes on in a forked process.

    Args:
        path: The file; made when first written to.
        tenant: Whose tapes; one tenant never sees another's.
        durability: `full` survives power loss, `normal` survives a crash of the process.

    Raises:
        StoreError: The place is on a network file system, or an argument is unfit.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        tenant: str = "default",
        durability: Durability = "full",
    ) -> None:
        if durability not in ("full", "normal"):
            raise StoreError(f"durability is `full` or `normal`, not `{durability}`")
        try:
            tenant.encode()
            if tenant.startswith(REMOVED[0]):
                raise AttributeError
        except (AttributeError, UnicodeEncodeError):
            raise StoreError(f"a tenant's name is text, not `{tenant!r}`") from None
        self.path = resolved(path)
        self.tenant = tenant
        self.durability: Durability = durability
        self.closed = False
        self._pid = os.getpid()
        self._starting = threading.Lock()
        self._writer: Writer | None = None
        self._reader = Reader(self.path)
        self._keeper = Keeper(tenant)
        self._glance = Glance(tenant)
        take_part(self)

    def _started(self) -> Writer:
        if os.getpid() != self._pid:
            raise StoreError("this store was open during a fork: open another in the new process")
        writer = self._writer
        if writer is not None and not writer.ended and not self.closed:
            return writer
        with self._starting:
            if self.closed:
                raise StoreError("the store is closed: open it again")
            if self._writer is None or self._writer.ended:
                self._writer = Writer(self.path, self.durability, self._keeper)
                weakref.finalize(self, self._writer.stop, self._keeper.give_all_back).atexit = False
            return self._writer

    def _write(
        self, job: Callable[[sqlite3.Connection], T], *, fold: bool = False, queued: bool = False
    ) -> Awaitable[T]:
        return self._started().run(job, fold=fold, queued=queued)

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a query from a thread: it may take long."""
        self._refuse_if_closed()
        return await asyncio.to_thread(self._reader.query, query)

    async def _look_up(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Answer a query that reads a few rows by their keys, which costs less than a thread."""
        self._refuse_if_closed()
        if self._reader.busy:
            return await asyncio.to_thread(self._reader.query, query)
        return self._reader.query(query)

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise StoreError("the store is closed: open it again")

    async def append(self, batch: Batch) -> Answer:
        """See `Store.append`."""
        check_batch(batch)
        try:
            return await self._write(lambda db: write_batch(db, self.tenant, batch))
        except UnknownOutcomeError:
            return Answer.UNKNOWN

    async def append_all(self, batches: Sequence[Batch]) -> list[Answer]:
        """See `Store.append_all`. They are one transaction."""
        for batch in batches:
            check_batch(batch)
        try:
            return await self._write(lambda db: [write_batch(db, self.tenant, b) for b in batches])
        except UnknownOutcomeError:
            return [Answer.UNKNOWN] * len(batches)

    @contextlib.asynccontextmanager
    async def staged(self) -> AsyncIterator[SqliteStore]:
        """See `Store.staged`. What others left that were killed is taken away first."""
        from playhead.store._sqlite_staging import abandoned, publish, staged_tenant

        with contextlib.suppress(NothingThereError):
            for tenant in await self._read(abandoned):
                await self._discard(tenant)
        inner = SqliteStore(self.path, durability="normal")  # what makes it seen is durable
        inner.tenant = staged_tenant(self.tenant)
        try:
            try:
                yield inner
            finally:
                await inner.close()
            await self._write(lambda db: publish(db, inner.tenant, self.tenant))
        finally:
            if inner._writer is not None:
                await self._discard(inner.tenant)

    async def _discard(self, tenant: str) -> None:
        from playhead.store._sqlite_staging import discard

        while await self._write(lambda db: discard(db, tenant)):
            pass

    async def open(self, tape: str) -> Tape:
        """See `Store.open`. The tape can be looked at after the store was closed, too."""
        return await self._look_up(lambda db: self._open(db, tape))

    def _open(self, connection: sqlite3.Connection, tape: str) -> Tape:
        key = key_of(connection, self.tenant, tape)
        tip = tip_of(connection, key)
        length = end = tip.seq + 1
        segments: list[tuple[int, int, int]] = []
        for owner, start in ancestors(connection, key):
            if start < end:  # not so where a fork was made within what its parent shares
                segments.append((owner, start, end))
                end = start
        log: Log | None = None
        for owner, start, stop in reversed(segments):
            loader = SegmentLoader(self._reader, owner, self.path)
            log = Log(parent=log, start=start, length=stop, loader=loader)
        if log is None:
            raise StoreCorruptError(
                f"`{self.path}`: tape `{tape}` begins after its end: keep the file, and restore a "
                "copy",
                path=str(self.path),
            )
        log.fold = self._fold(connection, key) or log.fold
        return Tape(log, length, tape_id=tape, head=tip.link)

    @staticmethod
    def _fold(connection: sqlite3.Connection, key: int) -> Fold | None:
        """The newest checkpoint, if it is of this very chain."""
        row = connection.execute(
            "SELECT length, head, state FROM checkpoints WHERE tape = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        steps = read_headers(connection, key, row[0] - 1, 1)
        fold = Fold.restore(row[2]) if steps and steps[0].link == row[1] else None
        if fold is not None and fold.length == row[0]:
            return fold
        _logger.info("the checkpoint of %d steps does not fit: the tape is read whole", row[0])
        return None

    async def find(self, prefix: str) -> str:
        """See `Store.find`."""
        return await self._read(lambda db: find_tape(db, self.tenant, prefix))

    async def tapes(self, *, limit: int = 50, before: str | None = None) -> list[TapeInfo]:
        """See `Store.tapes`."""

        def query(connection: sqlite3.Connection) -> list[TapeInfo]:
            key = _ABOVE_ALL_KEYS
            if before is not None:
                key = key_of(connection, self.tenant, before)
            rows = connection.execute(
                "SELECT key, id, start FROM tapes WHERE tenant = ? AND key < ? "
                "ORDER BY key DESC LIMIT ?",
                (self.tenant, key, max(0, min(limit, _ABOVE_ALL_KEYS))),
            ).fetchall()
            return [info_of(connection, *row) for row in rows]

        try:
            return await self._read(query)
        except NothingThereError:
            if before is not None:
                raise
            return []

    async def document(self, digest: str) -> bytes | None:
        """See `Store.document`."""
        try:
            return await self._look_up(lambda db: document_of(db, self.tenant, digest))
        except NothingThereError:
            return None

    async def blob(self, tape: str, address: str) -> Blob | None:
        """See `Store.blob`."""
        return await self._read(lambda db: blob_of(db, key_of(db, self.tenant, tape), address))

    async def skim(
        self, tape: str, *, start: int = 0, count: int = 1024, kinds: Collection[str] | None = None
    ) -> list[Step]:
        """See `Store.skim`."""

        def query(connection: sqlite3.Connection) -> list[Step]:
            key = key_of(connection, self.tenant, tape)
            first = max(start, next(ancestors(connection, key))[1])
            many = max(0, min(count, MAX_LENGTH - first))
            return skim_steps(connection, key, first, many, kinds) if many else []

        return await self._read(query)

    async def search(self, search: Search) -> list[SearchHit]:
        """See `Store.search`.

        What was appended since the last search goes into the index first. Where it cannot (a file
        that may not be written, a SQLite without FTS5), every step is looked at instead.
        """
        from playhead.store._sqlite_search import find_hits, has_words  # when first needed

        words = has_words(search.text)
        try:
            indexed = await self.index() if words else False
            return await self._read(lambda db: find_hits(db, self.tenant, search, indexed=indexed))
        except NothingThereError:
            if search.tapes or search.before:
                raise
            return []

    async def index(self, progress: Callable[[int, int], None] | None = None) -> bool:
        """Take what was appended since the last time into the index of words.

        Costs one look at the end of every tape, and the reading of what is new. The words are made
        outside the lock; writers wait for the insertion of about a thousand steps at a time. It may
        be stopped at any point, and goes on from there.

        Args:
            progress: Told how many steps are in, and of how many.

        Returns:
            Whether the index is there now, and complete.
        """
        from playhead.store._sqlite_index import behind, can_index

        with contextlib.suppress(StoreReadOnlyError):
            for _ in range(_PASSES):
                todo = await self._read(lambda db: behind(db) if can_index(db) else None)
                if not todo or await self._take_in(todo, progress):
                    return todo is not None
        return False

    async def _take_in(
        self, todo: list[tuple[int, int, int]], progress: Callable[[int, int], None] | None
    ) -> bool:
        """Put these steps into the index; False if somebody else did something there meanwhile."""
        from playhead.store._sqlite_index import add, prepare

        done, total = 0, sum(stop - start for _, start, stop in todo)
        while todo:
            chunk = await self._read(lambda db: prepare(db, todo))
            if not await self._write(lambda db, chunk=chunk: add(db, chunk), queued=True):  # type: ignore[misc]
                return False
            done += chunk.steps
            if progress is not None:
                progress(done, total)
        return True

    async def erase(self, tape: str, seqs: Sequence[int]) -> None:
        """See `Store.erase`. The log is folded, so that the bytes are in neither file."""
        from playhead.store._sqlite_erase import erase_bodies

        await self._for_good(lambda db: erase_bodies(db, self.tenant, tape, seqs))

    async def remove(self, tape: str) -> None:
        """See `Store.remove`. The log is folded, so that the bytes are in neither file."""
        from playhead.store._sqlite_erase import remove_tape

        await self._for_good(lambda db: remove_tape(db, self.tenant, tape))

    async def _for_good(self, job: Callable[[sqlite3.Connection], None]) -> None:
        """Do a job that takes something out, and fold the log, where it still stands.

        Raises:
            StoreError: A long read keeps the log from being folded.
        """
        await self._write(job, fold=True)
        before = await asyncio.to_thread(_log_of, self.path)
        until = time.monotonic() + _PATIENCE
        while before and await asyncio.to_thread(_log_of, self.path) == before:
            if time.monotonic() > until:
                raise StoreError(
                    f"`{self.path}`: it is done, but a long read keeps the old bytes in the log: "
                    "when it has ended, do the same again",
                    path=str(self.path),
                )
            await asyncio.sleep(0.05)
            await self._write(_nothing, fold=True)

    async def is_owned(self, tape: str) -> bool:
        """See `Store.is_owned`."""
        try:
            return await self._look_up(lambda db: is_leased(db, self.tenant, tape))
        except NothingThereError:
            return False

    async def health(self) -> Health:
        """What can be said of the file: its integrity, and what is in it. Reads all of it."""
        from playhead.store._sqlite_health import health_of

        return await self._read(health_of)

    async def acquire(self, tape: str, *, seconds: float = 30.0) -> Lease:
        """See `Store.acquire`. Held leases are renewed until they are released."""
        check_seconds(seconds)
        owner, loop = new_owner(), asyncio.get_running_loop()

        def job(connection: sqlite3.Connection) -> Lease:
            lease = take_lease(connection, self.tenant, tape, owner, seconds)
            self._keeper.hold(tape, owner, seconds, loop)
            return lease

        try:
            return await self._write(job, queued=True)
        except TapeOwnedError:
            raise
        except BaseException:  # cancelled, perhaps: nobody would know of the lease
            self._keeper.let_go(owner)
            if self._writer is not None:
                self._writer.post(lambda db: self._give_back(db, tape, owner))
            raise

    def _give_back(self, connection: sqlite3.Connection, tape: str, owner: str) -> None:
        self._keeper.let_go(owner)
        give_back(connection, self.tenant, tape, owner)

    async def release(self, lease: Lease) -> None:
        """See `Store.release`."""
        self._keeper.let_go(lease.owner)
        if not self.closed:  # closing gave it back
            await self._write(
                lambda db: give_back(db, self.tenant, lease.tape, lease.owner, lease.epoch)
            )

    async def post(self, tape: str, content: Json) -> int:
        """See `Store.post`."""
        text = message_text(content)

        def job(connection: sqlite3.Connection) -> int:
            key_of(connection, self.tenant, tape)
            cursor = connection.execute(
                "INSERT INTO inbox (tenant, tape, time, content) VALUES (?, ?, ?, ?)",
                (self.tenant, tape, utc_now(), text),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

        try:
            return await self._write(job)
        finally:
            self._glance.forget()

    async def inbox(self, tape: str, *, within: float = 0.0) -> list[InboxMessage]:
        """See `Store.inbox`. With `within`, all sessions share a look."""
        try:
            if within:
                if not self._glance.is_fresh(within):
                    await self._look_up(self._glance.look)
                if self._glance.is_empty(tape):
                    return []
            return await self._look_up(lambda db: messages_for(db, self.tenant, tape))
        except NothingThereError:
            return []

    async def close(self) -> None:
        """See `Store.close`. Leases still held are given back."""
        await asyncio.to_thread(self._close, None)

    def close_now(self) -> None:
        """`close` for code that is not async, such as the end of a process; waits 10 s at most."""
        self._close(10.0)

    def _close(self, timeout: float | None) -> None:
        with self._starting:
            self.closed = True
            writer = self._writer
        self._reader.close()
        if writer is not None and os.getpid() == self._pid:
            last = self._keeper.give_all_back if self._keeper.wait() is not None else None
            writer.close(last, timeout=timeout)

    def before_fork(self) -> None:
        """Let go of the file, for a fork."""
        self._starting.acquire()
        self._reader.rest()
        if self._writer is not None:
            self._writer.access.rest()

    def after_fork(self, *, child: bool) -> None:
        """Go on after a fork; leases and what is under way stay with the parent."""
        self._reader.go_on(child=child)
        if child:
            self._pid = os.getpid()
            self._writer, self._keeper = None, Keeper(self.tenant)
            self._starting = threading.Lock()
            return
        if self._writer is not None:
            self._writer.access.go_on()
        self._starting.release()

    async def __aenter__(self) -> SqliteStore:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _nothing(connection: sqlite3.Connection) -> None:
    """A job for the sake of what comes after it."""


def _log_of(path: Path) -> bytes:
    """The log's header, another one each time that the log begins anew; empty if there is none."""
    try:
        with wal_of(path).open("rb") as file:
            return file.read(32)
    except FileNotFoundError:
        return b""
