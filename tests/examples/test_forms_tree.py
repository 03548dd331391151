"""Trees of dialogues: grown, killed, gone on with, evaluated, reported."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from examples.forms.behaviours import BEHAVIOURS
from examples.forms.errors import TreeError
from examples.forms.rules import RuleUserModel
from examples.forms.tree import (
    Ledger,
    NodeRecord,
    TreeSettings,
    evaluate_tree,
    grow,
    report_of,
    workers_for,
)
from examples.forms.tree._settings import ErrorsPart

import playhead as ph
from playhead.errors import ModelError, ModelRequestError, ModelUnavailableError, StoreFullError
from playhead.llm import Completion, ModelRequest, OnDelta
from playhead.store import SqliteStore
from playhead.tape.kinds import ModelCall

ROOT = Path(__file__).resolve().parents[2]
SMALL = TreeSettings(dialogues=12, roots=4, agent="student", turns=10)
TINY = TreeSettings(dialogues=8, roots=4, agent="student", turns=5)

OPEN: list[Ledger] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Ledgers of a test are closed at its end."""
    yield
    while OPEN:
        OPEN.pop().close()


async def grown(settings: TreeSettings, path: Path, store: ph.MemoryStore) -> Ledger:
    ledger = Ledger(path / "tree.jsonl", settings=settings.digest)
    OPEN.append(ledger)
    await grow(settings, ledger, store)
    return ledger


