"""Ids and times: minted once, never derived from data."""

from __future__ import annotations

import functools
import os
import time
from datetime import UTC, datetime

_POOL = 4096  # random bytes fetched from the system at a time
_pool: list[bytes] = []  # of 16 bytes each
_tails: list[bytes] = []  # of 10 bytes each: the random part of ids
_TAILS = 400  # fetched at a time
_RANDOM = int.from_bytes(bytes.fromhex("0fff3fffffffffffffff") * _TAILS)
_FIXED = int.from_bytes(bytes.fromhex("70008000000000000000") * _TAILS)  # version and variant


def random16() -> bytes:
    """16 bytes from the system's generator, each handed out once.

    They are fetched many at a time, because asking the system costs more than sealing a step.
    """
    try:
        return _pool.pop()
    except IndexError:
        fresh = os.urandom(_POOL)
        _pool.extend([fresh[at : at + 16] for at in range(16, _POOL, 16)])
        return fresh[:16]


if hasattr(os, "register_at_fork"):  # or both processes would hand out the same
    os.register_at_fork(after_in_child=_pool.clear)
    os.register_at_fork(after_in_child=_tails.clear)


def new_id() -> str:
    """Mint a UUIDv7 (RFC 9562) as 32 hexadecimal digits; ids sort by their millisecond."""
    milliseconds = (time.time_ns() // 1_000_000).to_bytes(6)
    try:
        return (milliseconds + _tails.pop()).hex()
    except IndexError:
        return (milliseconds + _fresh_tail()).hex()


def _fresh_tail() -> bytes:
    size = 10 * _TAILS
    fresh = (int.from_bytes(os.urandom(size)) & _RANDOM | _FIXED).to_bytes(size)
    _tails.extend([fresh[at : at + 10] for at in range(10, size, 10)])
    return fresh[:10]


def format_time(moment: datetime) -> str:
    """Write a UTC moment as `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def utc_now() -> str:
    """The present as `YYYY-MM-DDTHH:MM:SS.ffffffZ`."""
    seconds, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{_to_second(seconds)}.{rest // 1000:06d}Z"


@functools.lru_cache(maxsize=4)
def _to_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def is_id(text: str) -> bool:
    """Whether the text is an id as the format writes them."""
    try:
        return len(text) == 32 and bytes.fromhex(text).hex() == text
    except ValueError:
        return False
