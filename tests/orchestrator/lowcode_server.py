"""Runs sessions that kill their own process: `lowcode_server.py STORE`, a JSON line a life.

A line `{"agent": NAME, "at": N}` runs the agent in a forked process that ends by SIGKILL as soon as
its N-th step is stored; the answer says whether it was killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

from lowcode_agents import AGENTS

import playhead as ph
from playhead.orchestrator import StepEvent


async def live(path: str, name: str, at: int) -> None:
    seen = 0

    def watch(event: Any) -> None:
        nonlocal seen
        if isinstance(event, StepEvent):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    async with ph.SqliteStore(path) as store:
        make, task, _ = AGENTS[name]
        await ph.run(make(), task, store=store, on_event=watch)


def main(path: str) -> None:
    for line in sys.stdin:
        wanted = json.loads(line)
        child = os.fork()
        if child == 0:
            asyncio.run(live(path, wanted["agent"], wanted["at"]))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        assert killed or status == 0, status
        print(json.dumps({"killed": killed}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
