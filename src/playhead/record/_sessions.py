"""Model calls of other programs, put together to conversations, each of which is a tape."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from playhead.errors import (
    ConflictError,
    TapeNotFoundError,
    TapeOwnedError,
    UnknownOutcomeError,
)
from playhead.govern import Redactor
from playhead.record._captured import CapturedCall, capture
from playhead.record._conversations import Conversations, keep
from playhead.record._earlier import Earlier
from playhead.record._exchange import Exchange
from playhead.record._redaction import Redaction
from playhead.record._track import Track
from playhead.store import Answer, Batch, Store
from playhead.tape import Message, Tape

_TRIES = 3
_MOST = 1000  # sessions with a name
_RESPONSES = 4096  # answers that a request may name
_TAKEN = (ConflictError, TapeOwnedError, TapeNotFoundError)  # others changed, own or removed it


class Sessions:
    """Takes exchanges as they end, and makes tapes of them.

    What a session is called decides, where it is called anything; otherwise how the prompt begins,
    as `Conversations` has it.

    Args:
        store: Where the tapes go.
        redactor: What is taken out before anything is written; `Redactor()` if not given.
    """

    def __init__(self, store: Store, redactor: Redactor | None = None) -> None:
        self._store = store
        self._redaction = Redaction(redactor)
        self._named: OrderedDict[str, Track] = OrderedDict()
        self._conversations = Conversations()
        self._earlier = Earlier(store)
        self._responses: OrderedDict[str, tuple[Message, ...]] = OrderedDict()

    async def take(self, exchange: Exchange) -> str:
        """Write what is known of an exchange; gives the tape's id.

        Raises:
            StoreError: The store failed; the exchange is on no tape.
        """
        call = capture(exchange, self._redaction)
        messages = await self._whole(call)
        self._remember_response(call, messages)
        if call.session is not None:
            return await self._in_session(call.session, call, messages)
        return await self._in_conversation(call, messages)

    async def _in_conversation(self, call: CapturedCall, messages: tuple[Message, ...]) -> str:
        """Go on with the tape that the prompt begins as, also after a restart."""
        look = self._conversations.begins(messages)
        for earlier in await self._earlier.begun_so(messages, look=look):
            self._conversations.keep(earlier)
        for tries in range(_TRIES):
            track = self._conversations.take(messages)
            try:
                await self._write(track, call, messages)
            except BaseException as error:
                self._conversations.forget(track)  # it knows of steps that the store has not
                if tries == _TRIES - 1 or not isinstance(error, _TAKEN):
                    raise
                await self._look_again(track, messages, error)
                continue
            self._conversations.keep(track)
            self._earlier.know(track.tape.id)
            return track.tape.id
        raise AssertionError("the last try returns or raises")

    async def _look_again(
        self, track: Track, messages: tuple[Message, ...], error: BaseException
    ) -> None:
        """Know a conversation as others have it by now; fork one that somebody owns."""
        stored = await self._earlier.opened(track.tape.id, messages)
        if stored is not None and isinstance(error, TapeOwnedError):
            stored = stored.fork(stored.path, at=len(stored.tape))
        if stored is not None:
            self._conversations.keep(stored)

    async def _in_session(
        self, name: str, call: CapturedCall, messages: tuple[Message, ...]
    ) -> str:
        """Go on with the tape of a session that has a name, also after a restart."""
        for last in (False, True):
            track = self._named.pop(name, None) or await self._reopened(name)
            try:
                await self._write(track, call, messages)
            except ConflictError:  # another recorder went on with it
                if last:
                    raise
                continue
            keep(self._named, name, track, most=_MOST)
            return track.tape.id
        raise AssertionError("the last try returns or raises")

    async def _reopened(self, name: str) -> Track:
        tape_id = session_id(name)
        try:
            return Track.of(await self._store.open(tape_id))
        except TapeNotFoundError:
            return Track(Tape.new(tape_id))

    async def _write(self, track: Track, call: CapturedCall, messages: Sequence[Message]) -> None:
        batch = track.take(call, messages)
        for _ in range(_TRIES):
            match await self._store.append(batch):
                case Answer.STORED:
                    return
                case Answer.CONFLICT:
                    raise _conflict(batch)
        raise UnknownOutcomeError(f"the disk failed while tape `{batch.tape}` was written")

    async def _whole(self, call: CapturedCall) -> tuple[Message, ...]:
        """The prompt, with the conversation that an earlier response stands for."""
        before: tuple[Message, ...] | None = None
        if call.previous is not None:
            before = self._responses.get(call.previous)
            before = before or await self._earlier.response(call.previous)
        return joined(before or (), call.messages)

    def _remember_response(self, call: CapturedCall, messages: tuple[Message, ...]) -> None:
        if call.response_id is not None and call.completion is not None:
            said = (*messages, call.completion.message)
            keep(self._responses, call.response_id, said, most=_RESPONSES)


def joined(before: Sequence[Message], now: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation and what follows it; its instructions hold for its own request alone."""
    if before and before[0].role == "system":
        before = before[1:]
    first = 1 if before and now and now[0].role == "system" else 0
    return (*now[:first], *before, *now[first:])


def session_id(name: str) -> str:
    """The id of the tape of a session with this name."""
    return hashlib.sha256(f"playhead captured session\0{name}".encode()).hexdigest()[:32]


def _conflict(batch: Batch) -> ConflictError:
    return ConflictError(
        f"somebody else appended to tape `{batch.tape}` meanwhile: the call is on no tape",
        tape=batch.tape,
    )
