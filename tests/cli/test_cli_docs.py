"""docs/cli.md is in step with the commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_helpers import Run

from playhead.cli import _guard

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from make_cli_docs import PATH, commands, page  # noqa: E402

COMMANDS = commands()


def test_the_page_is_current():
    assert page(PATH.read_text()) == PATH.read_text(), "run `python tools/make_cli_docs.py`"


def test_the_commands_are_those_that_were_promised():
    assert sorted(COMMANDS) == [
        "agreement", "check", "decide", "demo", "diff", "doctor", "erase", "eval", "export", "fork",
        "import", "label", "learn", "library add", "library guard", "library install",
        "library keys", "library ls", "library publish", "library rate", "library rm",
        "library search", "library show", "library stats", "library trust", "ls", "new", "pending",
        "play", "record llm", "record mcp", "record otlp", "replay", "replay llm", "replay mcp",
        "report", "resume", "rm", "run", "search", "serve agent", "serve mcp", "show", "stats",
        "tail", "verify",
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented_and_explained(cli: Run, name: str):
    section = PATH.read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]
    common = PATH.read_text().split("\n## Exit codes\n")[0]
    shown = cli(*name.split(), "--help").stdout
    assert f"playhead {name}" in section
    assert "Examples" in shown
    for param in COMMANDS[name].params:
        assert param.help, param.name
        for word in param.opts if param.param_type_name == "option" else [param.metavar]:
            assert f"`{word}`".replace("|", "\\|") in section + common
            assert word in shown


def test_every_exit_code_is_documented():
    section = PATH.read_text().split("\n## Exit codes\n")[1].split("\n## ")[0]
    codes = (_guard.DONE, _guard.NEGATIVE, _guard.USAGE, _guard.WAITS, _guard.STORE, _guard.MODEL,
             _guard.UNEXPECTED, _guard.INTERRUPTED)  # fmt: skip
    assert codes == (0, 1, 2, 3, 4, 5, 70, 130)
    for code in codes:
        assert f"| {code} |" in section
