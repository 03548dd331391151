"""Fixtures of the tests of plays."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from lending import Lending

import playhead as ph


@pytest.fixture
def world() -> Lending:
    return Lending()


@pytest_asyncio.fixture
async def store() -> AsyncIterator[ph.MemoryStore]:
    yield ph.MemoryStore()
