"""The recorded calls and runs of the original tools, made again."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from playhead.office import Office, OfficeData, Table, live_args, read_tasks

KEYS = {
    "calendar_events": "event_id",
    "emails": "email_id",
    "plots": None,
    "project_tasks": "task_id",
    "customer_relationship_manager_data": "customer_id",
}


@pytest.fixture(scope="session")
def data(workbench_dir: Path) -> OfficeData:
    return OfficeData.load(workbench_dir)


def lines(file: Path) -> Iterator[dict]:
    with file.open(encoding="utf-8") as text:
        yield from map(json.loads, text)


def same(left: object, right: object) -> bool:
    """Equal as JSON, keys in order; numbers that were computed may differ in the last digits."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def outcome(office: Office, tool: str, args: dict) -> object:
    try:
        return office.call(tool, args)
    except re.error:
        return {"exception": "re.error"}
    except Exception as error:
        return {"exception": type(error).__name__}


def grouped(table: Table, key: str | None) -> dict[object, Counter[str]]:
    groups: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for at in range(len(table)):
        row = {name: cell for name, cell in table.record(at).items() if cell is not None}
        groups[row[key] if key else at][json.dumps(row, sort_keys=True)] += 1
    return groups


def changed_rows(office: Office, clean: Office) -> dict[str, int]:
    changed = {}
    for name, key in KEYS.items():
        if office.tables[name].rows == clean.tables[name].rows:
            changed[name] = 0
            continue
        new, old = (grouped(each.tables[name], key) for each in (office, clean))
        changed[name] = sum(
            max((new[row] - old[row]).total(), (old[row] - new[row]).total())
            for row in {*new, *old}
        )
    return changed


def test_recorded_sequences_give_the_recorded_results(workbench_dir: Path, data: OfficeData):
    clean, made, wrong = data.fresh(), 0, []
    for number, sequence in enumerate(lines(workbench_dir / "conformance.jsonl"), start=1):
        office = data.fresh()
        for call in sequence["calls"]:
            made += 1
            result = outcome(office, call["tool"], call["args"])
            if not same(result, call["result"]):
                wrong.append((number, call, result))
        if changed_rows(office, clean) != sequence["changed_rows"]:
            wrong.append((number, "changed rows", changed_rows(office, clean)))
    assert wrong == []
    assert made == 930


def test_recorded_runs_give_the_recorded_observations(workbench_dir: Path, data: OfficeData):
    tasks = {task.task_id: task for task in read_tasks(workbench_dir / "tasks.jsonl")}
    known = {tool.name for tool in data.fresh().tools}
    made, refused, wrong = 0, 0, []
    for run in lines(workbench_dir / "runs.jsonl"):
        office = data.fresh()
        domains = tasks[run["task_id"]].domains
        offered = office.tools if run["toolset"] == "all" else office.tools_for(domains)
        names = [tool.name for tool in offered]
        for step in run["steps"] or ():
            tool = step["tool"]
            if tool in known:
                made += 1
                args = live_args(office.tool(tool).method, step["args"])
                result = outcome(office, tool, args)
            else:
                refused += 1
                result = f"{tool} is not a valid tool, try one of [{', '.join(names)}]."
            if not same(result, step["observation"]):
                wrong.append((run["task_id"], run["model"], step, result))
    assert wrong == []
    assert (made, refused) == (4392, 28)


def test_tools_have_the_described_arguments_and_effects(workbench_dir: Path, data: OfficeData):
    described = {
        tool["name"]: tool for tool in json.loads((workbench_dir / "tools.json").read_bytes())
    }
    tools = data.fresh().tools
    assert {tool.name for tool in tools} == set(described)
    for tool in tools:
        wanted = described[tool.name]["parameters"]["properties"]
        found = inspect.signature(tool.method).parameters
        assert {name: each.default for name, each in found.items()} == {
            name: each["default"] for name, each in wanted.items()
        }
        assert list(found) == list(wanted)
        assert (tool.effect == "read") == (described[tool.name]["effect"] == "read")
