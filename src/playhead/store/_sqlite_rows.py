"""What the SQLite store reads and writes, as functions of a connection."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence

from playhead.errors import (
    LostLeaseError,
    StoreError,
    TapeNotFoundError,
    TapeOwnedError,
)
from playhead.store._owner import is_gone
from playhead.store._protocol import Answer, Batch, Blob, Lease, TapeInfo
from playhead.store._sqlite_file import SEQ_BITS
from playhead.tape import Step
from playhead.tape.kinds import TapeHeader


def key_of(connection: sqlite3.Connection, tenant: str, tape: str) -> tuple[int, int, int | None]:
    """`(key, start, parent key)` of a tape."""
    row = connection.execute(
        "SELECT key, start, parent FROM tapes WHERE tenant = ? AND id = ?", (tenant, tape)
    ).fetchone()
    if row is None:
        raise TapeNotFoundError(f"no tape `{tape}` in this store", tape=tape)
    return row[0], row[1], row[2]


def length_of(connection: sqlite3.Connection, key: int) -> int:
    """Length of a tape, shared prefix included."""
    row = connection.execute(
        "SELECT at FROM steps WHERE at < ? ORDER BY at DESC LIMIT 1", ((key + 1) << SEQ_BITS,)
    ).fetchone()
    return int(row[0] & ((1 << SEQ_BITS) - 1)) + 1


def write_batch(connection: sqlite3.Connection, tenant: str, batch: Batch) -> Answer:
    """Do an append; raises only before anything is written."""
    _check_lease(connection, tenant, batch)
    try:
        key, _, _ = key_of(connection, tenant, batch.tape)
    except TapeNotFoundError:
        key = _create(connection, tenant, batch)
    else:
        if length_of(connection, key) != batch.expected_length:
            return _repeated(connection, key, batch)
    base = key << SEQ_BITS
    connection.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?)",
        [(base | step.seq, step.header, step.salt, step.data) for step in batch.steps],
    )
    if batch.blobs or batch.documents or batch.literals or batch.inbox:
        _write_rest(connection, tenant, key, batch)
    if batch.checkpoint is not None:
        last = batch.steps[-1]
        connection.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)",
            (key, last.seq + 1, last.link, batch.checkpoint),
        )
    return Answer.STORED


def _write_rest(connection: sqlite3.Connection, tenant: str, key: int, batch: Batch) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?)",
        [(key, address, b.media_type, b.content) for address, b in batch.blobs.items()],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
        [(tenant, digest, content) for digest, content in batch.documents.items()],
    )
    connection.executemany(
        "INSERT INTO literals VALUES (?, ?, ?, ?)", [(key, *row) for row in batch.literals]
    )
    connection.executemany(
        "DELETE FROM inbox WHERE tenant = ? AND tape = ? AND id = ?",
        [(tenant, batch.tape, number) for number in batch.inbox],
    )


def _create(connection: sqlite3.Connection, tenant: str, batch: Batch) -> int:
    first = batch.steps[0] if batch.steps else None
    if first is None or first.kind != TapeHeader.kind or first.tape != batch.tape:
        raise TapeNotFoundError(f"no tape `{batch.tape}` in this store", tape=batch.tape)
    body = first.body
    assert isinstance(body, TapeHeader)
    parent = key_of(connection, tenant, body.parent.tape)[0] if body.parent else None
    cursor = connection.execute(
        "INSERT INTO tapes (tenant, id, parent, start) VALUES (?, ?, ?, ?)",
        (tenant, batch.tape, parent, first.seq),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _repeated(connection: sqlite3.Connection, key: int, batch: Batch) -> Answer:
    """A retry finds its own steps; anything else is a conflict."""
    there = [step.id for step in read_steps(connection, key, batch.steps[0].seq, len(batch.steps))]
    return Answer.STORED if there == [step.id for step in batch.steps] else Answer.CONFLICT


def read_steps(connection: sqlite3.Connection, key: int, start: int, count: int) -> list[Step]:
    """Up to `count` of a tape's own steps from a position on."""
    base = key << SEQ_BITS
    rows = connection.execute(
        "SELECT header, salt, body FROM steps WHERE at >= ? AND at < ? ORDER BY at",
        (base | start, (base | start) + count),
    )
    return [Step.load(*row) for row in rows]


def _check_lease(connection: sqlite3.Connection, tenant: str, batch: Batch) -> None:
    row = connection.execute(
        "SELECT epoch, owner, expires FROM leases WHERE tenant = ? AND tape = ?",
        (tenant, batch.tape),
    ).fetchone()
    if batch.lease is not None:
        if row is None or (row[0], row[1]) != (batch.lease.epoch, batch.lease.owner):
            raise LostLeaseError(
                f"tape `{batch.tape}` has another owner now: nothing was written; look at the "
                "tape again before going on",
                tape=batch.tape,
            )
    elif row is not None and row[2] > time.time() and not is_gone(row[1]):
        raise TapeOwnedError(
            f"tape `{batch.tape}` is owned by a live session: send to its inbox, or wait",
            tape=batch.tape,
        )


