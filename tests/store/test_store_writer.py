"""The writer's thread: group commit, one another's failures, cancellation, loops, threads."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlite_seams import Seam, io_error, watched
from store_children import until

from playhead.errors import StoreError, TapeNotFoundError, TapeOwnedError
from playhead.store import Answer, SqliteStore, _sqlite, _write_access
from playhead.store._filelock import FileLock
from playhead.store._kit import batch_of, creation_of, grown, made, said, same
from playhead.tape import Tape


@pytest.fixture
def seam(monkeypatch) -> Seam:
    return watched(monkeypatch)


@asynccontextmanager
async def held_back(store: SqliteStore) -> AsyncIterator[None]:
    """Let the writer wait for the lock while the block queues jobs; then let it go on."""
    lock = FileLock(store.path.with_name(store.path.name + ".lock"))
    with lock:
        yield
        for _ in range(5):  # every task begun in the block has queued its job then
            await asyncio.sleep(0)
    lock.close()


async def test_appends_share_commits(path, seam):
    async with SqliteStore(path) as store:
        tapes = [await made(store) for _ in range(60)]
        before = seam.count("COMMIT")
        batches = [batch_of(tape, tape.seal([said("x")])) for tape in tapes]
        async with held_back(store):
            work = asyncio.gather(*(store.append(batch) for batch in batches))
        assert await work == [Answer.STORED] * 60
        assert seam.count("COMMIT") - before == 1  # all that waits for the lock goes together


async def test_a_failing_job_takes_no_others_with_it(sqlite):
    tape, owned = await made(sqlite), await made(sqlite)
    await sqlite.acquire(owned.id)
    ahead = Tape.of(tape[:]).append(said("not stored"))
    good = [await made(sqlite) for _ in range(5)]

    def spoilt(error):
        def job(db):
            db.execute("DELETE FROM steps")
            raise error

        return sqlite._write(job)

    async with held_back(sqlite):
        work = asyncio.gather(
            grown(sqlite, good[0], "a"),
            spoilt(ValueError("a bug")),
            grown(sqlite, good[1], "b"),
            spoilt(sqlite3.IntegrityError("no")),
            sqlite.append(batch_of(owned, owned.seal([said("no")]))),
            grown(sqlite, good[2], "c"),
            spoilt(TapeNotFoundError("after it wrote")),
            sqlite.post("unknown", "x"),
            grown(sqlite, good[3], "d"),
            sqlite.append(batch_of(ahead, ahead.seal([said("too far")]))),
            grown(sqlite, good[4], "e"),
            sqlite.post(tape.id, "hello"),
            return_exceptions=True,
        )
    answers = await work
    for number, error in [(1, StoreError), (3, StoreError), (4, TapeOwnedError),
                          (6, TapeNotFoundError), (7, TapeNotFoundError)]:  # fmt: skip
        assert isinstance(answers[number], error), answers[number]
    assert isinstance(answers[1].__cause__, ValueError)
    for number in (0, 2, 5, 8, 10):
        assert isinstance(answers[number], Tape), answers[number]
        await same(sqlite, answers[number])
    assert answers[9] is Answer.CONFLICT
    assert [message.id for message in await sqlite.inbox(tape.id)] == [answers[11]]
    await same(sqlite, tape)


async def test_everything_happens_under_the_lock(path, seam):
    """Every statement of a writing connection, and closing it; no automatic checkpoints."""
    looked = []

    def locked(connection, statement):
        fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(fd)
        looked.append(statement)

    seam.before = locked
    async with SqliteStore(path) as store:
        tape = await made(store, "one")
        await store.release(await store.acquire(tape.id))
        await store.erase(tape.id, [1])
        with pytest.raises(StoreError):
            await store._write(lambda db: db.execute("no SQL"))
        await grown(store, await store.open(tape.id), "two")
    assert {"BEGIN IMMEDIATE", "COMMIT", "close", "PRAGMA wal_checkpoint(TRUNCATE)"} <= {*looked}
    assert looked.count("close") == 2


async def test_the_log_is_kept_small(path, seam, monkeypatch):
    monkeypatch.setattr(_write_access, "_CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(_write_access, "_WAL_BYTES", 400_000)
    async with SqliteStore(path, durability="normal") as store:
        tape, largest = await made(store), 0
        for _ in range(200):
            tape = await grown(store, tape, "x" * 20_000)
            largest = max(largest, path.with_name(path.name + "-wal").stat().st_size)
        assert 100_000 < largest < 1_000_000
        small = await made(store)
        for _ in range(130):
            small = await grown(store, small, "x")
        await same(store, tape)
    assert seam.count("PRAGMA wal_checkpoint(RESTART)") >= 4


async def test_a_long_read_elsewhere_holds_nobody_up(sqlite, path, monkeypatch):
    monkeypatch.setattr(_write_access, "_WAL_BYTES", 0)
    tape = await made(sqlite)
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM steps").fetchone() == (1,)
    for number in range(20):
        tape = await grown(sqlite, tape, str(number))
    monkeypatch.setattr(_sqlite, "_PATIENCE", 0.1)
    with pytest.raises(StoreError, match="a long read keeps the old bytes"):
        await sqlite.erase(tape.id, [1])  # done, but not yet out of the log
    assert (await sqlite.open(tape.id))[1].erased
    assert reader.execute("SELECT count(*) FROM steps").fetchone() == (1,)
    reader.close()
    tape = await sqlite.open(tape.id)
    wal = path.with_name(path.name + "-wal")
    for _ in range(6000):  # by the writer's thread, in its own time
        tape = await grown(sqlite, tape, "x")
        await asyncio.sleep(0.01)
        if wal.stat().st_size == 0:
            return
    pytest.fail("the log is never folded")


async def test_another_program_that_writes_does_not_stop_the_event_loop(sqlite, path):
    tape = await made(sqlite)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    work = asyncio.create_task(grown(sqlite, tape, "one"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not work.done()
    other.execute("ROLLBACK")
    other.close()
    await same(sqlite, await work)


async def test_a_cancelled_append_is_stored_once_or_not(sqlite):
    tape = await made(sqlite)
    batch = batch_of(tape, tape.seal([said("one")]))
    async with held_back(sqlite):
        work = asyncio.create_task(sqlite.append(batch))
        await asyncio.sleep(0)
        work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert await sqlite.append(batch) is Answer.STORED
    await same(sqlite, tape.extend(batch.steps))


async def test_a_cancelled_acquire_leaves_no_lease(sqlite):
    tape = await made(sqlite)
    async with held_back(sqlite):
        work = asyncio.create_task(sqlite.acquire(tape.id, seconds=3600))
        await asyncio.sleep(0)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    await sqlite.release(await sqlite.acquire(tape.id))
    assert not sqlite._keeper._held


def test_event_loops_in_sequence(path):
    store = SqliteStore(path)
    tape = asyncio.run(made(store, "one"))
    lease = asyncio.run(store.acquire(tape.id))
    tape = asyncio.run(grown(store, tape, "two", lease=lease))
    asyncio.run(store.release(lease))
    asyncio.run(same(store, tape))
    asyncio.run(store.close())


def writers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "playhead-writer"}


def test_threads_with_event_loops_of_their_own(path):
    store = SqliteStore(path, durability="normal")
    tapes: list[Tape] = []
    errors: list[BaseException] = []

    async def work():
        tape = await made(store)
        for number in range(10):
            tape = await grown(store, tape, str(number))
            lease = await store.acquire(tape.id)
            await same(store, tape)
            await store.release(lease)
        tapes.append(tape)

    def run():
        try:
            asyncio.run(work())
        except BaseException as error:
            errors.append(error)

    others = writers()  # of stores that other tests left open
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(tapes) == 8
    assert len(writers() - others) == 1
    for tape in tapes:
        asyncio.run(same(store, tape))
    store.close_now()


async def test_one_tape_read_by_many_threads(sqlite):
    tape = await made(sqlite, *(str(n) for n in range(2000)))
    there = await sqlite.open(tape.id)
    links = await asyncio.gather(
        *(asyncio.to_thread(lambda: [step.link for step in there]) for _ in range(6))
    )
    assert all(found == [step.link for step in tape] for found in links)


def test_an_event_loop_that_is_closed_with_a_job_queued(path):
    store = SqliteStore(path)
    tape = asyncio.run(made(store))
    batch = batch_of(tape, tape.seal([said("one")]))
    lock = FileLock(path.with_name(path.name + ".lock"))
    with lock:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        task = loop.create_task(store.append(batch))
        while not store._writer._tasks.qsize() and task._fut_waiter is None:
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    lock.close()
    assert asyncio.run(store.append(batch)) is Answer.STORED
    asyncio.run(same(store, tape.extend(batch.steps)))
    asyncio.run(store.close())
    task._log_destroy_pending = False
    del task
    gc.collect()


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("place", ["commit", "tidy"])
async def test_no_fault_leaves_anybody_waiting(sqlite, monkeypatch, error, place):
    tape = await made(sqlite)

    def broken(*arguments, **options):
        raise error("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite._writer.access, place, broken)
        batches = [batch_of(tape, tape.seal([said("x")])), creation_of(Tape.new())]
        async with held_back(sqlite):
            work = asyncio.gather(*map(sqlite.append, batches), return_exceptions=True)
        answers = await work
    if place == "commit":
        assert all(isinstance(answer, StoreError) for answer in answers)
    else:  # it was committed
        assert answers == [Answer.STORED] * 2
    assert await sqlite.append(batches[0]) is Answer.STORED
    await same(sqlite, tape.extend(batches[0].steps))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_dies_leaves_nobody_waiting(path, monkeypatch):
    store = SqliteStore(path)
    tape = await made(store)
    batch = batch_of(tape, tape.seal([said("x")]))

    thread = store._writer._thread

    def dying():
        raise SystemExit

    async with held_back(store):
        first = asyncio.create_task(store.append(batch))
        await asyncio.sleep(0)
        monkeypatch.setattr(store._writer, "_turn", dying)
        second = asyncio.create_task(store.post(tape.id, "x"))
        third = asyncio.create_task(store.post(tape.id, "y"))
        await asyncio.sleep(0)
    answers = await asyncio.gather(first, second, third, return_exceptions=True)
    assert all(a is Answer.STORED or isinstance(a, (int, StoreError)) for a in answers)
    await asyncio.to_thread(until, lambda: not thread.is_alive())
    assert await store.append(batch) is Answer.STORED  # by a new thread
    await same(store, tape.extend(batch.steps))
    await store.close()


@pytest.mark.parametrize("landed", [True, False])
async def test_an_unknown_outcome_ends_stored_once(path, seam, landed):
    async with SqliteStore(path) as store:
        tape = await made(store)
        await store.inbox(tape.id)  # a reader keeps the log open
        batch = batch_of(tape, tape.seal([said("one")]), blobs={})

        def failing(connection, statement):
            if statement == "COMMIT":
                raise io_error()

        setattr(seam, "after" if landed else "before", failing)
        answers = [await store.append(batch) for _ in range(2)]
        seam.before = seam.after = lambda connection, statement: None
        expected = Answer.STORED if landed else Answer.UNKNOWN  # the second one found the first
        assert answers == [Answer.UNKNOWN, expected] or answers == [Answer.UNKNOWN] * 2
        folded = seam.count("PRAGMA wal_checkpoint(TRUNCATE)")
        assert await store.append(batch) is Answer.STORED
        assert seam.count("PRAGMA wal_checkpoint(TRUNCATE)") == folded + 1
        tape = await grown(store, tape.extend(batch.steps), "two")
        assert await store.append(batch) is Answer.STORED
        await same(store, tape)
        assert [step.id for step in await store.open(tape.id)].count(batch.steps[0].id) == 1


async def test_all_of_a_group_are_told_of_an_unknown_outcome(path, seam):
    async with SqliteStore(path) as store:
        tapes = [await made(store) for _ in range(5)]
        batches = [batch_of(tape, tape.seal([said("x")])) for tape in tapes]

        def failing(connection, statement):
            if statement == "COMMIT":
                raise io_error("SQLITE_IOERR_WRITE")

        seam.before = failing
        async with held_back(store):
            work = asyncio.gather(*map(store.append, batches))
        assert await work == [Answer.UNKNOWN] * 5
        seam.before = lambda connection, statement: None
        assert await asyncio.gather(*map(store.append, batches)) == [Answer.STORED] * 5


async def test_after_an_unknown_outcome_a_long_read_keeps_it_unknown(path, seam, monkeypatch):
    """Nothing is acknowledged before the log was written anew."""
    async with SqliteStore(path) as store:
        tape = await made(store)
        batch = batch_of(tape, tape.seal([said("one")]))
        reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM steps").fetchone()

        def failing(connection, statement):
            if statement == "COMMIT":
                raise io_error()

        seam.after = failing
        assert await store.append(batch) is Answer.UNKNOWN

        seam.after = lambda connection, statement: None
        monkeypatch.setattr(_write_access, "_PATIENCE", 0)
        with pytest.raises(StoreError, match="long read"):
            await store.append(batch)
        reader.close()
        assert await store.append(batch) is Answer.STORED
        await same(store, tape.extend(batch.steps))


async def test_a_closed_store_says_so(path):
    store = SqliteStore(path)
    tape = await made(store, *(str(n) for n in range(600)))
    there = await store.open(tape.id)
    await store.close()
    for work in (store.append(batch_of(tape, tape.seal([said("x")]))), store.open(tape.id)):
        with pytest.raises(StoreError, match="closed"):
            await work
    assert [step.link for step in there] == [step.link for step in tape]  # a tape is a value


async def test_closing_does_what_is_queued(path):
    store = SqliteStore(path)
    tapes = [Tape.new() for _ in range(20)]
    await made(store)
    async with held_back(store):
        work = asyncio.gather(*(store.append(creation_of(tape)) for tape in tapes))
    await store.close()
    assert await work == [Answer.STORED] * 20
    assert sorted(os.listdir(path.parent)) == [path.name, path.name + ".lock"]
