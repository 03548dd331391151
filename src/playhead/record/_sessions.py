"""Model calls of other programs, put together to conversations, each of which is a tape."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TypeVar

from playhead.errors import ConflictError, TapeNotFoundError, UnknownOutcomeError
from playhead.govern import Redactor
from playhead.record._captured import CapturedCall, capture, conversation_key
from playhead.record._exchange import Exchange
from playhead.record._redaction import Redaction
from playhead.record._track import Track
from playhead.store import Answer, Batch, Store
from playhead.tape import Message, Tape

K = TypeVar("K")
V = TypeVar("V")

_TRIES = 3
_MOST = 1000  # conversations that may go on
_RESPONSES = 4096  # answers that a request may name


class Sessions:
    """Takes exchanges as they end, and makes tapes of them.

    What a session is called decides, where it is called anything. Otherwise a request that begins
    with a whole conversation goes on with its tape; one that shares its beginning, with at least
    one message that is no system message, is a fork; any other one begins a tape.

    Args:
        store: Where the tapes go.
        redactor: What is taken out before anything is written; `Redactor()` if not given.
    """

    def __init__(self, store: Store, redactor: Redactor | None = None) -> None:
        self._store = store
        self._redaction = Redaction(redactor)
        self._named: OrderedDict[str, Track] = OrderedDict()
        self._tips: OrderedDict[bytes, Track] = OrderedDict()  # by the digest of a whole path
        self._inner: OrderedDict[bytes, tuple[Track, int]] = OrderedDict()  # of its beginnings
        self._responses: OrderedDict[str, tuple[Message, ...]] = OrderedDict()

    async def take(self, exchange: Exchange) -> str:
        """Write what is known of an exchange; gives the tape's id.

        Raises:
            StoreError: The store failed; the exchange is on no tape.
        """
        call = capture(exchange, self._redaction)
        messages = self._whole(call)
        self._remember_response(call, messages)
        if call.session is not None:
            return await self._in_session(call.session, call, messages)
        track = self._track(messages)
        try:
            await self._write(track, call, messages)
        except BaseException:
            self._forget(track)  # it knows of steps that the store has not
            raise
        self._learn(track)
        return track.tape.id

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

    def _track(self, messages: Sequence[Message]) -> Track:
        """The conversation that a prompt goes on with, taken out; a fork of it; or a new one."""
        prefixes = list(_prefixes(messages))
        for count in range(len(messages), 0, -1):
            if all(message.role == "system" for message in messages[:count]):
                break
            tip = self._tips.pop(prefixes[count - 1], None)
            if tip is not None:
                return tip
            found = self._inner.get(prefixes[count - 1])
            if found is not None:
                return found[0].fork(found[1])
        return Track(Tape.new())

    def _learn(self, track: Track) -> None:
        """Remember a conversation by its path; the oldest ones are forgotten."""
        digest = b""
        for count, key in enumerate(track.path, 1):
            digest = _chained(digest, key)
            self._inner.setdefault(digest, (track, count))
        keep(self._tips, digest, track, most=_MOST)
        while len(self._inner) > _MOST * 64:
            self._inner.popitem(last=False)

    def _forget(self, track: Track) -> None:
        for digest in [at for at, (other, _) in self._inner.items() if other is track]:
            del self._inner[digest]

    def _whole(self, call: CapturedCall) -> tuple[Message, ...]:
        """The prompt, with the conversation that an earlier response stands for."""
        before = self._responses.get(call.previous) if call.previous is not None else None
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


def _prefixes(messages: Sequence[Message]) -> Iterator[bytes]:
    digest = b""
    for message in messages:
        digest = _chained(digest, conversation_key(message))
        yield digest


def _chained(digest: bytes, key: bytes) -> bytes:
    return hashlib.sha256(digest + key).digest()[:16]


def keep(kept: OrderedDict[K, V], key: K, value: V, *, most: int) -> None:
    """Keep a value as the newest one of so many."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def _conflict(batch: Batch) -> ConflictError:
    return ConflictError(
        f"somebody else appended to tape `{batch.tape}` meanwhile: the call is on no tape",
        tape=batch.tape,
    )
