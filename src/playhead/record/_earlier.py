"""Conversations on tapes that another process made, or this one before it was started again."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from playhead.errors import BodyError, PlayheadError, StoreError, TapeNotFoundError
from playhead.llm import read_prompt
from playhead.record._track import Track
from playhead.record.wire import WIRES
from playhead.store import Store, TapeInfo
from playhead.tape import Message, Step, Tape, message_of
from playhead.tape.kinds import ModelCall, TapeHeader

_MOST = 2000  # tapes of the store whose first message is looked at
_PAGE = 4  # tapes that are looked at first, to see whether there are new ones
_BEGINNING = 4  # steps of a tape among which its first message is
_TOLD = 500  # characters of a message; what is kept of a large one has more
_CALLED, _CALLS = 100, 500  # tapes, and last steps of each, that a response is looked for in
_AMISS = 60.0  # seconds between the making of an id and of its tape


class Earlier:
    """Finds conversations of before, where a prompt begins as they do.

    Of the newest tapes the first message alone is read, once; a whole tape is read when a prompt
    begins with that message. Nothing is kept in the store for it: what is erased is not found.

    Args:
        store: Where the tapes are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._newest: str | None = None  # of the tapes, when they were looked at last
        self._begun: dict[bytes, list[str]] = {}  # tapes by their first message, oldest first

    def know(self, tape: str) -> None:
        """Leave a tape out from now on: it is known."""
        self._seen[tape] = None
        while len(self._seen) > 2 * _MOST:
            self._seen.popitem(last=False)

    async def begun_so(self, messages: Sequence[Message], *, look: bool) -> list[Track]:
        """The conversations that begin with the first message of a prompt, oldest first; each once.

        Args:
            messages: The prompt.
            look: Look for tapes that others made since the last time, too, if the prompt goes on
                with what a model said: one that only begins is not worth it.

        Raises:
            StoreError: The store failed.
        """
        first = next((_begun(message) for message in messages if message.role != "system"), None)
        if first is None:
            return []
        if self._newest is None or (look and any(each.role == "assistant" for each in messages)):
            await self._look()
        found = [await self.opened(tape, messages) for tape in self._begun.pop(first, ())]
        return [track for track in found if track is not None]

    async def opened(self, tape: str, messages: Sequence[Message]) -> Track | None:
        """The conversation of a tape as it is stored now; None if it is gone, or not a proxy's.

        Args:
            tape: Its id.
            messages: A prompt, whose large texts are told from what the tape has of them.

        Raises:
            StoreError: The store failed.
        """
        try:
            stored = await self._store.open(tape)
            if not _is_captured(stored):
                return None
            track = Track.of(stored)
        except TapeNotFoundError:
            return None
        except StoreError:
            raise
        except PlayheadError:  # of what was erased there is no conversation
            return None
        track.meet(messages)
        return track

    async def response(self, name: str) -> tuple[Message, ...] | None:
        """The conversation that ends with a response, if it is on one of the newest tapes.

        Args:
            name: The provider's id of the response.

        Raises:
            StoreError: The store failed.
        """
        own = re.compile(rb'\\"id\\":\s*\\"' + re.escape(name.encode()) + rb'\\"')  # in `raw`
        for info in await self._store.tapes(limit=_CALLED):
            start = max(0, info.length - _CALLS)
            with contextlib.suppress(TapeNotFoundError, BodyError):  # removed, or erased meanwhile
                steps = await self._store.skim(info.id, start=start, kinds=(ModelCall.kind,))
                found = next((each for each in steps if own.search(each.data or b"")), None)
                if found is not None and isinstance(call := found.body, ModelCall) and call.message:
                    prompt = read_prompt(await self._store.open(info.id), found)
                    return (*prompt, call.message)
        return None

    async def _look(self) -> None:
        """Know how the tapes begin that were made since the last time, by others."""
        for info in reversed(await self._newer()):
            if info.id not in self._seen:
                self.know(info.id)
                first = await self._first(info)
                if first is not None:
                    self._begun.setdefault(first, []).append(info.id)

    async def _newer(self) -> list[TapeInfo]:
        """The tapes that were made since the last time, the newest first."""
        new: list[TapeInfo] = []
        many = _PAGE if self._newest is not None else _MOST
        while len(new) < _MOST:
            try:
                page = await self._store.tapes(limit=many, before=new[-1].id if new else None)
            except TapeNotFoundError:  # that one was removed meanwhile
                break
            ids = [info.id for info in page]
            stop = ids.index(self._newest) if self._newest in ids else len(ids)
            new += page[:stop]
            if stop < many:
                break
            many *= 4
        self._newest = new[0].id if new else self._newest
        return new

    async def _first(self, info: TapeInfo) -> bytes | None:
        """How a tape begins; None if it is no conversation that is found by what is said."""
        try:
            if info.parent is None:
                steps = await self._store.skim(info.id, count=_BEGINNING)
            else:
                steps = list((await self._store.open(info.id))[:_BEGINNING])
            said = next((step for step in steps if step.kind != TapeHeader.kind), None)
            if said is None or said.origin != "captured" or said.erased or _has_a_name(steps[0]):
                return None
            message = message_of(said, 0) if said.kind != ModelCall.kind else None
        except TapeNotFoundError:  # removed meanwhile
            return None
        except StoreError:
            raise
        except PlayheadError:
            return None
        return _begun(message) if message is not None else None


def _begun(message: Message) -> bytes:
    """Equal for first messages that may be the same."""
    return hashlib.sha256(f"{message.role}\0{message.text[:_TOLD]}".encode()).digest()


def _has_a_name(header: Step) -> bool:
    """Whether a tape is that of a session with a name: its id was not made when it was."""
    made = int(header.tape[:12], 16) / 1000
    return abs(datetime.fromisoformat(header.time).timestamp() - made) > _AMISS


def _is_captured(tape: Tape) -> bool:
    """Whether nobody but proxies wrote on a tape."""
    last: Step | None = None
    for step in tape:
        if step.kind != TapeHeader.kind and step.origin != "captured":
            return False
        last = step if step.kind == ModelCall.kind else last
    return last is not None and last.by.type == "importer" and last.by.name in WIRES
