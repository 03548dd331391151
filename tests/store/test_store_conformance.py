"""Every store of ours passes the kit that we ship."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playhead.store import Answer, Batch, Lease, MemoryStore, SqliteStore, Store, _writer
from playhead.store.conformance import StoreConformance


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    async def store(self) -> MemoryStore:
        return MemoryStore()

    async def abandon(self, store: Store, lease: Lease) -> None:
        assert isinstance(store, MemoryStore)
        del store._leases[lease.tape]


@pytest.mark.parametrize(
    ("durability", "swift"), [("full", 1e9), ("normal", 0)], ids=["full-at-once", "normal-queued"]
)
class TestSqliteStore(StoreConformance):
    """Both durabilities, and jobs done in the loop's own thread as well as in the writer's."""

    @pytest.fixture
    async def store(self, path: Path, durability, swift, monkeypatch) -> AsyncIterator[SqliteStore]:
        monkeypatch.setattr(_writer, "_SWIFT", swift)
        async with SqliteStore(path, durability=durability) as store:
            yield store

    async def second(self, store: Store) -> SqliteStore:
        assert isinstance(store, SqliteStore)
        return SqliteStore(store.path, tenant=store.tenant, durability=store.durability)

    async def abandon(self, store: Store, lease: Lease) -> None:
        """As if the owner had been elsewhere, and its time had run out."""
        assert isinstance(store, SqliteStore)
        store._keeper.let_go(lease.owner)
        await store._write(lambda db: db.execute("UPDATE leases SET expires = 1"))


def test_the_kit_runs_without_pytest():
    code = "import sys, playhead.store.conformance; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


class _Forgetful(MemoryStore):
    """Acknowledges every third batch without storing it."""

    async def append(self, batch: Batch) -> Answer:
        self.count = getattr(self, "count", 0) + 1
        return Answer.STORED if self.count % 3 == 0 else await super().append(batch)


class _Careless(MemoryStore):
    """Lets everybody append."""

    def _check_lease(self, batch: Batch) -> None:
        pass


class _Twice(MemoryStore):
    """Does not know a repetition."""

    @staticmethod
    def _is_repeat(stored, batch: Batch) -> bool:
        return False


class _Unguarded(MemoryStore):
    """Erases nothing, and finds by anything."""

    async def erase(self, tape, seqs) -> None:
        self._get(tape)

    async def find(self, prefix: str) -> str:
        return next(iter(self._tapes))


@pytest.mark.parametrize("broken", [_Forgetful, _Careless, _Twice, _Unguarded])
def test_the_kit_finds_faults(broken):
    kit, found = StoreConformance(), []
    for name in dir(kit):
        if name.startswith("test_") and "long" not in name:
            try:
                asyncio.run(getattr(kit, name)(broken()))
            except Exception as error:
                if type(error).__name__ != "SkipTest":
                    found.append(name)
    assert len(found) >= 3
