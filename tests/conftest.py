"""Fixtures that several test folders share."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from tally import Tally, told

pytest.register_assert_rewrite("playhead.store")  # the conformance kit's assertions

# CI runs the same examples each time; a person's run looks for new ones. Slowness is no fault.
settings.register_profile("ours", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "ours")

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Let Ctrl-C end the long tests as a whole; asyncio would make it the failure of one."""
    if config.option.markexpr == "chaos" and signal.getsignal(signal.SIGINT) is _default:
        signal.signal(signal.SIGINT, lambda number, frame: _default(number, frame))


_default = signal.default_int_handler
TALLY = pytest.StashKey[Tally]()


@pytest.fixture
def tally(
    request: pytest.FixtureRequest,
) -> Callable[[str, Mapping[str, int]], None]:
    """Call it with what is tried, and the counts so far; they are shown in sum at the end."""
    stash = request.config.stash
    kept = stash.setdefault(TALLY, Tally(request.config))

    def note(title: str, counts: Mapping[str, int]) -> None:
        kept.note(title, request.node.nodeid, counts)
        properties[:] = [("counts", (title, dict(counts)))]

    properties = request.node.user_properties
    return note


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show in sum what the tests of a module counted (`tally`)."""
    tally = config.stash.get(TALLY, None)
    if tally:
        terminalreporter.write_line(tally.table())
        return
    sums: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            found = dict(getattr(report, "user_properties", ())).get("counts")
            if found and report.when == "teardown":
                sums.setdefault(found[0], Counter()).update(found[1])
    for title, total in sums.items():
        terminalreporter.write_line(f"{title}: {told(total)}")


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
