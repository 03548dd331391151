"""Fixtures of the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_helpers import AGENTS, Run
from typer.testing import CliRunner, Result

from playhead.cli._app import app
from playhead.tape import _body


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an agent file; the store comes to be at `tapes.db` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLAYHEAD_STORE", str(tmp_path / "tapes.db"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "agents.py").write_text(AGENTS)
    return tmp_path


@pytest.fixture(autouse=True)
def projects_of_their_own() -> Iterator[None]:
    """Each test that begins a form project in this process has its own classes of its kinds."""
    yield
    for kind in [each for each in _body._kinds if each.startswith("form.")]:
        del _body._kinds[kind]


@pytest.fixture
def cli(place: Path) -> Run:
    """Runs a command in this process; whatever it raises is shown."""

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), catch_exceptions=False)

    return run
