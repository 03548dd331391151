"""Trials a second of an evaluation, in one process and in two, and what they take of memory.

    python -m benchmarks.evaluation [--trials 2000] [--jobs 8] [--many 10000] [--rounds 3]
                                    [--json] [--dir DIR]

A trial is a session of three turns (a scripted model, an instant tool) and one scorer, stored with
`durability="full"`, `--jobs` of them at once in each process. Each evaluation runs in a process of
its own; those with one worker and those with two take turns, so that whatever else the machine does
meets both.

- *one*, *two*: trials a second, from the first trial's beginning to the last one's end; the best
  round counts;
- *ratio*: of the two, by pairs of neighbours: best, and median;
- *apart*: two evaluations of one process at the same time that share nothing but the machine, each
  of half the trials: both together over one alone. More than this, no two processes can give;
- *cpu*: milliseconds of CPU a trial, all processes and their start included; two cores with nothing
  else to do give at most twice the quotient of the two (*ceiling*), however busy this machine is;
- *memory*: the largest resident size of a process that has run `--many` trials, beside a tenth.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import playhead as ph
from benchmarks import _trials
from playhead.evaluate import EvaluationEvent, Source, TrialBeganEvent, run_suite_sync

Row = dict[str, Any]
_BOTH = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


class Watch:
    """When the first trial began."""

    def __init__(self) -> None:
        self.began: float | None = None

    def see(self, event: EvaluationEvent) -> None:
        """Something happened."""
        if self.began is None and isinstance(event, TrialBeganEvent):
            self.began = time.perf_counter()


def evaluate(trials: int, processes: int, jobs: int, path: Path) -> Row:
    """One evaluation in this process."""
    watch, file = Watch(), Path(_trials.__file__)
    tasks = min(trials, _trials.TASKS)
    result = run_suite_sync(
        replace(_trials.suite, tasks=_trials.suite.tasks[:tasks]),
        [_trials.candidate],
        trials=trials // tasks,
        jobs=jobs,
        processes=processes,
        store=ph.SqliteStore(path),
        source=Source(f"{file}:suite", (f"{file}:candidate",), limit=tasks),
        on_event=watch.see,
    )
    assert watch.began is not None
    seconds = time.perf_counter() - watch.began
    assert all(trial.passed for trial in result.trials)
    return {
        "processes": processes,
        "trials": len(result.trials),
        "seconds": seconds,
        "trials_per_second": len(result.trials) / seconds,
        "cpu_ms_per_trial": sum(_cpu(who) for who in _BOTH) / len(result.trials) * 1000,
        "peak_mb": _peak(resource.RUSAGE_SELF),
        "worker_peak_mb": _peak(resource.RUSAGE_CHILDREN) if processes > 1 else None,
    }


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _peak(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def in_processes(count: int, trials: int, processes: int, jobs: int, folder: Path) -> list[Row]:
    """So many evaluations at the same time, each in a new process and on a new file."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        began = []
        for number in range(count):
            command = [sys.executable, "-m", "benchmarks.evaluation", "--inner"]
            command += [str(Path(scratch) / f"{number}.db"), "--trials", str(trials)]
            command += ["--processes", str(processes), "--jobs", str(jobs)]
            began.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        said = [process.communicate()[0] for process in began]
    if any(process.returncode for process in began):
        raise SystemExit("an evaluation failed: see above")
    return [json.loads(each) for each in said]


def one_round(trials: int, jobs: int, folder: Path) -> tuple[Row, Row, float]:
    """With one worker, with two, and trials a second of two evaluations that share nothing."""
    ((one,), (two,)) = (in_processes(1, trials, processes, jobs, folder) for processes in (1, 2))
    apart = in_processes(2, max(trials // 2, 1), 1, jobs, folder)
    return one, two, sum(row["trials_per_second"] for row in apart)


def measured(trials: int, many: int, jobs: int, rounds: int, folder: Path) -> Row:
    """All figures."""
    found = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds} …", file=sys.stderr)
        found.append(one_round(trials, jobs, folder))
    both = zip(*((one, two) for one, two, _ in found), strict=True)
    cpu = [statistics.median(row["cpu_ms_per_trial"] for row in rows) for rows in both]
    print(f"{many:,} trials …", file=sys.stderr)
    (few,), (all_of_them,) = (
        in_processes(1, count, 2, jobs, folder) for count in (max(many // 10, 1), many)
    )
    return {
        "jobs": jobs,
        "one": max(one["trials_per_second"] for one, _, _ in found),
        "two": max(two["trials_per_second"] for _, two, _ in found),
        "ratio": _ratios([(one, two["trials_per_second"]) for one, two, _ in found]),
        "apart": _ratios([(one, apart) for one, _, apart in found]),
        "cpu_ms": {"one": cpu[0], "two": cpu[1], "ceiling": 2 * cpu[0] / cpu[1]},
        "memory": {"tenth": few, "all": all_of_them},
    }


def _ratios(pairs: list[tuple[Row, float]]) -> Row:
    ratios = [rate / one["trials_per_second"] for one, rate in pairs]
    return {"best": max(ratios), "median": statistics.median(ratios), "all": ratios}


def show(found: Row) -> None:
    """Print the figures."""
    cpu, memory = found["cpu_ms"], found["memory"]
    print(f"one process:    {found['one']:7.1f} trials a second")
    print(f"two processes:  {found['two']:7.1f} trials a second")
    for name in ("ratio", "apart"):
        ratio = found[name]
        print(f"{name + ':':15} {ratio['best']:7.2f} at best, {ratio['median']:.2f} in the middle")
    print(f"cpu ms a trial: {cpu['one']:7.2f} and {cpu['two']:.2f}: at most {cpu['ceiling']:.2f}")
    for row in (memory["tenth"], memory["all"]):
        print(
            f"{row['trials']:>6,} trials:  {row['peak_mb']:7.1f} MB, "
            f"a worker {row['worker_peak_mb']:.1f} MB"
        )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--jobs", type=int, default=8, help="trials at once in each process")
    parser.add_argument("--many", type=int, default=10_000, help="trials, to look at the memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where the files go: the disk that is measured")
    parser.add_argument("--json", action="store_true", help="figures as one JSON document")
    parser.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--inner", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if min(asked.trials, asked.many, asked.jobs, asked.rounds) < 1:
        parser.error("--trials, --many, --jobs and --rounds are at least 1")
    if asked.inner is not None:
        print(json.dumps(evaluate(asked.trials, asked.processes, asked.jobs, asked.inner)))
        return 0
    found = measured(asked.trials, asked.many, asked.jobs, asked.rounds, asked.dir)
    print(json.dumps(found)) if asked.json else show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
