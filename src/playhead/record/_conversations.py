"""Which conversation a prompt goes on with, where nobody says so."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from playhead.record._captured import conversation_key, is_said_by
from playhead.record._track import Track
from playhead.tape import Message, Tape

K = TypeVar("K")
V = TypeVar("V")

_MOST = 1000  # conversations that may go on
_BEGINNINGS = 64  # that are known, for each of them


class _Place(NamedTuple):
    """A conversation that a prompt begins with; its tape's length there, where it parts from it."""

    track: Track
    keys: list[bytes]
    at: int | None = None


class Conversations:
    """Conversations that may go on, found by how a prompt begins.

    A prompt that begins with a whole conversation goes on with it; one that shares its beginning,
    with at least one message that is no system message, forks it; any other one begins a tape.
    Once the model has spoken, instructions may be others: the time may stand in them, or another
    agent takes over. Before that, they tell conversations apart.
    """

    def __init__(self) -> None:
        self._whole: OrderedDict[bytes, Track] = OrderedDict()  # by the digest of the path
        self._talks: OrderedDict[bytes, Track] = OrderedDict()  # by that without instructions
        self._inner: OrderedDict[bytes, tuple[Track, int]] = OrderedDict()  # with a tape's length

    def begins(self, messages: Sequence[Message]) -> bool:
        """Whether a prompt has no beginning that is known."""
        return self._place(messages) is None

    def take(self, messages: Sequence[Message]) -> Track:
        """The conversation that a prompt goes on with, taken out; a fork of it; or a new one."""
        place = self._place(messages)
        if place is None:
            return Track(Tape.new())
        if place.at is not None:
            return place.track.fork(place.keys, at=place.at)
        self._take_out(place.track)
        return place.track

    def _place(self, messages: Sequence[Message]) -> _Place | None:
        """The longest beginning of a prompt that is known."""
        keys = [conversation_key(message) for message in messages]
        ways = list(zip(_paths(keys), _talks(keys), strict=True))
        for count in range(len(keys), 0, -1):
            if all(is_said_by("system", key) for key in keys[:count]):
                break
            path, talk = ways[count - 1]
            track = self._whole.get(path)
            if track is None and path in self._inner:
                shared, length = self._inner[path]
                return _Place(shared, keys[:count], length)
            if track is None and talk is not None:
                track = self._talks.get(talk)
            if track is not None:
                return _Place(track, keys[:count])
        return None

    def keep(self, track: Track) -> None:
        """Remember a conversation, as far as it is; the oldest ones are forgotten."""
        for path, length in zip(_paths(track.path), track.ends, strict=True):
            self._inner.setdefault(path, (track, length))
        path, talk = _last(track)
        keep(self._whole, path, track, most=_MOST)
        if talk is not None:
            keep(self._talks, talk, track, most=_MOST)
        while len(self._inner) > _MOST * _BEGINNINGS:
            self._inner.popitem(last=False)

    def forget(self, track: Track) -> None:
        """Let nothing fork a conversation that was taken out."""
        for path in [at for at, (other, _) in self._inner.items() if other is track]:
            del self._inner[path]

    def _take_out(self, track: Track) -> None:
        path, talk = _last(track)
        self._whole.pop(path, None)
        if talk is not None and self._talks.get(talk) is track:
            del self._talks[talk]


def _last(track: Track) -> tuple[bytes, bytes | None]:
    """The digests of the whole path."""
    return [b"", *_paths(track.path)][-1], [None, *_talks(track.path)][-1]


def _paths(keys: Sequence[bytes]) -> Iterator[bytes]:
    """The digest of each beginning."""
    digest = b""
    for key in keys:
        digest = _chained(digest, key)
        yield digest


def _talks(keys: Sequence[bytes]) -> Iterator[bytes | None]:
    """The digest of each beginning, but for its instructions; None before the model speaks."""
    digest, spoken = b"", False
    for key in keys:
        if not is_said_by("system", key):
            digest = _chained(digest, key)
        spoken = spoken or is_said_by("assistant", key)
        yield digest if spoken else None


def _chained(digest: bytes, key: bytes) -> bytes:
    return hashlib.sha256(digest + key).digest()[:16]


def keep(kept: OrderedDict[K, V], key: K, value: V, *, most: int) -> None:
    """Keep a value as the newest one of so many."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
