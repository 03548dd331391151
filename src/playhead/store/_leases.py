"""Leases in the SQLite file: who may append to a tape, and how long it stays so."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from dataclasses import dataclass

from playhead.errors import LostLeaseError, TapeOwnedError
from playhead.store._memo import forget
from playhead.store._owner import is_gone, process_of
from playhead.store._protocol import Batch, Lease

_logger = logging.getLogger("playhead.store")
RELEASED = 0.0  # in the column `expires`; the row stays, so that an epoch never repeats


def check_lease(connection: sqlite3.Connection, tenant: str, batch: Batch) -> None:
    """Let only the owner append, or anybody where there is none.

    Raises:
        LostLeaseError, TapeOwnedError: As `Store.append` says.
    """
    row = connection.execute(
        "SELECT epoch, owner, expires FROM leases WHERE tenant = ? AND tape = ?",
        (tenant, batch.tape),
    ).fetchone()
    if batch.lease is not None:
        mine = (batch.lease.epoch, batch.lease.owner)
        if row is None or (row[0], row[1]) != mine or row[2] == RELEASED:
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


def is_leased(connection: sqlite3.Connection, tenant: str, tape: str) -> bool:
    """Whether a live owner holds the tape."""
    row = connection.execute(
        "SELECT owner, expires FROM leases WHERE tenant = ? AND tape = ?", (tenant, tape)
    ).fetchone()
    return row is not None and row[1] > time.time() and not is_gone(row[0])


def take_lease(
    connection: sqlite3.Connection, tenant: str, tape: str, owner: str, seconds: float
) -> Lease:
    """Acquire, or take over from an owner that is gone.

    Raises:
        TapeOwnedError: A live owner holds it.
    """
    row = connection.execute(
        "SELECT epoch, owner, expires FROM leases WHERE tenant = ? AND tape = ?", (tenant, tape)
    ).fetchone()
    now = time.time()
    if row is not None and row[2] > now and not is_gone(row[1]):
        raise TapeOwnedError(
            f"tape `{tape}` is owned by process {process_of(row[1])} for another "
            f"{row[2] - now:.0f} s at least: wait, or send to its inbox",
            tape=tape,
            owner=row[1],
        )
    if row is not None and row[2] != RELEASED:
        why = "its process is gone" if row[2] > now else "it was not renewed in time"
        _logger.info("tape %s: taken over from process %s: %s", tape, process_of(row[1]), why)
    epoch = 1 if row is None else row[0] + 1
    forget(connection, tenant, tape)
    connection.execute(
        "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)",
        (tenant, tape, epoch, owner, now + seconds),
    )
    return Lease(tape, owner, epoch)


def give_back(
    connection: sqlite3.Connection, tenant: str, tape: str, owner: str, epoch: int | None = None
) -> None:
    """Release; the owner's name is unique, so that nobody else's lease is meant."""
    forget(connection, tenant, tape)
    connection.execute(
        "UPDATE leases SET expires = ? "
        "WHERE tenant = ? AND tape = ? AND owner = ? AND epoch = coalesce(?, epoch)",
        (RELEASED, tenant, tape, owner, epoch),
    )


@dataclass(slots=True)
class _Held:
    tape: str
    seconds: float
    loop: asyncio.AbstractEventLoop
    due: float  # on the monotonic clock


class Keeper:
    """The leases that this process holds; the writer's thread renews them.

    So a tool that blocks the event loop does not cost its tape. A lease whose event loop was closed
    is renewed no more, and runs out: nobody is left to give it back.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def hold(self, tape: str, owner: str, seconds: float, loop: asyncio.AbstractEventLoop) -> None:
        """Renew this owner's lease from now on."""
        with self._lock:
            self._held[owner] = _Held(tape, seconds, loop, time.monotonic() + seconds / 3)

    def let_go(self, owner: str) -> None:
        """Renew it no more."""
        with self._lock:
            self._held.pop(owner, None)

    @property
    def lone(self) -> bool:
        """Whether at most one session writes."""
        return len(self._held) <= 1

    def wait(self) -> float | None:
        """Seconds until a renewal is due; None where nothing is held."""
        with self._lock:
            if not self._held:
                return None
            return max(0.0, min(held.due for held in self._held.values()) - time.monotonic())

    def take_due(self) -> bool:
        """Whether a renewal is due; if so, the next one comes later, even if this one fails."""
        now = time.monotonic()
        with self._lock:
            due = any(held.due <= now for held in self._held.values())
            for held in self._held.values() if due else ():
                held.due = now + held.seconds / 3
            return due

    def renew(self, connection: sqlite3.Connection) -> None:
        """Renew all that is held; a lease that was lost meanwhile is let go."""
        with self._lock:
            for owner, held in list(self._held.items()):
                if held.loop.is_closed():
                    del self._held[owner]
                    continue
                cursor = connection.execute(
                    "UPDATE leases SET expires = ? "
                    "WHERE tenant = ? AND tape = ? AND owner = ? AND expires != ?",
                    (time.time() + held.seconds, self._tenant, held.tape, owner, RELEASED),
                )
                if cursor.rowcount == 0:
                    del self._held[owner]
                    _logger.warning("tape %s: the lease was lost: its session will end", held.tape)

    def give_all_back(self, connection: sqlite3.Connection) -> None:
        """Release all that is held, at the end."""
        with self._lock:
            for owner, held in self._held.items():
                give_back(connection, self._tenant, held.tape, owner)
            self._held.clear()
