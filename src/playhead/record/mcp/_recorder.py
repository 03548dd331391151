"""Writes what goes by to a tape, beside the traffic: whatever happens here, that goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from playhead.errors import BodyError, PlayheadError, RecordError, TapeError, told
from playhead.record._hider import Hider
from playhead.record.mcp._capture import Capture
from playhead.record.mcp._split import TooLong
from playhead.record.mcp._transcript import Sender, Transcript
from playhead.store import Answer, Batch, Lease, Store
from playhead.tape import Draft, Json, Step, Tape
from playhead.tape.kinds import McpMessage

_TRIES = 3  # of an append whose outcome is unknown
_MOST_WAITING = 256 * 2**20  # bytes that wait for the store before the recording is given up
_AT_ONCE = 256  # messages of one append


@dataclass(frozen=True, slots=True)
class _Said:
    sender: Sender
    raw: bytes | TooLong
    fault: str | None = None

    @property
    def size(self) -> int:
        return len(self.raw) if isinstance(self.raw, bytes) else 0


class Recorder:
    """The tape of one connection. It begins with the first message.

    Args:
        store: Where it goes.
        capture: How it is recorded.
        hider: Takes values out.
        server: What may be told of the server.
        tell: Is told faults of the recording, in a sentence.
    """

    def __init__(
        self,
        store: Store,
        capture: Capture,
        hider: Hider,
        server: dict[str, Json],
        *,
        tell: Callable[[str], None],
    ) -> None:
        self._store, self._tell = store, tell
        self.hider = hider
        self._tape = Tape.new()
        self._transcript = Transcript(
            capture,
            hider,
            server,
            blob_key=self._tape.header.blob_key,
        )
        self._waiting: asyncio.Queue[_Said | None] = asyncio.Queue()
        self._bytes = 0
        self._lease: Lease | None = None
        self._begun = False
        self._closing = False
        self._end = ""
        self._task = asyncio.create_task(self._work())
        self.fault: str | None = None

    @property
    def tape(self) -> str | None:
        """The id of the tape, if there is one."""
        return self._tape.id if self._begun else None

    def message(self, sender: Sender, raw: bytes | TooLong) -> None:
        """A message went by."""
        if raw != b"":
            self._put(_Said(sender, raw))

    def failed(self, sender: Sender, fault: str, raw: bytes = b"") -> None:
        """Something else went by, or did not."""
        self._put(_Said(sender, raw, fault))

    def _put(self, said: _Said) -> None:
        if self.fault is not None or self._closing:
            return
        self._bytes += said.size
        if self._bytes > _MOST_WAITING:
            self._give_up("the store is too slow")
            return
        self._waiting.put_nowait(said)

    def close_soon(self, message: str) -> None:
        """Nothing more goes by: write what waits, and how the connection ended."""
        if not self._closing:
            self._closing = True
            self._end = message
            self._waiting.put_nowait(None)

    async def close(self, message: str) -> None:
        """`close_soon`, and wait until it is done."""
        self.close_soon(message)
        await asyncio.wait([self._task])

    async def _work(self) -> None:
        try:
            while await self._turn():
                pass
        except Exception as error:
            self._give_up(told(error))
        finally:
            if self._lease is not None:
                with contextlib.suppress(PlayheadError):
                    await self._store.release(self._lease)

    async def _turn(self) -> bool:
        """Write what waits; False after the end."""
        group = [await self._waiting.get()]
        while not self._waiting.empty() and len(group) < _AT_ONCE and group[-1] is not None:
            group.append(self._waiting.get_nowait())
        said = [each for each in group if each is not None]
        self._bytes -= sum(each.size for each in said)
        if self.fault is not None:
            return group[-1] is not None
        drafts = await asyncio.to_thread(self._drafts, said)
        if group[-1] is None and (self._begun or drafts):
            drafts.append(self._transcript.end(self._end))
        if drafts:
            await self._write(drafts)
        return group[-1] is not None

    def _drafts(self, group: list[_Said]) -> list[Draft]:
        drafts: list[Draft] = []
        for said in group:
            if said.fault is not None:
                raw = said.raw if isinstance(said.raw, bytes) else b""
                drafts.append(self._transcript.fault(said.sender, said.fault, raw))
            else:
                drafts += self._transcript.message(said.sender, said.raw)
        return drafts

    async def _write(self, drafts: list[Draft]) -> None:
        first: list[Step] = []
        if not self._begun:
            self._lease = await self._store.acquire(self._tape.id)
            first, drafts = [self._tape[0]], [*self._transcript.begin(), *drafts]
        steps = self._sealed(drafts)
        transcript = self._transcript
        batch = Batch(
            self._tape.id,
            0 if first else len(self._tape),
            [*first, *steps],
            lease=self._lease,
            blobs=transcript.take_blobs(),
            documents=transcript.documents,
        )
        transcript.documents = {}
        await self._append(batch)
        self._begun = True
        self._tape = self._tape.extend(steps)

    def _sealed(self, drafts: list[Draft]) -> list[Step]:
        try:
            return self._tape.seal(drafts)
        except (BodyError, TapeError):
            return self._tape.seal([self._sealable(draft) for draft in drafts])

    def _sealable(self, draft: Draft) -> Draft:
        """The draft, or in its place what is wrong with it."""
        try:
            self._tape.seal([draft])
        except (BodyError, TapeError) as error:
            sender = draft.body.sender if isinstance(draft.body, McpMessage) else "client"
            fault = f"not kept: {error.message.partition(': ')[2][:200]}"
            body = McpMessage(sender=sender, fault=fault)
            return Draft(body, re=draft.re, origin="captured", id=draft.id)
        return draft

    async def _append(self, batch: Batch) -> None:
        for _ in range(_TRIES):
            answer = await self._store.append(batch)
            if answer is Answer.STORED:
                return
            if answer is Answer.CONFLICT:
                raise RecordError(f"somebody else appended to tape `{self._tape.id}`")
        raise RecordError("the disk failed again and again: check it")

    def _give_up(self, why: str) -> None:
        if self.fault is None:
            self.fault = why
            kept = (
                f"what was before is on tape {self._tape.id}" if self._begun else "nothing is kept"
            )
            self._tell(f"recording ended, the traffic goes on: {why}; {kept}")
