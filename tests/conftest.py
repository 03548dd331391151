"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of recorded real data, named by `PLAYHEAD_DATA`."""
    folder = Path(os.environ.get("PLAYHEAD_DATA", "../shared/data"))
    folder = folder if folder.is_absolute() else ROOT / folder
    if not folder.is_dir():
        pytest.skip(f"recorded data is absent at {folder}: set PLAYHEAD_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def workbench_dir(data_dir: Path) -> Path:
    folder = data_dir / "workbench"
    if not folder.is_dir():
        pytest.skip(f"no WorkBench data at {folder}")
    return folder
