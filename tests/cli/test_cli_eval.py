"""Evaluations on the command line: run, resume, report, gate, plan, agreement."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import pytest
from cli_helpers import Run, document, playhead, start

SUITE = '''
import os
import time
from pathlib import Path

import playhead as ph
from playhead.evaluate import Candidate, Suite, Task, scorer


@scorer
def right(run):
    """Whether the answer is as expected."""
    return run.answer == run.task.expected


@scorer
def picky(run):
    """Cannot judge one task."""
    if run.task.id == "t3":
        raise ValueError("no idea of t3")
    return True


def says(trial, wrong):
    """An agent that is right but for some tasks; each call leaves a line in a file."""

    def answer(request):
        with Path("calls.txt").open("a") as file:
            file.write(f"{trial.candidate} {trial.task.id} {trial.number}\\n")
        time.sleep(float(os.environ.get("SLOW", "0")))
        if trial.task.id in wrong:
            return "nonsense"
        return trial.task.expected

    return ph.Agent("clerk", model=ph.ScriptedModel(answer))


tasks = [Task(f"t{n}", f"What is {n} + {n}?", expected=str(2 * n)) for n in range(12)]
good = Candidate("good", lambda trial: says(trial, ()))
bad = Candidate("bad", lambda trial: says(trial, {f"t{n}" for n in range(8)}))
now_worse = Candidate("good", lambda trial: says(trial, {f"t{n}" for n in range(9)}))
suite = Suite("sums", tasks, [right], candidates={"good": good, "bad": bad})
unsure = Suite("sums", tasks, [right, picky], candidates={"good": good})


def raises(trial):
    raise RuntimeError("no agent today")


broken = Candidate("broken", raises)
'''


@pytest.fixture
def suites(place: Path) -> Path:
    (place / "suite.py").write_text(SUITE)
    return place


def calls(place: Path) -> list[str]:
    return (place / "calls.txt").read_text().splitlines()


def of(found: dict[str, Any], candidate: str) -> dict[str, Any]:
    return next(each for each in found["summary"]["candidates"] if each["name"] == candidate)


def test_a_suite_is_run_with_all_that_it_brings_and_compared(cli: Run, suites: Path) -> None:
    result = cli("eval", "suite.py:suite", "--trials", "2")
    assert result.exit_code == 0
    assert len(calls(suites)) == 2 * 12 * 2
    assert "sums  12 tasks × 2 trials" in result.stdout
    assert "100.0% [" in result.stdout
    assert "bad is worse than good by 66.7 points" in result.stdout
    assert "48 of 48 trials, 32 passed, 16 failed" in result.stderr
    found = document(cli("report", "--json").stdout)
    assert of(found, "bad")["passed"] == 8
    assert of(found, "bad")["pass_hat"]["2"]["value"] == pytest.approx(4 / 12)
    assert found["evaluation"]["finished"] is True
    assert len(found["trials"]) == 48
    listed = document(cli("ls", "--limit", "100", "--json").stdout)["tapes"]
    assert [tape["status"] for tape in listed].count("evaluation") == 1
    alone = document(cli("ls", "--annotations", "--json").stdout)["tapes"]
    assert [tape["id"] for tape in alone] == [found["evaluation"]["id"]]
    assert cli("verify", "--all").exit_code == 0


def test_some_tasks_and_candidates_alone(cli: Run, suites: Path) -> None:
    words = ["eval", "suite.py:suite", "-a", "bad", "--json"]
    found = document(cli(*words, "--task", "t9", "--task", "t1").stdout)
    assert [each["name"] for each in found["summary"]["candidates"]] == ["bad"]
    assert sorted(each["task"] for each in found["summary"]["tasks"]) == ["t1", "t9"]
    found = document(cli(*words, "--limit", "3").stdout)
    assert found["evaluation"]["tasks"] == 3
    one = document(cli(*words[:2], "-a", "other=suite.py:good", "--limit", "1", "--json").stdout)
    assert one["summary"]["candidates"][0]["name"] == "other"


def test_perturbations_are_on_the_tape_and_in_the_hint(cli: Run, suites: Path) -> None:
    result = cli("eval", "suite.py:suite", "-a", "good", "--perturb", "outage=1", "--json")
    found = document(result.stdout)
    assert found["evaluation"]["settings"]["perturb"]["outage"]["rate"] == 1
    assert of(found, "good")["errors"] == 12
    assert of(found, "good")["passed"] == 0
    assert "--perturb outage=1 --resume" in result.stderr
    clean = document(cli("eval", "suite.py:suite", "-a", "good", "--json").stdout)
    assert clean["evaluation"]["document"] != found["evaluation"]["document"]


def test_files_are_written(cli: Run, suites: Path) -> None:
    result = cli("eval", "suite.py:suite", "--csv", "t.csv", "--html", "r.html")
    assert "written: t.csv" in result.stderr
    with (suites / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    page = (suites / "r.html").read_text()
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert "What is 3 + 3?" in page
    result = cli("report", "--csv", "no/such/folder.csv")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_killed_halfway_it_goes_on_without_repeating_a_trial(cli: Run, suites: Path) -> None:
    words = ["eval", "suite.py:suite", "--jobs", "2", "--store", "tapes.db"]
    process = start(*words, cwd=suites, SLOW="0.1")
    while not (suites / "calls.txt").exists() or len(calls(suites)) < 6:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = document(cli("report", "--json").stdout)
    done = {(each["candidate"], each["task"]) for each in found["trials"]}
    assert 0 < len(done) < 24
    assert "missing" in cli("report").stdout
    before = len(calls(suites))
    result = cli(*words, "--resume", found["evaluation"]["id"], "--json")
    assert result.exit_code == 0
    assert len(document(result.stdout)["trials"]) == 24
    again = [line.split() for line in calls(suites)[before:]]
    assert not done & {(candidate, task) for candidate, task, _ in again}


def test_ctrl_c_says_how_to_go_on(suites: Path) -> None:
    words = ["eval", "suite.py:suite", "--jobs", "1", "--store", "tapes.db"]
    process = start(*words, cwd=suites, SLOW="0.1")
    while not (suites / "calls.txt").exists() or len(calls(suites)) < 3:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: what is done is kept. Go on: playhead eval suite.py:suite" in told


def test_processes_find_the_suite_again(suites: Path) -> None:
    ended = playhead("eval", "suite.py:suite", "--processes", "2", "--limit", "4", "--json",
                     "--store", "tapes.db", cwd=suites)  # fmt: skip
    assert ended.code == 0, ended.err
    assert of(document(ended.out), "good")["passed"] == 4


def test_a_gate_fails_where_the_score_drops_and_not_where_it_does_not(
    cli: Run, suites: Path
) -> None:
    cli("eval", "suite.py:suite", "-a", "good", "-k", "2")
    cli(
        "export", document(cli("report", "--json").stdout)["evaluation"]["id"], "-o", "b.tape.jsonl"
    )
    same = cli("eval", "suite.py:suite", "-a", "good", "-k", "2", "--baseline", "b.tape.jsonl",
               "--fail-if", "score drops", "--fail-if", "errors rise")  # fmt: skip
    assert same.exit_code == 0
    assert "✓ score drops" in same.stdout
    assert "power" in same.stdout
    worse = cli("eval", "suite.py:suite", "-a", "good=suite.py:now_worse", "-k", "2",
                "--baseline", "b.tape.jsonl", "--fail-if", "score drops",
                "--fail-if", "right drops by 80 points", "--json")  # fmt: skip
    assert worse.exit_code == 1
    gate = document(worse.stdout)["gate"]
    assert [(each["condition"], each["fails"]) for each in gate] == [
        ("score drops", True),
        ("right drops by 80 points", False),
    ]
    assert gate[0]["was"] == 1
    assert gate[0]["now"] == pytest.approx(3 / 12)
    assert cli("report", "--baseline", "b.tape.jsonl").exit_code == 1  # score drops, unasked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-if", "score drops"], "name it with `--baseline`"),
        (["--baseline", "last", "--fail-if", "score explodes"], "is no condition"),
        (["--baseline", "last", "--fail-if", "latncy rises"], "do you mean `latency`"),
        (["--baseline", "last", "--fail-if", "score drops by 5%"], "`points` of a hundred"),
        (["--baseline", "last", "--fail-if", "cost rises by 5 points"], "`%` of what it was"),
        (["--baseline", "none.jsonl"], "cannot be read"),
    ],
)
def test_a_gate_that_is_none_is_told(cli: Run, suites: Path, words: list[str], said: str) -> None:
    cli("eval", "suite.py:suite", "-a", "good", "--limit", "2")
    result = cli("report", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr


def test_a_gate_is_read_before_anything_is_run(cli: Run, suites: Path) -> None:
    cli("eval", "suite.py:suite", "-a", "good", "--limit", "2")
    made = len(calls(suites))
    for words in (["last", "--fail-if", "score explodes"], ["none.jsonl"]):
        result = cli("eval", "suite.py:suite", "-a", "good", "--baseline", *words)
        assert result.exit_code in (1, 2)
    assert len(calls(suites)) == made


def test_what_got_better_is_no_evidence_of_a_drop(cli: Run, suites: Path) -> None:
    cli("eval", "suite.py:suite", "-a", "good=suite.py:now_worse")
    result = cli("eval", "suite.py:suite", "-a", "good", "--baseline", "last", "--json")
    assert result.exit_code == 0
    (found,) = document(result.stdout)["gate"]
    assert found["difference"] > 0.5
    assert found["p_value"] > 0.95


def test_a_plan_says_how_many_trials(cli: Run, suites: Path) -> None:
    words = ["eval", "suite.py:suite", "--plan"]
    result = cli(*words, "--effect", "5")
    assert result.exit_code == 1
    assert "tasks are needed" in result.stdout
    assert not (suites / "calls.txt").exists()  # nothing is run
    result = cli(*words, "--effect", "40", "--json")
    assert result.exit_code == 0
    planned = document(result.stdout)
    assert planned["enough"]
    assert planned["runs"] == 2 * 12 * planned["trials"]
    cli("eval", "suite.py:suite", "-k", "2")
    seen = document(cli(*words, "--effect", "40", "--pilot", "last", "--json").stdout)
    assert seen["interaction"] > planned["interaction"]  # these two differ by task


def test_a_scorer_that_raises_is_told_with_its_line_and_judges_again(
    cli: Run, suites: Path
) -> None:
    result = cli("eval", "suite.py:unsure")
    assert result.exit_code == 1
    assert "scorer `picky` failed on task t3" in result.stderr
    assert "no idea of t3" in result.stderr
    assert "suite.py" in result.stderr
    found = document(cli("report", "--json").stdout)
    assert (of(found, "good")["unscored"], of(found, "good")["passed"]) == (1, 11)
    id_ = found["evaluation"]["id"]
    made = len(calls(suites))
    mended = SUITE.replace('if run.task.id == "t3"', "if False")
    (suites / "suite.py").write_text(mended)
    ended = playhead("eval", "suite.py:unsure", "--resume", id_, "--score-again",
                     "--store", "tapes.db", cwd=suites)  # fmt: skip
    assert ended.code == 0, ended.err
    assert "12 passed" in ended.err
    assert len(calls(suites)) == made  # no session was run again
    (suites / "suite.py").write_text(mended.replace("12)]", "13)]"))
    changed = playhead(
        "eval", "suite.py:unsure", "--resume", id_, "--store", "tapes.db", cwd=suites
    )
    assert changed.code == 1
    assert "cannot go on" in changed.err


def test_errors_are_told_and_do_not_stop_the_others(cli: Run, suites: Path) -> None:
    result = cli("eval", "suite.py:suite", "-a", "suite.py:broken", "-a", "good", "--limit", "7")
    assert result.exit_code == 0
    assert "no agent today" in result.stderr
    assert "more errors stand in the report" in result.stderr
    found = document(cli("report", "--json").stdout)
    assert (of(found, "broken")["errors"], of(found, "good")["passed"]) == (7, 7)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.yaml"], "cannot be read"),
        (["suite.py:nobody"], "has no `nobody`"),
        (["nonsense"], "names no suite"),
        (["workbench"], "workbench=DIR"),
        (["suite.py:suite", "-a", "nobody"], "names no candidate"),
        (["suite.py:suite", "-a", "good", "-a", "good"], "two candidates are called `good`"),
        (["suite.py:suite", "--task", "t99"], "no task `t99`"),
        (["suite.py:suite", "--perturb", "malformd=0.1"], "malformed"),
        (["suite.py:suite", "--resume", "ffff"], "there is no store"),
        (["suite.py:suite", "--retry-errors"], "go with"),
    ],
)
def test_what_cannot_be_run_is_told(cli: Run, suites: Path, words: list[str], said: str) -> None:
    result = cli("eval", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert not (suites / "calls.txt").exists()


def test_report_without_an_evaluation_says_how_to_make_one(cli: Run, place: Path) -> None:
    result = cli("report")
    assert result.exit_code == 2
    assert "there is no evaluation yet" in result.stderr
    cli("run", "agents.py:agent", "Is it raining?")
    tape = document(cli("ls", "--json").stdout)["tapes"][0]["id"]
    result = cli("report", tape)
    assert result.exit_code == 1
    assert "is no evaluation" in result.stderr


def test_people_and_scorers_are_compared(cli: Run, suites: Path) -> None:
    cli("eval", "suite.py:suite", "-a", "bad")
    found = document(cli("report", "--json").stdout)
    id_ = found["evaluation"]["id"]
    cli("label", id_, "--only", "passed", "--value", "yes", "--by", "Ada")
    cli("label", id_, "--only", "failed", "--sample", "6", "--value", "no", "--by", "Ada")
    cli("label", id_, "--sample", "2", "--again", "--value", "yes", "--by", "Ada")
    words = ["agreement", "--name", "good", "--name", "right", "--numbers", "yes=1,no=0"]
    measured = document(cli(*words, "--json").stdout)
    assert measured["alpha"]["items"] >= 10
    assert measured["alpha"]["judges"] == 2
    assert 0 < measured["alpha"]["value"] <= 1
    shown = cli(*words).stdout
    assert "Krippendorff's alpha, nominal" in shown
    assert "person Ada" in shown
    assert "tool right" in shown
    assert "choose with `--name`" in cli("agreement").stderr


def test_agreement_of_one_judge_or_none_is_told(cli: Run, suites: Path) -> None:
    assert "nobody has judged anything yet" in cli("agreement").stderr
    cli("run", "agents.py:agent", "Is it raining?")
    cli("label", "last", "--value", "yes", "--by", "Ada")
    result = cli("agreement")
    assert result.exit_code == 1
    assert "not known: fewer than two judges" in result.stdout
    assert "write WORD=N" in cli("agreement", "--numbers", "yes").stderr