async def test_a_tree_has_the_breadth_that_was_asked_for(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    ledger = await grown(SMALL, tmp_path, store)
    leaves = ledger.leaves()
    assert len(leaves) + len(ledger.duplicates()) == 12
    assert len(ledger.layer(0)) == 4
    assert max(len(ledger.layer(n)) for n in range(10)) > 4
    for leaf in leaves:
        path = ledger.path_to(leaf)
        tapes = [await store.open(node.tape) for node in path]
        for parent, child in pairwise(tapes):
            assert [s.header for s in child[: len(parent)]] == [s.header for s in parent]
        tapes[-1].verify()
    assert sum(node.steps for node in ledger.nodes.values()) < sum(n.length for n in leaves)


async def test_siblings_behave_differently_and_nothing_is_there_twice(tmp_path: Path) -> None:
    ledger = await grown(SMALL, tmp_path, ph.MemoryStore())
    behaviours = Counter((n.parent, n.behaviour) for n in ledger.nodes.values() if n.parent)
    assert set(behaviours.values()) == {1}
    said = Counter(leaf.said for leaf in ledger.leaves())
    assert set(said.values()) == {1}


async def test_what_is_grown_is_not_grown_again(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    first = await grown(SMALL, tmp_path, store)
    first.close()
    size = (tmp_path / "tree.jsonl").stat().st_size
    again = await grown(SMALL, tmp_path, store)
    again.close()
    assert (tmp_path / "tree.jsonl").stat().st_size == size
    assert again.nodes == first.nodes


async def test_dialogues_that_are_there_already_are_set_apart(tmp_path: Path) -> None:
    settings = TreeSettings(
        companies=["parcelo"], dialogues=60, roots=60, turns=2, agent="student",
        behaviours={name: 0 for name in BEHAVIOURS if name not in ("init_ask", "name_function")}
        | {"happy_terse": 1},
    )  # fmt: skip
    ledger = await grown(settings, tmp_path, ph.MemoryStore())
    duplicates = ledger.duplicates()
    assert duplicates
    said = [leaf.said for leaf in ledger.leaves()]
    assert len(set(said)) == len(said)
    assert {node.said for node in duplicates} <= set(said)
    report = await report_of(ledger, ph.MemoryStore())
    assert report.outcomes["duplicate"] == len(duplicates)
    assert report.dialogues == len(said)


async def test_failures_are_kept_apart(tmp_path: Path) -> None:
    settings = SMALL.model_copy(update={"errors": ErrorsPart(garble=0.45)})
    store = ph.MemoryStore()
    ledger = await grown(settings, tmp_path, store)
    failed = [node for node in ledger.nodes.values() if node.outcome == "failed"]
    assert failed
    assert all(node.why.startswith("unreadable: ") for node in failed)
    parents = {node.parent for node in ledger.nodes.values()}
    assert not parents & {node.key for node in failed}
    await evaluate_tree(ledger, store)
    assert not {node.key for node in failed} & set(ledger.scored)
    report = await report_of(ledger, store)
    assert report.failures == {"unreadable": len(failed)}


async def test_a_tree_is_evaluated_once_and_reported(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    settings = SMALL.model_copy(update={"errors": ErrorsPart(hide=0.5, invent=0.2)})
    ledger = await grown(settings, tmp_path, store)
    from examples.forms.rules import RuleJudgeModel

    evaluated = await evaluate_tree(ledger, store, judge=RuleJudgeModel(), judged=8)
    assert evaluated.dialogues == len(ledger.leaves())
    assert (await evaluate_tree(ledger, store)).dialogues == 0
    report = await report_of(ledger, store)
    assert report.dialogues == len(ledger.leaves())
    assert report.letters["transparent"] < 1
    assert report.letters["grounded"] < 1
    assert report.letters["disciplined"] == 1
    assert set(report.agreement) == {"grounded", "responsive"}
    assert report.agreement["grounded"]["dialogues"] == 8


async def test_a_line_that_was_cut_is_dropped(tmp_path: Path) -> None:
    store = ph.MemoryStore()
    (await grown(SMALL, tmp_path, store)).close()
    path = tmp_path / "tree.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    ledger = await grown(SMALL, tmp_path, store)
    ledger.close()
    entries = [json.loads(line) for line in path.read_bytes().splitlines()]
    nodes = [entry["node"]["key"] for entry in entries if "node" in entry]
    assert len(nodes) == len(set(nodes))
    assert ledger.nodes.keys() == {
        json.loads(line)["node"]["key"] for line in whole.splitlines() if b'"node"' in line
    }


def test_a_ledger_of_another_tree_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tree.jsonl"
    Ledger(path, settings=SMALL.digest).close()
    with pytest.raises(TreeError, match="other settings"):
        Ledger(path, settings=TreeSettings().digest)
    for foreign in (b"no ledger\n", b"no line", b"[]\n"):
        path.write_bytes(foreign)
        with pytest.raises(TreeError, match=r"no ledger|other settings"):
            Ledger(path, settings=SMALL.digest)
        assert path.read_bytes() == foreign
    path.write_bytes(b'{"tree": "01')  # cut by a crash
    Ledger(path, settings=SMALL.digest).close()


async def stored(
    settings: TreeSettings, folder: Path, *, processes: int, name: str = "tree"
) -> tuple[dict[str, NodeRecord], int]:
    """A tree in a file, grown by some processes: its nodes, and the model calls it took."""
    ledger = Ledger(folder / f"{name}.jsonl", settings=settings.digest)
    OPEN.append(ledger)
    async with (
        SqliteStore(folder / f"{name}.db", durability="normal") as store,
        workers_for(settings, ledger, store, processes=processes) as workers,
    ):
        await grow(settings, ledger, store, workers=workers)
    return dict(ledger.nodes), await model_calls(folder / f"{name}.db")


async def test_any_number_of_processes_grows_the_same_tree(tmp_path: Path) -> None:
    settings = TINY.model_copy(update={"errors": ErrorsPart(garble=0.2, misread=0.2)})
    alone, calls = await stored(settings, tmp_path, processes=1)
    assert calls > 20
    assert await stored(settings, tmp_path, processes=3, name="three") == (alone, calls)


async def test_processes_share_nothing_but_a_file(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "tree.jsonl", settings=SMALL.digest)
    OPEN.append(ledger)
    with pytest.raises(TreeError, match="cannot share a MemoryStore"):
        async with workers_for(SMALL, ledger, ph.MemoryStore(), processes=2):
            pass


async def test_a_worker_that_dies_is_told_and_the_tree_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    began = asyncio.create_subprocess_exec

    async def remembering(*words: str, **options: object) -> asyncio.subprocess.Process:
        process = await began(*words, **options)  # type: ignore[arg-type]
        killed.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembering)
    ledger = Ledger(tmp_path / "tree.jsonl", settings=TINY.digest)
    OPEN.append(ledger)
    ended = ledger.ended

    def killing(node: NodeRecord) -> None:
        ended(node)
        if len(ledger.nodes) == 8:
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(ledger, "ended", killing)
    async with (
        SqliteStore(tmp_path / "tree.db", durability="normal") as store,
        workers_for(TINY, ledger, store, processes=2) as workers,
    ):
        with pytest.raises(TreeError, match="worker process ended with code -9"):
            await grow(TINY, ledger, store, workers=workers)
    ledger.close()
    nodes, calls = await stored(TINY, tmp_path, processes=2)
    assert 8 <= len(ledger.nodes) < len(nodes)
    whole, asked = await stored(TINY, tmp_path, processes=1, name="whole")
    assert (unmeasured(nodes), calls) == (unmeasured(whole), asked)


def unmeasured(nodes: Mapping[str, NodeRecord]) -> dict[str, NodeRecord]:
    """Nodes without their lengths: a dialogue that was resumed says so on its tape."""
    return {key: replace(node, length=0) for key, node in nodes.items()}


async def test_a_store_that_fails_is_no_failure_of_a_dialogue(tmp_path: Path) -> None:
    class Full(ph.MemoryStore):
        async def append(self, batch: object) -> object:  # type: ignore[override]
            raise StoreFullError("no space is left")

    ledger = Ledger(tmp_path / "tree.jsonl", settings=SMALL.digest)
    OPEN.append(ledger)
    with pytest.raises(StoreFullError):
        await grow(SMALL, ledger, Full())
    assert ledger.nodes == {}


class Refusing(RuleUserModel):
    """A model that raises an error for its first prompts, and then answers."""

    def __init__(self, error: ModelError, times: int) -> None:
        super().__init__()
        self.error, self.left = error, times

    async def complete(self, request: ModelRequest, on_delta: OnDelta | None = None) -> Completion:
        if self.left:
            self.left -= 1
            raise self.error
        return await super().complete(request, on_delta)


@pytest.mark.parametrize(
    "error",
    [
        ModelUnavailableError("nobody answers"),
        ModelRequestError("there is no key"),
        ModelRequestError("a wrong key", status=401),
    ],
)
async def test_a_model_that_cannot_be_had_fails_no_dialogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: ModelError
) -> None:
    refusing = Refusing(error, times=3)
    monkeypatch.setattr("examples.forms.tree._family.model_for", lambda *_: refusing)
    store, settings = ph.MemoryStore(), TINY.model_copy(update={"jobs": 1})
    stopped = 0
    while refusing.left:
        with pytest.raises(type(error), match=error.message):
            await grown(settings, tmp_path, store)
        OPEN.pop().close()
        stopped += 1
    assert stopped == 3
    ledger = await grown(settings, tmp_path, store)
    (tmp_path / "other").mkdir()
    whole = await grown(settings, tmp_path / "other", ph.MemoryStore())
    assert unmeasured(ledger.nodes) == unmeasured(whole.nodes)


async def test_a_dialogue_that_a_model_refuses_is_set_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = Refusing(ModelRequestError("too long", status=400), times=1)
    monkeypatch.setattr("examples.forms.tree._family.model_for", lambda *_: refusing)
    ledger = await grown(TINY, tmp_path, ph.MemoryStore())
    failed = [node for node in ledger.nodes.values() if node.outcome == "failed"]
    assert [node.why for node in failed] == ["model_request: too long"]
    assert ledger.leaves()


def test_a_ledger_has_one_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("examples.forms.tree._ledger._PATIENCE", 0.0)
    path = tmp_path / "tree.jsonl"
    OPEN.append(Ledger(path, settings=SMALL.digest))
    with pytest.raises(TreeError, match="written by another process"):
        Ledger(path, settings=SMALL.digest)


KILLED_AT = 20  # nodes, of about 80


def command(to: Path, *more: str) -> list[str]:
    options = ["--dialogues", "12", "--roots", "5", "--agent", "student", "--judged", "2", *more]
    return [sys.executable, "-m", "examples.forms.tree", "--to", str(to), *options]


async def model_calls(path: Path) -> int:
    """The model calls that stand in a store, each once."""
    calls: set[str] = set()
    before = None
    async with SqliteStore(path) as store:
        while page := await store.tapes(limit=500, before=before):
            for info in page:
                tape = await store.open(info.id)
                calls |= {step.id for step in tape[tape.start :] if step.kind == ModelCall.kind}
            before = page[-1].id
    return len(calls)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_killed_halfway_it_finishes_without_repeating_work(tmp_path: Path, processes: str) -> None:
    """The whole process is killed; its workers, if it has any, see that it is gone."""
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    ledger = killed / "tree.jsonl"
    process = subprocess.Popen(
        command(killed, "--processes", processes),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        if ledger.exists() and ledger.read_bytes().count(b'{"node"') >= KILLED_AT:
            break
        time.sleep(0.02)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = ledger.read_bytes()
    assert before.count(b'{"node"') >= KILLED_AT

    for folder, count in ((killed, processes), (whole, "1")):
        words = command(folder, "--processes", count)
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "dialogues" in done.stdout
    after = ledger.read_bytes()
    assert after.startswith(before[: before.rfind(b"\n") + 1])

    one, other = (
        {
            entry["node"]["key"]: (entry["node"]["text"], entry["node"]["outcome"])
            for line in (folder / "tree.jsonl").read_bytes().splitlines()
            if "node" in (entry := json.loads(line))
        }
        for folder in (killed, whole)
    )
    assert one == other
    calls = [asyncio.run(model_calls(folder / "tapes.db")) for folder in (killed, whole)]
    assert calls[0] == calls[1]
    reports = [json.loads((folder / "report.json").read_text()) for folder in (killed, whole)]
    for report in reports:
        del report["steps"], report["unshared_steps"]  # a resumed turn has a note that says so
    assert reports[0] == reports[1]
