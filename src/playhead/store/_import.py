"""A tape from a file (docs/format.md, section 10) into a store."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from playhead.errors import BodyError, ConflictError, TapeNotFoundError, UnknownOutcomeError
from playhead.store._export import Progress
from playhead.store._protocol import Answer, Batch, Blob, Lease, Store
from playhead.store._references import references
from playhead.tape import LINE_LIMIT, FileItem, Fold, Step, Tape, scan_tape
from playhead.tape.kinds import ModelCall, TapeHeader

_MANY, _MUCH = 256, 4_000_000  # steps and bytes of a batch
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to.

    Args:
        tape: The tape's id.
        length: How many steps the file has.
        stored: How many steps were stored, those of parents included; 0 if all were there.
        parents: Parents that were made to hold what this tape shares with them.
    """

    tape: str
    length: int
    stored: int
    parents: tuple[str, ...] = ()


@dataclass(slots=True)
class _Part:
    """The steps of a file that one tape wrote.

    Args:
        tape: Its id.
        there: What the store has of it.
        stop: Up to where the file goes.
        write_from: The first step that the store has not.
        common: Position and link, in the file, of the last step that the store has one for.
    """

    tape: str
    there: Tape | None
    stop: int = 0
    write_from: int = 0
    common: tuple[int, str] | None = None


@dataclass(slots=True)
class _Plan:
    """What a verified file holds, and where in it contents stand."""

    parts: list[_Part] = field(default_factory=list)
    places: dict[tuple[str, str], int] = field(default_factory=dict)


async def import_tape(
    store: Store, file: BinaryIO, *, progress: Progress | None = None
) -> Imported:
    """Store the tape that a file holds, with its ids, as it is; a second time it is harmless.

    The file is verified before anything is stored. Of a fork whose parents are not in the store,
    they come to be there as far as the fork shares them. A tape that is there already is gone on
    with, where the file goes on with it; bodies that were erased there stay so.

    Args:
        store: Where it goes.
        file: Opened in binary, able to seek; read twice.
        progress: Told how many steps are stored, and of how many.

    Raises:
        VerificationError: The file does not verify; nothing was stored.
        ConflictError: The store holds other steps under one of the ids; nothing was stored.
        TapeOwnedError: A session is at work on one of the tapes.
    """
    plan = await _planned(store, file)
    own = plan.parts[-1]
    if own.there is not None:  # its lineage is there with it
        for part in plan.parts[:-1]:
            part.write_from = part.stop
    total = sum(part.stop - part.write_from for part in plan.parts)
    if total:
        await _Writing(store, file, plan, total, progress).all()
    made = tuple(p.tape for p in plan.parts[:-1] if p.there is None and p.write_from < p.stop)
    return Imported(own.tape, own.stop, total, made)


async def _planned(store: Store, file: BinaryIO) -> _Plan:
    """Verify the file, and compare it with what the store has."""
    plan, lines = _Plan(), _Lines(file)
    for item in scan_tape(lines):
        if isinstance(item, FileItem):
            plan.places[item.type, item.name] = lines.at
            continue
        if item.kind == TapeHeader.kind:
            plan.parts.append(_Part(item.tape, await _opened(store, item.tape)))
            plan.parts[-1].write_from = item.seq
        part = plan.parts[-1]
        part.stop = item.seq + 1
        if part.there is not None and item.seq < len(part.there):
            part.write_from, part.common = part.stop, (item.seq, item.link)
    for part in plan.parts:
        if part.there is not None:
            _compare(part.there, part.common)
    return plan


def _compare(there: Tape, common: tuple[int, str] | None) -> None:
    """Make sure that the store's tape has this link at a position, and so the same steps before.

    Raises:
        ConflictError: It has not.
    """
    at, link = common or (len(there), "")
    if common is None or there[at].tape != there.id or there[at].link != link:
        raise ConflictError(
            f"tape `{there.id}` is in this store with other steps, at {at} or before: nothing was "
            "imported; import the file into another store (--store) to look at both",
            tape=there.id,
            seq=at,
        )


async def _opened(store: Store, tape: str) -> Tape | None:
    try:
        return await store.open(tape)
    except TapeNotFoundError:
        return None


