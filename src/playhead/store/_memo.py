"""What the writing connection remembers: how much it wrote, and the ends of its tapes.

SQLite says whether another connection has changed the file (`PRAGMA data_version`). While none has,
the end of a tape and its lease are as they were left, and need not be read again; after that, it
has to be looked whether the lease still holds.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from playhead.store._protocol import Batch, Lease

_PAGES = 2 * 8192  # every commit writes the pages that it touches once more, in full


class Tip(NamedTuple):
    """The end of a tape, as it was in a version of the file."""

    key: int
    length: int
    link: str
    lease: Lease | None
    version: int


class WritingConnection(sqlite3.Connection):
    """A connection with a memory, which goes with it."""

    hand: sqlite3.Cursor  # what is done every time is done with one: making it costs as much
    tips: dict[tuple[str, str], Tip]
    version: int | None = None  # of the file, as others see to it
    logged = 0  # bytes of steps since it last folded the log into the file

    def close(self) -> None:
        """Close it at once: a statement that the cursor still held would keep all locks."""
        self.hand.close()
        super().close()


def note_others(connection: WritingConnection) -> None:
    """In a transaction that locks others out: take note of the version that the file is in."""
    if connection.version is None:
        connection.tips = {}
    connection.version = connection.hand.execute("PRAGMA data_version").fetchone()[0]


def recall(connection: sqlite3.Connection, tenant: str, tape: str) -> tuple[Tip, bool] | None:
    """The tape's end as this connection left it, and whether nobody can have moved it since."""
    if isinstance(connection, WritingConnection) and connection.version is not None:
        tip = connection.tips.get((tenant, tape))
        return None if tip is None else (tip, tip.version == connection.version)
    return None


def remember(connection: sqlite3.Connection, tenant: str, batch: Batch, *, key: int) -> None:
    """Keep a tape's end in mind; a transaction that fails drops the connection, and this too."""
    if isinstance(connection, WritingConnection) and connection.version is not None:
        if len(connection.tips) >= 10_000:
            connection.tips.clear()
        last, version = batch.steps[-1], connection.version
        tip = Tip(key, last.seq + 1, last.link, batch.lease, version)
        connection.tips[tenant, batch.tape] = tip


def note_written(connection: sqlite3.Connection, size: int) -> None:
    """Count the bytes of a batch, as about so many pages of the log."""
    if isinstance(connection, WritingConnection):
        connection.logged += size + _PAGES


def forget(connection: sqlite3.Connection, tenant: str, tape: str) -> None:
    """The tape's lease changed."""
    if isinstance(connection, WritingConnection) and connection.version is not None:
        connection.tips.pop((tenant, tape), None)
