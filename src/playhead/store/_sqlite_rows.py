"""What the SQLite store reads and writes, as functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

from playhead.errors import StoreCorruptError, StoreError, TapeError, TapeNotFoundError
from playhead.store._check import (
    HEADER,
    check_repeat,
    check_shared,
    created_by,
)
from playhead.store._leases import RELEASED, check_lease
from playhead.store._memo import WritingConnection, note_written, recall, remember
from playhead.store._protocol import Answer, Batch, Blob, TapeInfo
from playhead.store._sqlite_file import SEQ_BITS
from playhead.tape import Step

_bound = bytearray  # of a parameter that is `bytes`, `sqlite3` first asks whether it is adaptable


def key_of(connection: sqlite3.Connection, tenant: str, tape: str) -> int:
    """A tape's key.

    Raises:
        TapeNotFoundError: There is no such tape.
    """
    try:
        row = connection.execute(
            "SELECT key FROM tapes WHERE tenant = ? AND id = ?", (tenant, tape)
        ).fetchone()
    except UnicodeEncodeError:  # half of a surrogate pair is in no id
        row = None
    if row is None:
        raise TapeNotFoundError(f"no tape `{tape}` in this store", tape=tape)
    return int(row[0])


def ancestors(connection: sqlite3.Connection, key: int) -> Iterator[tuple[int, int]]:
    """`(key, start)` of a tape, its parent, and so on up."""
    parent: int | None = key
    below: set[int] = set()
    while parent is not None:
        row = connection.execute(
            "SELECT start, parent FROM tapes WHERE key = ?", (parent,)
        ).fetchone()
        if row is None or parent in below:
            raise StoreCorruptError("a tape's parent is not there: keep the file, restore a copy")
        yield parent, row[0]
        below.add(parent)
        parent = row[1]


def find_tape(connection: sqlite3.Connection, tenant: str, text: str) -> str:
    """The one tape whose id is, begins or ends so.

    Raises:
        TapeNotFoundError: There is none, or more than one.
    """
    rows = connection.execute(
        "SELECT id FROM tapes WHERE tenant = ? AND "
        "(substr(id, 1, ?) = ? OR substr(id, -?) = ?) ORDER BY id != ? LIMIT 2",
        (tenant, len(text), text, len(text), text, text),
    ).fetchall()
    if text and rows and (len(rows) == 1 or rows[0][0] == text):
        return str(rows[0][0])
    count = "more than one tape is" if rows else "no tape is"
    raise TapeNotFoundError(f"{count} called `{text}`: `playhead ls` lists them", tape=text)


def range_of(key: int) -> tuple[int, int]:
    """First and last key that a tape's steps may have."""
    return key << SEQ_BITS, (key << SEQ_BITS) | ((1 << SEQ_BITS) - 1)


def tip_of(connection: sqlite3.Connection, key: int) -> Step:
    """The last step, without its body."""
    row = connection.execute(
        "SELECT header FROM steps WHERE at BETWEEN ? AND ? ORDER BY at DESC LIMIT 1", range_of(key)
    ).fetchone()
    if row is None:
        raise StoreCorruptError("a tape has no steps: keep the file, and restore a copy")
    return _loaded(row[0], None, None)


def _loaded(header: object, salt: object, body: object) -> Step:
    """A row as a step; a column may hold anything, whatever the schema says.

    Raises:
        StoreCorruptError: It is no row of ours.
    """
    if not (
        isinstance(header, bytes)
        and isinstance(salt, bytes | None)
        and isinstance(body, bytes | None)
    ):
        raise StoreCorruptError(
            "a step's row holds something else than bytes: keep the file, and restore a copy"
        )
    try:
        return Step.load(header, salt, body)
    except TapeError as error:
        if "version" in error.data:
            raise
        raise StoreCorruptError(f"{error}: keep the file, and restore a copy") from error


