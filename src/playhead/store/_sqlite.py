"""The default store: one SQLite file, many tapes, sessions and processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from playhead.errors import StoreError, TapeNotFoundError, UnknownOutcomeError
from playhead.store._owner import new_owner
from playhead.store._protocol import Answer, Batch, Blob, InboxMessage, Lease, TapeInfo
from playhead.store._sqlite_file import (
    Durability,
    connect_reader,
    refuse_network_file_system,
    translated,
)
from playhead.store._sqlite_rows import (
    Reader,
    SegmentLoader,
    erase_bodies,
    key_of,
    length_of,
    read_steps,
    take_lease,
    write_batch,
)
from playhead.store._writer import Writer
from playhead.tape import Fold, Json, Log, Tape, compact, utc_now

T = TypeVar("T")


class SqliteStore:
    """Tapes in one SQLite file.

    Args:
        path: The file; made when first written to.
        tenant: Whose tapes; one tenant never sees another's.
        durability: `full` survives power loss, `normal` survives a crash of the process.

    Raises:
        StoreError: The place is on a network file system.
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
        self.path = Path(path).absolute()
        self.tenant = tenant
        self.durability: Durability = durability
        refuse_network_file_system(self.path)
        self._pid = os.getpid()
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._held: dict[Lease, float] = {}
        self._renewal: asyncio.Task[None] | None = None

    async def _write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if os.getpid() != self._pid:
            raise StoreError("this store was opened before a fork: open another in the new process")
        if self._writer is None:
            self._writer = Writer(self.path, self.durability)
        return await self._writer.run(job)

    def _read(self, query: Callable[[Reader], T]) -> T:
        try:
            if self._reader is None:
                if not self.path.exists():
                    raise TapeNotFoundError(f"there is no store at `{self.path}` yet")
                self._reader = Reader(connect_reader(self.path), self.tenant)
            with self._reader.lock:
                return query(self._reader)
        except sqlite3.Error as error:
            raise translated(error, self.path) from None

    async def append(self, batch: Batch) -> Answer:
        """See `Store.append`."""
        if not batch.steps:
            raise StoreError("a batch has at least one step")
        try:
            return await self._write(lambda db: write_batch(db, self.tenant, batch))
        except UnknownOutcomeError:
            return Answer.UNKNOWN

    async def open(self, tape: str) -> Tape:
        """See `Store.open`."""
        return await asyncio.to_thread(self._read, lambda reader: self._open(reader, tape))

    def _open(self, reader: Reader, tape: str) -> Tape:
        key, start, parent = key_of(reader.connection, self.tenant, tape)
        length = length_of(reader.connection, key)
        log = self._log(reader, key, start, parent, length)
        log.fold = self._fold(reader, key, length) or log.fold
        return Tape(log, length, tape_id=tape)

    def _log(self, reader: Reader, key: int, start: int, parent: int | None, length: int) -> Log:
        loader = SegmentLoader(reader, key, str(self.path))
        if parent is None:
            return Log(start=start, length=length, loader=loader)
        row = reader.connection.execute(
            "SELECT start, parent FROM tapes WHERE key = ?", (parent,)
        ).fetchone()
        if start < row[0]:  # forked within what the parent shares with its own parent
            return self._adopted(reader, row[1], loader, start, length)
        outer = self._log(reader, parent, row[0], row[1], start)
        return Log(parent=outer, start=start, length=length, loader=loader)

    def _adopted(
        self, reader: Reader, ancestor: int, loader: SegmentLoader, start: int, length: int
    ) -> Log:
        row = reader.connection.execute(
            "SELECT start, parent FROM tapes WHERE key = ?", (ancestor,)
        ).fetchone()
        if start < row[0]:
            return self._adopted(reader, row[1], loader, start, length)
        outer = self._log(reader, ancestor, row[0], row[1], start)
        return Log(parent=outer, start=start, length=length, loader=loader)

    @staticmethod
    def _fold(reader: Reader, key: int, length: int) -> Fold | None:
        """The newest checkpoint, if it is of this very chain."""
        row = reader.connection.execute(
            "SELECT length, head, state FROM checkpoints WHERE tape = ? AND length <= ?",
            (key, length),
        ).fetchone()
        if row is None:
            return None
        steps = read_steps(reader.connection, key, row[0] - 1, 1)
        return Fold.restore(row[2]) if steps and steps[0].link == row[1] else None

    async def find(self, prefix: str) -> str:
        """See `Store.find`."""

        def query(reader: Reader) -> str:
            like = prefix.replace("%", "").replace("_", "")
            rows = reader.connection.execute(
                "SELECT id FROM tapes WHERE tenant = ? AND (id LIKE ? OR id LIKE ?) LIMIT 3",
                (self.tenant, f"{like}%", f"%{like}"),
            ).fetchall()
            if len(rows) != 1 or not like:
                count = "no tape is" if not rows else "more than one tape is"
                raise TapeNotFoundError(
                    f"{count} called `{prefix}`: `playhead ls` lists them", tape=prefix
                )
            return str(rows[0][0])

        return await asyncio.to_thread(self._read, query)

    async def tapes(self, *, limit: int = 50, before: str | None = None) -> list[TapeInfo]:
        """See `Store.tapes`."""

        def query(reader: Reader) -> list[TapeInfo]:
            last = key_of(reader.connection, self.tenant, before)[0] if before else 1 << 31
            rows = reader.connection.execute(
                "SELECT key, id, start, parent FROM tapes WHERE tenant = ? AND key < ? "
                "ORDER BY key DESC LIMIT ?",
                (self.tenant, last, limit),
            ).fetchall()
            return [reader.info(*row) for row in rows]

        if not self.path.exists():
            return []
        return await asyncio.to_thread(self._read, query)

    async def document(self, digest: str) -> bytes | None:
        """See `Store.document`."""

        def query(reader: Reader) -> bytes | None:
            row = reader.connection.execute(
                "SELECT content FROM documents WHERE tenant = ? AND digest = ?",
                (self.tenant, digest),
            ).fetchone()
            return row[0] if row else None

        return await asyncio.to_thread(self._read, query)

    async def blob(self, tape: str, address: str) -> Blob | None:
        """See `Store.blob`."""
        return await asyncio.to_thread(self._read, lambda reader: reader.blob(tape, address))

    async def erase(self, tape: str, seqs: Sequence[int]) -> None:
        """See `Store.erase`."""
        await self._write(lambda db: erase_bodies(db, self.tenant, tape, seqs))

    async def acquire(self, tape: str, *, seconds: float = 30.0) -> Lease:
        """See `Store.acquire`. Held leases are renewed until they are released."""
        owner = new_owner()
        lease = await self._write(lambda db: take_lease(db, self.tenant, tape, owner, seconds))
        self._held[lease] = seconds
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew())
        return lease

    async def _renew(self) -> None:
        """Keep held leases alive, also while a slow tool runs."""
        while self._held:
            await asyncio.sleep(min(self._held.values()) / 3)
            now = time.time()
            rows = [
                (now + seconds, self.tenant, lease.tape, lease.owner, lease.epoch)
                for lease, seconds in self._held.items()
            ]
            with contextlib.suppress(StoreError):  # tried again soon; appends check for themselves
                await self._write(
                    lambda db, rows=rows: db.executemany(  # type: ignore[misc]
                        "UPDATE leases SET expires = ? "
                        "WHERE tenant = ? AND tape = ? AND owner = ? AND epoch = ?",
                        rows,
                    )
                )

    async def release(self, lease: Lease) -> None:
        """See `Store.release`. The epoch stays, so that it never repeats."""
        self._held.pop(lease, None)
        if not self._held and self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        await self._write(
            lambda db: db.execute(
                "UPDATE leases SET expires = 0 "
                "WHERE tenant = ? AND tape = ? AND owner = ? AND epoch = ?",
                (self.tenant, lease.tape, lease.owner, lease.epoch),
            )
        )

    async def post(self, tape: str, content: Json) -> int:
        """See `Store.post`."""
        text = compact(content)

        def job(db: sqlite3.Connection) -> int:
            key_of(db, self.tenant, tape)
            cursor = db.execute(
                "INSERT INTO inbox (tenant, tape, time, content) VALUES (?, ?, ?, ?)",
                (self.tenant, tape, utc_now(), text),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

        return await self._write(job)

    async def inbox(self, tape: str) -> list[InboxMessage]:
        """See `Store.inbox`."""
        return self._read(lambda reader: self._inbox(reader, tape))

    def _inbox(self, reader: Reader, tape: str) -> list[InboxMessage]:
        rows = reader.connection.execute(
            "SELECT id, tape, time, content FROM inbox WHERE tenant = ? AND tape = ? ORDER BY id",
            (self.tenant, tape),
        )
        return [InboxMessage(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    async def close(self) -> None:
        """See `Store.close`."""
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        if self._reader is not None:
            self._reader.connection.close()
            self._reader = None
        if self._writer is not None:
            writer, self._writer = self._writer, None
            await asyncio.to_thread(writer.close)

    def close_now(self) -> None:
        """`close` for code that is not async, such as the end of the process."""
        self._held.clear()
        if self._reader is not None:
            self._reader.connection.close()
            self._reader = None
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    async def __aenter__(self) -> SqliteStore:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
