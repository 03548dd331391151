"""Families that were made up are drawn, learnt and played."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.invented.families import FAMILIES
from benchmarks.invented.registry import family

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("add_note", "cancel_future", "delete_emails_days")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.invented", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def figures(workbench_dir: Path) -> dict[str, Any]:
    done = run(str(workbench_dir), "--draws", "1", "--json", "--family", *QUICK)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", QUICK)
def test_a_family_is_learnt_and_played_without_an_error(figures: dict[str, Any], name: str) -> None:
    (row,) = [row for row in figures["families"] if row["family"] == name]
    assert row["tasks"] == 14
    assert row["plays"] == row["tasks"] - 3
    assert row["solved_write"] > 0
    assert row["wrong_writes"] == 0
    assert row["missed"] == 0


def test_the_total_sums_the_families_up(figures: dict[str, Any]) -> None:
    total = figures["total"]
    assert total["families"] == len(QUICK)
    for count in ("tasks", "plays", "solved_write", "solved_noop", "refused"):
        assert total[count] == sum(row[count] for row in figures["families"])


def test_every_family_is_listed_under_a_name_of_its_own() -> None:
    written = list(families_in_the_modules())
    assert len(written) == len(set(written))
    assert set(written) == set(FAMILIES)
    with pytest.raises(ValueError, match="`add_note` is there already"):
        family()(FAMILIES["add_note"].draw)


def families_in_the_modules() -> Iterator[str]:
    for path in sorted((ROOT / "benchmarks" / "invented" / "families").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                yield node.name


@pytest.mark.parametrize("wrong", [[], ["--family", "no_such_family"]])
def test_what_is_not_there_is_named(wrong: list[str], tmp_path: Path) -> None:
    if wrong:
        (tmp_path / "calendar_events.csv").touch()
    done = run(str(tmp_path), *wrong)
    assert done.returncode == 2
    assert (wrong[-1] if wrong else "calendar_events.csv") in done.stderr
