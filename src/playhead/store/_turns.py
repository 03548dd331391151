"""What the tasks of an event loop ask a writer for in one turn of the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turn(threading.local, Generic[T]):
    """The items of the present turn; each thread has a loop of its own, and sees only its own."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._items: list[T] = []

    def add(self, item: T, loop: asyncio.AbstractEventLoop, *, then: Callable[[], None]) -> None:
        """Add an item; `then` is called once, after all that is ready to run in the loop now."""
        if loop is not self._loop:  # one before it was closed, and nobody waits there
            self._loop, self._items = loop, []
        if not self._items:
            loop.call_soon(then)
        self._items.append(item)

    def take(self) -> list[T]:
        """All that was added."""
        items, self._items = self._items, []
        return items
