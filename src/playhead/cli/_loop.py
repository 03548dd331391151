"""Ctrl-C cancels what runs, and leaves the command time to say what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from playhead.cli._guard import INTERRUPTED

T = TypeVar("T")


class InterruptedRun(Exception):
    """The person, or the system, asked to stop; what ran was cancelled and has finished.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = INTERRUPTED if number == signal.SIGINT else 128 + number


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Await work that the first SIGINT or SIGTERM cancels; the second one ends the process.

    Raises:
        InterruptedRun: It was cancelled so.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def stop(number: int) -> None:
        if received:
            os._exit(128 + number)  # the store survives this
        received.append(number)
        task.cancel()

    numbers = (signal.SIGINT, signal.SIGTERM)
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not everywhere
        for number in numbers:
            loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise InterruptedRun(received[0]) from None
        raise
    finally:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            for number in numbers:
                loop.remove_signal_handler(number)


async def until_stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    with contextlib.suppress(InterruptedRun):
        await interruptible(_for_ever())


async def _for_ever() -> None:
    await asyncio.Event().wait()
