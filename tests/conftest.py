"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave long fault injection out, unless `-m` asks for something."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests counted (`record_property("counts", …)`)."""
    for outcome in ("passed", "failed", ""):  # "" holds fixtures' ends
        for report in terminalreporter.stats.get(outcome, ()):
            counts = dict(getattr(report, "user_properties", ())).get("counts")
            if counts and report.when == "teardown":
                terminalreporter.write_line(f"{report.nodeid.split('::')[-1]}: {counts}")


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
