"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("playhead.store")  # the conformance kit's assertions

# CI runs the same examples each time; a person's run looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show in sum what the tests of a module counted (`record_property("counts", {…})`)."""
    sums: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            counts = dict(getattr(report, "user_properties", ())).get("counts")
            if counts and report.when == "teardown":
                sums.setdefault(report.nodeid.split("::")[0], Counter()).update(counts)
    for module, total in sums.items():
        told = ", ".join(f"{name} {count:,}" for name, count in total.items())
        terminalreporter.write_line(f"{module}: {told}")


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
