"""The tutorial notebook is executed, cell by cell, as a notebook does it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import sys
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


def cells(kind: str) -> list[str]:
    """The texts of the cells of a kind, in order."""
    notebook: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    return ["".join(each["source"]) for each in notebook["cells"] if each["cell_type"] == kind]


def compiled(text: str, number: int) -> CodeType:
    """A cell, in which `await` may stand outside of functions, as in a notebook."""
    code: CodeType = compile(
        text, f"cell {number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    return code


async def executed(texts: list[str], names: dict[str, Any]) -> None:
    """Run cells in one namespace, within an event loop that is running all the while."""
    for number, text in enumerate(texts):
        result = eval(compiled(text, number), names)
        if inspect.isawaitable(result):
            await result


def test_the_tutorial_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    module = sys.modules["__tutorial__"] = ModuleType("__tutorial__")
    try:
        asyncio.run(executed(cells("code"), vars(module)))
    finally:
        del sys.modules["__tutorial__"]
    printed = capsys.readouterr().out
    assert "Hello, world!" in printed
    assert "the same again: True" in printed
    assert re.search(r"teacher: \d\d+ model calls", printed)
    assert "student-hide is -" in printed


def test_a_cell_that_fails_is_not_passed_over() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(executed(["x = 1", "await __import__('asyncio').sleep(0); x / 0"], {}))


def test_what_the_tutorial_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", "\n".join(cells("markdown"))):
        assert (NOTEBOOK.parent / target).exists(), target


def test_the_tutorial_holds_no_output() -> None:
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
