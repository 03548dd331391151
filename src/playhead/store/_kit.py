"""What the parts of the conformance kit share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any
from unittest import SkipTest

from playhead.errors import PlayheadError
from playhead.store._protocol import Answer, Batch, Blob, Lease, Store
from playhead.tape import By, Draft, Step, Tape, text_parts, user
from playhead.tape.kinds import Literally, ModelCall, PromptRecord, UserMessage

GARBAGE = (
    "", " ", "x", "%", "_", "*", "' OR 1=1 --", "\";DROP TABLE steps;--", "../../etc/passwd",
    "\0", "a\0b", "é", "\U0001f9ff", "\ud800", "0" * 31, "0" * 32, "g" * 32, "z" * 100_000,
)  # fmt: skip


class Kit:
    """What the test methods may ask of the store under test; override what your store can do."""

    async def second(self, store: Store) -> Store:
        """Another store object on the same data, as another process would have; closed by the kit.

        Raises:
            SkipTest: The store's data is its own.
        """
        raise SkipTest("override `second` to test what two processes see")

    async def abandon(self, store: Store, lease: Lease) -> None:
        """Make it so that the owner of a lease looks gone, without releasing it.

        Raises:
            SkipTest: This cannot be done.
        """
        raise SkipTest("override `abandon` to test that a lease is taken over")

    @contextlib.asynccontextmanager
    async def both(self, store: Store) -> AsyncIterator[Store]:
        """The second store, for a while."""
        other = await self.second(store)
        try:
            yield other
        finally:
            await other.close()


@contextlib.contextmanager
def refused(*errors: type[PlayheadError]) -> Iterator[None]:
    """Make sure that the block raises one of these errors.

    Raises:
        AssertionError: It did not.
    """
    try:
        yield
    except errors:
        return
    names = ", ".join(error.__name__ for error in errors)
    raise AssertionError(f"this was to raise {names}")


def said(text: str) -> Draft:
    """A person's message."""
    return Draft(UserMessage(parts=text_parts(text)), by=By("person"))


def text_of(step: Step) -> str:
    """What a message says."""
    body = step.body
    assert isinstance(body, UserMessage)
    return body.text


def batch_of(
    tape: Tape,
    steps: Sequence[Step],
    *,
    lease: Lease | None = None,
    blobs: Mapping[str, Blob] | None = None,
    **rest: Any,  # noqa: ANN401
) -> Batch:
    """Steps sealed on a tape, as a batch."""
    return Batch(tape.id, len(tape), steps, lease=lease, blobs=blobs or {}, **rest)


def creation_of(tape: Tape, **rest: Any) -> Batch:  # noqa: ANN401
    """The batch that stores what a new tape, or a new fork, has of its own."""
    own = tape[tape.start :]
    return Batch(tape.id, tape.start, own, **rest)


async def made(store: Store, *texts: str) -> Tape:
    """A new tape of the store, with messages."""
    tape = Tape.new()
    assert await store.append(creation_of(tape)) is Answer.STORED
    return await grown(store, tape, *texts) if texts else tape


async def forked(store: Store, tape: Tape, at: int, *texts: str) -> Tape:
    """A new fork in the store, with messages."""
    child = tape.fork(at)
    assert await store.append(creation_of(child)) is Answer.STORED
    return await grown(store, child, *texts) if texts else child


async def grown(store: Store, tape: Tape, *texts: str, **rest: Any) -> Tape:  # noqa: ANN401
    """The tape with messages added, here and in the store."""
    steps = tape.seal([said(text) for text in texts])
    assert await store.append(batch_of(tape, steps, **rest)) is Answer.STORED
    return tape.extend(steps)


async def called(store: Store, tape: Tape, text: str, *keep: tuple[int, int]) -> Tape:
    """The tape with a model call that says one message and keeps others; with a checkpoint."""
    first = tape.fold().literals
    places = tuple((first + number, *where) for number, where in enumerate(keep))
    prompt = PromptRecord(items=(Literally(m=user(text)),), keep=places)
    call = ModelCall(model="m", provider="p", prompt=prompt, status="failed")
    steps = tape.seal([Draft(call)])
    longer = tape.extend(steps)
    batch = Batch(
        tape.id,
        len(tape),
        steps,
        literals=places,
        checkpoint=longer.fold().checkpoint(),
    )
    assert await store.append(batch) is Answer.STORED
    return longer


def bytes_of(tape: Tape) -> list[tuple[bytes, bytes | None, bytes | None]]:
    """All that a tape holds."""
    return [(step.header, step.salt, step.data) for step in tape]


async def same(store: Store, tape: Tape) -> None:
    """Make sure that the store gives back exactly this tape.

    Raises:
        AssertionError, VerificationError: It does not.
    """
    there = await store.open(tape.id)
    assert there.id == tape.id
    assert len(there) == len(tape)
    assert bytes_of(there) == bytes_of(tape)
    there.verify(heads=[f"{tape.id}:{len(tape)}:{tape.head}"])
