"""The benchmarks run, and the recorded sessions are found again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def figures(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_recorded_sessions_run_live_and_end_as_recorded(workbench_dir: Path) -> None:
    rows = figures("workbench", str(workbench_dir), "--limit", "40", "--jobs", "2")["rows"]
    assert len(rows) == 5
    for row in rows:
        assert row["runs"] == 40
        assert row["agreement"] >= 0.995
        assert row["observations_equal"] >= 0.99
        assert row["verified"] == 1


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.workbench", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "runs.jsonl" in done.stderr


def test_overhead_is_measured_beside_its_floor() -> None:
    found = figures("overhead", "--turns", "50")
    assert {row["store"] for row in found["rows"]} == {"memory", "normal", "full"}
    for row in found["rows"]:
        assert row["cpu_ms"] > 0
    assert all(row["floor_cpu_ms"] > 0 for row in found["rows"] if row["store"] != "memory")
    assert set(found["ratios"]) == {"memory", "normal", "full"}


def test_sessions_are_measured_beside_the_floor_and_the_disk() -> None:
    found = figures("sessions", "--sessions", "20", "--turns", "2")
    rows = {row["what"]: row for row in found["rows"]}
    assert set(rows) == {"sessions", "store", "floor"}
    assert all(
        row["steps"] == found["rows"][0]["steps"] >= 20 * 8 and row["steps_per_s"] > 0
        for row in rows.values()
    )
    assert found["syncs_per_s"] > 0


def test_memory_does_not_grow_with_the_number_of_sessions() -> None:
    """So many at once cost memory; so many more after them do not."""
    few, many = (
        figures("sessions", "--sessions", count, "--at-once", "50", "--turns", "2")["rows"][0]
        for count in ("100", "1000")
    )
    assert many["memory_mb"] < few["memory_mb"] + 20  # 22 kB for each session more


def test_an_evaluation_is_measured_in_one_process_and_in_two() -> None:
    found = figures("evaluation", "--trials", "100", "--many", "60", "--rounds", "1")
    assert found["one"] > 0
    assert found["two"] > 0
    assert found["memory"]["tenth"]["trials"] == 6
    assert found["memory"]["all"]["trials"] == 60
    assert found["memory"]["tenth"]["worker_peak_mb"] > 0


def test_imports_are_measured_beside_their_floor() -> None:
    rows = figures("imports", "--steps", "500")["rows"]
    plain = {"anthropic-messages", "openai-chat", "taubench", "tapeagents", "workbench"}
    assert {row["format"] for row in rows} == plain | {"otlp"}
    for row in rows:
        assert row["steps"] >= (500 if row["format"] in plain else 400)  # of whole traces
        assert row["steps_per_cpu_s"] > 0
        assert row["ratio"] > 0


def test_all_that_passes_the_proxy_is_recorded() -> None:
    found = figures("proxy", "--calls", "2", "--streams", "3", "--tokens", "4")
    assert (found["made"], found["recorded"]) == (47, 47)
    assert found["streams_proxied"]["tokens_per_second"] > 0


def test_a_drifting_world_leads_to_no_wrong_write(data_dir: Path) -> None:
    folder = data_dir / "taubench"
    if not folder.is_dir():
        pytest.skip(f"no τ-bench data at {folder}")
    told = figures("drift", str(folder), "--limit", "20", "--seeds", "1")
    learnt, written = told["learnt"], told["written_down"]
    assert (written["experiences"], told["sessions"]) == (20, 20)
    assert learnt["experiences"] > 0
    for each in learnt, written:
        rows = {row["change"]: row for row in each["rows"]}
        assert rows["unchanged"]["adapted"] == each["experiences"]
        assert rows["tool_schema"]["stopped"] == each["experiences"]
        assert sum(row["wrong"] for row in rows.values()) == 0
    assert rows["province"]["stopped"] > 0
    assert sum(row["wrong_without_checks"] for row in rows.values()) > 5


def test_experiences_do_tasks_that_they_have_not_seen(workbench_dir: Path) -> None:
    found = figures("experience", str(workbench_dir), "--draws", "1", "--evidence", "A")
    rows = {(row["choice"], row["mode"]): row for row in found["rows"]}
    assert len(rows) == 12
    for choice in ("first", "random"):
        play, live = rows[choice, "play"], rows[choice, "live"]
        count = play["instances"]
        assert play["model_calls"] == 0
        assert solved(play) > 0.45 * count
        assert play["wrong_writes"] + play["missed"] <= 0.03 * count
        both = rows[choice, "play+live"]
        assert (
            both["solved_write"] + both["solved_noop"] > live["solved_write"] + live["solved_noop"]
        )
        assert both["model_calls"] < 0.65 * live["model_calls"]
        assert both["wrong_writes"] < live["wrong_writes"]
        assert rows[choice, "verbatim"]["wrong_writes"] > 0.3 * count
    assert found["retrieval"]["wrong"] <= 0.05 * found["retrieval"]["instances"]
    original = found["renamed"]["original"]
    assert abs(found["renamed"]["solved_write"] - original["solved_write"]) <= 7


def solved(row: dict[str, Any]) -> float:
    return row["solved_write"] + row["solved_noop"]


def test_experiences_refuse_a_folder_without_data(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.experience", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "runs.jsonl" in done.stderr
