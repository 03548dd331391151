"""A worker process: grows and measures what it is given, until nobody speaks to it any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, BinaryIO

from examples.forms.tree._family import Families, Family
from examples.forms.tree._measure import Asked, measured
from examples.forms.tree._settings import TreeSettings
from examples.forms.tree._workers import LONGEST
from playhead.errors import PlayheadError
from playhead.store import SqliteStore, Store

_logger = logging.getLogger("playhead.examples.forms")


class Worker:
    """Grows families, telling of each node as it ends, and measures dialogues.

    Args:
        settings: Of the tree.
        store: Where its tapes are.
        answers: Where it is told.
    """

    def __init__(self, settings: TreeSettings, store: Store, answers: BinaryIO) -> None:
        self._families, self._store = Families(settings, store), store
        self._answers = answers
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, orders: asyncio.StreamReader) -> None:
        """Do what is asked for until the other side is gone; then come to a stand."""
        while line := await orders.readline():
            task = asyncio.create_task(self._answer(json.loads(line)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, order: dict[str, Any]) -> None:
        number = {"number": order["number"]}
        try:
            await self._do(order, lambda found: self._say({**number, "found": found}))
        except PlayheadError as error:
            self._say({**number, "fault": error.message})
        except Exception as error:
            _logger.exception("a worker process failed")
            self._say({**number, "fault": f"{type(error).__name__}: {error}"})
        else:
            self._say(number)

    async def _do(self, order: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        """Carry out an order; what it leads to is told as it comes."""
        if "grow" in order:
            await self._families.grow(Family.of(order["grow"]), lambda node: tell(asdict(node)))
        for each in order.get("measure", ()):
            tell((await measured(Asked.of(each), self._store)).as_json())

    def _say(self, what: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more: the input ends soon
            self._answers.write(json.dumps(what).encode() + b"\n")
            self._answers.flush()


async def main() -> None:
    """Serve whoever started this process."""
    orders = asyncio.StreamReader(limit=LONGEST)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed here goes to the errors
    hello = json.loads(await orders.readline() or b"null")
    if hello is None:
        return
    settings = TreeSettings.model_validate(hello["settings"])
    async with SqliteStore(**hello["store"]) as store:
        await Worker(settings, store, answers).serve(orders)


if __name__ == "__main__":
    asyncio.run(main())
