"""Full disks, damaged files, files of others, failing disks."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from sqlite_seams import watched
from store_children import child, fill, heard

from playhead.errors import (
    PlayheadError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreVersionError,
)
from playhead.store import Answer, SqliteStore, _sqlite_file, _write_access
from playhead.store._kit import batch_of, creation_of, forked, grown, made, said, same
from playhead.tape import Tape

HERE = Path(__file__).parent


async def test_a_full_disk_stores_nothing_half(path, monkeypatch):
    seam = watched(monkeypatch)
    full = False

    def limited(connection, statement):
        if statement == "BEGIN IMMEDIATE":
            pages = sqlite3.Connection.execute(connection, "PRAGMA page_count").fetchone()[0]
            limit = pages + 5 if full else 1 << 30
            sqlite3.Connection.execute(connection, f"PRAGMA max_page_count = {limit}")

    seam.before = limited
    async with SqliteStore(path) as store:
        tape = await made(store, "one")
        large = batch_of(tape, tape.seal([said("small"), said("x" * 100_000)]))
        small = batch_of(tape, tape.seal([said("small")]))
        full = True
        for _ in range(3):
            with pytest.raises(StoreFullError, match="no space left"):
                await store.append(large)
        assert await store.append(small) is Answer.STORED
        full = False
        tape = await grown(store, tape.extend(small.steps), "x" * 100_000)
        await same(store, tape)
    async with SqliteStore(path) as store:
        await same(store, tape)


def test_a_limit_of_file_sizes_is_a_full_disk(path):
    with child(fill, path, 400_000) as (_, connection):
        message, steps, sound = heard(connection)
    assert "no space left" in message
    assert (steps > 2, sound) == (True, "ok")


def mounts() -> bool:
    try:
        done = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


@pytest.mark.skipif(not mounts(), reason="mounting a small file system is not allowed here")
@pytest.mark.parametrize("ballast", [200, 490])
def test_a_full_file_system(tmp_path, ballast):
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import store_children as c;\n"
        "class Out:\n    def send(self, told): print(*told)\n"
        "c.fill(Out(), pathlib.Path(sys.argv[2], 'tapes.db'), None)"
    )
    script = (
        f'mount -t tmpfs -o size=700k none "$1" && head -c {ballast}000 /dev/zero > "$1/ballast" '
        '&& exec "$2" -c "$3" "$4" "$1"'
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", tmp_path, sys.executable, code, HERE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no space left" in done.stdout
    assert done.stdout.strip().endswith(" ok")


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
static int fails(int fd) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n < 0) return 0;
    name[n] = 0;
    return strstr(name, "-wal") && access(getenv("FAILING"), F_OK) == 0;
}
int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    if (fails(fd)) { errno = EIO; return -1; }
    return real(fd);
}
int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    if (fails(fd)) { errno = EIO; return -1; }
    return real(fd);
}
"""

FAILING_DISK = """
import asyncio, os, pathlib, sys
from playhead.store import Answer, SqliteStore
from playhead.store._kit import batch_of, grown, made, said, same

async def main(folder, failing):
    async with SqliteStore(folder / "tapes.db") as store:
        tape = await made(store, "one")
        await store.inbox(tape.id)
        batch = batch_of(tape, tape.seal([said("in doubt")]))
        failing.touch()
        answers = [await store.append(batch)]
        failing.unlink()
        answers += [await store.append(batch), await store.append(batch)]
        await same(store, await grown(store, tape.extend(batch.steps), "three"))
    print([answer.value for answer in answers])

asyncio.run(main(pathlib.Path(sys.argv[1]), pathlib.Path(os.environ["FAILING"])))
"""

KILLED_IN_DOUBT = """
import asyncio, os, pathlib, pickle, sys
from playhead.store import Answer, Batch, SqliteStore
from playhead.store._kit import batch_of, made, said
from playhead.tape import Step

async def main(folder, failing, saved):
    store = SqliteStore(folder / "tapes.db")
    if not saved.exists():
        tape = await made(store, "one")
        steps = tape.seal([said("in doubt")])
        saved.write_bytes(pickle.dumps((tape.id, steps[0].header, steps[0].salt, steps[0].data)))
        failing.touch()
        print((await store.append(batch_of(tape, steps))).value, flush=True)
        failing.unlink()
        os._exit(0)
    tape, *step = pickle.loads(saved.read_bytes())
    print((await store.append(Batch(tape, 2, [Step.load(*step)]))).value)
    (await store.open(tape)).verify()
    print(len(await store.open(tape)), step[2] in (folder / "tapes.db").read_bytes())

arguments = [pathlib.Path(sys.argv[1]), pathlib.Path(os.environ["FAILING"])]
asyncio.run(main(*arguments, pathlib.Path(sys.argv[1], "saved")))
"""


