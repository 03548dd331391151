"""Stores and labs for tests of sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from session_kit import Lab

import playhead as ph
from playhead.store import Store
from playhead.tape import _body


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = ph.MemoryStore() if request.param == "memory" else ph.SqliteStore(tmp_path / "t.db")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def lab(kinds_restored: None, store: Store) -> AsyncIterator[Lab]:
    """A lab in both kinds of store; all of its tapes are checked afterwards."""
    made = Lab(store)
    yield made
    await made.check()


@pytest_asyncio.fixture
async def quick_lab(kinds_restored: None) -> AsyncIterator[Lab]:
    """A lab in memory, for many sessions in a row; its tapes are checked as well."""
    made = Lab(ph.MemoryStore())
    yield made
    await made.check()


@pytest.fixture
def kinds_restored() -> Iterator[None]:
    """Forget afterwards the kinds that a test defines."""
    before = dict(_body._kinds)
    yield
    _body._kinds.clear()
    _body._kinds.update(before)
