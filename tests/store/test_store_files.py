"""Tapes out of a store into files, and back."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from playhead.errors import ConflictError, TapeOwnedError, VerificationError
from playhead.store import (
    Batch,
    Blob,
    MemoryStore,
    SqliteStore,
    Store,
    export_tape,
    import_tape,
)
from playhead.store._kit import batch_of, called, creation_of, forked, grown, made, said, same
from playhead.tape import BlobPart, By, Draft, Tape, blob_address, canonical, digest, read_tape
from playhead.tape.kinds import AssistantMessage, UserMessage

GOLDEN = sorted((Path(__file__).resolve().parents[1] / "format" / "golden").glob("*.jsonl"))


@pytest.fixture(params=["memory", "sqlite"])
async def other(request: pytest.FixtureRequest, tmp_path: Path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "other.db")
    yield store
    await store.close()


async def exported(store: Store, tape: Tape | str) -> bytes:
    name = tape if isinstance(tape, str) else tape.id
    return b"".join([line async for line in export_tape(store, name)])


async def rich_family(store: Store) -> list[Tape]:
    """A tape with a literal table, a document and a blob, a fork, and a fork within the shared."""
    tape = await called(store, await made(store, "one"), "kept", (2, 0))
    content = os.urandom(100_000)
    address = blob_address(tape.header.blob_key, content)
    part = BlobPart(media_type="image/png", size=len(content), address=address, preview="")
    document = {"instructions": "Be brief."}
    by = By("agent", name="a", node="n", config=digest(document))
    steps = tape.seal([UserMessage(parts=(part,)), Draft(AssistantMessage(parts=()), by=by)])
    batch = batch_of(
        tape,
        steps,
        blobs={address: Blob(content, "image/png")},
        documents={digest(document): canonical(document)},
    )
    await store.append(batch)
    tape = await grown(store, tape.extend(steps), "after", "the", "fork")
    child = await forked(store, tape, 5, *(f"c{n}" for n in range(600)))
    early = await forked(store, child, 2, "e")
    return [tape, child, early]


async def test_a_family_goes_through_files_in_any_order(sqlite, other):
    tapes = await rich_family(sqlite)
    chance = random.Random(3)
    files = {tape.id: await exported(sqlite, tape) for tape in tapes}
    order = [tape for tape in tapes for _ in range(2)]
    chance.shuffle(order)
    for tape in order:
        done = await import_tape(other, io.BytesIO(files[tape.id]))
        assert (done.tape, done.length) == (tape.id, len(tape))
        await same(other, tape)
    for tape in tapes:
        assert await exported(other, tape) == files[tape.id]
        assert (await import_tape(other, io.BytesIO(files[tape.id]))).stored == 0
    there = await other.open(tapes[1].id)
    assert there.literal(0) == (2, 0)
    assert there.fold().length == len(there)
    (address,) = [part.address for part in there[3].body.parts]
    assert (await other.blob(there.id, address)).media_type == "image/png"
    infos = {info.id: info.parent for info in await other.tapes()}
    assert infos[tapes[1].id] == tapes[0].id
    assert infos[tapes[2].id] == tapes[1].id


async def test_a_fork_alone_brings_what_it_shares(sqlite, other):
    tape = await made(sqlite, "one", "two", "three")
    child = await forked(sqlite, tape, 2, "four")
    done = await import_tape(other, io.BytesIO(await exported(sqlite, child)))
    assert (done.stored, done.parents) == (4, (tape.id,))
    await same(other, child)
    assert len(await other.open(tape.id)) == 2
    done = await import_tape(other, io.BytesIO(await exported(sqlite, tape)))
    assert (done.stored, done.parents) == (2, ())
    await same(other, tape)
    await same(other, child)


async def test_a_removed_parent_is_not_brought_back(sqlite):
    tape = await made(sqlite, "one", "two")
    child = await forked(sqlite, tape, 2, "three")
    await sqlite.remove(tape.id)
    file = await exported(sqlite, child)
    assert (await import_tape(sqlite, io.BytesIO(file))).stored == 0
    assert [info.id for info in await sqlite.tapes()] == [child.id]
    await sqlite.remove(child.id)
    done = await import_tape(sqlite, io.BytesIO(file))
    assert done.parents == (tape.id,)
    await same(sqlite, child)


async def test_a_longer_file_goes_on_and_a_shorter_one_changes_nothing(sqlite, other):
    tape = await made(sqlite, "one", "two")
    short = await exported(sqlite, tape)
    tape = await grown(sqlite, tape, *(str(n) for n in range(700)))
    long = await exported(sqlite, tape)
    told: list[tuple[int, int]] = []
    await import_tape(other, io.BytesIO(short))
    done = await import_tape(
        other, io.BytesIO(long), progress=lambda done, total: told.append((done, total))
    )
    assert done.stored == 700
    assert told[-1] == (700, 700)
    assert len(told) >= 3
    assert (await import_tape(other, io.BytesIO(short))).stored == 0
    await same(other, tape)


async def test_other_steps_under_the_same_id_are_a_conflict(sqlite, other):
    tape = await made(sqlite, "one")
    value = await sqlite.open(tape.id)
    await import_tape(other, io.BytesIO(await exported(sqlite, tape)))
    grown_here = await grown(sqlite, value, "here", "and on")
    there = await grown(other, await other.open(tape.id), "there")
    for text in (await exported(sqlite, grown_here), await exported(sqlite, tape)):
        before = await exported(other, there)
        if len(read_tape(text.splitlines(keepends=True))) > 2:
            with pytest.raises(ConflictError, match="another store"):
                await import_tape(other, io.BytesIO(text))
        assert await exported(other, there) == before
    child = await forked(sqlite, grown_here, 3, "a child of what is in conflict")
    with pytest.raises(ConflictError):
        await import_tape(other, io.BytesIO(await exported(sqlite, child)))
    assert len(await other.tapes()) == 1


async def test_erasure_is_neither_undone_nor_repeated(sqlite, other):
    tape = await made(sqlite, "one", "secret", "three")
    whole = await exported(sqlite, tape)
    await sqlite.erase(tape.id, [2])
    erased = await exported(sqlite, tape)
    assert b"secret" not in erased
    assert (await import_tape(sqlite, io.BytesIO(whole))).stored == 0
    assert (await sqlite.open(tape.id))[2].erased
    await import_tape(other, io.BytesIO(erased))
    there = await other.open(tape.id)
    assert [step.erased for step in there] == [False, False, True, False]
    there.verify()


async def test_a_file_that_does_not_verify_changes_nothing(sqlite, other):
    tape = await made(sqlite, "one", "two")
    text = await exported(sqlite, tape)
    lines = text.splitlines(keepends=True)
    for bad in (b"", lines[0], b"".join(lines[:-1]), text.replace(b"two", b"too"), text + b"{}\n"):
        with pytest.raises(VerificationError):
            await import_tape(other, io.BytesIO(bad))
    assert await other.tapes() == []


async def test_a_line_beyond_the_limit_is_refused(other, monkeypatch):
    tape = await made(other, "one", "x" * 9000)
    file = await exported(other, tape)
    await other.remove(tape.id)
    monkeypatch.setattr("playhead.tape._file.LINE_LIMIT", 5000)
    monkeypatch.setattr("playhead.store._import.LINE_LIMIT", 5000)
    with pytest.raises(VerificationError, match="line 4: more than 5,000 bytes"):
        await import_tape(other, io.BytesIO(file))
    assert await other.tapes() == []


async def test_an_owned_tape_is_not_imported_into(sqlite, other):
    tape = await made(sqlite, "one")
    await import_tape(other, io.BytesIO(await exported(sqlite, tape)))
    await other.acquire(tape.id)
    tape = await grown(sqlite, tape, "two")
    with pytest.raises(TapeOwnedError):
        await import_tape(other, io.BytesIO(await exported(sqlite, tape)))


async def test_an_import_that_was_broken_off_is_finished_by_the_next(sqlite, other):
    tape = await made(sqlite, *(str(n) for n in range(900)))
    file = io.BytesIO(await exported(sqlite, tape))

    def stop(done: int, total: int) -> None:
        if done > 400:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_tape(other, file, progress=stop)
    there = await other.open(tape.id)
    assert 400 < len(there) < len(tape)
    there.verify()
    assert (await import_tape(other, file)).stored == len(tape) - len(there)
    await same(other, tape)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
async def test_every_good_file_goes_in_and_comes_out(path, other):
    with path.open("rb") as file:
        await import_tape(other, file)
    there = read_tape(path.read_bytes().splitlines(keepends=True))
    lines = (await exported(other, there.id)).splitlines(keepends=True)
    assert read_tape(lines)[:] == there[:]


async def test_steps_of_unknown_kinds_go_through(sqlite, other):
    tape = Tape.new().append(said("one"))
    await sqlite.append(creation_of(tape))
    await sqlite.append(Batch(tape.id, 2, tape.seal([said("two")])))
    done = await import_tape(other, io.BytesIO(await exported(sqlite, tape)))
    assert done.stored == 3