def take_lease(
    connection: sqlite3.Connection, tenant: str, tape: str, owner: str, seconds: float
) -> Lease:
    """Acquire, or take over from an owner that is gone."""
    row = connection.execute(
        "SELECT epoch, owner, expires FROM leases WHERE tenant = ? AND tape = ?", (tenant, tape)
    ).fetchone()
    now = time.time()
    if row is not None and row[2] > now and not is_gone(row[1]):
        raise TapeOwnedError(
            f"tape `{tape}` is owned by process {row[1].split('|')[1]} for another "
            f"{row[2] - now:.0f} s at least: wait, or send to its inbox",
            tape=tape,
            owner=row[1],
        )
    epoch = 1 if row is None else row[0] + 1
    connection.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)",
        (tenant, tape, epoch, owner, now + seconds),
    )
    return Lease(tape, owner, epoch)


def erase_bodies(
    connection: sqlite3.Connection, tenant: str, tape: str, seqs: Sequence[int]
) -> None:
    """Overwrite bodies and salts with nothing, and drop the checkpoint made from them."""
    key, start, _ = key_of(connection, tenant, tape)
    length = length_of(connection, key)
    for seq in seqs:
        if not start < seq < length:
            raise StoreError(f"step {seq} is not the tape's own, or its header: erase others")
    base = key << SEQ_BITS
    connection.executemany(
        "UPDATE steps SET salt = NULL, body = NULL WHERE at = ?", [(base | seq,) for seq in seqs]
    )
    connection.execute("DELETE FROM checkpoints WHERE tape = ?", (key,))


class Reader:
    """A read-only connection for one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, tenant: str) -> None:
        self.connection = connection
        self.tenant = tenant
        self.lock = threading.Lock()

    def info(self, key: int, tape: str, start: int, parent: int | None) -> TapeInfo:
        """What a list says of a tape."""
        base = key << SEQ_BITS
        length = length_of(self.connection, key)
        first = read_steps(self.connection, key, start, 1)[0]
        last = read_steps(self.connection, key, length - 1, 1)[0]
        size = self.connection.execute(
            "SELECT total(length(header) + 16 + coalesce(length(body), 0)) FROM steps "
            "WHERE at >= ? AND at < ?",
            (base, base + (1 << SEQ_BITS)),
        ).fetchone()[0]
        return TapeInfo(
            id=tape,
            length=length,
            head=last.link,
            created=first.time,
            updated=last.time,
            parent=self.id_of(parent) if parent is not None else None,
            start=start,
            last_kind=last.kind,
            bytes=int(size),
        )

    def id_of(self, key: int) -> str:
        """A tape's id."""
        row = self.connection.execute("SELECT id FROM tapes WHERE key = ?", (key,)).fetchone()
        return str(row[0])

    def blob(self, tape: str, address: str) -> Blob | None:
        """A blob of a tape or an ancestor."""
        key: int | None = key_of(self.connection, self.tenant, tape)[0]
        while key is not None:
            row = self.connection.execute(
                "SELECT content, media_type FROM blobs WHERE tape = ? AND address = ?",
                (key, address),
            ).fetchone()
            if row is not None:
                return Blob(*row)
            key = self.connection.execute(
                "SELECT parent FROM tapes WHERE key = ?", (key,)
            ).fetchone()[0]
        return None


class SegmentLoader:
    """Reads one tape's own segment back (see `playhead.tape.Loader`)."""

    def __init__(self, reader: Reader, key: int, path: str) -> None:
        self._reader, self._key, self._path = reader, key, path

    def steps(self, start: int, stop: int) -> Sequence[Step]:
        """Steps `start` to `stop - 1`."""
        with self._reader.lock:
            steps = read_steps(self._reader.connection, self._key, start, stop - start)
        if len(steps) != stop - start:
            raise StoreError(f"`{self._path}`: steps {start} to {stop - 1} of a tape are not there")
        return steps

    def literal(self, at: int) -> tuple[int, int]:
        """Where message `at` of the literal table stands."""
        key: int | None = self._key
        with self._reader.lock:
            while key is not None:
                row = self._reader.connection.execute(
                    "SELECT seq, item FROM literals WHERE tape = ? AND at = ?", (key, at)
                ).fetchone()
                if row is not None:
                    return row[0], row[1]
                key = self._reader.connection.execute(
                    "SELECT parent FROM tapes WHERE key = ?", (key,)
                ).fetchone()[0]
        raise StoreError(f"`{self._path}`: message {at} of a literal table is not there")
