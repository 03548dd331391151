"""Trees of dialogues, evaluated: in several processes, killed on the way, by judges that fail."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from examples.forms.rules import RuleJudgeModel
from examples.forms.tree import (
    Evaluated,
    Ledger,
    TreeReport,
    TreeSettings,
    evaluate_tree,
    grow,
    report_of,
    workers_for,
)
from examples.forms.tree._settings import ErrorsPart

from playhead.errors import ModelUnavailableError
from playhead.evaluate import Annotated, read_annotations
from playhead.llm import Completion, ModelRequest, OnDelta
from playhead.store import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = TreeSettings(
    dialogues=50, roots=50, agent="student", turns=3, errors=ErrorsPart(hide=0.4, invent=0.3)
)


async def _grown(folder: Path) -> None:
    ledger = Ledger(folder / "tree.jsonl", settings=SETTINGS.digest)
    async with SqliteStore(folder / "tapes.db", durability="normal") as store:
        await grow(SETTINGS, ledger, store)
    ledger.close()


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tree that is not evaluated yet."""
    folder = tmp_path_factory.mktemp("grown")
    asyncio.run(_grown(folder))
    return folder


@pytest.fixture
def tree(grown: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(grown, tmp_path / "tree"))


async def evaluated(folder: Path, *, processes: int) -> tuple[Evaluated, TreeReport]:
    ledger = Ledger(folder / "tree.jsonl", settings=SETTINGS.digest)
    async with (
        SqliteStore(folder / "tapes.db", durability="normal") as store,
        workers_for(SETTINGS, ledger, store, processes=processes) as workers,
    ):
        found = await evaluate_tree(
            ledger, store, judge=RuleJudgeModel(), judged=3, workers=workers
        )
        report = await report_of(ledger, store)
    ledger.close()
    return found, report


async def annotations(folder: Path) -> list[Annotated]:
    async with SqliteStore(folder / "tapes.db") as store:
        return await read_annotations(store)


def scored(folder: Path) -> list[bytes]:
    lines = (folder / "tree.jsonl").read_bytes().splitlines()
    return [line for line in lines if line.startswith(b'{"scored"')]


async def test_any_number_of_processes_finds_the_same(tree: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tree, tmp_path / "other"))
    alone, report = await evaluated(tree, processes=1)
    assert alone.dialogues > 40
    assert alone.codes
    assert await evaluated(other, processes=3) == (alone, report)
    by_program, by_program_too = (
        [line for line in scored(folder) if b"_judge" not in line] for folder in (tree, other)
    )
    assert by_program_too == by_program
    said, said_too = await annotations(tree), await annotations(other)
    assert [(each.by, each.body) for each in said_too if each.by.type == "tool"] == [
        (each.by, each.body) for each in said if each.by.type == "tool"
    ]


KILLING = """
import asyncio, os, signal, sys
from pathlib import Path
from examples.forms.tree import Ledger
sys.path.insert(0, {tests!r})
from test_forms_tree_evaluated import evaluated

told = Ledger.evaluated

def telling(ledger, key, scores):
    if len(ledger.scored) == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
    told(ledger, key, scores)

Ledger.evaluated = telling
asyncio.run(evaluated(Path({folder!r}), processes={processes}))
"""


@pytest.mark.parametrize(("processes", "told"), [(1, 0), (1, 51), (2, 25)])
def test_killed_while_it_is_evaluated_it_says_nothing_twice(
    tree: Path, tmp_path: Path, told: int, processes: int
) -> None:
    """The process dies with annotations written of which the ledger is not told."""
    whole = Path(shutil.copytree(tree, tmp_path / "whole"))
    code = KILLING.format(
        tests=str(Path(__file__).parent), folder=str(tree), after=told, processes=processes
    )
    words = [sys.executable, "-c", code]
    died = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    before = scored(tree)
    assert len(before) == told

    gone_on, report = asyncio.run(evaluated(tree, processes=processes))
    assert asyncio.run(evaluated(whole, processes=1))[1] == report
    assert scored(tree)[:told] == before
    keys = Counter(scored(tree))
    assert max(keys.values()) == 1
    assert gone_on.dialogues == sum(b"_judge" not in line for line in keys) - sum(
        b"_judge" not in line for line in before
    )
    said = asyncio.run(annotations(tree))
    assert len({each.tape for each in said}) == 1
    times = Counter((each.judge, each.body.name, str(each.body.target)) for each in said)  # type: ignore[union-attr]
    assert max(times.values()) == 1
    assert len(said) == len(asyncio.run(annotations(whole)))


class Refusing(RuleJudgeModel):
    """A judge's model that is not there for the first of its prompts."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        if self.left:
            self.left -= 1
            raise ModelUnavailableError("the judge is out")
        return await super().complete(request, on_delta)


async def test_a_judge_that_fails_is_set_apart_and_asked_again_later(tree: Path) -> None:
    ledger = Ledger(tree / "tree.jsonl", settings=SETTINGS.digest)
    async with SqliteStore(tree / "tapes.db", durability="normal") as store:
        found = await evaluate_tree(ledger, store, judge=Refusing(2), judged=3)
        assert len(found.failed) == 2
        assert all("the judge is out" in why for why in found.failed.values())
        assert found.dialogues == len(ledger.leaves())
        assert not set(found.failed) & set(ledger.scored)
        again = await evaluate_tree(ledger, store, judge=RuleJudgeModel(), judged=3)
        assert (again.dialogues, again.failed) == (0, {})
        assert set(found.failed) <= set(ledger.scored)
        report = await report_of(ledger, store)
    ledger.close()
    assert report.agreement["grounded"]["dialogues"] == 3