class _Lines:
    """The lines of a file from its beginning; `at` is where the newest one stands."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.at = 0

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        at = 0
        while line := self._file.readline(LINE_LIMIT + 1):
            self.at, at = at, at + len(line)
            yield line
            self._file.seek(at)  # others may read elsewhere meanwhile


class _Writing:
    """The second reading of a file, which stores what the first one verified."""

    def __init__(
        self, store: Store, file: BinaryIO, plan: _Plan, total: int, progress: Progress | None
    ) -> None:
        self._store, self._file, self._plan = store, file, plan
        self._total, self._progress, self._done = total, progress, 0
        self._fold: Fold | None = Fold()

    async def all(self) -> None:
        """Store what each part lacks, one after the other."""
        steps = self._steps()
        for part in self._plan.parts:
            lease = None
            if part.write_from < part.stop:
                lease = await self._store.acquire(part.tape)
            try:
                await self._part(part, steps, lease)
            finally:
                if lease is not None:
                    await self._store.release(lease)

    def _steps(self) -> Iterator[Step]:
        skipped = set(self._plan.places.values())
        lines = _Lines(self._file)
        for line in lines:
            members = {} if lines.at in skipped or lines.at == 0 else orjson.loads(line)
            if "header" in members:
                body, salt = members["body"], members["salt"]
                yield Step.load(
                    members["header"].encode(),
                    bytes.fromhex(salt) if salt is not None else None,
                    body.encode() if body is not None else None,
                )

    async def _part(self, part: _Part, steps: Iterator[Step], lease: Lease | None) -> None:
        batch: list[Step] = []
        size = 0
        for step in steps:
            self._advance(step)
            if step.seq >= part.write_from:
                batch.append(step)
                size += len(step.data or b"")
            last = step.seq == part.stop - 1
            if batch and (last or len(batch) >= _MANY or size >= _MUCH):
                await self._store_batch(part.tape, batch, lease, last=last)
                batch, size = [], 0
            step.forget_body()
            if last:
                return

    def _advance(self, step: Step) -> None:
        """Keep the state for a checkpoint; a tape that cannot be folded gets none."""
        if self._fold is not None:
            try:
                self._fold.advance(step)
            except BodyError:
                self._fold = None

    async def _store_batch(
        self, tape: str, steps: list[Step], lease: Lease | None, *, last: bool
    ) -> None:
        named = references(steps)
        documents = {d: c for d in named.documents if (c := self._content("document", d))}
        blobs = {
            address: Blob(content, media_type)
            for address, media_type in named.blobs.items()
            if (content := self._content("blob", address)) is not None
        }
        batch = Batch(
            tape,
            steps[0].seq,
            steps,
            lease=lease,
            documents=documents,
            blobs=blobs,
            literals=[place for step in steps for place in _kept(step)],
            checkpoint=self._fold.checkpoint() if last and self._fold is not None else None,
        )
        await self._send(batch)
        self._done += len(steps)
        if self._progress is not None:
            self._progress(self._done, self._total)

    async def _send(self, batch: Batch) -> None:
        for _ in range(_TRIES):
            answer = await self._store.append(batch)
            if answer is Answer.STORED:
                return
            if answer is Answer.CONFLICT:
                raise ConflictError(
                    f"somebody else appended to tape `{batch.tape}` meanwhile: look at it, then "
                    "import again",
                    tape=batch.tape,
                )
        raise UnknownOutcomeError(
            f"the disk failed while tape `{batch.tape}` was stored: import the file again"
        )

    def _content(self, type: str, name: str) -> bytes | None:
        """The content of a document or blob, from where the first reading saw it."""
        place = self._plan.places.get((type, name))
        if place is None:
            return None
        self._file.seek(place)
        line = self._file.readline(LINE_LIMIT)
        content: str = orjson.loads(line)["content"]
        return base64.b64decode(content) if type == "blob" else content.encode()


def _kept(step: Step) -> list[tuple[int, int, int]]:
    """Places of the literal table that a model call fills."""
    if step.kind != ModelCall.kind or not step.known:
        return []
    try:
        body = step.body
    except BodyError:
        return []
    return list(body.prompt.keep) if isinstance(body, ModelCall) else []
