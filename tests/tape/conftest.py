"""Makes `tools/` importable; its files are programs, in no package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.tape import _body

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@pytest.fixture
def kinds_restored() -> Iterator[None]:
    """Forget afterwards the kinds and upgrades that a test defines."""
    kinds, upgrades = dict(_body._kinds), dict(_body._upgrades)
    yield
    _body._kinds.clear()
    _body._kinds.update(kinds)
    _body._upgrades.clear()
    _body._upgrades.update(upgrades)
