"""The process that is killed: `python -m playhead.cli.demo._child STORE LEDGER TASK TOOL`.

It runs the office agent on a task. When TOOL is called, the action is in the store and the tool
hangs; the process says so on stdout, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import playhead as ph
from playhead.cli.demo._agent import office_agent
from playhead.cli.demo._ledger import LedgerOffice
from playhead.environment import ToolContext


def _say(context: ToolContext) -> None:
    line = {"tape": context.tape, "action": context.key, "process": os.getpid()}
    print(json.dumps(line), flush=True)  # the parent reads it


async def main(store: Path, ledger: Path, task: str, tool: str) -> None:
    """Run until the tool is called."""
    office = LedgerOffice(ledger, block_at=tool, blocked=_say)
    async with ph.SqliteStore(store) as tapes:
        await ph.run(office_agent(), task, environment=office, store=tapes, on_event=office.watch)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
