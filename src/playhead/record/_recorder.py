"""The thread that writes recordings, so that no answer waits for one."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from playhead.errors import PlayheadError, told

_MOST = 512 * 1024 * 1024  # bytes of exchanges that wait
_logger = logging.getLogger("playhead.record")


T_contra = TypeVar("T_contra", contravariant=True)
T = TypeVar("T")


class Taker(Protocol[T_contra]):
    """Makes tapes of what it is given; `Sessions` is one."""

    async def take(self, item: T_contra, /) -> object:
        """Write what is known of something."""


@dataclass(frozen=True, slots=True)
class _Work(Generic[T]):
    make: Callable[[], T]
    size: int


class Recorder(Generic[T]):
    """Takes what is to be recorded without making anybody wait, and tells what was not written.

    Args:
        taker: What makes tapes of it.
        on_fault: Told, in words, of each thing that could not be recorded; called from another
            thread. Faults are logged as well.
        what: What is recorded, for these words.
    """

    def __init__(
        self,
        taker: Taker[T],
        on_fault: Callable[[str], None] | None = None,
        *,
        what: str = "a model call was",
    ) -> None:
        self._taker = taker
        self._what = what
        self._on_fault = on_fault
        self._work: queue.SimpleQueue[_Work[T] | threading.Event | None] = queue.SimpleQueue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.recorded = 0
        self.faults = 0

    def put(self, make: Callable[[], T], *, size: int) -> bool:
        """Record something in time; returns at once, and whether there was room for it.

        Args:
            make: Gives it; called in the recorder's thread.
            size: About how many bytes it holds until then.
        """
        if self._waiting + size > _MOST:
            self._fault(f"recording cannot keep up: {self._what} not recorded")
            return False
        with self._lock:
            self._waiting += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()
        self._work.put(_Work(make, size))
        return True

    async def flush(self) -> None:
        """Wait until all that was given so far is written, or told to be lost."""
        if self._thread is not None:
            written = threading.Event()
            self._work.put(written)
            await asyncio.to_thread(written.wait)

    async def close(self) -> None:
        """Write what waits, and end the thread; the next exchange begins another one."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._work.put(None)
            await asyncio.to_thread(thread.join)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while (work := self._work.get()) is not None:
                if isinstance(work, threading.Event):
                    work.set()
                    continue
                self._record(runner, work)
                with self._lock:
                    self._waiting -= work.size

    def _record(self, runner: asyncio.Runner, work: _Work[T]) -> None:
        try:
            runner.run(self._take(work))
        except PlayheadError as error:
            self._fault(f"{self._what} not recorded: {error.code}: {error.message}")
        except Exception as error:  # never more than this one thing
            _logger.debug("recording failed", exc_info=True)
            self._fault(f"{self._what} not recorded: {told(error)}")
        else:
            self.recorded += 1

    async def _take(self, work: _Work[T]) -> None:
        await self._taker.take(work.make())

    def _fault(self, message: str) -> None:
        self.faults += 1
        _logger.warning("%s", message)
        if self._on_fault is not None:
            self._on_fault(message)
