"""The conformance kit: forks."""

from __future__ import annotations

from playhead.errors import StoreError, TapeNotFoundError
from playhead.store._kit import (
    Kit,
    batch_of,
    called,
    creation_of,
    forked,
    grown,
    made,
    refused,
    said,
    same,
    text_of,
)
from playhead.store._protocol import Answer, Batch, Store
from playhead.tape import Tape


class ForkTests(Kit):
    """Children read what they share, and nothing that came later."""

    async def test_a_child_shares_a_prefix(self, store: Store) -> None:
        """And goes its own way."""
        tape = await made(store, "one", "two", "three")
        child = await forked(store, tape, 3, "other")
        await same(store, child)
        assert (await store.open(child.id)).parent == child.parent
        assert [text_of((await store.open(child.id))[n]) for n in (1, 2, 4)] == [
            "one", "two", "other",
        ]  # fmt: skip

    async def test_a_parent_that_goes_on_does_not_change_its_child(self, store: Store) -> None:
        """Nor the child its parent."""
        tape = await made(store, "one", "two")
        child = await forked(store, tape, 3)
        tape = await grown(store, tape, "the parent's")
        child = await grown(store, child, "the child's")
        tape = await grown(store, tape, "the parent's")
        await same(store, tape)
        await same(store, child)

    async def test_forks_of_forks(self, store: Store) -> None:
        """At the end, at the header, within the parent's part, and within a grandparent's."""
        tape = await made(store, "one", "two", "three")
        child = await forked(store, tape, 3, "four", "five")
        for at in range(1, len(child) + 1):
            grandchild = await forked(store, child, at, "six")
            await same(store, grandchild)
            for again in range(1, len(grandchild) + 1):
                await same(store, await forked(store, grandchild, again, "seven"))
        await same(store, tape)
        await same(store, child)

    async def test_forks_of_what_was_opened(self, store: Store) -> None:
        """The same, from tapes that the store gave."""
        tape = await made(store, "one", "two", "three")
        child = await forked(store, await store.open(tape.id), 3, "four")
        for at in range(1, 6):
            grandchild = await forked(store, await store.open(child.id), at, "five")
            await same(store, grandchild)

    async def test_a_long_line_of_forks(self, store: Store) -> None:
        """Deeper than a language's stack may be."""
        tape = await made(store, "one")
        lines = [creation_of(tape := tape.fork()) for _ in range(1100)]
        for batch in lines:
            assert await store.append(batch) is Answer.STORED
        there = await store.open(tape.id)
        assert len(there) == 1102
        there.verify()

    async def test_pages_of_a_fork(self, store: Store) -> None:
        """Forks that do not begin where a page does."""
        tape = await made(store, *(str(n) for n in range(600)))
        child = await forked(store, tape, 300, *(str(n) for n in range(400)))
        grandchild = await forked(store, child, 270, *(str(n) for n in range(300)))
        await same(store, child)
        await same(store, grandchild)
        there = await store.open(child.id)
        assert [text_of(step) for step in there[295:300]] == ["294", "295", "296", "297", "298"]
        assert text_of(there[301]) == "0"

    async def test_what_is_shared_must_be_there(self, store: Store) -> None:
        """A parent that is unknown, shorter here, or another one."""
        unknown = Tape.new().append(said("one"))
        with refused(TapeNotFoundError):
            await store.append(creation_of(unknown.fork()))
        tape = await made(store, "one")
        ahead = Tape.of(tape[:]).append(said("not stored"), said("not stored"))
        with refused(StoreError):
            await store.append(creation_of(ahead.fork()))
        other = Tape.of(tape[:1]).append(said("another one"))
        with refused(StoreError):
            await store.append(creation_of(other.fork()))
        with refused(TapeNotFoundError):
            await store.open(other.fork().id)
        assert len(await store.tapes()) == 1

    async def test_a_header_stands_where_it_says(self, store: Store) -> None:
        """A root begins at 0, with nothing before it."""
        tape = await made(store, "one")
        child = tape.fork()
        with refused(StoreError):
            await store.append(Batch(child.id, 0, [child[2]]))
        root = Tape.new()
        with refused(StoreError):
            await store.append(Batch(root.id, 1, [root[0]]))
        await same(store, tape)

    async def test_creating_a_fork_again_is_harmless(self, store: Store) -> None:
        """Also when both have grown since."""
        tape = await made(store, "one")
        child = tape.fork()
        creation = creation_of(child)
        assert await store.append(creation) is Answer.STORED
        child = await grown(store, child, "two")
        await grown(store, tape, "three")
        assert await store.append(creation) is Answer.STORED
        await same(store, child)

    async def test_a_child_cannot_write_to_its_parent(self, store: Store) -> None:
        """Its expected length may lie within the shared part: a conflict."""
        tape = await made(store, "one", "two")
        child = await forked(store, tape, 3)
        steps = Tape.of(tape[:2]).seal([said("x")])
        with refused(StoreError):
            await store.append(Batch(child.id, 2, steps))
        assert await store.append(batch_of(tape, tape.seal([said("y")]))) is Answer.STORED
        await same(store, child)

    async def test_kept_messages_are_found_through_forks(self, store: Store) -> None:
        """The literal table of each tape, without reading all of it, whatever others keep."""
        tape = await made(store)
        for number in range(4):  # keeps message number - 1
            tape = await called(store, tape, f"{number}", *([(number, 0)] if number else []))
        child = await forked(store, tape, 3)  # 1 message kept
        child = await called(store, child, "child", (1, 0))
        child = await called(store, child, "child", (4, 0))
        tape = await called(store, tape, "parent", (4, 0))
        within = await forked(store, child, 4)  # the child's header is shared
        within = await called(store, within, "within", (2, 0), (2, 0))
        early = await forked(store, child, 3)  # within the grandparent's part
        early = await called(store, early, "early", (1, 0), (1, 0))
        expected = {
            tape: [(1, 0), (2, 0), (3, 0), (4, 0)],
            child: [(1, 0), (1, 0), (4, 0)],
            within: [(1, 0), (2, 0), (2, 0)],
            early: [(1, 0), (1, 0), (1, 0)],
        }
        for value, table in expected.items():
            there = await store.open(value.id)
            assert there.fold().literals == len(table)
            assert [there.literal(at) for at in range(len(table))] == table
            await same(store, value)
