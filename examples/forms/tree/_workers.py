"""Worker processes that grow families: fresh interpreters, spoken to in lines of JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from typing import Any, Self

from examples.forms.errors import TreeError
from examples.forms.tree._family import Family, OnEnd
from examples.forms.tree._ledger import NodeRecord
from examples.forms.tree._settings import TreeSettings
from playhead.store import SqliteStore, Store

LONGEST = 64 * 1024 * 1024  # bytes of a line
_LEAVE = 30.0  # seconds that a worker has to end
_WORKER = "examples.forms.tree._worker"


class _Worker:
    """A worker process, and the families that it has."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.families: dict[int, tuple[OnEnd, asyncio.Future[None]]] = {}
        self._numbers = itertools.count()
        self._gone: TreeError | None = None
        self._listening = asyncio.create_task(self._listen())

    async def grow(self, family: Family, ended: OnEnd) -> None:
        """Have a family grown.

        Raises:
            TreeError: The worker failed, or is gone.
        """
        if self._gone is not None:
            raise self._gone
        number = next(self._numbers)
        done = asyncio.get_running_loop().create_future()
        self.families[number] = (ended, done)
        try:
            self.say({"number": number, "family": family.as_json()})
            await done
        finally:
            del self.families[number]

    def say(self, what: dict[str, Any]) -> None:
        """Send it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _listen(self) -> None:
        """Take what it says until it is gone."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            ended, done = self.families.get(said["number"], (None, None))
            if ended is None or done is None or done.done():
                continue
            if "node" in said:
                ended(NodeRecord(**said["node"]))
            elif "fault" in said:
                done.set_exception(TreeError(said["fault"]))
            else:
                done.set_result(None)
        code = await self.process.wait()
        self._gone = TreeError(
            f"a worker process ended with code {code}: the same command again goes on from here"
        )
        for _, done in self.families.values():
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
    """So many worker processes that share a store; a family goes to the one with least to do.

    When this process is gone, their input ends, and so do they.

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
        self._processes, self._lock = processes, lock
        self._workers: list[_Worker] = []

    async def __aenter__(self) -> Self:
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for _ in range(self._processes):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _WORKER),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LONGEST,
                env=found,
                pass_fds=(self._lock,) if os.name == "posix" else (),
                process_group=0 if os.name == "posix" else None,  # Ctrl-C is for us
            )
            self._workers.append(_Worker(process))
            self._workers[-1].say(self._hello)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def grow(self, family: Family, ended: OnEnd) -> None:
        """Have a family grown; see `Families.grow`.

        Raises:
            TreeError: A worker failed, or died.
        """
        least = min(self._workers, key=lambda worker: len(worker.families))
        await least.grow(family, ended)
