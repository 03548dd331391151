"""Ids and times: minted once, never derived from data."""

from __future__ import annotations

import functools
import os
import time
from datetime import UTC, datetime


def new_id() -> str:
    """Mint a UUIDv7 (RFC 9562) as 32 hexadecimal digits; ids sort by their millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10)) & 0x0FFF_3FFF_FFFF_FFFF_FFFF | 0x7000_8000_0000_0000_0000
    return f"{milliseconds << 80 | tail:032x}"


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
