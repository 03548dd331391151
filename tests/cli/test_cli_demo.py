"""The demonstration, and the office agent that comes along."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_helpers import Run, document, in_terminal, playhead

import playhead as ph
from playhead.cli.demo import _acts_back, office_agent, office_environment
from playhead.cli.demo._stage import judged
from playhead.office import OfficeTask, same_tables, sample_tasks
from playhead.office import replay as replay_calls


def test_the_demonstration_proves_its_claims(place: Path):
    result = playhead("demo", "--json", "--keep", "kept", cwd=place)
    assert result.code == 0
    said = document(result.out)
    assert said["ok"]
    assert len(said["checks"]) == 21
    assert all(check["ok"] for check in said["checks"])
    assert said["completions"] == "hand-written"
    ledger = said["resumed"]["ledger"]
    assert [entry["tool"] for entry in ledger] == ["calendar.create_event", "email.send_email"]
    assert ledger[0]["process"] == said["killed"]["process"] != ledger[1]["process"]
    assert said["replay"] == {"turns": 5, "steps": 5, "divergences": 0}
    assert said["resumed"]["judge"]["solved"]
    assert said["fork"]["judge"] == {"solved": False, "side_effect": True, "exact_match": False}
    store = ("--store", "kept/tapes.db")
    heads = [word for head in said["heads"] for word in ("--head", head)]
    assert playhead("verify", "--all", *heads, *store, cwd=place).code == 0
    tape = said["resumed"]["tape"]
    assert playhead("replay", tape, "--agent", "demo", *store, cwd=place).code == 0
    assert playhead("diff", tape, said["fork"]["tape"], *store, cwd=place).code == 1


def test_the_demonstration_looks_as_it_should_and_leaves_nothing(place: Path):
    code, seen = in_terminal("demo", cwd=place)
    assert code == 0
    for title in ("1 · A session", "2 · Killed between an action and its result", "3 · Resumed",
                  "4 · Replayed", "5 · Forked", "6 · Verified"):  # fmt: skip
        assert title in seen
    assert "21 of 21 claims hold" in seen
    assert "✗" not in seen
    assert [path.name for path in place.iterdir()] == ["agents.py"]


def test_a_claim_that_does_not_hold_makes_it_fail(
    cli: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(_acts_back, "_refused", lambda lines: False)
    result = cli("demo")
    assert result.exit_code == 1
    assert "✗ a copy whose end was cut off is refused" in result.stdout
    assert "19 of 21 claims hold" in result.stdout


def test_a_folder_that_cannot_be_made_is_a_usage_error(cli: Run):
    assert cli("demo", "--keep", f"{os.devnull}/there").exit_code == 2


@pytest.mark.parametrize("task", sample_tasks(), ids=lambda task: task.task_id)
async def test_the_office_agent_solves_its_tasks(task: OfficeTask):
    environment, store = office_environment(), ph.MemoryStore()
    tape = await ph.run(office_agent(), task.query, environment=environment, store=store)
    assert tape.status == "answered"
    assert judged(tape, task).solved
    expected = replay_calls(environment._data, task.expected_calls)
    assert same_tables(environment.office, expected)
    report = await ph.replay(tape, agent=office_agent(), store=store)
    assert report.ok
    assert report.turns > 1


def test_the_office_agent_says_what_it_knows(cli: Run):
    result = cli("run", "demo", "Make me a coffee", "--json")
    assert "for these tasks only:\n- Cancel my next meeting" in document(result.stdout)["answer"]


def test_the_office_agent_stops_when_it_is_refused(cli: Run):
    task = "Cancel my next meeting with Priya."
    assert cli("run", "demo", task, "--approve", "irreversible").exit_code == 3
    result = cli("resume", "last", "--agent", "demo", "--decide", "7=deny:keep it", "--json")
    assert document(result.stdout)["answer"] == "I stop here: Error: keep it"


def test_the_office_agent_goes_on_in_another_process(cli: Run):
    task = "Cancel my next meeting with Priya."
    cli("run", "demo", task, "--budget-model-calls", "1")
    assert cli("resume", "last", "--agent", "demo").exit_code == 0


def test_the_alternative_books_another_time(cli: Run):
    cli("run", "demo", sample_tasks()[5].query)
    result = cli("fork", "last", "--at", "9", "--agent", "demo:alternative", "--json")
    assert "15:00" in document(result.stdout)["answer"]
    assert "15:00:00" in cli("diff", "-2", "-1").stdout
