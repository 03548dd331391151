"""A worker process: grows the families that it is given, until nobody speaks to it any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from examples.forms.tree._family import Families, Family
from examples.forms.tree._ledger import NodeRecord
from examples.forms.tree._settings import TreeSettings
from examples.forms.tree._workers import LONGEST
from playhead.errors import PlayheadError
from playhead.store import SqliteStore

_logger = logging.getLogger("playhead.examples.forms")


class Worker:
    """Grows families, and tells of each node as it ends.

    Args:
        families: They.
        answers: Where it is told.
    """

    def __init__(self, families: Families, answers: BinaryIO) -> None:
        self._families, self._answers = families, answers
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, orders: asyncio.StreamReader) -> None:
        """Grow what is asked for until the other side is gone; then come to a stand."""
        while line := await orders.readline():
            task = asyncio.create_task(self._grow(json.loads(line)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _grow(self, order: dict[str, Any]) -> None:
        def ended(node: NodeRecord) -> None:
            self._say({**number, "node": asdict(node)})

        number = {"number": order["number"]}
        try:
            await self._families.grow(Family.of(order["family"]), ended)
        except PlayheadError as error:
            self._say({**number, "fault": error.message})
        except Exception as error:
            _logger.exception("a worker process failed")
            self._say({**number, "fault": f"{type(error).__name__}: {error}"})
        else:
            self._say(number)

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
        await Worker(Families(settings, store), answers).serve(orders)


if __name__ == "__main__":
    asyncio.run(main())
