"""A worker process, spoken to over its streams: `BEGIN` is its program.

It carries out trials until nobody speaks to it any more; then those under way are interrupted, so
that their sessions can be resumed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys

from playhead.errors import EvaluationError, PlayheadError
from playhead.evaluate.running._fault import as_error, fault_of
from playhead.evaluate.running._one import Trials
from playhead.evaluate.running._plan import configs, named
from playhead.evaluate.running._source import Source
from playhead.evaluate.running._wire import (
    Said,
    assignment_in,
    error_said,
    message_of,
    outcome_said,
    read_message,
)
from playhead.store import SqliteStore

BEGIN = f"import gc; gc.disable(); from {__name__} import serve; serve()"
"""To look for garbage among modules that are being loaded costs a fifth of the time it takes."""


class Worker:
    """Carries out what it is told to, and answers by number."""

    def __init__(self, trials: Trials, answers: asyncio.StreamWriter) -> None:
        self._trials = trials
        self._answers = answers
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self, orders: asyncio.StreamReader) -> None:
        """Carry out trials until the other side is gone."""
        self._answers.write(message_of({"ready": os.getpid()}))
        while (order := await read_message(orders)) is not None:
            task = asyncio.create_task(self._carry_out(order))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _carry_out(self, order: Said) -> None:
        answer: Said = {"number": order["number"]}
        try:
            answer["outcome"] = outcome_said(await self._trials.carry_out(assignment_in(order)))
        except Exception as error:
            answer["error"] = error_said(as_error(error))
        self._answers.write(message_of(answer))
        await self._answers.drain()


def prepared(hello: Said) -> Trials:
    """Find again what is to be run, and make sure that it is the same.

    Raises:
        EvaluationError: It is not there, or something else.
    """
    sys.path[:] = hello["path"]
    source = Source(**hello["source"])
    try:
        suite, given = source.load()
        candidates = named(given)
        found = {each.name: each.config for each in configs(candidates)}
    except PlayheadError:
        raise
    except Exception as error:
        raise EvaluationError(
            f"`{source.suite}` cannot be read again: {fault_of(error)}"
        ) from error
    if (suite.digest, found) != (hello["document"], hello["candidates"]):
        raise EvaluationError(
            f"a worker process finds something else at `{source.suite}` and "
            f"{', '.join(f'`{each}`' for each in source.candidates)} than what is to be run: name "
            "what you pass, and let it not depend on where it is read"
        )
    store = SqliteStore(**hello["store"])
    return Trials(suite, candidates, store=store, seed=hello["seed"])


def serve() -> None:
    """Be a worker process of whoever started this one."""
    asyncio.run(_serve())


async def _serve() -> None:
    orders, answers = await _streams()
    hello = await read_message(orders)
    if hello is None:
        return
    try:
        trials = prepared(hello)
    except PlayheadError as error:
        answers.write(message_of({"refused": error_said(error)}))
        return
    gc.freeze()  # what was loaded stays
    gc.enable()
    await Worker(trials, answers).serve(orders)
    await trials.store.close()


async def _streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The standard streams, out of the reach of what is run here: its prints go to the errors."""
    loop = asyncio.get_running_loop()
    given, taken = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(given))
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(taken, "w")
    )
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)
