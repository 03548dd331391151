"""Stores for tests of serving."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

import playhead as ph


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[ph.SqliteStore]:
    async with ph.SqliteStore(tmp_path / "tapes.db") as made:
        yield made