def read_headers(connection: sqlite3.Connection, key: int, start: int, count: int) -> list[Step]:
    """Up to `count` of a tape's own steps from a position on, without their bodies."""
    base = key << SEQ_BITS
    rows = connection.execute(
        "SELECT header FROM steps WHERE at >= ? AND at < ? ORDER BY at",
        (base | start, (base | start) + count),
    )
    return [_loaded(row[0], None, None) for row in rows]


def skim_steps(
    connection: sqlite3.Connection,
    key: int,
    start: int,
    count: int,
    kinds: Collection[str] | None,
) -> list[Step]:
    """Up to `count` of a tape's own steps; bodies are read of these kinds only, or of all."""
    if kinds is None:
        return read_steps(connection, key, start, count)
    found: list[Step] = []
    for step in read_headers(connection, key, start, count):
        if step.kind in kinds:
            found += read_steps(connection, key, step.seq, 1)
        else:
            found.append(step)
    return found


def read_steps(connection: sqlite3.Connection, key: int, start: int, count: int) -> list[Step]:
    """Up to `count` of a tape's own steps from a position on."""
    base = key << SEQ_BITS
    rows = connection.execute(
        "SELECT header, salt, body FROM steps WHERE at >= ? AND at < ? ORDER BY at",
        (base | start, (base | start) + count),
    )
    return [_loaded(*row) for row in rows]


def write_batch(connection: sqlite3.Connection, tenant: str, batch: Batch) -> Answer:
    """Do an append; raises only before anything is written."""
    key = _known_place(connection, tenant, batch)
    if key is None:
        found = _place_of(connection, tenant, batch)
        if isinstance(found, Answer):
            return found
        key = found
    base = key << SEQ_BITS
    rows = [
        (base | s.seq, _bound(s.header), s.salt and _bound(s.salt), s.data and _bound(s.data))
        for s in batch.steps
    ]
    hand = connection.hand if isinstance(connection, WritingConnection) else connection.cursor()
    hand.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
    note_written(connection, sum([len(row[1]) + len(row[3] or b"") for row in rows]))
    if batch.blobs or batch.documents or batch.literals or batch.inbox:
        _write_rest(connection, tenant, key, batch)
    if batch.checkpoint is not None:
        last = batch.steps[-1]
        connection.execute(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)",
            (key, last.seq + 1, last.link, batch.checkpoint),
        )
    remember(connection, tenant, batch, key=key)
    return Answer.STORED


def _known_place(connection: sqlite3.Connection, tenant: str, batch: Batch) -> int | None:
    """The key of the tape if this connection knows that the batch belongs at its end."""
    known = recall(connection, tenant, batch.tape) if batch.lease is not None else None
    if known is None:
        return None
    tip, certain = known
    expected = (batch.expected_length, batch.steps[0].prev, batch.lease)
    if (tip.length, tip.link, tip.lease) != expected:
        return None
    if not certain and not _is_undisturbed(connection, tenant, batch, key=tip.key):
        return None
    _refuse_second_header(batch)
    return tip.key


def _is_undisturbed(connection: sqlite3.Connection, tenant: str, batch: Batch, *, key: int) -> bool:
    """Whether the batch's lease still holds, and nothing stands where the batch would go."""
    assert batch.lease is not None
    row = connection.execute(
        "SELECT 1 FROM leases WHERE tenant = ? AND tape = ? AND epoch = ? AND owner = ? "
        "AND expires != ? AND NOT EXISTS (SELECT 1 FROM steps WHERE at = ?)",
        (
            *(tenant, batch.tape, batch.lease.epoch, batch.lease.owner, RELEASED),
            key << SEQ_BITS | batch.expected_length,
        ),
    ).fetchone()
    return row is not None


