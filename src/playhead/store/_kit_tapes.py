"""The conformance kit: tapes, documents, blobs, lists, erasure."""

from __future__ import annotations

from playhead.errors import StoreError, TapeNotFoundError
from playhead.store._kit import (
    GARBAGE,
    Kit,
    batch_of,
    creation_of,
    grown,
    made,
    refused,
    said,
    same,
    text_of,
)
from playhead.store._protocol import Answer, Batch, Blob, Store
from playhead.tape import Step, Tape


class TapeTests(Kit):
    """What is appended is there, once, in order, and unchanged."""

    async def test_a_new_tape_is_created_and_opened(self, store: Store) -> None:
        """The header entry alone makes a tape."""
        tape = await made(store)
        await same(store, tape)
        assert (await store.open(tape.id)).status == "new"

    async def test_appended_steps_come_back(self, store: Store) -> None:
        """Several batches, of one step and of many."""
        tape = await made(store, "one")
        tape = await grown(store, tape, "two", "three", "four")
        tape = await grown(store, tape, "\U0001f9ff \u0000 \u2028 ' \" \\")
        await same(store, tape)
        assert [text_of(step) for step in (await store.open(tape.id))[1:4]] == [
            "one", "two", "three",
        ]  # fmt: skip

    async def test_a_tape_may_be_created_with_its_first_steps(self, store: Store) -> None:
        """Header entry and messages in one batch."""
        tape = Tape.new()
        tape = tape.append(said("one"), said("two"))
        assert await store.append(creation_of(tape)) is Answer.STORED
        await same(store, tape)

    async def test_a_long_tape_can_be_read_anywhere(self, store: Store) -> None:
        """Positions, slices and the end, across what a store may page."""
        tape = await made(store)
        for first in range(0, 700, 100):
            tape = await grown(store, tape, *(str(n) for n in range(first, first + 100)))
        there = await store.open(tape.id)
        assert text_of(there[-1]) == "699"
        assert text_of(there[1]) == "0"
        assert [text_of(step) for step in there[250:260]] == [str(n) for n in range(249, 259)]
        await same(store, tape)

    async def test_an_opened_tape_goes_on(self, store: Store) -> None:
        """It is the tip: what is appended to it can be stored."""
        tape = await made(store, "one")
        there = await grown(store, await store.open(tape.id), "two")
        await same(store, there)

    async def test_an_opened_tape_is_a_value(self, store: Store) -> None:
        """It does not grow when others append."""
        tape = await made(store, "one")
        before = await store.open(tape.id)
        await grown(store, tape, "two")
        assert len(before) == 2
        assert [step.seq for step in before] == [0, 1]

    async def test_entries_of_unknown_kinds_are_kept(self, store: Store) -> None:
        """What this process cannot read is stored as it is."""
        tape = await made(store)
        known = tape.seal([said("one")])[0]
        header = known.header.replace(b'"playhead.user_message"', b'"nobody.knows_this"')
        step = Step.load(header, known.salt, known.data)
        assert await store.append(Batch(tape.id, 1, [step])) is Answer.STORED
        there = await store.open(tape.id)
        assert (there[1].header, there[1].data) == (header, known.data)
        there.verify()

    async def test_a_large_body_comes_back(self, store: Store) -> None:
        """Ten million bytes."""
        tape = await made(store, "x" * 10_000_000, "after it")
        await same(store, tape)

    async def test_another_length_is_a_conflict(self, store: Store) -> None:
        """Too short or too long: nothing is written."""
        tape = await made(store, "one", "two")
        short = Tape.of(tape[:2]).append(said("other"))
        assert await store.append(Batch(tape.id, 2, short[2:])) is Answer.CONFLICT
        ahead = tape.append(said("not stored"))
        steps = ahead.seal([said("too far")])
        assert await store.append(batch_of(ahead, steps)) is Answer.CONFLICT
        await same(store, Tape.of(tape[:]))

    async def test_another_head_is_a_conflict(self, store: Store) -> None:
        """The right length, but on another chain."""
        tape = await made(store)
        other = Tape.of(tape[:]).append(said("never stored"))
        tape = await grown(store, tape, "stored")
        steps = other.seal([said("on the other chain")])
        assert await store.append(batch_of(other, steps)) is Answer.CONFLICT
        await same(store, tape)

    async def test_a_repeated_batch_is_stored_once(self, store: Store) -> None:
        """At once, and after more was appended; also the one that created the tape."""
        tape = Tape.new()
        creation = creation_of(tape)
        steps = tape.seal([said("one"), said("two")])
        batch = batch_of(tape, steps)
        for again in (creation, creation, batch, batch, creation):
            assert await store.append(again) is Answer.STORED
        tape = await grown(store, tape.extend(steps), "three")
        for again in (creation, batch):
            assert await store.append(again) is Answer.STORED
        await same(store, tape)

    async def test_a_batch_that_is_stored_in_part_is_a_conflict(self, store: Store) -> None:
        """Only the very same ids are a repetition."""
        tape = await made(store)
        steps = tape.seal([said("one"), said("two")])
        assert await store.append(batch_of(tape, steps[:1])) is Answer.STORED
        assert await store.append(batch_of(tape, steps)) is Answer.CONFLICT
        await same(store, tape.extend(steps[:1]))

    async def test_a_batch_is_all_or_nothing(self, store: Store) -> None:
        """What belongs to a batch that is not stored is not stored either."""
        tape = await made(store, "one")
        number = await store.post(tape.id, "hello")
        short = Tape.of(tape[:1]).append(said("other"))
        batch = Batch(
            tape.id,
            1,
            short[1:],
            blobs={"a" * 64: Blob(b"x")},
            documents={"sha256:none": b"{}"},
            inbox=[number],
        )
        assert await store.append(batch) is Answer.CONFLICT
        assert await store.blob(tape.id, "a" * 64) is None
        assert await store.document("sha256:none") is None
        assert [message.id for message in await store.inbox(tape.id)] == [number]

    async def test_steps_sealed_elsewhere_are_refused(self, store: Store) -> None:
        """The store guards the chain, whatever it is given."""
        tape = await made(store, "one")
        other = await made(store, "other")
        steps = tape.seal([said("two"), said("three")])
        bad = [
            Batch(tape.id, 2, []),
            Batch(tape.id, 2, steps[1:]),
            Batch(tape.id, 2, steps[::-1]),
            Batch(tape.id, 2, [steps[0], steps[0]]),
            Batch(tape.id, 3, steps),
            Batch(tape.id, -1, steps),
            Batch(tape.id, 2, other.seal([said("two")])),
            Batch(other.id, 2, steps),
            Batch(tape.id, 2, tape.fork()[2:]),
        ]
        for batch in bad:
            with refused(StoreError):
                await store.append(batch)
        await same(store, tape)
        await same(store, other)

    async def test_steps_of_a_tape_that_is_not_there_are_refused(self, store: Store) -> None:
        """Only a header entry makes a tape."""
        tape = Tape.new()
        with refused(TapeNotFoundError):
            await store.append(batch_of(tape, tape.seal([said("one")])))
        with refused(TapeNotFoundError):
            await store.open(tape.id)

    async def test_names_of_nothing_are_errors(self, store: Store) -> None:
        """Also where nothing was stored yet, and never by pattern or injection."""
        for _ in range(2):
            for name in GARBAGE:
                with refused(TapeNotFoundError):
                    await store.open(name)
                with refused(TapeNotFoundError):
                    await store.find(name)
                with refused(TapeNotFoundError):
                    await store.blob(name, name)
                with refused(TapeNotFoundError):
                    await store.erase(name, [1])
                with refused(TapeNotFoundError):
                    await store.post(name, "x")
                with refused(TapeNotFoundError):
                    await store.tapes(before=name)
                assert await store.document(name) is None
                assert await store.inbox(name) == []
            await made(store, "one")
        tape = await made(store, "one")
        for name in GARBAGE:
            assert await store.blob(tape.id, name) is None
        await same(store, tape)
