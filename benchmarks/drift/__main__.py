"""Experiences of one world, played while that world drifts: stopped or adapted, never wrong?

    python -m benchmarks.drift DIR [--seeds N] [--limit N] [--json]

The world is the tool traffic of recorded sessions of τ-bench's airline; DIR has their files.
Experiences are made of sessions whose writes succeeded, in two ways:

- *learnt*, by Playhead, from what the customer said and the calls of that one session;
- *written down*, as a person would do who has seen the session: its calls in their order, each
  argument bound to what the customer wants or to a path into an earlier answer, with checks mined
  from this session and those others that fit.

Each is played on the recorded answers, changed in one way: `province` is called `state` (as in
today's release of the data), and other changes thrown by seed. A write is right if the session has
it. The two columns of figures are with checks and with the routine alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.drift.learnt import learnt
from benchmarks.drift.playing import OUTCOMES, table
from benchmarks.drift.sessions import sessions
from benchmarks.drift.written import written_down


def show(way: str, experiences: int, of: int, rows: list[dict[str, Any]]) -> None:
    """Print a table."""
    print(f"\n{experiences} experiences {way}, of {of} sessions; with checks | the routine alone\n")
    print(f"{'change':<12} {'plays':>6} " + " ".join(f"{each:>12}" for each in OUTCOMES) + "  |")
    for each in rows:
        with_checks = " ".join(f"{each[name]:>12}" for name in OUTCOMES)
        alone = " ".join(f"{each[f'{name}_without_checks']:>12}" for name in OUTCOMES)
        print(f"{each['change']:<12} {each['plays']:>6} {with_checks}  | {alone}")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("folder", metavar="DIR", type=Path, help="with τ-bench's results")
    parser.add_argument("--limit", type=int, help="only so many sessions")
    parser.add_argument("--seeds", type=int, default=3, help="throws of each change by chance")
    parser.add_argument("--json", action="store_true", help="figures as one JSON document")
    wanted = parser.parse_args()
    found = sessions(wanted.folder)[: wanted.limit]
    if not found:
        print(f"no sessions of τ-bench in {wanted.folder}", file=sys.stderr)
        return 2
    printed: dict[str, Any] = {"sessions": len(found)}
    for way, subjects in (("learnt", learnt(found)), ("written down", written_down(found))):
        rows = asyncio.run(table(subjects, wanted.seeds))
        printed[way.replace(" ", "_")] = {"experiences": len(subjects), "rows": rows}
        if not wanted.json:
            show(way, len(subjects), len(found), rows)
    if wanted.json:
        print(json.dumps(printed, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