@pytest.mark.skipif(
    not (sys.platform == "linux" and shutil.which("cc")), reason="no C compiler for a failing fsync"
)
@pytest.mark.parametrize(
    ("code", "runs", "told"),
    [
        (FAILING_DISK, 1, ["['unknown', 'stored', 'stored']"]),
        (KILLED_IN_DOUBT, 2, ["unknown", "stored", "3 True"]),
    ],
    ids=["alive", "killed"],
)
def test_a_failing_fsync(tmp_path, code, runs, told):
    """Unknown; what is found again was written anew, to the file itself, before that is said."""
    (tmp_path / "shim.c").write_text(SHIM)
    shim, store = tmp_path / "shim.so", tmp_path / "store"
    store.mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, tmp_path / "shim.c", "-ldl"], check=True)
    environment = os.environ | {"LD_PRELOAD": str(shim), "FAILING": str(tmp_path / "failing")}
    heard_ = ""
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", code, store],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        heard_ += done.stdout
    if "unknown" not in heard_:
        pytest.skip("SQLite is linked statically here: its calls cannot be made to fail")
    assert heard_.splitlines() == told


@pytest.fixture
async def stored(path: Path) -> list[Tape]:
    """A closed store with something of everything, on many pages."""
    async with SqliteStore(path, durability="normal") as store:
        tape = await made(store, *(f"{n} " + "x" * 500 for n in range(100)))
        tape = await grown(store, tape, "y" * 50_000, checkpoint=b"{}", documents={"d": b"{}"})
        await store.post(tape.id, "hello")
        return [tape, await forked(store, tape, 50, *("z" * 300 for _ in range(50)))]


def noise(count: int, seed: int) -> bytes:
    return random.Random(seed).randbytes(count)


REFUSED = {
    "noise": lambda data: noise(len(data), 1),
    "noise at the start": lambda data: noise(100, 2) + data[100:],
    "text": lambda data: b"This is a text, and no store.\n" * 400,
    "short text": lambda data: b"x",
    "cut within the first page": lambda data: data[:1000],
    "another magic": lambda data: b"SQLite format 4\0" + data[16:],
}


async def test_a_folder_that_is_not_synced_leaves_the_outcome_open(sqlite, monkeypatch):
    """SQLite syncs it too, when it makes its log, and does not say whether that failed."""
    failing = [errno.EIO]

    def synced(fd):
        if failing:
            raise OSError(failing.pop(), "the disk failed")

    monkeypatch.setattr(_sqlite_file.os, "fsync", synced)
    tape = Tape.new()
    assert await sqlite.append(creation_of(tape)) is Answer.UNKNOWN
    assert await sqlite.append(creation_of(tape)) is Answer.STORED
    await same(sqlite, tape)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EINVAL, errno.ENOTSUP])
async def test_a_system_that_syncs_no_folders_can_be_written_to(sqlite, monkeypatch, code):
    def refused(fd):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(_sqlite_file.os, "fsync", refused)
    tape = await made(sqlite)
    await same(sqlite, await grown(sqlite, tape, "on"))


@pytest.mark.parametrize("damage", REFUSED.values(), ids=REFUSED)
async def test_what_is_no_store_is_refused_and_left_alone(path, stored, damage):
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    async with SqliteStore(path) as store:
        for work in (store.tapes(), store.open(stored[0].id), made(store), store.acquire("x")):
            with pytest.raises(StoreCorruptError, match=path.name):
                await work
    assert path.read_bytes() == before
    assert {part.name for part in path.parent.iterdir()} <= {path.name, f"{path.name}.lock"}


async def test_a_cut_file_is_noticed(path, stored):
    data = path.read_bytes()
    for length in range(8192, len(data) - 8192, 16384):
        path.write_bytes(data[:length])
        async with SqliteStore(path) as store:
            with pytest.raises(StoreError):
                await looked_at(store)
        assert path.read_bytes() == data[:length]


async def looked_at(store: SqliteStore) -> None:
    for info in await store.tapes():
        (await store.open(info.id)).verify()


async def attempt(work: Awaitable[Any]) -> Any:
    """The answer, or None for an error of ours."""
    try:
        return await work
    except PlayheadError:
        return None


