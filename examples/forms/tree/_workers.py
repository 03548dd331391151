"""Worker processes that grow and measure: fresh interpreters, spoken to in lines of JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeAlias

from examples.forms.errors import TreeError
from examples.forms.tree._family import Family, OnEnd
from examples.forms.tree._ledger import Ledger, NodeRecord
from examples.forms.tree._measure import Asked, Measured
from examples.forms.tree._settings import TreeSettings
from playhead.store import SqliteStore, Store

LONGEST = 64 * 1024 * 1024  # bytes of a line
_LEAVE = 30.0  # seconds that a worker has to end
_Heard: TypeAlias = Callable[[dict[str, Any]], None]
_WORKER = "examples.forms.tree._worker"


class _Worker:
    """A worker process, and the orders that it has."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.orders: dict[int, tuple[_Heard, asyncio.Future[None]]] = {}
        self._numbers = itertools.count()
        self._gone: TreeError | None = None
        self._listening = asyncio.create_task(self._listen())

    async def ask(self, order: dict[str, Any], heard: _Heard) -> None:
        """Have an order carried out; what it leads to is heard as it comes.

        Raises:
            TreeError: The worker failed, or is gone.
        """
        if self._gone is not None:
            raise self._gone
        number = next(self._numbers)
        done = asyncio.get_running_loop().create_future()
        self.orders[number] = (heard, done)
        try:
            self.say({"number": number, **order})
            await done
        finally:
            del self.orders[number]

    def say(self, what: dict[str, Any]) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _listen(self) -> None:
        """Take what it says until it is gone."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            heard, done = self.orders.get(said["number"], (None, None))
            if heard is None or done is None or done.done():
                continue
            if "found" in said:
                heard(said["found"])
            elif "fault" in said:
                done.set_exception(TreeError(said["fault"]))
            else:
                done.set_result(None)
        code = await self.process.wait()
        self._gone = TreeError(
            f"a worker process ended with code {code}: the same command again goes on from here"
        )
        for _, done in self.orders.values():
            if not done.done():
                done.set_exception(self._gone)

    async def stop(self) -> None:
        """Let it bring its sessions to a stand, and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), _LEAVE)
        except (asyncio.CancelledError, TimeoutError):
            self.process.kill()
            await self.process.wait()
        await self._listening


class Workers:
    """So many worker processes that share a store; an order goes to the one with least to do.

    They begin with the first order. When this process is gone, their input ends, and so do they.

    Args:
        settings: Of the tree.
        store: A file.
        processes: How many.
        lock: The descriptor of the tree's ledger: locked as long as a worker lives.

    Raises:
        TreeError: The store is no file.
    """

    def __init__(self, settings: TreeSettings, store: Store, *, processes: int, lock: int) -> None:
        if not isinstance(store, SqliteStore):
            raise TreeError(
                f"processes cannot share a {type(store).__name__}: use a SqliteStore, or one alone"
            )
        place = {"path": str(store.path), "tenant": store.tenant, "durability": store.durability}
        self._hello = {"settings": settings.model_dump(mode="json"), "store": place}
        self.processes, self._lock = processes, lock
        self._workers: list[_Worker] = []
        self._beginning = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def grow(self, family: Family, ended: OnEnd) -> None:
        """Have a family grown; see `Families.grow`.

        Raises:
            TreeError: A worker failed, or died.
        """
        await self._ask({"grow": family.as_json()}, lambda found: ended(NodeRecord(**found)))

    async def measure(self, asked: Sequence[Asked]) -> list[Measured]:
        """Have dialogues measured.

        Raises:
            TreeError: A worker failed, or died.
        """
        found: list[Measured] = []
        order = {"measure": [each.as_json() for each in asked]}
        await self._ask(order, lambda each: found.append(Measured.of(each)))
        return found

    async def _ask(self, order: dict[str, Any], heard: _Heard) -> None:
        async with self._beginning:
            while len(self._workers) < self.processes:
                self._workers.append(await self._begun())
        least = min(self._workers, key=lambda worker: len(worker.orders))
        await least.ask(order, heard)

    async def _begun(self) -> _Worker:
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _WORKER),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST,
            env=found,
            pass_fds=(self._lock,) if os.name == "posix" else (),
            process_group=0 if os.name == "posix" else None,  # Ctrl-C is for us
        )
        worker = _Worker(process)
        worker.say(self._hello)
        return worker


@asynccontextmanager
async def workers_for(
    settings: TreeSettings, ledger: Ledger, store: Store, *, processes: int
) -> AsyncIterator[Workers | None]:
    """The worker processes of a tree; none if one process is to do everything, which is this one.

    Raises:
        TreeError: Several processes cannot share the store.
    """
    if processes <= 1:
        yield None
        return
    async with Workers(settings, store, processes=processes, lock=ledger.descriptor) as workers:
        yield workers
