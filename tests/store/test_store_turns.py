"""Commits in the event loop's own thread: one for all that is asked for in a turn of the loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator

import pytest
from sqlite_seams import Seam, io_error, watched
from store_children import until

from playhead.errors import StoreError, TapeNotFoundError, TapeOwnedError
from playhead.store import Answer, SqliteStore, _sqlite, _writer
from playhead.store._filelock import FileLock
from playhead.store._kit import batch_of, creation_of, grown, made, said, same
from playhead.tape import Tape


@pytest.fixture
def seam(monkeypatch) -> Seam:
    return watched(monkeypatch)


@pytest.fixture
async def store(path, seam, monkeypatch) -> AsyncIterator[SqliteStore]:
    monkeypatch.setattr(_writer, "_SWIFT", 1e9)  # however slow this machine is
    async with SqliteStore(path, commits="loop") as store:
        for _ in range(2):  # one session alone would not wait for the turn's end
            await store.acquire((await made(store)).id)
        yield store


def test_there_are_two_places_to_commit_in(path):
    with pytest.raises(StoreError, match="`thread` or in the `loop`, not `pool`"):
        SqliteStore(path, commits="pool")  # type: ignore[arg-type]


async def test_a_turn_is_one_commit_in_the_loops_thread(store, seam):
    tapes = [await made(store) for _ in range(20)]
    threads: set[int] = set()
    seam.before = lambda connection, statement: threads.add(threading.get_ident())
    before = seam.count("COMMIT")
    work = [store.append(batch_of(tape, tape.seal([said("x")]))) for tape in tapes]
    work += [store.acquire(tape.id) for tape in tapes]
    answers = await asyncio.gather(*work)
    assert answers[:20] == [Answer.STORED] * 20
    assert seam.count("COMMIT") - before == 1
    assert threads == {threading.get_ident()}
    assert all([await store.is_owned(tape.id) for tape in tapes])


async def test_too_much_for_one_turn_goes_to_the_writers_thread(store, seam, monkeypatch):
    monkeypatch.setattr(_writer, "_MOST", 3)
    tapes = [await made(store) for _ in range(4)]
    threads: set[int] = set()
    seam.before = lambda connection, statement: threads.add(threading.get_ident())
    await asyncio.gather(*(grown(store, tape, "x") for tape in tapes))
    assert threads == {store._writer._thread.ident}


async def test_a_failing_job_takes_no_others_with_it(store):
    tape, owned = await made(store), await made(store)
    await store.acquire(owned.id)
    good = [await made(store) for _ in range(4)]

    def spoilt(error):
        def job(db):
            db.execute("DELETE FROM steps")
            raise error

        return store._write(job)

    answers = await asyncio.gather(
        grown(store, good[0], "a"),
        spoilt(ValueError("a bug")),
        grown(store, good[1], "b"),
        spoilt(sqlite3.IntegrityError("no")),
        store.append(batch_of(owned, owned.seal([said("no")]))),
        grown(store, good[2], "c"),
        spoilt(TapeNotFoundError("after it wrote")),
        grown(store, good[3], "d"),
        return_exceptions=True,
    )
    for number, error in [(1, StoreError), (3, StoreError), (4, TapeOwnedError),
                          (6, TapeNotFoundError)]:  # fmt: skip
        assert isinstance(answers[number], error), answers[number]
    for number in (0, 2, 5, 7):
        await same(store, answers[number])
    await same(store, tape)


async def test_where_somebody_else_writes_the_loop_goes_on(store):
    tape = await made(store)
    lock = FileLock(store.path.with_name(store.path.name + ".lock"))
    with lock:
        work = asyncio.ensure_future(grown(store, tape, "x"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not work.done()
    lock.close()
    await same(store, await work)


async def test_all_of_a_turn_are_told_of_an_unknown_outcome(store, seam):
    tapes = [await made(store) for _ in range(3)]

    def failing(connection, statement):
        if statement == "COMMIT":
            seam.after = lambda connection, statement: None
            raise io_error()

    seam.after = failing
    batches = [batch_of(tape, tape.seal([said("x")])) for tape in tapes]
    assert await asyncio.gather(*map(store.append, batches)) == [Answer.UNKNOWN] * 3
    assert await asyncio.gather(*map(store.append, batches)) == [Answer.STORED] * 3
    for tape, batch in zip(tapes, batches, strict=True):
        await same(store, tape.extend(batch.steps))


async def test_a_lease_that_the_loops_thread_took_is_renewed(store, monkeypatch):
    monkeypatch.setattr(_sqlite, "_BRIEF", 0.0)
    monkeypatch.setattr(_writer, "_NAP", 0.05)
    tape = await made(store)
    await grown(store, tape, "x")  # the writer's thread takes naps of the new length
    until(lambda: store._writer._tasks.empty())
    lease = await store.acquire(tape.id, seconds=1.5)
    held = store._keeper._held[lease.owner]
    due = held.due
    until(lambda: held.due > due)  # no `await`: a tool may hold up the loop
    assert held.due > time.monotonic()
    await store.release(lease)


async def test_cancelled_jobs_are_stored_once_or_not(store):
    for turns in range(4):
        tape = await made(store)
        batch = batch_of(tape, tape.seal([said("x")]))
        work = asyncio.ensure_future(store.append(batch))
        for _ in range(turns):
            await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert await store.append(batch) is Answer.STORED
        await same(store, tape.extend(batch.steps))


def test_a_loop_that_is_closed_in_its_turn_keeps_nobody_from_the_next_one(path):
    store = SqliteStore(path, commits="loop")
    left = Tape.new()

    async def begin() -> None:
        await made(store)
        work = store.append(creation_of(left))
        asyncio.get_running_loop().call_soon(lambda: None)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(0)
        task.cancel()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    loop.close()  # what was asked for was not done, and nobody waits

    async def go_on() -> None:
        await same(store, await made(store, "x"))
        assert await store.append(creation_of(left)) is Answer.STORED
        await store.close()

    asyncio.run(go_on())


async def test_a_closed_store_says_so(path):
    store = SqliteStore(path, commits="loop")
    tapes = [await made(store) for _ in range(2)]
    work = asyncio.gather(*(grown(store, tape, "x") for tape in tapes), return_exceptions=True)
    await asyncio.sleep(0)
    store.close_now()
    answers = await work
    for tape, answer in zip(tapes, answers, strict=True):
        if isinstance(answer, Tape):
            await same(SqliteStore(path), answer)
        else:
            assert isinstance(answer, StoreError)
            assert "closed" in str(answer)
            await same(SqliteStore(path), tape)
