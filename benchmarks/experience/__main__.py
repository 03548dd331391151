"""Experiences learnt from recorded WorkBench runs, played on tasks that they have not seen.

    python -m benchmarks.experience DIR [--traces K] [--draws N] [--json]

DIR holds `runs.jsonl`, `tasks.jsonl` and the tables. The rules are in docs/experiences.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.experience.evidence import Data, read_data
from benchmarks.experience.rows import Protocol, main_rows
from benchmarks.experience.tables import renamed_table, retrieval_table, ungrouped_table
from benchmarks.experience.world import World
from playhead.office import OfficeData

MECHANISMS = {
    "typed mentions": "typed_mentions",
    "row selection": "row_selection",
    "loops": "loops",
    "branches": "branches",
    "refusal rules": "refusal_rules",
    "leave-one-out": "leave_one_out",
}


def ablations(data: Data, rules: Protocol, kind: str = "A") -> list[dict[str, Any]]:
    """The row of `play` without one mechanism at a time, and with records alone."""
    less = {"": rules}
    for name, member in MECHANISMS.items():
        less[name] = replace(rules, settings=replace(rules.settings, **{member: False}))
    less["environment"] = replace(rules, environment=False)
    found = []
    for name, without in less.items():
        rows = main_rows(data, without, kinds=kind)
        (row,) = [r for r in rows if r["mode"] == "play" and r["choice"] == "random"]
        found.append({"without": name, **row})
    return found


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    data = read_data(folder, World(OfficeData.load(folder)))
    rules = Protocol(asked.traces, asked.draws)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        steps = len(asked.evidence) * (1 + rules.draws) * len(data.families)
        bar = progress.add_task("learning and playing", total=steps)
        rows = main_rows(data, rules, kinds=asked.evidence, tell=lambda: progress.advance(bar))
    figures: dict[str, Any] = {
        "rows": rows,
        "retrieval": retrieval_table(data, rules),
        "ungrouped": ungrouped_table(data, rules),
        "renamed": renamed_table(data, rules, folder),
    }
    if asked.ablations:
        few = replace(rules, draws=min(rules.draws, 3))
        figures["ablations"] = ablations(data, few)
    return figures


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    console = Console()
    for name in ("rows", "ablations"):
        if not figures.get(name):
            continue
        table = Table(title=name)
        for column in figures[name][0]:
            table.add_column(column)
        for row in figures[name]:
            table.add_row(*(str(value) for value in row.values()))
        console.print(table)
    for name in ("retrieval", "ungrouped", "renamed"):
        console.print(name, figures[name])


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experience", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, help="folder with the WorkBench data")
    parser.add_argument("--traces", type=int, default=3, help="training traces of a family")
    parser.add_argument("--draws", type=int, default=20, help="random draws of training traces")
    parser.add_argument("--evidence", default="ABC", help="kinds of evidence, of A, B and C")
    parser.add_argument("--ablations", action="store_true", help="one mechanism left out at a time")
    parser.add_argument("--json", action="store_true", help="figures as one JSON document")
    asked = parser.parse_args()
    if not (asked.folder / "runs.jsonl").is_file():
        parser.error(f"no `runs.jsonl` in `{asked.folder}`: give the folder of the WorkBench data")
    figures = measure(asked.folder, asked)
    if asked.json:
        print(json.dumps(figures))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
