"""A limit of time that costs nothing where there is nothing to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from types import CoroutineType
from typing import Any, TypeVar

T = TypeVar("T")


class LateError(Exception):
    """The time is up."""


async def in_time(work: Awaitable[T], seconds: float) -> T:
    """The outcome of work that has so many seconds.

    A coroutine is begun at once. One that comes to its end without waiting needs no timer, and
    could not be stopped by one.

    Raises:
        LateError: The time was up; what waits is cancelled.
    """
    until = asyncio.get_running_loop().time() + seconds
    if type(work) is CoroutineType:
        try:
            awaited = work.send(None)
        except StopIteration as done:
            outcome: T = done.value
            return outcome
        work = _Begun(work, awaited)
    try:
        async with asyncio.timeout_at(until) as deadline:
            return await work
    except TimeoutError:
        if deadline.expired():
            raise LateError from None
        raise


class _Begun(Awaitable[T]):
    """The rest of a coroutine that waits for something already."""

    def __init__(self, work: CoroutineType[Any, Any, T], awaited: object) -> None:
        self._work, self._awaited = work, awaited

    def __await__(self) -> Generator[Any, Any, T]:
        work, awaited = self._work, self._awaited
        try:
            while True:
                try:
                    sent = yield awaited
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:
                    awaited = work.throw(error)
                else:
                    awaited = work.send(sent)
        except StopIteration as done:
            outcome: T = done.value
            return outcome
