"""The training traces: recorded runs of three kinds, and how they are drawn."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.experience.world import World, made
from playhead.experience.learn import Trace
from playhead.experience.routine import PastCall
from playhead.office import OfficeTask, read_tasks


@dataclass(frozen=True)
class Recorded:
    """A run of a model on a task, as it was recorded."""

    task: str
    model: str
    toolset: str
    solved: bool
    steps: tuple[dict[str, Any], ...]
    writes: tuple[dict[str, Any], ...]
    error: str | None


@dataclass
class Data:
    """All that the folder holds."""

    world: World
    tasks: Mapping[str, OfficeTask]
    runs: Sequence[Recorded]

    @property
    def families(self) -> dict[str, list[str]]:
        """Task ids by family, in order."""
        found: dict[str, list[str]] = {}
        for task in sorted(self.tasks.values(), key=lambda each: each.task_id):
            found.setdefault(str(task.family), []).append(task.task_id)
        return found


def read_data(folder: Path, world: World) -> Data:
    """Read tasks and runs."""
    tasks = {task.task_id: task for task in read_tasks(folder / "tasks.jsonl")}
    runs = [_recorded(json.loads(line)) for line in (folder / "runs.jsonl").open("rb")]
    return Data(world, tasks, runs)


def _recorded(line: dict[str, Any]) -> Recorded:
    return Recorded(
        line["task_id"],
        line["model"],
        line["toolset"],
        line["solved"],
        tuple(line["steps"] or ()),
        tuple(line["write_calls"] or ()),
        line["error"],
    )


def traces_of(data: Data, kind: str) -> dict[str, Trace]:
    """The trace of each task that has one, for a kind of evidence."""
    chosen: dict[str, Recorded] = {}
    for run in data.runs:
        if kind == "A" and not (run.model == "gpt-4" and run.solved):
            continue
        if kind == "B" and not run.solved:
            continue
        if kind == "C" and run.model != "gpt-4":
            continue
        held = chosen.get(run.task)
        if held is None or _better(data, run, held, kind):
            chosen[run.task] = run
    corrected = kind == "C"
    return {task: trace_of(data, run, corrected=corrected) for task, run in chosen.items()}


def _better(data: Data, run: Recorded, held: Recorded, kind: str) -> bool:
    """Whether a run is the better trace of its task: of GPT-4, or, if corrected, of more use."""
    if kind != "C":
        return held.model != "gpt-4" and run.model == "gpt-4"
    return _shown(data, run) > _shown(data, held)


def _shown(data: Data, run: Recorded) -> tuple[bool, int]:
    """Whether it was solved, and how much of what is to be written its reads have shown."""
    seen = " ".join(str(step["observation"]) for step in run.steps)
    wanted = {str(v) for call in data.tasks[run.task].expected_calls for v in call.args.values()}
    return run.solved, sum(value in seen for value in wanted)


def trace_of(data: Data, run: Recorded, *, corrected: bool = False) -> Trace:
    """A run as learning sees it; `corrected` puts the right writes in the place of its own."""
    calls: list[PastCall] = []
    for step in run.steps:
        arguments = step["args"] if isinstance(step["args"], dict) else {}
        tool = data.world.tools.get(step["tool"])
        if tool is None or (corrected and tool.effect != "read"):
            continue
        calls.append(PastCall(step["tool"], arguments, step["observation"]))
    if corrected:
        office = data.world.data.fresh()
        for call in data.tasks[run.task].expected_calls:
            result = made(office, call.tool, call.args)
            calls.append(PastCall(call.tool, dict(call.args), result))
    now = f"{data.world.data.now:%Y-%m-%d %H:%M:%S}"
    return Trace(
        f"{run.model}-{run.toolset}-{run.task}", data.tasks[run.task].query, now, tuple(calls)
    )


def draw(
    data: Data, traces: Mapping[str, Trace], family: str, *, kind: str, k: int, seed: int | None
) -> list[str]:
    """The training tasks of a family: the first by id, or a seeded random choice."""
    tasks = [task for task in data.families[family] if task in traces]
    if seed is not None:
        random.Random(f"{kind} {family} {seed}").shuffle(tasks)
    if kind != "C":
        return tasks[:k]
    writing = [task for task in tasks if data.tasks[task].expected_calls]
    least = writing[: min(2, k)]
    rest = [task for task in tasks if task not in least]
    return [*least, *rest[: k - len(least)]]
