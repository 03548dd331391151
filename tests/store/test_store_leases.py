"""Leases of the SQLite store: who is gone, who is slow, and who is elsewhere."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from store_children import until

from playhead.errors import LostLeaseError, TapeOwnedError
from playhead.store import Answer, SqliteStore, _owner
from playhead.store._kit import batch_of, grown, made, said
from playhead.store._owner import is_gone, new_owner, process_of

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here")


def owner_of(pid: int) -> str:
    return f"{_owner._place()}|{pid}|{_owner._start(pid)}|unique"


@linux
def test_a_process_is_gone_when_it_has_ended():
    process = subprocess.Popen(["sleep", "1000"])
    try:
        owner = owner_of(process.pid)
        assert not is_gone(owner)
        process.kill()
        until(lambda: is_gone(owner))  # a zombie: nobody waited for it yet
        assert Path(f"/proc/{process.pid}").exists()
    finally:
        process.kill()
        process.wait()
    assert is_gone(owner)


@linux
def test_a_number_used_again_is_another_process():
    place, pid, start, unique = new_owner().rsplit("|", 3)
    assert not is_gone(f"{place}|{pid}|{start}|{unique}")
    assert is_gone(f"{place}|{pid}|{int(start) - 1}|{unique}")


@linux
def test_a_process_that_cannot_be_seen_is_not_gone(monkeypatch):
    """As where /proc hides the processes of others."""
    owner = owner_of(1)
    monkeypatch.setattr(_owner, "_stat", lambda pid: [])
    assert not is_gone(owner)

    def denied(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", denied)
    assert not is_gone(owner)


@pytest.mark.parametrize(
    "owner",
    ["", "x", "|||", "a|b|c|d", "elsewhere|1|1|x", "elsewhere|999999999|1|x", "{here}|x|1|x",
     "{here}|1||x", "{here}|-1|1|x", "{here}|²|1|x", "|".join("123456789")],
)  # fmt: skip
def test_an_owner_that_cannot_be_judged_is_not_gone(owner):
    assert not is_gone(owner.replace("{here}", _owner._place()))
    assert isinstance(process_of(owner), str)


@linux
def test_a_place_may_hold_bars(monkeypatch):
    monkeypatch.setattr(_owner, "_place", lambda: "a|b|c")
    assert not is_gone(new_owner())
    assert process_of(new_owner()) == str(os.getpid())


def set_owner(path: Path, owner: str, expires: float) -> None:
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("UPDATE leases SET owner = ?, expires = ?", (owner, expires))
    connection.close()


async def test_an_owner_elsewhere_has_until_its_lease_runs_out(sqlite, path):
    tape = await made(sqlite)
    lease = await sqlite.acquire(tape.id)
    sqlite._keeper.let_go(lease.owner)
    set_owner(path, "elsewhere|1|1|x", time.time() + 3600)
    with pytest.raises(TapeOwnedError):
        await sqlite.acquire(tape.id)
    with pytest.raises(TapeOwnedError):
        await sqlite.append(batch_of(tape, tape.seal([said("x")])))
    with pytest.raises(LostLeaseError):
        await sqlite.append(batch_of(tape, tape.seal([said("x")]), lease=lease))
    set_owner(path, "elsewhere|1|1|x", time.time() - 1)
    assert (await sqlite.acquire(tape.id)).epoch == lease.epoch + 1


def expiry(path: Path) -> float:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        (expires,) = connection.execute("SELECT expires FROM leases").fetchone()
    connection.close()
    return float(expires)


async def test_a_lease_is_renewed_while_a_tool_blocks_the_event_loop(sqlite, path):
    lease = await sqlite.acquire((await made(sqlite)).id, seconds=0.2)
    for _ in range(3):
        before = expiry(path)
        until(lambda before=before: expiry(path) > before)  # no `await`: the loop stands still
    await sqlite.release(lease)
    assert expiry(path) == 0


async def test_a_lease_of_a_closed_event_loop_runs_out(sqlite, path):
    tape = await made(sqlite)
    await asyncio.to_thread(asyncio.run, sqlite.acquire(tape.id, seconds=0.2))
    assert len(sqlite._keeper._held) == 1
    until(lambda: not sqlite._keeper._held)
    until(lambda: expiry(path) < time.time())
    assert (await sqlite.acquire(tape.id)).epoch == 2


async def test_a_lost_lease_is_renewed_no_more(sqlite, path):
    tape = await made(sqlite)
    await sqlite.acquire(tape.id, seconds=0.2)
    set_owner(path, "elsewhere|1|1|x", time.time() + 3600)
    until(lambda: not sqlite._keeper._held)


async def test_a_renewal_that_fails_is_tried_again(sqlite, path, monkeypatch):
    tape = await made(sqlite)
    await sqlite.acquire(tape.id, seconds=0.2)
    tries, began = 0, time.monotonic()

    def failing(connection):
        nonlocal tries
        tries += 1
        raise sqlite3.OperationalError("no")

    renew = sqlite._keeper.renew
    monkeypatch.setattr(sqlite._keeper, "renew", failing)
    until(lambda: tries >= 3)
    assert tries <= (time.monotonic() - began) / (0.2 / 3) + 1  # in peace
    monkeypatch.setattr(sqlite._keeper, "renew", renew)
    until(lambda: expiry(path) > time.time())
    await grown(sqlite, tape, "x", lease=_lease(sqlite, tape.id))


def _lease(store, tape):
    from playhead.store import Lease

    (owner,) = store._keeper._held
    return Lease(tape, owner, 1)


async def test_closing_gives_leases_back(path):
    async with SqliteStore(path) as store:
        tape = await made(store)
        await store.acquire(tape.id, seconds=3600)
    async with SqliteStore(path) as store:
        assert (await store.acquire(tape.id)).epoch == 2


async def test_releasing_after_closing_is_harmless(path):
    async with SqliteStore(path) as store:
        lease = await store.acquire((await made(store)).id)
    await store.release(lease)


async def test_a_store_that_was_forgotten_gives_leases_back(path):
    store = SqliteStore(path)
    tape = await made(store)
    await store.acquire(tape.id, seconds=3600)
    thread = store._writer._thread
    store._reader.close()
    del store
    await asyncio.to_thread(until, lambda: not thread.is_alive())
    async with SqliteStore(path) as other:
        await other.acquire(tape.id)


async def test_a_lease_that_had_run_out_for_a_while_hides_no_append(path: Path) -> None:
    """Its owner remembers the end of the tape, and the row looks as it did."""
    async with SqliteStore(path) as store, SqliteStore(path) as other:
        tape = await made(store)
        lease = await store.acquire(tape.id)
        tape = await grown(store, tape, "mine", lease=lease)
        expire(path, at=0.5)
        await grown(other, tape, "another one's")
        expire(path, at=time.time() + 30)
        late = batch_of(tape, tape.seal([said("too late")]), lease=lease)
        assert await store.append(late) is Answer.CONFLICT


def expire(path: Path, *, at: float) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE leases SET expires = ?", (at,))
    connection.close()
