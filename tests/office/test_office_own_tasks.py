"""Our own office: its data, its tasks, and the hand-written runs that solve them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from playhead.office import (
    JsonValue,
    OfficeCall,
    OfficeTask,
    WrittenRun,
    judge,
    live_args,
    sample_office,
    sample_runs,
    sample_tasks,
)

DATA = sample_office()
TASKS = sample_tasks()
RUNS = sample_runs()
PAIRS = list(zip(TASKS, RUNS, strict=True))


def action(completion: str) -> tuple[str, JsonValue]:
    block = json.loads(completion.split("```")[1])
    return block["action"], block["action_input"]


def play(completions: Sequence[str], task: OfficeTask) -> tuple[list[OfficeCall], list[JsonValue]]:
    """Make the calls of the completions with the tools of the task's domains."""
    office = DATA.fresh()
    offered = {tool.name: tool.method for tool in office.tools_for(task.domains)}
    calls, observations = [], []
    for completion in completions[:-1]:
        name, raw = action(completion)
        args = live_args(offered[name], raw)
        assert args == raw
        observations.append(office.call(name, args))
        calls.append(OfficeCall(name, args))
    assert action(completions[-1])[0] == "Final Answer"
    return calls, observations


def test_every_task_has_its_run():
    assert [run.task_id for run in RUNS] == [task.task_id for task in TASKS]
    assert {run.label for run in RUNS} == {"hand-written"}
    assert len(TASKS) >= 8


@pytest.mark.parametrize(("task", "run"), PAIRS, ids=lambda each: each.task_id)
def test_hand_written_runs_solve_their_tasks(task: OfficeTask, run: WrittenRun):
    calls, observations = play(run.completions, task)
    verdict = judge(DATA, calls, expected=task.expected_calls)
    assert verdict.solved
    assert not verdict.side_effect
    assert verdict.exact_match
    assert not judge(DATA, [], expected=task.expected_calls).solved
    for completion in run.completions:
        for said in ("not found", "not valid", "not provided"):
            assert said not in completion
    for call, observation in zip(calls, observations, strict=True):
        if call.tool.split(".")[1].startswith(("update", "delete", "send", "forward", "reply")):
            assert str(observation).endswith("successfully.")


def test_ids_in_the_completions_were_seen_before():
    for task, run in PAIRS:
        calls, observations = play(run.completions, task)
        for at, call in enumerate(calls):
            for name, value in call.args.items():
                if name.endswith("_id"):
                    assert str(value) in str(observations[:at]), (task.task_id, call)


def test_one_run_has_an_alternative_that_ends_elsewhere():
    [(task, run)] = [pair for pair in PAIRS if pair[1].alternative]
    assert run.alternative_from is not None
    kept = run.completions[: run.alternative_from]
    calls, _ = play((*kept, *run.alternative), task)
    before, _ = play(run.completions, task)
    assert calls[: run.alternative_from] == before[: run.alternative_from]
    verdict = judge(DATA, calls, expected=task.expected_calls)
    assert not verdict.solved
    assert verdict.side_effect


def test_meetings_of_the_data_do_not_overlap_and_stand_in_order():
    events = [DATA.events.record(at) for at in range(len(DATA.events))]
    starts = [datetime.fromisoformat(str(event["event_start"])) for event in events]
    ends = [
        start + timedelta(minutes=int(str(event["duration"])))
        for start, event in zip(starts, events, strict=True)
    ]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_everybody_in_the_data_is_in_the_directory():
    places = (
        (DATA.events, "participant_email"),
        (DATA.tasks, "assigned_to_email"),
        (DATA.customers, "assigned_to_email"),
    )
    for table, column in places:
        assert {table.cell(at, column) for at in range(len(table))} <= set(DATA.addresses)
