"""The tape of an evaluation: written by one process, and read to go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from playhead.errors import ConflictError, TapeOwnedError, UnknownOutcomeError
from playhead.evaluate._results import EvaluationResult, Results
from playhead.store import Answer, Batch, Lease, Store
from playhead.tape import Draft, Json, Tape, canonical, loads_strict
from playhead.tape.annotations import Evaluation

_TRIES = 3  # of an append whose outcome is unknown


class Record:
    """The evaluation's tape while it is written. Whoever writes it holds its lease."""

    def __init__(self, store: Store, tape: Tape, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._writing = asyncio.Lock()
        self._waiting: list[Draft] = []
        self._failed: Exception | None = None
        self._results = Results()
        self._results.take(tape)
        self.tape = tape

    @classmethod
    async def begin(
        cls, store: Store, about: Evaluation, document: Json, *, tape: str | None = None
    ) -> Record:
        """The tape of a new evaluation.

        Args:
            store: Where it goes.
            about: What is run.
            document: What the suite consists of.
            tape: Its id, if that was minted before.
        """
        fresh = Tape.new(tape)
        record = cls(store, fresh, await store.acquire(fresh.id))
        steps = fresh.seal([about])
        batch = Batch(
            fresh.id,
            0,
            [fresh[0], *steps],
            lease=record._lease,
            documents={about.document: canonical(document)},
        )
        await record._store_all(batch)
        record.tape = await store.open(fresh.id)  # from now on, backed by the store
        record._results.take(steps)
        return record

    @classmethod
    async def go_on(cls, store: Store, tape: str) -> Record:
        """The tape of an evaluation that was interrupted.

        Raises:
            TapeNotFoundError: There is none.
            TapeOwnedError: The evaluation is running.
        """
        await store.open(tape)
        try:
            lease = await store.acquire(tape)
        except TapeOwnedError as error:
            raise TapeOwnedError(f"evaluation `{tape}` is running: {error}", tape=tape) from None
        return cls(store, await store.open(tape), lease)

    async def document(self, name: str) -> Json:
        """What the suite consisted of; None if that is not there."""
        content = await self._store.document(name)
        return loads_strict(content) if content is not None else None

    async def append(self, drafts: Sequence[Draft]) -> None:
        """Store steps, all or none; what is asked for meanwhile goes with the next ones.

        Raises:
            ConflictError, LostLeaseError: Somebody else wrote to the tape.
            UnknownOutcomeError: The disk failed again and again.
            StoreError: Nothing was stored.
        """
        self._waiting += drafts
        await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        async with self._writing:
            if self._failed is not None:
                raise self._failed
            drafts, self._waiting = self._waiting, []
            if not drafts:
                return  # they went with somebody else's
            try:
                steps = self.tape.seal(drafts)
                await self._store_all(Batch(self.tape.id, len(self.tape), steps, lease=self._lease))
            except Exception as error:
                self._failed = error
                raise
            self.tape = self.tape.extend(steps)
            self._results.take(steps)

    def result(self) -> EvaluationResult:
        """What the tape says.

        Raises:
            EvaluationError: It is no evaluation's tape.
        """
        return self._results.of(self.tape)

    async def _store_all(self, batch: Batch) -> None:
        for _ in range(_TRIES):
            answer = await self._store.append(batch)
            if answer is Answer.STORED:
                return
            if answer is Answer.CONFLICT:
                raise ConflictError(
                    f"somebody else wrote to evaluation `{batch.tape}`: look at it, then resume it",
                    tape=batch.tape,
                )
        raise UnknownOutcomeError(
            f"the disk failed {_TRIES} times while evaluation `{batch.tape}` was written: check "
            "it, then resume the evaluation",
            tape=batch.tape,
        )

    async def close(self) -> None:
        """Finish what is being written, and give the tape back."""
        async with self._writing:
            await self._store.release(self._lease)
