"""A store in memory: for tests and throw-away sessions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from playhead.errors import LostLeaseError, StoreError, TapeNotFoundError, TapeOwnedError
from playhead.store._owner import new_owner
from playhead.store._protocol import Answer, Batch, Blob, InboxMessage, Lease, TapeInfo
from playhead.tape import Fold, Json, Log, Step, Tape, utc_now
from playhead.tape.kinds import TapeHeader


@dataclass
class _Stored:
    """One tape: its own segment."""

    start: int
    parent: str | None
    steps: list[Step] = field(default_factory=list)
    blobs: dict[str, Blob] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.start + len(self.steps)


@dataclass
class _Held:
    lease: Lease
    expires: float


class MemoryStore:
    """Keeps tapes for as long as it lives."""

    def __init__(self) -> None:
        self._tapes: dict[str, _Stored] = {}
        self._documents: dict[str, bytes] = {}
        self._leases: dict[str, _Held] = {}
        self._epochs: dict[str, int] = {}
        self._inbox: list[InboxMessage] = []
        self._posted = 0

    async def append(self, batch: Batch) -> Answer:
        """See `Store.append`."""
        self._check_lease(batch)
        stored = self._tapes.get(batch.tape)
        if stored is None:
            stored = self._created(batch)
        if stored.length != batch.expected_length:
            return self._repeated(stored, batch)
        stored.steps.extend(batch.steps)
        stored.blobs.update(batch.blobs)
        self._tapes[batch.tape] = stored
        self._documents.update(batch.documents)
        taken = set(batch.inbox)
        self._inbox = [message for message in self._inbox if message.id not in taken]
        return Answer.STORED

    def _check_lease(self, batch: Batch) -> None:
        held = self._leases.get(batch.tape)
        if batch.lease is not None:
            if held is None or held.lease != batch.lease:
                raise LostLeaseError(f"tape `{batch.tape}` has another owner now: resume it anew")
        elif held is not None and held.expires > time.time():
            raise TapeOwnedError(f"tape `{batch.tape}` is owned: use its inbox, or wait")

    def _created(self, batch: Batch) -> _Stored:
        first = batch.steps[0] if batch.steps else None
        if first is None or first.kind != TapeHeader.kind or first.tape != batch.tape:
            raise TapeNotFoundError(f"no tape `{batch.tape}` in this store")
        body = first.body
        assert isinstance(body, TapeHeader)
        parent = body.parent
        if parent is not None and parent.tape not in self._tapes:
            raise TapeNotFoundError(f"the parent `{parent.tape}` is not in this store")
        return _Stored(start=first.seq, parent=parent.tape if parent else None)

    @staticmethod
    def _repeated(stored: _Stored, batch: Batch) -> Answer:
        first = batch.expected_length - stored.start
        there = stored.steps[first : first + len(batch.steps)] if first >= 0 else []
        same = [step.id for step in there] == [step.id for step in batch.steps]
        return Answer.STORED if same and batch.steps else Answer.CONFLICT

    def _get(self, tape: str) -> _Stored:
        if tape not in self._tapes:
            raise TapeNotFoundError(f"no tape `{tape}` in this store", tape=tape)
        return self._tapes[tape]

    def _log(self, tape: str, length: int | None = None) -> Log:
        stored = self._get(tape)
        length = stored.length if length is None else length
        if length <= stored.start:
            assert stored.parent is not None
            return self._log(stored.parent, length)
        parent = self._log(stored.parent, stored.start) if stored.parent else None
        log = Log(parent=parent, start=stored.start)
        log.extend(stored.start, stored.steps[: length - stored.start])
        return log

    async def open(self, tape: str) -> Tape:
        """See `Store.open`."""
        log = self._log(tape)
        log.fold = Fold()
        return Tape(log, len(log), tape_id=tape)

    async def find(self, prefix: str) -> str:
        """See `Store.find`."""
        found = [i for i in self._tapes if prefix and (i.startswith(prefix) or i.endswith(prefix))]
        if len(found) != 1:
            raise TapeNotFoundError(f"{len(found)} tapes are called `{prefix}…`: give one whole id")
        return found[0]

    async def tapes(self, *, limit: int = 50, before: str | None = None) -> list[TapeInfo]:
        """See `Store.tapes`."""
        ids = list(reversed(self._tapes))
        if before is not None:
            ids = ids[ids.index(before) + 1 :]
        return [self._info(tape) for tape in ids[:limit]]

    def _info(self, tape: str) -> TapeInfo:
        stored = self._tapes[tape]
        last = stored.steps[-1]
        return TapeInfo(
            id=tape,
            length=stored.length,
            head=last.link,
            created=stored.steps[0].time,
            updated=last.time,
            parent=stored.parent,
            start=stored.start,
            last_kind=last.kind,
            bytes=sum(len(step.header) + len(step.data or b"") for step in stored.steps),
        )

    async def document(self, digest: str) -> bytes | None:
        """See `Store.document`."""
        return self._documents.get(digest)

    async def blob(self, tape: str, address: str) -> Blob | None:
        """See `Store.blob`."""
        name: str | None = tape
        while name is not None:
            stored = self._get(name)
            if address in stored.blobs:
                return stored.blobs[address]
            name = stored.parent
        return None

    async def erase(self, tape: str, seqs: Sequence[int]) -> None:
        """See `Store.erase`."""
        stored = self._get(tape)
        for seq in seqs:
            if not stored.start < seq < stored.length:
                raise StoreError(f"step {seq} is not the tape's own, or its header: erase others")
            old = stored.steps[seq - stored.start]
            stored.steps[seq - stored.start] = Step.load(old.header, None, None)

    async def acquire(self, tape: str, *, seconds: float = 30.0) -> Lease:
        """See `Store.acquire`."""
        held = self._leases.get(tape)
        if held is not None and held.expires > time.time():
            raise TapeOwnedError(f"tape `{tape}` is owned by this process already", tape=tape)
        self._epochs[tape] = self._epochs.get(tape, 0) + 1
        lease = Lease(tape, new_owner(), self._epochs[tape])
        self._leases[tape] = _Held(lease, time.time() + seconds)
        return lease

    async def release(self, lease: Lease) -> None:
        """See `Store.release`."""
        held = self._leases.get(lease.tape)
        if held is not None and held.lease == lease:
            del self._leases[lease.tape]

    async def post(self, tape: str, content: Json) -> int:
        """See `Store.post`."""
        self._get(tape)
        self._posted += 1
        self._inbox.append(InboxMessage(self._posted, tape, utc_now(), content))
        return self._posted

    async def inbox(self, tape: str) -> list[InboxMessage]:
        """See `Store.inbox`."""
        return [message for message in self._inbox if message.tape == tape]

    async def close(self) -> None:
        """Nothing to let go of."""