@pytest.mark.parametrize("seed", range(30))
async def test_damage_gives_our_errors_only(path, stored, seed):
    """Wherever it is; what can still be read is right, or known to be wrong."""
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 3, 30])):
        at = chance.randrange(100, len(data) - 400)
        size = chance.choice([1, 8, 400])
        data[at : at + size] = chance.randbytes(size)
    path.write_bytes(data)
    heads = {tape.id: tape.head for tape in stored}

    async with SqliteStore(path, durability="normal") as store:
        await attempt(store.tapes())
        await attempt(store.find(stored[1].id[-12:]))
        await attempt(store.document("d"))
        await attempt(store.inbox(stored[0].id))
        for tape in stored:
            await attempt(store.blob(tape.id, "a" * 64))
            there = await attempt(store.open(tape.id))
            if there is None:
                continue
            try:
                there.verify(heads=[f"{tape.id}:{len(tape)}:{heads[tape.id]}"])
            except PlayheadError:
                continue
            assert [step.data for step in there] == [step.data for step in tape]
        assert path.read_bytes() == data
        for tape in stored:
            await attempt(store.append(batch_of(tape, tape.seal([said("x")]))))
            await attempt(store.erase(tape.id, [len(tape) - 1]))
        await attempt(made(store))


async def test_a_store_of_a_newer_playhead_is_left_alone(path, stored):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    before = path.read_bytes()
    async with SqliteStore(path) as store:
        for work in (store.tapes(), made(store)):
            with pytest.raises(StoreVersionError, match="newer Playhead"):
                await work
    assert path.read_bytes() == before


FOREIGN = {
    "plain": "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')",
    "with an application id": "PRAGMA application_id = 1; CREATE TABLE t (a)",
    "empty with an application id": "PRAGMA application_id = 252006673; PRAGMA user_version = 3",
    "empty with a version": "PRAGMA user_version = 5",
    "with tables of our names": "CREATE TABLE tapes (a); CREATE TABLE steps (b)",
    "in WAL mode": "PRAGMA journal_mode = WAL; CREATE TABLE notes (text)",
}


@pytest.mark.parametrize("script", FOREIGN.values(), ids=FOREIGN)
async def test_a_file_of_another_program_is_left_alone(path, script):
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    before = path.read_bytes()
    async with SqliteStore(path) as store:
        for work in (store.tapes(), made(store)):
            with pytest.raises(StoreCorruptError, match="no Playhead store"):
                await work
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t BEFORE INSERT ON steps BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW v AS SELECT * FROM steps",
    ],
)
async def test_a_store_with_a_will_of_its_own_is_refused(path, stored, statement):
    """A trigger could drop what was acknowledged."""
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    async with SqliteStore(path) as store:
        for work in (store.tapes(), made(store)):
            with pytest.raises(StoreCorruptError, match="triggers"):
                await work


async def test_a_locked_file_is_said_to_be_locked(sqlite, path, monkeypatch):
    tape = await made(sqlite)
    batch = batch_of(tape, tape.seal([said("one")]))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(_write_access, "_PATIENCE", 0)
    with pytest.raises(StoreError, match="locked"):
        await sqlite.append(batch)
    other.execute("ROLLBACK")
    other.close()
    assert await sqlite.append(batch) is Answer.STORED


# --- a reader beside who makes the file ----------------------------------------------------------


def test_a_store_that_is_just_being_made_is_empty_or_there_never_strange(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    sqlite3.connect(path).execute("PRAGMA journal_mode = WAL").connection.close()
    reader = sqlite3.connect(path, isolation_level=None)
    made: list[sqlite3.Connection] = []

    def make(statement: str) -> None:
        if "user_version" in statement and not made:
            made.append(_sqlite_file.connect_writer(path, "full"))

    reader.set_trace_callback(make)
    assert not _sqlite_file.check_schema(reader, path)
    assert made
    assert _sqlite_file.check_schema(reader, path)
    reader.close()
    made[0].close()


def test_a_log_that_appears_while_a_reader_looks_is_no_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    path.touch()
    size_of = _sqlite_file.size_of

    def appears(file: Path) -> int:
        size = size_of(file)
        if not path.stat().st_size:  # right after the first look, the store is made
            path.write_bytes(bytes(8192))
            _sqlite_file.wal_of(path).write_bytes(bytes(100))
        return size

    monkeypatch.setattr(_sqlite_file, "size_of", appears)
    _sqlite_file._refuse_remains(path)
