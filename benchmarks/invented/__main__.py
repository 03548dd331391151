"""Experiences learnt from tasks that were made up, and played on others of their kind.

    python -m benchmarks.invented DIR [--traces K] [--draws N] [--family NAME …] [--json]

DIR holds the WorkBench tables. The families are written from scratch, beside those of the recorded
data, to see what the learner does with kinds of tasks that it was not developed with. That is only
partly so: those without a star in the table were looked at while the mechanisms were developed.
Those with one were written after most of these, and three of them looked at: `move_to_weekday`,
`stale_leads`, `status_change_if`. The sessions are ideal ones: they look up what they need and
write what is right.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.experience.playing import OUTCOMES
from benchmarks.experience.world import World
from benchmarks.invented.families import FAMILIES
from benchmarks.invented.measure import Rules, measure
from playhead.office import OfficeData

_HEADS = ("written", "nothing", "wrong", "missed", "refused")  # of the outcomes, in their order
_COLUMNS = dict(zip(("tasks", "plays", *OUTCOMES), ("tasks", "plays", *_HEADS), strict=True))
_WIDTH = 150  # in less the table says nothing


def show(figures: dict[str, Any]) -> None:
    """Print the table, a line for each family."""
    total = figures["total"]
    table = Table(box=box.SIMPLE, show_footer=True, title="families that were made up")
    table.add_column("family", footer="total", min_width=21)
    for name, head in _COLUMNS.items():
        table.add_column(head, footer=str(total[name]), justify="right", min_width=len(head))
    reason = "most frequent reason of refusal"
    table.add_column(reason, footer=total["reason"], no_wrap=True, overflow="ellipsis")
    for row in figures["families"]:
        counts = (str(row[name]) for name in _COLUMNS)
        table.add_row(f"{row['family']}{'*' * row['later']}", *counts, row["reason"])
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(table)
    console.print(
        f"{total['families']} families. Plays and what came of them are summed over the draws. "
        "*: written later.\n"
        f"Solved, by writing or by rightly doing nothing: {total['solved_percent']} %. "
        f"Errors, which are wrong writes and writes missed: {total['errors_percent']} %."
    )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invented", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", type=Path, help="folder with the WorkBench tables")
    parser.add_argument("--traces", type=int, default=3, help="sessions that are learnt from")
    parser.add_argument("--draws", type=int, default=4, help="random choices of these sessions")
    parser.add_argument("--family", nargs="+", metavar="NAME", help="these families only")
    parser.add_argument("--json", action="store_true", help="figures as one JSON document")
    asked = parser.parse_args()
    if not (asked.folder / "calendar_events.csv").is_file():
        parser.error(
            f"no `calendar_events.csv` in `{asked.folder}`: give the folder of the WorkBench data"
        )
    names = asked.family or list(FAMILIES)
    if unknown := sorted(set(names) - set(FAMILIES)):
        parser.error(f"no family `{unknown[0]}`: there are {', '.join(FAMILIES)}")
    world = World(OfficeData.load(asked.folder))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("learning and playing", total=len(names))
        figures = measure(
            world,
            [FAMILIES[name] for name in names],
            Rules(asked.traces, asked.draws),
            tell=lambda: progress.advance(bar),
        )
    if asked.json:
        print(json.dumps(figures))
    else:
        show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