def _place_of(connection: sqlite3.Connection, tenant: str, batch: Batch) -> int | Answer:
    """The key of the tape if the batch belongs at its end; else the answer."""
    try:
        key = key_of(connection, tenant, batch.tape)
    except TapeNotFoundError:
        check_lease(connection, tenant, batch)
        return _create(connection, tenant, batch)
    tip = tip_of(connection, key)
    if tip.seq + 1 != batch.expected_length and _is_repeat(connection, key, batch):
        return Answer.STORED
    check_lease(connection, tenant, batch)
    if (tip.seq + 1, tip.link) != (batch.expected_length, batch.steps[0].prev):
        return Answer.CONFLICT
    _refuse_second_header(batch)
    return key


def _refuse_second_header(batch: Batch) -> None:
    if batch.steps[0].kind == HEADER:
        raise StoreError(f"tape `{batch.tape}` has a header already: begin another tape")


def _is_repeat(connection: sqlite3.Connection, key: int, batch: Batch) -> bool:
    there = read_headers(connection, key, batch.expected_length, len(batch.steps))
    return check_repeat(batch, [step.id for step in there])


def _write_rest(connection: sqlite3.Connection, tenant: str, key: int, batch: Batch) -> None:
    if batch.blobs:
        connection.executemany(
            "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?)",
            [(key, address, b.media_type, b.content) for address, b in batch.blobs.items()],
        )
    if batch.documents:
        connection.executemany(
            "INSERT OR IGNORE INTO documents VALUES (?, ?, ?)",
            [(tenant, digest, content) for digest, content in batch.documents.items()],
        )
    if batch.literals:
        connection.executemany(
            "INSERT OR REPLACE INTO literals VALUES (?, ?, ?, ?)",
            [(key, *row) for row in batch.literals],
        )
    if batch.inbox:
        connection.executemany(
            "DELETE FROM inbox WHERE tenant = ? AND tape = ? AND id = ?",
            [(tenant, batch.tape, number) for number in batch.inbox],
        )


def _create(connection: sqlite3.Connection, tenant: str, batch: Batch) -> int:
    header = created_by(batch)
    parent = None
    if header.parent is not None:
        parent = key_of(connection, tenant, header.parent.tape)
        check_shared(batch, header, _step_at(connection, parent, header.parent.at - 1))
    cursor = connection.execute(
        "INSERT INTO tapes (tenant, id, parent, start) VALUES (?, ?, ?, ?)",
        (tenant, batch.tape, parent, batch.expected_length),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _step_at(connection: sqlite3.Connection, key: int, seq: int) -> Step | None:
    """A step of a tape, shared or its own, without its body."""
    for owner, start in ancestors(connection, key):
        if start <= seq:
            return next(iter(read_headers(connection, owner, seq, 1)), None)
    return None


def info_of(connection: sqlite3.Connection, key: int, tape: str, start: int) -> TapeInfo:
    """What a list says of a tape: its two ends are read, and no body."""
    last = tip_of(connection, key)
    first = read_headers(connection, key, start, 1)[0]
    parent = connection.execute(
        "SELECT p.id FROM tapes t JOIN tapes p ON p.key = t.parent WHERE t.key = ?", (key,)
    ).fetchone()
    return TapeInfo(
        id=tape,
        length=last.seq + 1,
        head=last.link,
        created=first.time,
        updated=last.time,
        parent=parent[0] if parent is not None else None,
        start=start,
        last_kind=last.kind,
    )


def document_of(connection: sqlite3.Connection, tenant: str, digest: str) -> bytes | None:
    """A canonical document."""
    row = connection.execute(
        "SELECT content FROM documents WHERE tenant = ? AND digest = ?", (tenant, digest)
    ).fetchone()
    return row[0] if row is not None else None


def blob_of(connection: sqlite3.Connection, key: int, address: str) -> Blob | None:
    """A blob of a tape or an ancestor."""
    if not address.isascii():
        return None
    for owner, _ in ancestors(connection, key):
        row = connection.execute(
            "SELECT content, media_type FROM blobs WHERE tape = ? AND address = ?", (owner, address)
        ).fetchone()
        if row is not None:
            return Blob(*row)
    return None
